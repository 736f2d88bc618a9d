"""What would have been: stored cases decided again under other rules, or with one thing different. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from bereik import trial
from bereik.bundle import Bundle
from bereik.casework import holdings
from bereik.outreach import UnknownCase
from bereik.store import Store
from bereik.store.session import Session


class Trials:
    """Trials on the stored cases; for the process `operator`."""

    def __init__(self, store: Store, bundle: Callable[[], Bundle]) -> None:
        """`bundle` gives the active one."""
        self._store, self._bundle = store, bundle

    def month(self, month: str, proposed: Bundle) -> dict[str, trial.Trial]:
        """Per purpose: what the active and a proposed bundle make of every case of a month (yyyy-mm). Writes nothing."""
        active, now = self._bundle(), datetime.now(UTC)
        found = {}
        for purpose_id in sorted(active.purposes):
            with self._store.transaction() as tx, Session(tx, "operator", 0).casework(purpose_id) as tables:
                ids = tables.subjects_of_month(month)
            subjects = self._subjects(purpose_id, ids)
            found[purpose_id] = trial.compare(subjects, purpose_id, active, proposed, now, month)
        return found

    def case(self, purpose_id: str, case_id: str, proposed: Bundle) -> trial.Trial:
        """What the active and a proposed bundle make of one case's subject. Raises `UnknownCase`."""
        subjects = self._subjects(purpose_id, [self._subject_of(purpose_id, case_id)])
        return trial.compare(subjects, purpose_id, self._bundle(), proposed, datetime.now(UTC))

    def otherwise(self, purpose_id: str, case_id: str) -> list[trial.Otherwise]:
        """What one change at a time would have made of a case. Raises `UnknownCase`."""
        subjects = self._subjects(purpose_id, [self._subject_of(purpose_id, case_id)])
        now = datetime.now(UTC)
        return [
            one
            for subject in subjects
            for one in trial.counterfactuals(subject, case_id, purpose_id, self._bundle(), now)
        ]

    def _subjects(self, purpose_id: str, ids: Sequence[str]) -> list[trial.Subject]:
        """These subjects of a purpose, as far as they have active signals; nothing is locked."""
        with self._store.transaction() as tx, Session(tx, "operator", 0).casework(purpose_id) as tables:
            found = holdings(ids, tables)
        return [
            trial.Subject(tuple(held.signals), tuple(fact for facts in held.facts.values() for fact in facts))
            for _, held in sorted(found.items())
            if held.signals
        ]

    def _subject_of(self, purpose_id: str, case_id: str) -> str:
        with self._store.transaction() as tx, Session(tx, "operator", 0).casework(purpose_id) as tables:
            row = tables.case(case_id)
        if row is None:
            raise UnknownCase()
        return row.subject
