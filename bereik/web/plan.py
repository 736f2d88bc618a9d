"""The contact plan of a case in words: what was done, what is next, what is late, who has it, what was promised. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from bereik import contact, lifecycle
from bereik.bundle import Bundle
from bereik.cases import Signal
from bereik.contact import Planned, State, View
from bereik.declared.purposes import Purpose
from bereik.lifecycle import Fact
from bereik.store.board import CaseRow
from bereik.web.texts import label, local, long_date, short_date, text


def seen(
    row: CaseRow, signals: Sequence[Signal], facts: Mapping[str, Sequence[Fact]], bundle: Bundle, today: date
) -> View | None:
    """A case as contact sees it today; None when it has ended, or when the active rules say nothing about it.

    `facts` are those of all cases of its subject that the user may see: a letter of another one counts for this address.
    """
    town, purpose = bundle.municipalities.get(row.municipality), bundle.purposes.get(row.purpose)
    policy = town.policies.get(row.purpose) if town else None
    if purpose is None or policy is None or policy.contact is None or not signals or not row.stands:
        return None
    own = row.case_id
    letters = [
        attempt.day
        for case_id, held in facts.items()
        for attempt in contact.attempts_of(held)
        if case_id != own and attempt.contact in policy.contact.letters
    ]
    known = contact.read(own, row, signals, facts.get(own, ()), purpose, bundle.kinds, letters)
    return contact.view(known, policy.contact, today)


def next_step(
    view: View | None, row: CaseRow, bundle: Bundle, language: str, today: date
) -> dict[str, str] | None:
    """The step a team has to take next, for a row of the board: what, by when, and whether it is late."""
    step = view.progress.next if view else None
    if step is None:
        return None
    purpose = bundle.purposes[row.purpose]
    return {
        "what": _word(purpose, "contacts", step.step.contact, language),
        "day": short_date(step.due, language),
        "tone": _tone(step, today),
    }


def page(
    view: View, row: CaseRow, facts: Sequence[Fact], bundle: Bundle, language: str, today: date
) -> dict[str, Any]:
    """Everything about contact on the page of one case."""
    purpose = bundle.purposes[row.purpose]
    standing = lifecycle.stand(facts, purpose, lifecycle.NEW)
    progress = view.progress
    missing = [
        text(f"plan.missing.{part}", language, number=number)
        for part, number in (
            ("attempts", progress.missing.attempts),
            ("channels", progress.missing.channels),
            ("dayparts", progress.missing.dayparts),
        )
        if number
    ]
    return {
        "plan": label(progress.plan.label, language),
        "lightened": view.lightened,
        "holder": standing.holder,
        "since": long_date(local(standing.since).date(), language)
        if standing.holder and standing.since
        else "",
        "steps": [_step(step, purpose, language, today) for step in progress.steps],
        "reached": progress.reached,
        "met": progress.met,
        "missing": ", ".join(missing),
        "promises": [_promise(one, purpose, language, today) for one in view.promises],
    }


def _step(step: Planned, purpose: Purpose, language: str, today: date) -> dict[str, str]:
    what = _word(purpose, "contacts", step.step.contact, language)
    if step.step.daypart:
        what += f" ({_word(purpose, 'dayparts', step.step.daypart, language)})"
    day = step.done_on or step.due
    return {
        "what": what,
        "state": text(f"plan.state.{step.state.value}", language, date=long_date(day, language)),
        "tone": _tone(step, today),
    }


def _tone(step: Planned, today: date) -> str:
    """The board's own tones of a day: late, soon, or calm."""
    if step.state is State.OVERDUE:
        return "late"
    near = step.state is State.NEXT and step.due <= today + timedelta(days=1)
    return "soon" if near else step.state.value


def _promise(promise: contact.Promise, purpose: Purpose, language: str, today: date) -> dict[str, str]:
    state = "broken" if promise.broken(today) else "kept" if promise.kept else "open"
    return {
        "what": _word(purpose, "promises", promise.what, language),
        "by": long_date(promise.by, language),
        "state": text(f"plan.promise.{state}", language),
        "tone": "late" if state == "broken" else state,
    }


def _word(purpose: Purpose, kind: str, name: str, language: str) -> str:
    found = next((word for word in purpose.words.get(kind, ()) if word.id == name), None)
    return label(found.label, language) if found else name
