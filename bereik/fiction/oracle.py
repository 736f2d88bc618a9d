"""What should become of the fiction, worked out apart from the code under test: fates per partner, cases per household."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date

from bereik.bundle import Bundle
from bereik.declared.municipalities import Policy


@dataclass(frozen=True, slots=True)
class Sent:
    """One accepted report, as far as cases depend on it."""

    event: tuple[str, str]
    kind: str
    contract: str
    day: date
    since: date | None
    amount: int | None
    crisis: bool
    warm: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """One expected case. `outcome` is "new" (a team must reach out), "repeat" or "below_threshold"."""

    period: str
    kind: str
    outcome: str
    signals: int
    crisis: bool


@dataclass(slots=True)
class Oracle:
    """Counts while the fiction is made; asked afterwards."""

    bundle: Bundle
    # (partner, door, fate) → events
    fates: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _subjects: dict[tuple[str, str, str], list[Sent]] = field(default_factory=lambda: defaultdict(list))
    _withdrawn: set[tuple[str, str]] = field(default_factory=set)

    def fate(self, partner: str, door: str, fate: str) -> None:
        """One event will end so."""
        self.fates[(partner, door, fate)] += 1

    def report(self, purpose: str, municipality: str, subject: str, sent: Sent) -> None:
        """One accepted report about a subject: an address unit as written, or a person."""
        self._subjects[(purpose, municipality, subject)].append(sent)

    def withdraw(self, partner: str, event_id: str) -> None:
        """That report is taken back."""
        self._withdrawn.add((partner, event_id))

    def partner_fates(self) -> dict[str, dict[str, int]]:
        """Partner → fate → number of events."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for (partner, _, fate), number in sorted(self.fates.items()):
            found[partner][fate] = found[partner].get(fate, 0) + number
        return dict(found)

    def subjects(self) -> dict[tuple[str, str, str], tuple[Expected, ...]]:
        """(purpose, municipality, subject) → its cases that still have a signal, oldest first."""
        return {key: cases for key in self._subjects if (cases := self._cases(*key))}

    def cases(self) -> Counter[tuple[str, str, str, str]]:
        """(purpose, municipality, kind, outcome) → number of cases that still have a signal."""
        found: Counter[tuple[str, str, str, str]] = Counter()
        for (purpose, municipality, _), cases in self.subjects().items():
            for case in cases:
                found[(purpose, municipality, case.kind, case.outcome)] += 1
        return found

    # ------------------------------------------------------------ the rules, once more and in another way

    def _cases(self, purpose_id: str, municipality: str, subject: str) -> tuple[Expected, ...]:
        purpose = self.bundle.purposes[purpose_id]
        policy = self.bundle.municipalities[municipality].policies.get(purpose_id)
        threshold = policy.threshold_eur if policy is not None and policy.threshold_citation else 0
        active = [
            sent
            for sent in self._subjects[(purpose_id, municipality, subject)]
            if sent.event not in self._withdrawn
        ]
        monthly = purpose.matching.period == "month"
        reach = purpose.matching.lookback_months
        groups: dict[str, list[Sent]] = defaultdict(list)
        for sent in active:
            groups[sent.day.isoformat()[:7] if monthly else "open"].append(sent)
        expected = []
        for period, group in sorted(groups.items()):
            again = {sent.event for sent in group if purpose.repeat and self._repeats(sent, active, reach)}
            outside = {sent.event for sent in group if sent.event not in again and _outside(sent, policy)}
            fresh = [sent for sent in group if sent.event not in again | outside]
            told = fresh or group
            crisis, warm = any(sent.crisis for sent in told), any(sent.warm for sent in told)
            first = min(sent.day for sent in group)
            earlier = any(
                other.day < first and _month(first) - _month(other.day) <= reach
                for key, others in groups.items()
                if key != period
                for other in others
            )
            kind = "multiple" if len(fresh) > 1 else "consecutive" if earlier else "single"
            owed = [sent.amount for sent in fresh if sent.amount is not None]
            outcome = "new"
            if not fresh:
                outcome = "below_threshold" if outside else "repeat"
            elif owed and len(owed) == len(fresh) and not crisis and not warm and sum(owed) < threshold:
                outcome = "below_threshold"
            expected.append(Expected(period, kind, outcome, len(group), crisis))
        return tuple(expected)

    @staticmethod
    def _repeats(sent: Sent, active: list[Sent], reach: int) -> bool:
        if sent.amount is None or sent.crisis:
            return False
        return any(
            other.day < sent.day
            and _month(sent.day) - _month(other.day) <= reach
            and (other.event[0], other.kind, other.contract) == (sent.event[0], sent.kind, sent.contract)
            and (other.amount or 0) >= sent.amount
            for other in active
        )


def _outside(sent: Sent, policy: Policy | None) -> bool:
    """Whether the arrears of a signal are younger or older than the municipality acts on."""
    window = policy.windows.get(sent.kind) if policy is not None and policy.windows_citation else None
    if window is None or sent.since is None or sent.crisis or sent.warm:
        return False
    days = (sent.day - sent.since).days
    return (window.min_days or 0) > days or (window.max_days is not None and days > window.max_days)


def _month(day: date) -> int:
    return day.year * 12 + day.month
