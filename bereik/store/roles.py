"""Database roles and policies per purpose. Which purposes exist is declared, so this runs at every activation."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from bereik.errors import LastingError

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")

# The role of the national delivery; only of purposes that deliver is there one.
_DELIVERING = "delivering"

# (role prefix, login roles that may take it, {table: verbs})
_COMPARTMENTS: tuple[tuple[str, tuple[str, ...], dict[str, str]], ...] = (
    (
        "vault",
        ("bereik_intake",),
        {
            "vault.register": "SELECT, INSERT",
            "vault.record": "SELECT, INSERT, UPDATE",
            "vault.key": "SELECT, INSERT",
            "vault.link": "SELECT, INSERT",
            "vault.review": "SELECT, INSERT",
            "vault.verdict": "SELECT",
            "vault.crowd": "SELECT, INSERT",
        },
    ),
    # Whoever decides about links opens records, moves them and writes down why; it makes none.
    (
        "linking",
        ("bereik_linkage",),
        {
            "vault.register": "SELECT",
            "vault.record": "SELECT, UPDATE",
            "vault.key": "SELECT, INSERT, DELETE",
            "vault.rekeying": "SELECT, INSERT, UPDATE",
            "vault.link": "SELECT, INSERT",
            "vault.review": "SELECT, INSERT, UPDATE",
            "vault.verdict": "SELECT, INSERT, UPDATE",
            "vault.crowd": "SELECT",
        },
    ),
    (
        "casework",
        ("bereik_casework", "bereik_outreach", "bereik_operator", "bereik_dags", "bereik_checks"),
        {
            "casework.signal": "SELECT, INSERT, UPDATE",
            "casework.case": "SELECT, INSERT, UPDATE",
            "casework.fact": "SELECT, INSERT",
            "casework.matching": "SELECT, INSERT",
            "casework.alert": "SELECT, INSERT, UPDATE (due_at, times)",
            "casework.notice": "SELECT, INSERT, UPDATE",
            "casework.notice_try": "SELECT, INSERT",
        },
    ),
    # Whoever tells partners: which receipt a signal had and whose it is. Not the event's id, not its content, no case.
    (
        "telling",
        ("bereik_outreach",),
        {
            "intake.receipt": "SELECT (receipt_id, partner, purpose, signal_id, fate, action)",
            "intake.told": "SELECT, INSERT",
        },
    ),
    # The bridge reads which cases are open, whom they are about, and what people agreed to; it writes none of it.
    (
        "bridging",
        ("bereik_bridge",),
        {
            "casework.case": "SELECT",
            "casework.fact": "SELECT",
            "casework.signal": "SELECT (signal_id, purpose, subject, case_id, person_id, status, signal_date,"
            " received_at, consent)",
        },
    ),
    # It opens one sealed record to find where a case is: no match keys, no persons, and nothing to write.
    (
        "tracing",
        ("bereik_bridge",),
        {
            "vault.register": "SELECT (register_id, purpose, municipality, sealed_key)",
            "vault.record": "SELECT (signal_id, purpose, sealed)",
        },
    ),
    # The national delivery opens the records and numbers of the cases it tells of, reads what was done and not by whom, and
    # writes nothing.
    (
        _DELIVERING,
        ("bereik_delivery",),
        {
            "vault.register": "SELECT (register_id, purpose, municipality, sealed_key)",
            "vault.record": "SELECT (signal_id, purpose, sealed)",
            "casework.case": "SELECT (case_id, purpose, municipality, status, result, period, matched_on, passed)",
            "casework.signal": "SELECT (signal_id, purpose, signal_type, signal_date, status, facts, case_id, person_id)",
            "casework.fact": "SELECT (fact_id, purpose, case_id, kind, detail, stated_at)",
            # Only the number of somebody who is surely meant leaves; `answer` and `choice` tell that.
            "vault.residency": "SELECT (case_id, person_id, purpose, answer, choice, bsn)",
        },
    ),
    # Who asks the registers opens one sealed record of each person of an open case, and keeps the answer.
    (
        "checking",
        ("bereik_checks",),
        {
            "vault.register": "SELECT (register_id, purpose, municipality, sealed_key)",
            "vault.record": "SELECT (signal_id, purpose, sealed)",
            "vault.residency": "SELECT, INSERT, UPDATE",
            "vault.transfer": "SELECT, INSERT, UPDATE",
            # It also does what people ask for on the board.
            "casework.errand": "SELECT, UPDATE (done_at, outcome)",
        },
    ),
    # The clock tells each partner its months, keeps which it told, and removes what the registers said when its term is over: it
    # sees no answer and no number.
    (
        "keeping",
        ("bereik_dags",),
        {
            "vault.rate": "SELECT, INSERT",
            "vault.residency": "SELECT (case_id, purpose), DELETE",
            "vault.transfer": "SELECT (purpose, offered_at), DELETE",
            "casework.case": "SELECT (case_id, purpose, stands, decided_at)",
            "casework.errand": "SELECT (purpose, done_at), DELETE",
        },
    ),
    # The board, for a reviewer only: what is asked, and an answer. `_NARROWED` says which rows.
    (
        "reviewing",
        ("bereik_web",),
        {
            "vault.register": "SELECT",
            "vault.record": "SELECT, UPDATE (person_id, version, keyed)",
            "vault.key": "INSERT",
            "vault.link": "INSERT",
            "vault.review": "SELECT, UPDATE (closed_at, closed_by, same, unsure)",
            "vault.verdict": "SELECT, INSERT",
            "vault.crowd": "SELECT",
        },
    ),
)

# Within its purpose a role sees every row, but for these: the user whom the web process named decides (migration 0007).
_NARROWED: dict[str, dict[str, str]] = {
    "reviewing": {
        "vault.register": "vault.works_in(purpose, municipality)",
        "vault.record": "vault.may_open(signal_id)",
        "vault.review": "vault.may_review(signal_id, against, register_id)",
        "vault.verdict": "register_id IN (SELECT g.register_id FROM vault.register g)",
    }
}

_LOGINS = frozenset(login for _, logins, _ in _COMPARTMENTS for login in logins)


class UnsafePurpose(LastingError):
    """A purpose id must be a-z, 0-9 and _ only, because a database role is named after it. Rename it in purposes.yaml."""


def ensure_auditor(connection: Connection) -> None:
    """Make the counting role that the first migration grants to."""
    connection.exec_driver_sql(
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'bereik_auditor')"
        " THEN CREATE ROLE bereik_auditor NOLOGIN; END IF; END $$"
    )


def sync_purposes(connection: Connection, purposes: Sequence[str], delivered: Collection[str] = ()) -> None:
    """For every purpose: its NOLOGIN roles, their rights, and policies that show them their own purpose only.

    `delivered` are the purposes that the national delivery may read; it cannot take a role of another one.
    """
    for purpose in sorted(purposes):
        if not purpose or not set(purpose) <= _SAFE:
            raise UnsafePurpose()
        for prefix, logins, tables in _COMPARTMENTS:
            role = f"{prefix}_{purpose}"
            known = connection.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).first()
            if prefix == _DELIVERING and purpose not in delivered:
                if known is not None:
                    # It delivered under an earlier bundle.
                    connection.exec_driver_sql(f"REVOKE {role} FROM {', '.join(logins)}")
                continue
            if known is None:
                connection.exec_driver_sql(f"CREATE ROLE {role} NOLOGIN")
            if any("INSERT" in verbs for verbs in tables.values()):
                # Batches come in through TEMP tables, which belong to the role that makes them.
                database = connection.exec_driver_sql("SELECT quote_ident(current_database())").scalar_one()
                connection.exec_driver_sql(f"GRANT TEMPORARY ON DATABASE {database} TO {role}")
            for schema in sorted({table.split(".")[0] for table in tables}):
                connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
            for table, verbs in tables.items():
                schema, name = table.split(".")
                connection.exec_driver_sql(f"GRANT {verbs} ON {table} TO {role}")
                has = connection.exec_driver_sql(
                    "SELECT 1 FROM pg_policies WHERE schemaname = %s AND tablename = %s AND policyname = %s",
                    (schema, name, role),
                ).first()
                if has is None:
                    rows = _NARROWED.get(prefix, {}).get(table, "true")
                    connection.exec_driver_sql(
                        f"CREATE POLICY {role} ON {table} TO {role}"
                        f" USING (purpose = '{purpose}' AND {rows}) WITH CHECK (purpose = '{purpose}')"
                    )
            for login in sorted(_LOGINS - set(logins)):
                connection.exec_driver_sql(f"REVOKE {role} FROM {login}")
            for login in logins:
                connection.exec_driver_sql(f"GRANT {role} TO {login} WITH INHERIT FALSE, SET TRUE")
