"""Fictional workers: they take cases up, try, promise and close, through the same door as real ones (`App.state_fact`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bereik import contact, lifecycle, residency
from bereik.app import App
from bereik.cases import labels_of
from bereik.days import local_day
from bereik.declared.contact import ContactStep
from bereik.declared.purposes import Purpose, Word
from bereik.errors import LastingError
from bereik.store import explain, invariants

# A case as `explain.cases` gives it.
Known = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Followed:
    """One case from its first signal to its outcome: a title, what happened line by line, and whether it ended so."""

    title: str
    lines: tuple[str, ...]
    fine: bool
    command: str


@dataclass(frozen=True, slots=True)
class _Script:
    """What one worker does. `fits` chooses the case; `tries` attempts are made, the last of which `reaches` somebody."""

    title: str
    fits: Callable[[Known], bool]
    ends: Callable[[Word], bool]
    tries: int
    reaches: bool
    promises: bool = False
    rival: bool = False


def _helps(result: Word) -> bool:
    return result.when is None and not result.unreached


# A hundred: as many tries as the plan has steps.
_ALL = 100
_SCRIPTS = (
    _Script("supply about to end: reached the same day", lambda case: case["crisis"], _helps, 1, True),
    _Script(
        "reached at the second try, promised, kept, helped",
        lambda case: case["kind"] == "multiple" and not case["crisis"], _helps, 2, True, promises=True, rival=True,
    ),
    _Script(
        "every step of the plan tried, and nobody reached",
        lambda case: case["kind"] == "single" and not case["crisis"], lambda result: result.unreached, _ALL, False,
    ),
    _Script("closed at once: no longer lives here", lambda case: True, lambda result: result.when == "moved", 0, False),
    _Script("of another purpose, with its own words", lambda case: True, _helps, 1, True),
)  # fmt: skip


def follow(app: App, apart: Sequence[str]) -> Iterator[Followed]:
    """Five cases to their outcome, each as one script says. `apart` are those that other stories are about."""
    left = _standing(app, apart)
    bundle = app.bundle()
    # What is delivered nationally first.
    purposes = sorted(bundle.purposes, key=lambda name: not bundle.purposes[name].ddas)
    for script in _SCRIPTS:
        # The last script shows that the words are the purpose's own.
        wanted = purposes[-1] if script is _SCRIPTS[-1] else purposes[0]
        own = [case for case in left if case["purpose"] == wanted]
        case = next((case for case in own if script.fits(case)), own[0] if own else None)
        if case is not None:
            left.remove(case)
            yield _Worker(app, bundle.purposes[wanted], case).plays(script)


def _standing(app: App, apart: Sequence[str]) -> list[Known]:
    """Cases that wait for a team and of which nobody but a register stated anything yet, newest first; enough for every script."""
    with app.store.transaction() as tx:
        with tx.role(invariants.AUDITOR):
            rows = tx.rows(
                "SELECT case_id FROM (SELECT case_id, received_at, row_number() OVER (PARTITION BY purpose, kind, crisis"
                " ORDER BY received_at DESC, case_id) AS n FROM casework.case k WHERE stands AND NOT case_id = ANY(%s)"
                " AND NOT EXISTS (SELECT FROM casework.fact f WHERE f.case_id = k.case_id AND NOT f.kind = ANY(%s))) c"
                " WHERE n <= 5 ORDER BY received_at DESC, case_id",
                (list(apart), [residency.RESIDENT, residency.KNOWN]),
            )
        return [case for (case_id,) in rows for case in explain.cases(tx, case_id)]


class _Worker:
    """Somebody of the case's team, who knows only that case."""

    def __init__(self, app: App, purpose: Purpose, case: Known) -> None:
        self._app, self._purpose, self._case = app, purpose, case
        self._lines: list[str] = []

    def plays(self, script: _Script) -> Followed:
        """The whole script, one fact after the other."""
        case, name = self._case, str(self._case["case_id"])[:8]
        first = min(case["signals"], key=lambda signal: signal["received_at"])
        self._tells(
            first["received_at"],
            f"first signal: {first['signal_type']}, from {first['partner']}"
            + (f"; {len(case['signals']) - 1} more since" if len(case["signals"]) > 1 else ""),
        )
        self._tells(
            case["received_at"], f"case {name} at {case['team']}: {case['decision']['priority_reason']['en']}"
        )
        if script.tries:
            self._states("taken_up", {}, f"taken up by {case['team']}")
            if script.rival:
                self._rival()
        self._tries(script)
        if script.promises:
            self._promises()
        closed = self._closes(script)
        return Followed(
            f"{script.title} ({case['purpose']}, {case['municipality']})",
            tuple(self._lines),
            closed,
            f"bereik explain case {name}",
        )

    def _tries(self, script: _Script) -> None:
        steps = self._steps()[: script.tries]
        for number, step in enumerate(steps, 1):
            reached = script.reaches and number == len(steps)
            daypart = step.daypart or self._purpose.words["dayparts"][number % 3].id
            day = self._today().isoformat()
            detail = {"kind": step.contact, "reached": reached, "day": day, "daypart": daypart}
            self._states(
                "attempt", detail, f"{step.contact}, {daypart}: {'reached' if reached else 'nobody'}"
            )

    def _promises(self) -> None:
        what = self._purpose.words["promises"][0]
        promise_id = str(self._case["case_id"])[:8]
        by = self._today() + timedelta(days=1)
        self._states(
            "promise",
            {"promise_id": promise_id, "what": what.id, "by": by.isoformat()},
            f"promised by {by}: {what.label['en']}",
        )
        self._states("promise_kept", {"promise_id": promise_id}, "promise kept")

    def _closes(self, script: _Script) -> bool:
        result = next(
            (one for one in self._purpose.results if script.ends(one)),
            next(one for one in self._purpose.results if one.when is None),
        )
        detail: dict[str, Any] = {"result": result.id}
        if result.unreached:
            detail["cause"] = self._purpose.words["causes"][0].id
        elif result.when is None:
            detail |= {"helped": True, "promised_done": True}
        feedback = self._purpose.feedback.get(result.feedback or "", {})
        status = self._states(
            "closed",
            detail,
            f"closed: {result.label['en']}" + (f"; a partner may hear: {feedback['en']}" if feedback else ""),
        )
        return self._purpose.when(status) == (result.when or lifecycle.CLOSED)

    def _rival(self) -> None:
        """A colleague who wants the same case hears that it is taken up."""
        try:
            self._app.state_fact(self._case["purpose"], self._case["case_id"], "taken_up", {}, "a colleague")
        except lifecycle.IllegalMove as refusal:
            self._lines.append(f"            a colleague takes it up too: refused. {refusal}")
        else:
            raise NotRefused()

    def _states(self, kind: str, detail: dict[str, Any], said: str) -> str:
        row = self._app.state_fact(
            self._case["purpose"], self._case["case_id"], kind, detail, self._case["team"]
        )
        self._lines.append(f"{self._today()}  {said}")
        return row.status

    def _tells(self, at: datetime, said: str) -> None:
        self._lines.append(f"{self._day(at)}  {said}")

    def _steps(self) -> tuple[ContactStep, ...]:
        """The steps of the municipality's own plan for such a case."""
        case = self._case
        rules = self._app.bundle().municipalities[case["municipality"]].policies[case["purpose"]].contact
        if rules is None:
            return ()
        types = sorted({signal["signal_type"] for signal in case["signals"]})
        declared = self._app.bundle().kinds
        warm = any(
            signal["facts"].get(declared[signal["signal_type"]].warm_field) is True
            for signal in case["signals"]
        )
        labels = labels_of([case["area"] or ""], types, case["kind"], case["crisis"], warm, False)
        return contact.plan_for({name: frozenset(values) for name, values in labels.items()}, rules).steps

    @staticmethod
    def _day(at: datetime) -> date:
        return local_day(at)

    @staticmethod
    def _today() -> date:
        return local_day(datetime.now(UTC))


class NotRefused(LastingError):
    """Two workers took the same case up. That must not be possible."""
