"""The one place where parts are put together."""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

from bereik import collect, contact, interpreter, outreach, provision, quality, rounds, vault
from bereik.bridge import Bridge
from bereik.bundle import Bundle
from bereik.bus import Admin, Listener, NoAuthorizer, Producer, Relay, Work
from bereik.casework import Casework
from bereik.days import local_day
from bereik.delivery import Deliveries
from bereik.errands import Errands
from bereik.errors import BereikError, LastingError, TransientError
from bereik.feedback import Feedback
from bereik.inquiries import Inquiries
from bereik.intake import Intake
from bereik.keys import Keyring
from bereik.lifecycle import IllegalMove
from bereik.outlets import Outlets
from bereik.ports import CaseRow, Letter, Outlet, Placed, Record
from bereik.rekeying import Rekeying
from bereik.settings import NotConfigured, Settings, command_environment, home
from bereik.silences import Silences
from bereik.store import LoginRefused, Store, Tx, bundles, invariants, windows
from bereik.store.session import Session
from bereik.store.vault import MACHINE, Registers, VerdictRows
from bereik.trials import Trials
from bereik.verdicts import Desk, Relinked

log = logging.getLogger(__name__)

# Consumer group → the first part of the topics that it reads.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "intake": ("in",),
    "casework": ("signals",),
    "outreach": ("alerts", "words"),
    "bridge": ("cases",),
    "checks": ("cases", "register"),
}


def topics_of(group: str, bundle: Bundle) -> tuple[str, ...]:
    """The topics that a consumer group reads under a bundle."""
    return tuple(sorted(name for name in bundle.topic_names() if name.split(".", 1)[0] in GROUPS[group]))


class NoActiveBundle(LastingError):
    """No declarations are active. Run `bereik rules activate`."""


class NoSignal(LastingError):
    """No signal has an id that begins so. `bereik explain signal EVENT` names the signal of a partner's event."""


class ManySignals(LastingError):
    """More than one signal begins so. Give more characters of the id."""


@contextmanager
def plainly(process: str) -> Iterator[None]:
    """Within the block, what Bereik raises on purpose ends the process with exit code 1 and one line on standard error."""
    try:
        yield
    except BereikError as error:
        sys.stderr.write(f"bereik {process}: {' '.join(str(error).split())}\n")
        raise SystemExit(1) from None


def serve(process: str) -> None:
    """Run one consumer with the settings of the environment until it is told to stop."""
    with plainly(process):
        App.from_env().run(process)


class _OnSession:
    """A capability's step on a raw transaction: hands it the session of its group."""

    def __init__(self, step: Any, group: str, bundle_id: int) -> None:
        self._step, self._group, self._bundle_id = step, group, bundle_id

    def prepare(self, records: Sequence[Record]) -> Any:
        return self._step.prepare(records)

    def write(self, prepared: Any, tx: Tx) -> None:
        self._step.write(prepared, Session(tx, self._group, self._bundle_id))

    def park(self, letter: Letter, error: str, tx: Tx) -> None:
        self._step.park(letter, error, Session(tx, self._group, self._bundle_id))


class _ByTopic:
    """One step made of several: each takes the records of the topics that begin with its name."""

    def __init__(self, steps: Mapping[str, Any]) -> None:
        self._steps = steps

    def prepare(self, records: Sequence[Record]) -> list[tuple[Any, Any]]:
        found: dict[str, list[Record]] = {}
        for record in records:
            found.setdefault(record.topic.partition(".")[0], []).append(record)
        return [(self._steps[name], self._steps[name].prepare(own)) for name, own in found.items()]

    def write(self, prepared: Sequence[tuple[Any, Any]], tx: Any) -> None:
        for step, own in prepared:
            step.write(own, tx)

    def park(self, letter: Letter, error: str, tx: Any) -> None:
        self._steps[letter.topic.partition(".")[0]].park(letter, error, tx)


class App:
    """One process of Bereik: its settings, and each part made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stopped = threading.Event()
        self._bundle: tuple[int, Bundle] | None = None
        self._asked_at = 0.0

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, process: str = "operator") -> App:
        """From the environment, or from the embedded stack's settings for a process when the environment has none."""
        found = env if env is not None else command_environment(home(os.environ), process)
        return cls(Settings.from_env(found))

    @cached_property
    def store(self) -> Store:
        """The database under this process's login."""
        return Store(self.settings.database_url)

    @cached_property
    def keyring(self) -> Keyring:
        """The keyring. Raises `KeyringMissing`."""
        return Keyring.load(self.settings.keys)

    @cached_property
    def inquiries(self) -> Inquiries:
        """The check before contact."""
        return Inquiries(self.settings, self.store, self.keyring, self.active)

    @cached_property
    def errands(self) -> Errands:
        """What people ask for on the board."""
        return Errands(self.store, self.keyring, self.active, self.inquiries.checks)

    @cached_property
    def trials(self) -> Trials:
        """What would have been."""
        return Trials(self.store, self.bundle)

    @cached_property
    def silences(self) -> Silences:
        """Who is told nothing for a while, and what was told."""
        return Silences(self.store, self.bundle)

    def producer(self) -> Producer:
        """A producer under this process's principal."""
        return Producer(self.settings.broker)

    def admin(self) -> Admin:
        """Kafka's administration under this process's principal."""
        return Admin(self.settings.broker)

    def web_secret(self) -> bytes:
        """The key that signs the board's sessions."""
        return self.keyring.box("web").derive_bytes("session")

    # ------------------------------------------------------------ the active bundle

    def active(self) -> tuple[int, Bundle]:
        """The active bundle and its id; looked up at most once a second. Raises `NoActiveBundle`."""
        now = time.monotonic()
        if self._bundle is None or now - self._asked_at >= 1.0:
            with self.store.transaction() as tx:
                active = bundles.active_id(tx)
                if active is None:
                    raise NoActiveBundle()
                if self._bundle is None or self._bundle[0] != active:
                    self._bundle = (active, Bundle.load(bundles.document(tx, active)))
            self._asked_at = now
        return self._bundle

    def bundle(self) -> Bundle:
        """The active bundle."""
        return self.active()[1]

    # ------------------------------------------------------------ running a consumer

    def run(self, process: str) -> None:
        """Run one consumer until it is told to stop (SIGTERM, SIGINT).

        While database or broker is away it waits. Before it takes anything it raises `LoginRefused`, `SchemaIsOld`,
        `NoAuthorizer` or `NoActiveBundle`.
        """
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopped.set())
        interpreter.steady()
        delay = 0.5
        while not self._stopped.is_set():
            try:
                self._run(process)
                return
            except LoginRefused:
                raise
            except TransientError as error:
                log.warning("%s waits: %s", process, error)
                self._stopped.wait(delay)
                delay = min(delay * 2, 5.0)

    def _run(self, process: str) -> None:
        self.store.check_schema()
        ours = set(self.bundle().topic_names())
        with self._admin() as admin:
            # Who may see what is not theirs could also write it: then partners could write as each other.
            if any(not provision.may_see(f"bereik_{process}", topic) for topic in admin.topics() & ours):
                raise NoAuthorizer()
        broker = self.settings.broker
        if process == "relay":
            Relay(broker, self.store, self._turn, self._failpoint).run()
            return
        if process == "outreach":
            threading.Thread(
                target=self._deliver, name="courier", args=(self._outlets(),), daemon=True
            ).start()
        turn = self._asking_turn if process == "checks" else self._turn
        Listener(broker, self.store, process, self._source(process), turn, self._failpoint).run()

    def _outlets(self) -> Outlets:
        """What this installation can send by. Raises `OutletMisconfigured`."""
        told = self.settings
        return Outlets.of(told.smtp_url, told.smtp_password, told.mail_from, told.webhook_secrets)

    def _deliver(self, outlets: Outlets) -> None:
        """Send alerts beside the Kafka loop until stopped; one process of all does, the others stand by."""
        courier = self.courier(outlets, lambda: datetime.now(UTC))
        while not self._stopped.is_set():
            try:
                with self.store.only_one(7305) as mine:
                    while mine() and not self._stopped.is_set():
                        if not courier.turn():
                            self._stopped.wait(2.0)
            except BereikError as error:
                log.warning("courier waits: %s", error)
            except Exception as error:
                # Only the kind: the message may hold what was to be sent. The loop goes on, or nobody hears of a crisis.
                log.error("courier met a fault of ours: %s", type(error).__name__)
            self._stopped.wait(2.0)

    def courier(self, outlets: Outlet, clock: Callable[[], datetime]) -> outreach.Courier:
        """Who brings alerts to the teams by these outlets."""

        @contextmanager
        def transaction() -> Iterator[Session]:
            with self.store.transaction() as tx:
                yield Session(tx, "outreach", 0)

        return outreach.Courier(
            self.bundle,
            transaction,
            outlets,
            self.settings.web_url,
            clock,
            random.random,
            self._failpoint,
        )

    def _turn(self) -> bool:
        """Whether to stop; asked by every loop at every turn, so here it also shows that it turns."""
        if self.settings.heartbeat is not None:
            self.settings.heartbeat.touch()
        return self._stopped.is_set()

    def _asking_turn(self) -> bool:
        """As `_turn`, and do what people asked for on the board and ask the registers about a few people first."""
        self.errands.turn()
        self.inquiries.turn()
        return self._turn()

    def _failpoint(self, name: str) -> None:
        """Kill this process here when a fault test armed this point; in all other runs a comparison of two texts."""
        if name == self.settings.failpoint:
            os.kill(os.getpid(), signal.SIGKILL)

    def _source(self, process: str) -> Callable[[], Work]:
        """The work of a consumer; made anew only when another bundle is active."""
        made: dict[int, Work] = {}

        def work() -> Work:
            bundle_id, bundle = self.active()
            if bundle_id not in made:
                made.clear()
                step = _OnSession(self.step(process, bundle_id, bundle), process, bundle_id)
                # Doors hold one event in a record, because partners send them; our own topics many.
                made[bundle_id] = Work(
                    topics_of(process, bundle),
                    step,
                    batched=process != "intake",
                    # Between two batches of its own, checks asks the registers and does what forms ask for.
                    ahead=process != "checks",
                )
            return made[bundle_id]

        return work

    def step(self, process: str, bundle_id: int, bundle: Bundle) -> Any:
        """The capability behind a consumer."""
        match process:
            case "intake":
                return Intake(bundle, bundle_id, self.keyring, Registers(self.store, self.keyring))
            case "casework":
                return Casework(bundle, bundle_id, self.keyring)
            case "outreach":
                return _ByTopic({"alerts": outreach.Outreach(bundle), "words": Feedback(bundle)})
            case "bridge":
                return Bridge(bundle, self.keyring, Registers(self.store, self.keyring, found_by="tracing"))
            case "checks":
                return self.inquiries.checks(bundle_id, bundle)
            case _:
                raise NotConfigured(
                    f"There is no consumer with this name; known are {', '.join(GROUPS)} and relay."
                )

    # ------------------------------------------------------------ what people and tools ask

    def state_fact(
        self, purpose: str, case_id: str, kind: str, detail: Mapping[str, Any], by: str
    ) -> CaseRow:
        """Take down what a person or a register says about a case; returns it as it then is.

        Raises `UnknownCase`, and `IllegalMove` when this may not be stated of the case as it stands.
        """
        bundle_id, bundle = self.active()
        casework = Casework(bundle, bundle_id, self.keyring)
        with self.store.transaction() as tx:
            session = Session(tx, "operator", bundle_id)
            return outreach.state_fact(
                casework, session, purpose, case_id, str(uuid4()), kind, detail, by, datetime.now(UTC)
            )

    def contact_figures(
        self, municipality: str, first: date, last: date, purpose: str | None = None
    ) -> dict[str, dict[str, dict[str, int | None]]]:
        """How people were tried to be reached, per purpose, in counts; None stands for 1 to 4. Raises `NotConfigured`."""
        bundle_id, bundle = self.active()
        casework = Casework(bundle, bundle_id, self.keyring)
        found = [
            (one, code)
            for one, code in rounds.places(bundle)
            if code == municipality and purpose in (None, one)
        ]
        if not found:
            raise NotConfigured(
                f"No purpose declares how it reaches out here; known municipalities are {', '.join(bundle.municipalities)}."
            )
        with self.store.transaction() as tx:
            session, now = Session(tx, "operator", bundle_id), datetime.now(UTC)
            return {
                one: rounds.figures(casework, bundle, one, code, (first, last), session, now)
                for one, code in found
            }

    def match(self, ready: bool = False) -> int:
        """Decide again the cases whose month can be matched by now, and tell their teams; returns how many they were.

        `ready`: whatever waits, as in a month that is over.
        """
        bundle_id, bundle = self.active()
        casework = Casework(bundle, bundle_id, self.keyring)
        done = 0
        for purpose in sorted(bundle.purposes):
            with self.store.transaction() as tx:
                done += casework.match(purpose, Session(tx, "operator", bundle_id), ready)
        return done

    @cached_property
    def rekeying(self) -> Rekeying:
        """The keys that records are found by; for the process `linkage`."""
        return Rekeying(self.store, self._registers, self.bundle)

    @cached_property
    def _registers(self) -> Registers:
        return Registers(self.store, self.keyring, found_by="linking")

    def find_signal(self, beginning: str) -> tuple[str, str, str]:
        """(purpose, municipality, signal) whose id begins so. Raises `NoSignal`, `ManySignals`."""
        found = []
        with self.store.transaction() as tx:
            session = Session(tx, "linkage", 0)
            for purpose in self.bundle().purposes:
                with session.linking(purpose) as tables:
                    found += [(purpose, code, signal_id) for signal_id, code in tables.find(beginning)]
        if not found:
            raise NoSignal()
        if len(found) > 1:
            raise ManySignals()
        return found[0]

    @contextmanager
    def links(self, purpose: str) -> Iterator[VerdictRows]:
        """The links of one purpose, to be read."""
        with self.store.transaction() as tx, Session(tx, "linkage", 0).linking(purpose) as tables:
            yield tables

    @contextmanager
    def desk(self, purpose: str, municipality: str) -> Iterator[Desk]:
        """Where the links of one register are decided; what moves is told to casework in the same transaction."""
        bundle_id, bundle = self.active()
        register = self._registers(purpose, municipality)
        with self.store.transaction() as tx:
            session = Session(tx, "linkage", bundle_id)
            moved: list[Placed] = []
            with session.linking(purpose) as tables:
                yield Desk(register, tables, bundle.linkage, bundle_id, moved.extend)
            subject = bundle.purposes[purpose].subject
            session.send(f"signals.{purpose}", vault.moved_messages(moved, purpose, subject))

    def open_signals(self, purpose: str) -> set[str]:
        """Signals of a purpose whose case somebody works on; ids only."""
        with self.store.transaction() as tx, tx.role(invariants.AUDITOR):
            rows = tx.rows(
                "SELECT s.signal_id FROM casework.signal s JOIN casework.case c USING (case_id)"
                " WHERE s.purpose = %s AND s.status = 'active' AND c.stands",
                (purpose,),
            )
        return {signal_id for (signal_id,) in rows}

    def relink(self, purpose: str, municipality: str) -> Relinked:
        """Place every record of a register anew; what touches an open case is asked instead."""
        protected = self.open_signals(purpose)
        with self.desk(purpose, municipality) as desk:
            return desk.relink(protected, MACHINE, str(uuid4()))

    def training_rows(self, purpose: str, municipality: str) -> list[dict[str, Any]]:
        """What the records of one register are compared by; identity, so for training in this process only."""
        register = self._registers(purpose, municipality)
        with self.links(purpose) as tables:
            records = tables.records(register.register_id)
        return [{"id": row.signal_id} | vault.open_traits(register, row).row() for row in records]

    def propose_weights(self) -> int:
        """Train on the largest register and write the weights into the home for review; nothing is activated.

        Returns how many records they rest on; 0 when no register has enough. The same records give the same bytes.
        """
        from bereik import training

        found = max(
            (self.training_rows(purpose, municipality) for purpose, municipality in self.registers()),
            key=len,
            default=[],
        )
        if len(found) < training.FEWEST_ROWS:
            return 0
        # Which register it was would tell where most debts are; the number of records is enough for a reviewer.
        document = training.train(found, self.active()[1].linkage, 1, "the largest register")
        target = self.settings.home / "proposed" / "linkage.weights.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(training.text(document), encoding="utf-8")
        return len(found)

    @cached_property
    def deliveries(self) -> Deliveries:
        """The national deliveries; for the process `delivery`."""
        return Deliveries(self.store, self.keyring, self.settings.home / "ddas")

    def deliver_month(self) -> int:
        """Make the national deliveries of last month that are not there yet; returns how many."""
        return self.deliveries.make_due(self.bundle(), local_day(datetime.now(UTC)))

    def registers(self) -> list[tuple[str, str]]:
        """(purpose, municipality) of every register there is."""
        with self.store.transaction() as tx, tx.role(invariants.AUDITOR):
            return [
                (p, m) for p, m in tx.rows("SELECT purpose, municipality FROM vault.register ORDER BY 1, 2")
            ]

    def backlog(self) -> dict[str, int]:
        """Messages still under way, per consumer group, and rows in the outbox. All zero means drained."""
        bundle = self.bundle()
        with self.store.transaction() as tx, tx.role(invariants.AUDITOR):
            # One statement, so one snapshot: a consumer that commits between two would have moved a message out of the
            # count of its topic and not yet into that of the outbox, and we would call drained what is not.
            stands = {
                (g, t, p): n
                for g, t, p, n in tx.rows(
                    "SELECT group_name, topic, partition, next FROM ops.position"
                    " UNION ALL SELECT 'outbox', '', 0, count(*) FROM ops.outbox"
                )
            }
        waiting = {"outbox": int(stands.pop(("outbox", "", 0)))}
        with self._admin() as admin:
            for group in GROUPS:
                ends = admin.ends(topics_of(group, bundle))
                waiting[group] = sum(
                    end - stands.get((group, *place), first) for place, (first, end) in ends.items()
                )
        return waiting

    def check(self) -> tuple[dict[str, int], list[invariants.Finding]]:
        """The backlog, and every invariant that can be judged now."""
        waiting = self.backlog()
        with self.store.transaction() as tx:
            found = invariants.check(tx, drained=not any(waiting.values()))
        return waiting, found

    @contextmanager
    def _admin(self) -> Iterator[Admin]:
        admin = self.admin()
        try:
            yield admin
        finally:
            admin.close()

    def sweep(self) -> int:
        """Remove landed records that are older than their topic allows and that intake is past. Returns how many."""
        bundle = self.bundle()
        hours = next((t.landed_hours for t in bundle.topics if t.pattern.startswith("in.")), None)
        if hours is None:
            return 0
        with self.store.transaction() as tx, tx.role(invariants.AUDITOR):
            rows = tx.rows(
                "SELECT topic, partition, max(next_offset) FROM intake.landed WHERE landed_at < now() - make_interval(hours => %s)"
                " GROUP BY topic, partition",
                (hours,),
            )
        with self._admin() as admin:
            ends = admin.ends(sorted({row[0] for row in rows}))
            past = {(t, p): n for t, p, n in rows if (t, p) in ends and ends[(t, p)][0] < n}
            removed: int = sum(before - ends[place][0] for place, before in past.items())
            admin.delete_before(past)
        return removed

    # ------------------------------------------------------------ what runs on a clock (dags/)

    def make_rounds(self, now: datetime | None = None) -> dict[str, int]:
        """Look at the open cases everywhere, tell whom it concerns and do what the rules decided; returns counts only.

        Telling comes first: a round that is cut off between the two finds the same again, and tells it once.
        """
        bundle_id, bundle = self.active()
        casework = Casework(bundle, bundle_id, self.keyring)
        now = now or datetime.now(UTC)
        counts = {"alerts": 0, "handed_over": 0, "lightened": 0}
        for purpose, municipality in rounds.places(bundle):
            with self.store.transaction() as tx:
                session = Session(tx, "rounds", bundle_id)
                found = rounds.look(casework, bundle, purpose, municipality, session, now)
                box = self.keyring.box(f"purpose|{purpose}")
                counts["alerts"] += rounds.tell(found.notices, purpose, box, session, now)
            for case, kind, detail in rounds.acts(found):
                # Somebody may have acted between the look and now; then the next round sees what is left.
                with suppress(IllegalMove, outreach.UnknownCase):
                    self.state_fact(purpose, case.case_id, kind, detail, contact.BY_RULE)
                    counts[kind] += 1
        return counts

    def forget(self) -> int:
        """Remove answers of the registers, offers of movers' cases and forms of the board whose terms passed; returns how many."""
        return self.inquiries.expire() + self.errands.expire()

    def waiting(self) -> list[str]:
        """Ids of the partners with a file to collect; makes the drop folders that are not there yet."""
        bundle = self.bundle()
        collect.prepare(self.settings.drop, bundle)
        return collect.waiting(self.settings.drop, bundle, datetime.now(UTC))

    def collect(self, partner: str) -> collect.Collected:
        """Publish the files of one partner. Raises `NotSent` with every file still in its place."""
        bundle = self.bundle()
        suites = quality.Suites(self.settings.expectations)
        producer = self.producer()
        try:
            return collect.collect(
                self.settings.drop,
                bundle.partners[partner],
                bundle,
                self.keyring.box("door"),
                producer,
                lambda columns, kind: quality.batch_findings(columns, suites.batch(kind)),
                datetime.now(UTC),
            )
        finally:
            producer.close()

    def files(self) -> dict[str, dict[str, int]]:
        """How many files lie in each drop folder, per partner."""
        return collect.standing(self.settings.drop, self.bundle())

    def expire_files(self) -> int:
        """Remove collected files whose term has passed; returns how many."""
        return collect.expire(self.settings.drop, self.bundle(), datetime.now(UTC))

    def landed_partners(self, start: datetime, end: datetime) -> list[str]:
        """Ids of the partners with anything landed in a window, and of those with an agreement and nothing landed."""
        with self.store.transaction() as tx:
            seen = windows.partners(tx, start, end)
        return sorted(
            {*seen, *(name for name, partner in self.bundle().partners.items() if partner.agreements)}
        )

    def judge_landed(self, partner: str, start: datetime, end: datetime) -> quality.Verdict:
        """Judge what one partner's doors landed in a window, with Great Expectations."""
        with self.store.transaction() as tx:
            rows = windows.landed(tx, partner, start, end)
        return quality.judge_window(rows, quality.Suites(self.settings.expectations).landed(partner))

    def judge_tables(self) -> quality.Verdict:
        """Judge our own tables: every invariant that can be judged now, with Great Expectations."""
        _, found = self.check()
        suite = quality.Suites(self.settings.expectations).invariants()
        return quality.judge_invariants({one.name: one.violations for one in found}, suite)
