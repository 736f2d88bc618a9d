"""What is stored about one case or one event, for whoever has to explain it. Read as bereik_auditor: no sealed value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bereik.reasons import spoken
from bereik.store import Tx
from bereik.store.invariants import AUDITOR


def _dicts(tx: Tx, columns: Sequence[str], source: str, params: Any) -> list[dict[str, Any]]:
    found = tx.rows(f"SELECT {', '.join(columns)} FROM {source}", params)
    names = [column.rpartition(" AS ")[2].rpartition(".")[2].strip('"') for column in columns]
    return [dict(zip(names, row, strict=True)) for row in found]


def cases(tx: Tx, reference: str) -> list[dict[str, Any]]:
    """Cases whose id begins with `reference`, with signals, facts, alerts and what their own side of a bridge shows."""
    with tx.role(AUDITOR):
        found = _dicts(
            tx,
            (
                "c.case_id", "c.purpose", "c.municipality", "c.area", "c.team", "c.version", "c.status", "c.kind", "c.crisis",
                "c.priority", "c.period", "c.received_at", "c.offer_by", "c.stands", "c.decision",
                "c.decided_at", "b.sha256 AS bundle",
            ),
            "casework.case c JOIN ops.bundle b USING (bundle_id) WHERE c.case_id::text LIKE %s ORDER BY c.case_id LIMIT 2",
            (reference.lower() + "%",),
        )  # fmt: skip
        for case in found:
            of_case = (case["case_id"],)
            case["decision"] = spoken(case["decision"])
            case["signals"] = _dicts(
                tx,
                (
                    "signal_id",
                    "signal_type",
                    "partner",
                    "signal_date",
                    "received_at",
                    "status",
                    "reason",
                    "facts",
                ),
                "casework.signal WHERE case_id = %s ORDER BY signal_date, signal_id",
                of_case,
            )
            case["facts"] = _dicts(
                tx,
                ("kind", "detail", "stated_by", "stated_at"),
                "casework.fact WHERE case_id = %s ORDER BY stated_at",
                of_case,
            )
            case["alerts"] = _dicts(
                tx,
                ("reason", "team", "outlet", "ordered_at"),
                "casework.alert WHERE case_id = %s ORDER BY ordered_at",
                of_case,
            )
            case["bridges"] = _dicts(
                tx,
                ("b.ground", "b.basis", "b.state", "b.opened_at", "b.ended_at", "s.shown"),
                "bridge.side s JOIN bridge.bridge b USING (bridge_id) WHERE s.case_id = %s ORDER BY b.requested_at",
                of_case,
            )
    return found


def events(tx: Tx, reference: str) -> list[dict[str, Any]]:
    """Receipts of the events with this event id, signal id or receipt id (or a beginning of the latter two)."""
    with tx.role(AUDITOR):
        found = _dicts(
            tx,
            (
                "r.receipt_id", "r.partner", "r.door", "r.event_id", "r.event_type", "r.action", "r.municipality", "r.received_at",
                "r.fate", "r.gate", "r.reasons", "r.purpose", "r.signal_id", "b.sha256 AS bundle",
                "l.outcome", "l.reason", "l.against", "l.weight",
                "s.status", "s.case_id", "c.team",
            ),
            "intake.receipt r JOIN ops.bundle b USING (bundle_id) "
            " LEFT JOIN LATERAL (SELECT outcome, reason, against, weight FROM vault.link v WHERE v.signal_id = r.signal_id"
            " ORDER BY version DESC LIMIT 1) l ON true"
            " LEFT JOIN casework.signal s ON s.signal_id = r.signal_id LEFT JOIN casework.case c ON c.case_id = s.case_id"
            " WHERE r.event_id = %s OR r.signal_id::text LIKE %s OR r.receipt_id::text LIKE %s"
            " ORDER BY r.received_at, r.\"offset\" LIMIT 20",
            (reference, reference.lower() + "%", reference.lower() + "%"),
        )  # fmt: skip
        for event in found:
            event["told"] = _dicts(
                tx,
                ("version", "word", "code", "told_on"),
                "intake.told WHERE receipt_id = %s ORDER BY version",
                (event["receipt_id"],),
            )
    return found
