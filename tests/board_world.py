"""A small world for the board's tests: a database of its own in the stack's PostgreSQL, two municipalities, three families.

Its own database, because these cases were written by hand: in the stack's database they would break the count of
what came in against what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

from bereik.bundle import Bundle
from bereik.runtime import Stack, database
from bereik.settings import Entrance
from bereik.store import Store, bundles, migrate
from bereik.store.accounts import Account, Membership, demo_accounts, hash_password, put_accounts

PASSWORD = "a password of the tests"
ENTRANCE = Entrance("http://127.0.0.1", passwords=True, provider=None)
NOW = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
NAME = "bereik_board"
HELP, LEARN = "schuldhulp", "leerplicht"

_made: dict[Path, World] = {}


@dataclass(frozen=True)
class World:
    """Where the database is, the bundle in force, and the cases by their name in the story."""

    stack: Stack
    bundle: Bundle
    cases: dict[str, str] = field(default_factory=dict)

    def url(self, role: str) -> str:
        """The address of this world's database for one role."""
        return database.url(role, self._password(role), self.stack.ports.database, NAME)

    def _password(self, role: str) -> str:
        return self.stack.settings.passwords.get(f"database:{role}")

    def store(self, pool_size: int = 2) -> Store:
        """The store as the board opens it."""
        return Store(self.url("bereik_web"), pool_size)


def world(stack: Stack) -> World:
    """The world on this stack, made when it is first asked for."""
    if stack.home not in _made:
        _made[stack.home] = _build(stack)
    return _made[stack.home]


def _build(stack: Stack) -> World:
    bundle = Bundle.compile(Path(__file__).parents[1] / "schemas")
    made = World(stack, bundle)
    superuser = database.url("postgres", made._password("postgres"), stack.ports.database, "postgres")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME}")
        connection.execute(f"CREATE DATABASE {NAME} OWNER bereik_owner")
    migrate(made.url("bereik_owner"), sorted(bundle.purposes), bundle.delivered)
    operator = Store(made.url("bereik_operator"))
    password_hash = hash_password(PASSWORD, 1024)
    mixed = Account("everything", "Mixed", members=tuple(m for a in demo_accounts(bundle) for m in a.members))
    nobody = Account("nobody", "Nobody", language="en")
    enforce = Account("enforcer", "Enforcer", members=(Membership(LEARN, "9901", "9901-handhaving"),))
    with operator.transaction() as tx:
        bundle_id = bundles.save(tx, bundle.sha256, bundle.document)
        bundles.activate(tx, bundle_id, "test")
        put_accounts(tx, [(a, password_hash) for a in (*demo_accounts(bundle), mixed, nobody, enforce)])
    operator.close()
    _families(made, bundle_id)
    return made


def _families(made: World, bundle_id: int) -> None:
    """A: bridge by consent. B: the same facts, nobody agreed. C: bridge by statute. And a crisis, and one of last month."""
    for name, municipality, team, area in (
        ("a", "9901", "9901-vroeg-noord", "noord"),
        ("b", "9901", "9901-vroeg-noord", "noord"),
        ("c", "9902", "9902-vroeg-oost", "oost"),
    ):
        debts = (("huurachterstand", 640), ("energieschuld", 210))
        made.cases[f"{name}-debt"] = _case(made, bundle_id, HELP, municipality, team, debts, area=area)
        absence = (("schoolverzuim", None),)
        learn = f"{municipality}-leerplicht"
        made.cases[f"{name}-absence"] = _case(made, bundle_id, LEARN, municipality, learn, absence, area=area)
    crisis = (("energieschuld", 900),)
    made.cases["crisis"] = _case(made, bundle_id, HELP, "9901", "9901-crisis", crisis, crisis=True)
    made.cases["zuid"] = _case(
        made, bundle_id, HELP, "9901", "9901-vroeg-zuid", (("waterschuld", 95),), area="zuid"
    )
    october = (("huurachterstand", 310),)
    made.cases["october"] = _case(
        made, bundle_id, HELP, "9901", "9901-vroeg-noord", october, area="noord", day=date(2026, 10, 6)
    )
    # What must not be, to see that the board would not show it: a bridge of a team that enforces.
    absent = (("schoolverzuim", None),)
    made.cases["enforced"] = _case(made, bundle_id, LEARN, "9901", "9901-handhaving", absent)
    _bridge(made, "a-debt", "a-absence", "consent", "gezin-v1")
    _bridge(made, "c-debt", "c-absence", "statute", "Wet gezinsaanpak (fictief), art. 4; DPIA-9902-2025-07")
    _bridge(made, "zuid", "enforced", "consent", "gezin-v1")
    _receipts(made, bundle_id)


def _case(
    made: World,
    bundle_id: int,
    purpose: str,
    municipality: str,
    team: str,
    signals: tuple[tuple[str, int | None], ...],
    *,
    area: str | None = None,
    crisis: bool = False,
    day: date = date(2026, 11, 12),
) -> str:
    case_id, subject = str(uuid4()), str(uuid4())
    kind = "multiple" if len(signals) > 1 else "single"
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    state = made.bundle.purposes[purpose].states[0].id
    decision = {
        "offer_in": {"working_days": 3} if crisis else {"days": 28},
        "priority_reason": {"nl": "Einde levering dreigt", "en": "Supply is about to end"} if crisis else {},
        "route": {"team": team, "path": ["crisis=yes"] if crisis else [f"area={area}"] if area else []},
        "reasons": [
            {"code": kind, "n": len(signals)},
            {"code": "consecutive", "months": 6, "date": day.isoformat()},
        ],
    }
    with psycopg.connect(made.url("bereik_casework")) as connection:
        connection.execute(f"SET ROLE casework_{purpose}")
        connection.execute(
            "INSERT INTO casework.case (case_id, purpose, subject, municipality, area, version, status, kind, crisis, priority,"
            " team, period, first_signal, received_at, offer_by, signals, stands, digest,"
            " decision, alerted, bundle_id, decided_at)"
            " VALUES (%s, %s, %s, %s, %s, 1, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, true, '', %s, 1, %s, %s)",
            (case_id, purpose, subject, municipality, area, state, kind, crisis, 1 if crisis else 3, team, f"{day:%Y-%m}", day,
             at, day + timedelta(days=5 if crisis else 28), len(signals), Jsonb(decision), bundle_id, at),
        )  # fmt: skip
        for signal_type, amount in signals:
            declared = made.bundle.signal_types[signal_type]
            partner = next(p.id for p in made.bundle.partners.values() if signal_type in p.signal_types)
            facts: dict[str, Any] = {}
            if declared.amount_field and amount is not None:
                facts[declared.amount_field] = amount
            if declared.crisis_field:
                facts[declared.crisis_field] = crisis
            connection.execute(
                "INSERT INTO casework.signal (signal_id, purpose, version, status, subject, person_id, municipality, area,"
                " signal_type, partner, signal_date, received_at, facts, case_id)"
                " VALUES (%s, %s, 1, 'active', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    str(uuid4()),
                    purpose,
                    subject,
                    str(uuid4()),
                    municipality,
                    area,
                    signal_type,
                    partner,
                    day,
                    at,
                    Jsonb(facts),
                    case_id,
                ),
            )
        connection.execute(
            "INSERT INTO casework.alert (alert_id, purpose, case_id, case_version, municipality, team, reason, outlet, ordered_at)"
            " VALUES (%s, %s, %s, 1, %s, %s, 'new_case', 'board', %s)",
            (str(uuid4()), purpose, case_id, municipality, team, at),
        )
    return case_id


def state(made: World, name: str, kind: str, detail: dict[str, Any]) -> None:
    """State a fact about a case, as the checks and the commands do."""
    with psycopg.connect(made.url("bereik_casework")) as connection:
        connection.execute(f"SET ROLE casework_{HELP}")
        connection.execute(
            "INSERT INTO casework.fact (fact_id, purpose, case_id, kind, detail, stated_by, stated_at)"
            " VALUES (%s, %s, %s, %s, %s, 'brp', clock_timestamp())",
            (str(uuid4()), HELP, made.cases[name], kind, Jsonb(detail)),
        )


def _bridge(made: World, help_case: str, learn_case: str, ground: str, basis: str) -> None:
    bridge_id = str(uuid4())
    with psycopg.connect(made.url("bereik_bridge")) as connection:
        connection.execute(
            "INSERT INTO bridge.bridge (bridge_id, ground, basis, state, requested_at, opened_at)"
            " VALUES (%s, %s, %s, 'open', %s, %s)",
            (bridge_id, ground, basis, NOW, NOW),
        )
        for name, role, shown in (
            # An amount that was stored by mistake: the rule names no such field, so it must not be shown.
            (
                help_case,
                HELP,
                {"present": True, "since": "2026-11-12", "contact": "Team Leerplicht", "amount": 4321},
            ),
            (learn_case, LEARN, {"help_involved": True, "contact": "Vroeg Erop Af", "amount": 4321}),
        ):
            connection.execute(f"SET ROLE bridging_{role}")
            found = connection.execute(
                "SELECT municipality, team FROM casework.case WHERE case_id = %s", (made.cases[name],)
            ).fetchone()
            connection.execute("RESET ROLE")
            assert found is not None
            connection.execute(
                "INSERT INTO bridge.side (bridge_id, purpose, case_id, municipality, team, shown) VALUES (%s, %s, %s, %s, %s, %s)",
                (bridge_id, role, made.cases[name], *found, Jsonb(shown)),
            )


# What the law at the door says with a refusal.
ARTICLES = {"step_not_attested": "Bgs art. 2 (fictief)"}


def _receipts(made: World, bundle_id: int) -> None:
    types = made.bundle.signal_types
    rows = [
        ("huurachterstand", "accepted", "allowed", "", "9901", 5),
        ("huurachterstand", "refused", "refused", "step_not_attested", "9901", 2),
        ("energieschuld", "duplicate", "allowed", "already_received", "9901", 1),
        ("schoolverzuim", "refused", "unconfigured", "no_agreement", "9901", 3),
        ("schoolverzuim", "accepted", "allowed", "", "9901", 4),
        ("waterschuld", "accepted", "allowed", "", "9902", 777),
        (None, "parked", "unread", "not_utf8", None, 1),
    ]
    with psycopg.connect(made.url("bereik_intake")) as connection:
        offset = 0
        for name, fate, gate, reason, municipality, number in rows:
            for _ in range(number):
                offset += 1
                connection.execute(
                    "INSERT INTO intake.receipt (receipt_id, partner, door, event_id, event_type, action, municipality, topic,"
                    ' partition, "offset", received_at, fate, gate, reasons, purpose, bundle_id)'
                    " VALUES (%s, 'p', 'kafka', %s, %s, 'report', %s, 'in.p', 0, %s, %s, %s, %s, %s, %s, %s)",
                    (str(uuid4()), str(uuid4()), types[name].event_type if name else None, municipality, offset, NOW, fate,
                     gate,
                     Jsonb([{"code": reason, "article": ARTICLES.get(reason, "")}] if reason else []),
                     types[name].purpose if name else None, bundle_id),
                )  # fmt: skip
