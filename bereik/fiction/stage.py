"""Puts a history on a running stack and looks how it ended: doors, waiting, consent, and every story against its ending."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bereik import bridge, collect
from bereik.app import App
from bereik.bus import Admin, Broker, Producer
from bereik.cases import people_of
from bereik.declared.purposes import Agrees, BridgeRule
from bereik.errors import LastingError, TransientError
from bereik.fiction import Delivery, Ending, History, Planted, Story, brp
from bereik.fiction.stories import CHILD_AGE
from bereik.fiction.workers import Followed, follow
from bereik.lifecycle import BY_SIGNALS, NEW
from bereik.residency import Answer
from bereik.runtime import Stack
from bereik.settings import Settings
from bereik.store import Tx, accounts, explain, invariants

# A quiet machine needs a few seconds for 3,000 signals; this is for one that is far slower or busy.
PATIENCE = 180.0
# Airflow starts a task within seconds once its DAGs are parsed, which a busy machine takes its time for.
COLLECT_PATIENCE = 180.0


class NotDrained(TransientError):
    """The consumers did not keep up. `bereik status` shows which one stands still; its log tells why."""


class NotCollected(TransientError):
    """Airflow did not collect the files in time. Look at its page, or at the logs in .bereik/airflow/logs."""


class NotChecked(TransientError):
    """The registers were not asked about everybody in time. The logs of `checks` and `register` tell why."""


class NotRunning(LastingError):
    """The embedded stack does not run. Start it with `bereik up`, or run `bereik demo`."""


@dataclass(frozen=True, slots=True)
class Told:
    """One story as it ended: whether as it should, what was found in one line, and the command that explains it."""

    story: Story
    fine: bool
    found: str
    command: str


@dataclass(frozen=True, slots=True)
class Report:
    """What there is after a history, from the database alone."""

    counts: list[tuple[str, str, int, int, int, int, int]]
    cases: list[
        tuple[str, str, str, int, int, int, int, int]
    ]  # purpose, team, name, single, consecutive, multiple, not up, all
    alerts: dict[str, int]
    bridges: dict[tuple[str, str], int]
    stories: list[Told]
    wrong: list[str]
    seconds: float
    recognised: list[str] = field(default_factory=list)
    followed: list[Followed] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Whether everything is as the fiction expects."""
        ended = all(told.fine for told in self.stories) and all(one.fine for one in self.followed)
        return ended and not self.wrong


def _evidence(app: App, purpose: str, municipality: str, title: str, one: str, other: str) -> list[str]:
    with app.desk(purpose, municipality) as desk:
        lines = desk.why(one, other, "en").text("en")
    command = f"  $ bereik linkage why {str(one)[:8]} {str(other)[:8]}"
    return [title, *(f"  {line}" for line in lines), command]


class Stage:
    """One history on one stack."""

    def __init__(self, stack: Stack, history: History) -> None:
        self.stack, self.history = stack, history
        self.app = App(Settings.from_env(stack.environment("operator")))
        self._began = time.monotonic()

    # ------------------------------------------------------------ the doors

    @contextmanager
    def history_kept(self) -> Iterator[None]:
        """Let the doors keep records of months ago while the block runs.

        A topic keeps records by their own timestamp, and a check of the broker would remove ours of May before intake
        has read them; besides, a door refuses what is older than it keeps. Afterwards the declared term holds again, and
        that same check clears the history away.
        """
        settings = self.stack.settings
        admin = Admin(settings.kafka_admin)
        doors = {
            name: topic
            for name, topic in self.app.bundle().topic_names().items()
            if topic.pattern.startswith("in.")
        }
        try:
            admin.set_retention(list(doors), -1)
            yield
            for name, topic in doors.items():
                admin.set_retention([name], topic.retention_ms)
        finally:
            admin.close()

    def put_files(self) -> None:
        """Lay the files in the drop folders, as an upload does: written apart, then renamed into place."""
        drop = self.app.settings.drop
        collect.prepare(drop, self.app.bundle())
        for file in self.history.files:
            folder = drop / file.partner / "incoming"
            growing = folder / f".{file.name}"
            growing.write_bytes(file.content)
            growing.rename(folder / file.name)

    def publish(self, records: Sequence[Delivery]) -> int:
        """Send every record as its own partner, with the timestamp of its own day; returns how many."""
        settings = self.stack.settings
        senders: dict[str, Producer] = {}
        try:
            for record in records:
                if record.partner not in senders:
                    principal = f"partner_{record.partner}"
                    broker = Broker(settings.kafka_bootstrap, principal, settings.kafka_password(principal))
                    senders[record.partner] = Producer(broker)
                senders[record.partner].send(
                    record.topic, record.key, record.value, record.headers, timestamp_ms=record.timestamp_ms
                )
            for sender in senders.values():
                sender.flush()
        finally:
            for sender in senders.values():
                sender.close()
        return len(records)

    def settle(self, patience: float = PATIENCE) -> None:
        """Wait until nothing is under way. Raises `NotDrained`."""
        until = time.monotonic() + patience
        quiet = 0
        while True:
            waiting = self.app.backlog()
            # Twice in a row: an effect may move from one count to the next while we count.
            quiet = 0 if any(waiting.values()) else quiet + 1
            if quiet == 2:
                return
            if time.monotonic() > until:
                left = ", ".join(f"{name} {number}" for name, number in waiting.items() if number)
                raise NotDrained(f"{NotDrained.__doc__} Still under way: {left}.")
            time.sleep(0.5)

    # ------------------------------------------------------------ the clock

    def collect(self) -> str:
        """Have the files collected, by Airflow when it runs; returns by whom."""
        running = {state.name for state in self.stack.status() if state.running}
        if "airflow-scheduler" not in running:
            app = App(Settings.from_env(self.stack.environment("dags")))
            time.sleep(collect.SETTLE.total_seconds())
            for partner in app.waiting():
                app.collect(partner)
            return "this command, because Airflow does not run"
        airflow = _Airflow(self.stack)
        until = time.monotonic() + COLLECT_PATIENCE
        run = ""
        while self._left():
            if time.monotonic() > until:
                raise NotCollected()
            # A run that found the files still settling leaves them to the next one.
            if not run or airflow.state("collect", run) in ("success", "failed"):
                run = airflow.trigger("collect") or run
            time.sleep(1.0)
        return "Airflow"

    def _left(self) -> int:
        """Files of this history that still lie in their drop folder."""
        drop = self.app.settings.drop
        return sum((drop / file.partner / "incoming" / file.name).exists() for file in self.history.files)

    def match(self) -> int:
        """Match every month of this history, also the one that has only begun: its partners have delivered. Returns cases."""
        return self.app.match(ready=True)

    # ------------------------------------------------------------ people

    def agree(self) -> None:
        """Take down the consent of everybody concerned, and the acceptance, for the stories that are about consent."""
        for story in self.history.stories:
            if story.ending is not Ending.CONSENT_BRIDGE:
                continue
            with self.app.store.transaction() as tx:
                found = self._cases(tx, story.events)
            rule = next(
                rule
                for rule in self.app.bundle().bridges
                if set(rule.purposes) == {case["purpose"] for case in found}
            )
            for case in found:
                toward = next(purpose for purpose in rule.purposes if purpose != case["purpose"])
                detail = {"toward": toward, "who": _may_agree(rule, case["purpose"]), "form": rule.forms[-1]}
                for person in people_of(case["decision"]):
                    agreed = {**detail, "person_id": person}
                    self.app.state_fact(
                        case["purpose"], case["case_id"], bridge.CONSENT, agreed, case["team"]
                    )
            # Who was asked last accepts, once the request stands.
            self.settle()
            last = found[-1]
            self.app.state_fact(last["purpose"], last["case_id"], bridge.ACCEPTED, {}, last["team"])

    def work(self) -> list[Followed]:
        """Have fictional workers bring five cases to their outcome, none of them one that another story is about."""
        with self.app.store.transaction() as tx:
            told = [
                case["case_id"] for story in self.history.stories for case in self._cases(tx, story.events)
            ]
        found = list(follow(self.app, told))
        self.settle()
        return found

    def register(self) -> int:
        """Put the people of this history into the fictional registers, as far as there are numbers; returns how many."""
        held = brp.residents(
            self.history.reported, sorted(self.app.bundle().municipalities), self.history.seed
        )
        path = self.stack.settings.residents
        path.parent.mkdir(mode=0o700, exist_ok=True)
        growing = path.with_suffix(".growing")
        growing.write_text(json.dumps(held), encoding="utf-8")
        growing.rename(path)
        return len(held["personen"])

    def check(self, patience: float = PATIENCE) -> list[str]:
        """Wait until the registers answered about everybody who is asked about; what they said. Raises `NotChecked`."""
        until = time.monotonic() + patience
        while self._read(
            "SELECT count(*) FROM vault.residency WHERE answer IS NULL AND choice IS NULL AND stands"
        ) != [(0,)]:
            if time.monotonic() > until:
                raise NotChecked()
            time.sleep(0.5)
        self.settle()
        found = dict(self._read("SELECT answer, count(*) FROM vault.residency GROUP BY 1"))
        known = self._read("SELECT count(*) FROM vault.residency WHERE known")[0][0]
        others = ", ".join(
            f"{number} {Answer(name).value.replace('_', ' ')}"
            for name, number in sorted(found.items())
            if name != Answer.UNIQUE
        )
        told = [
            f"{sum(found.values())} people asked about in fictional registers: {found.get(Answer.UNIQUE, 0)} as their partner"
            f" wrote, {known} of them known to debt help; {others or 'nobody otherwise'}."
        ]
        for case_id, person_id, names in self._read(
            "SELECT case_id, person_id, differences FROM vault.residency WHERE answer = 'deviating' AND choice IS NULL"
            " ORDER BY due_at, case_id LIMIT 1"
        ):
            told += [
                f"one whom the register has otherwise ({', '.join(names)}): the case stands, a person decides",
                f"  $ bereik tray show {case_id[:8]} --person {person_id[:8]}",
            ]
        return told

    def _read(self, sql: str) -> list[tuple[Any, ...]]:
        with self.app.store.transaction() as tx, tx.role(invariants.AUDITOR):
            return [tuple(row) for row in tx.rows(sql)]

    def seed_accounts(self) -> str:
        """Make the board's demo accounts; returns their password, which is this home's own."""
        password = self.stack.settings.passwords.get("board:demo")[:10]
        hashed = accounts.hash_password(password)
        with self.app.store.transaction() as tx:
            accounts.put_accounts(tx, [(one, hashed) for one in accounts.demo_accounts(self.app.bundle())])
        return password

    # ------------------------------------------------------------ looking

    def recognise(self) -> list[str]:
        """How people were recognised: a link and a review with their evidence, and a break that is taken back."""
        app = App(Settings.from_env(self.stack.environment("linkage")))
        told: list[str] = []
        for purpose in app.bundle().purposes:
            with app.links(purpose) as tables:
                link = tables.narrowest_link()
                asked = next(iter(tables.reviews(1)), None)
            if link is None or asked is None:
                continue
            told += _evidence(app, purpose, link[2], "the link on the least evidence", *link[:2])
            told += _evidence(app, purpose, asked[2], "a review that waits", *asked[:2])
            told += self._break(app, purpose, link[2], *link[:2])
            return told
        return ["no register has both a link and a review in this history"]

    def _break(self, app: App, purpose: str, municipality: str, one: str, other: str) -> list[str]:
        act = str(uuid4())
        with app.desk(purpose, municipality) as desk:
            apart = len(desk.part(one, other, "demo", act))
        self.settle()
        with app.desk(purpose, municipality) as desk:
            back = len(desk.take_back(act, "demo"))
        self.settle()
        return [
            "a break, and the break taken back",
            f"  $ bereik linkage part {str(one)[:8]} {str(other)[:8]}",
            f"  {apart} signals moved to a person of their own, {back} came back; every edge is still there:",
            f"  $ bereik linkage history {str(one)[:8]}",
        ]

    def report(self) -> Report:
        """Look how everything ended. Reads only, as the auditor."""
        waiting, findings = self.app.check()
        wrong = [f"{name}: {number} still under way" for name, number in waiting.items() if number]
        wrong += [f"invariant {one.name} broken {one.violations} times" for one in findings if one.violations]
        with self.app.store.transaction() as tx:
            counts = invariants.counts(tx)
            stories = [self._told(tx, story) for story in self.history.stories]
            with tx.role(invariants.AUDITOR):
                cases = self._case_rows(tx)
                told = tx.rows("SELECT reason, count(*) FROM casework.alert GROUP BY 1 ORDER BY 2 DESC")
                alerts: dict[str, int] = dict(told)
                bridges = {
                    (g, s): n
                    for g, s, n in tx.rows("SELECT ground, state, count(*) FROM bridge.bridge GROUP BY 1, 2")
                }
                wrong += self._against_oracle(tx, counts)
        return Report(counts, cases, alerts, bridges, stories, wrong, time.monotonic() - self._began)

    def _case_rows(self, tx: Tx) -> list[tuple[str, str, str, int, int, int, int, int]]:
        names = {
            team.id: team.name for one in self.app.bundle().municipalities.values() for team in one.teams
        }
        rows = tx.rows(
            "SELECT purpose, team, count(*) FILTER (WHERE stands AND kind = 'single'),"
            " count(*) FILTER (WHERE stands AND kind = 'consecutive'), count(*) FILTER (WHERE stands AND kind = 'multiple'),"
            " count(*) FILTER (WHERE NOT stands), count(*) FROM"
            " (SELECT purpose, team, kind, stands FROM casework.case"
            "  WHERE first_signal >= %s) AS c GROUP BY 1, 2 ORDER BY 2",
            (self.history.last_month,),
        )
        return [(row[0], row[1], names.get(row[1], row[1]), *row[2:]) for row in rows]

    def _against_oracle(self, tx: Tx, counts: Sequence[tuple[Any, ...]]) -> Iterator[str]:
        """Differences between what is stored and what the fiction expects."""
        found: dict[tuple[str, str, str], int] = {}
        for partner, door, _, *fates in counts:
            for fate, number in zip(("accepted", "duplicate", "refused", "parked"), fates, strict=True):
                if number:
                    found[(partner, door, fate)] = number
        expected = self.history.oracle.fates
        for key in sorted(set(found) | set(expected)):
            if found.get(key, 0) != expected[key]:
                yield f"{' '.join(key)}: {found.get(key, 0)}, expected {expected[key]}"
        kinds: Counter[tuple[str, str, str, str]] = Counter()
        purposes = self.app.bundle().purposes
        for purpose, municipality, kind, status, number in tx.rows(
            "SELECT purpose, municipality, kind, status, count(*) FROM casework.case"
            " WHERE signals > 0 GROUP BY 1, 2, 3, 4"
        ):
            # What people did since is not the signals' doing.
            when = purposes[purpose].when(status)
            outcome = when if when in BY_SIGNALS else NEW
            kinds[(purpose, municipality, kind, outcome)] += number
        wanted = self.history.oracle.cases()
        for key4 in sorted(set(kinds) | set(wanted)):
            if kinds[key4] != wanted[key4]:
                yield f"cases {' '.join(key4)}: {kinds[key4]}, expected {wanted[key4]}"

    # ------------------------------------------------------------ one story

    def _events(self, tx: Tx, planted: Planted) -> list[dict[str, Any]]:
        """The receipts of a planted event, oldest first; of one without an id those of its partner with its reason."""
        if planted.event_id is not None:
            return [row for row in explain.events(tx, planted.event_id) if row["partner"] == planted.partner]
        with tx.role(invariants.AUDITOR):
            ids = tx.rows(
                "SELECT receipt_id FROM intake.receipt WHERE partner = %s AND event_id IS NULL AND reasons -> 0 ->> 'code' = %s",
                (planted.partner, planted.reason),
            )
        return [row for (receipt_id,) in ids for row in explain.events(tx, receipt_id)]

    def _cases(self, tx: Tx, events: Sequence[Planted]) -> list[dict[str, Any]]:
        """The cases that these events are in, in the order of the events, each once."""
        ids: dict[str, None] = {}
        for planted in events:
            ids.update(
                {row["case_id"]: None for row in self._events(tx, planted) if row["case_id"] is not None}
            )
        return [found for case_id in ids for found in explain.cases(tx, case_id)]

    def _told(self, tx: Tx, story: Story) -> Told:
        names = {partner.id: partner.name for partner in self.app.bundle().partners.values()}
        receipts: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
        wanted: dict[tuple[str, str | None], Counter[tuple[str, str | None]]] = {}
        for planted in story.events:
            key = (planted.partner, planted.event_id)
            receipts[key] = self._events(tx, planted)
            wanted.setdefault(key, Counter())[(planted.fate, planted.reason)] += 1
        fine = all(
            Counter((row["fate"], _code(row)) for row in receipts[key]) == wanted[key] for key in wanted
        )
        if story.ending is Ending.FATES:
            rows = [row for found in receipts.values() for row in found]
            said = "; then ".join(_sentence(row) for row in rows) or "not found"
            reference = (rows[-1]["event_id"] or str(rows[-1]["receipt_id"])[:8]) if rows else "?"
            return Told(
                story, fine, f"{names[story.events[0].partner]}: {said}", f"bereik explain signal {reference}"
            )
        found = self._cases(tx, story.events)
        case = found[-1] if found else None
        if case is None:
            return Told(story, False, "no case found", "bereik status --check")
        said = "; ".join(
            f"case {str(one['case_id'])[:8]} at {one['team']}: {one['status']}, {one['kind']}"
            for one in found
        )
        if story.ending in (Ending.CONSENT_BRIDGE, Ending.STATUTE_BRIDGE, Ending.NO_BRIDGE):
            case = found[0]
            said += "; " + (
                "; ".join(f"bridge {tie['state']} by {tie['ground']}" for tie in case["bridges"])
                or "no bridge"
            )
        return Told(
            story,
            fine and _ended(story.ending, found),
            said,
            f"bereik explain case {str(case['case_id'])[:8]}",
        )


def _code(row: Mapping[str, Any]) -> str | None:
    return row["reasons"][0]["code"] if row["reasons"] else None


def _sentence(row: Mapping[str, Any]) -> str:
    if not row["reasons"]:
        return str(row["fate"])
    reason = row["reasons"][0]
    where = next((f" [{reason[key]}]" for key in ("article", "field") if reason.get(key)), "")
    return f"{row['fate']}: {reason.get('en', reason['code'])}{where}"


def _ended(ending: Ending, found: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these cases are what the ending asks."""
    last = found[-1]
    codes = {reason["code"] for reason in last["decision"]["reasons"]}
    stands = bool(last["stands"])
    ties = [[(tie["state"], tie["ground"]) for tie in case["bridges"]] for case in found]
    apart = len(found) == 2 and len({case["team"] for case in found}) == 2 and all(c["stands"] for c in found)
    match ending:
        case Ending.CONSENT_BRIDGE:
            return apart and ties == [[("open", "consent")]] * 2
        case Ending.STATUTE_BRIDGE:
            return apart and ties == [[("open", "statute")]] * 2
        case Ending.NO_BRIDGE:
            return apart and ties == [[], []]
        case Ending.TOGETHER_ABOVE:
            return len(found) == 1 and stands and last["kind"] == "multiple" and "above_threshold" in codes
        case Ending.REPEAT:
            return len(found) == 2 and not stands and "repeat" in codes
        case Ending.CRISIS:
            return stands and bool(last["crisis"])
        case Ending.WITHDRAWN:
            return not stands and "withdrawn" in codes
        case Ending.FATES:
            return True


def _may_agree(rule: BridgeRule, purpose: str) -> str:
    """Who may agree for that side when the child is as young as the stories make it."""

    def fits(one: Agrees) -> bool:
        return (one.from_age is None or one.from_age <= CHILD_AGE) and (
            one.below_age is None or one.below_age > CHILD_AGE
        )

    return next(one.role for one in rule.agrees[purpose] if fits(one))


class _Airflow:
    """As much of Airflow's API as it takes to start a DAG and to see how it went."""

    def __init__(self, stack: Stack) -> None:
        self._base = stack.links["airflow"]
        self._login = stack.airflow_login
        self._token = ""
        # Without proxies: the address is our own machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def trigger(self, dag: str) -> str:
        """Start a run and give its id; an empty text when the DAG is not known yet."""
        moment = datetime.now(UTC).isoformat()
        answer = self._ask(
            "POST", f"api/v2/dags/{dag}/dagRuns", {"logical_date": None, "dag_run_id": f"demo-{moment}"}
        )
        return str(answer.get("dag_run_id", ""))

    def state(self, dag: str, run: str) -> str:
        """`queued`, `running`, `success` or `failed`."""
        return str(self._ask("GET", f"api/v2/dags/{dag}/dagRuns/{urllib.parse.quote(run)}").get("state", ""))

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        if not self._token:
            user, password = self._login
            answer = self._send("POST", "auth/token", {"username": user, "password": password})
            self._token = str(answer.get("access_token", ""))
        return self._send(method, path, body)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        request = urllib.request.Request(
            self._base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"}
            | ({"authorization": f"Bearer {self._token}"} if self._token else {}),
        )
        try:
            with self._opener.open(request, timeout=30) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            if error.code == 401:
                self._token = ""
            return {}
        except (OSError, ValueError):
            return {}
