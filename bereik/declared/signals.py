"""Kinds of signal, as `schemas/signals/` declares them: what one is called, what it may say, what the law asks before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bereik.contract import Contract


@dataclass(frozen=True, slots=True)
class Step:
    """What a partner must have done before it may signal: id, the article that says so, its wording."""

    id: str
    article: str
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A field this type may never carry, and the article that forbids it."""

    field: str
    article: str


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of one type's signals, and until how many working days after the day in field `after` a report is in time."""

    id: str
    label: Mapping[str, str]
    values: frozenset[str]
    after: str | None = None
    within_working_days: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Sort:
        """The sort in a row of the document."""
        limit = row.get("reportWithin", {})
        return cls(
            row["id"], row["label"], frozenset(row["values"]), limit.get("after"), limit.get("workingDays", 0)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalKind:
    """What casework knows of a kind of signal; `*_field` are names of facts. `sorts` are kinds within it, by id."""

    id: str
    purpose: str
    label: Mapping[str, str]
    fact_fields: tuple[str, ...] = ()
    reference_field: str = ""
    date_field: str | None = None
    since_field: str | None = None
    amount_field: str | None = None
    crisis_field: str | None = None
    warm_field: str | None = None
    sort_field: str | None = None
    sorts: Mapping[str, Sort] = field(default_factory=dict)
    because: Mapping[str, str] = field(default_factory=dict)

    def sort_of(self, facts: Mapping[str, Any]) -> str | None:
        """The id of the sort that a signal with these facts is of, where the type has sorts."""
        value = facts.get(self.sort_field) if self.sort_field else None
        return (
            next((sort.id for sort in self.sorts.values() if value in sort.values), None) if value else None
        )


@dataclass(frozen=True, slots=True)
class About:
    """An event about an earlier one: its type and contract, and its fields for the id of the earlier one and for the reason."""

    event_type: str
    contract: Contract
    reference_field: str
    reason_field: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalType(SignalKind):
    """One kind of signal that partners send. `*_field` and the values of `identity` are names of fields in the event's `data`.

    `identity` maps a linkage field (surname, birth_date, postcode, ...) to a data field. `fact_fields` is all
    that casework may know. `reference_field` names one signal, `contract_field` what it is about month after
    month. `steps` are ids; `step_details` has their article and wording.
    `because` maps the partner's word for taking a signal back on ours (paid, plan_agreed, wrong_person).
    """

    partner_type: str
    article: str
    event_type: str
    withdrawal_type: str | None
    contract: Contract = field(repr=False)
    withdrawal_contract: Contract | None = field(repr=False)
    identity: Mapping[str, str]
    contract_field: str | None = None
    municipality_field: str | None = None
    attestation_field: str | None = None
    consent_form_field: str | None = None
    consent_by_field: str | None = None
    withdrawal_reference_field: str | None = None
    withdrawal_reason_field: str | None = None
    correction_type: str | None = None
    correction_contract: Contract | None = field(default=None, repr=False)
    correction_reference_field: str | None = None
    correction_reason_field: str | None = None
    steps: tuple[str, ...] = ()
    step_details: Mapping[str, Step] = field(default_factory=dict)
    forbidden: tuple[Forbidden, ...] = ()
    minimum_eur: int | None = None
    minimum_article: str | None = None
    processing_activity_id: str = ""

    def about(self, action: str) -> About | None:
        """How this type is taken back ("withdraw") or mended ("correct"); None where it declares no such event."""
        event_type, contract, reference, reason = (
            (
                self.withdrawal_type,
                self.withdrawal_contract,
                self.withdrawal_reference_field,
                self.withdrawal_reason_field,
            )
            if action == "withdraw"
            else (
                self.correction_type,
                self.correction_contract,
                self.correction_reference_field,
                self.correction_reason_field,
            )
        )
        if event_type is None or contract is None or reference is None:
            return None
        return About(event_type, contract, reference, reason)

    def signal_date(self, data: Mapping[str, Any], received_on: date) -> date:
        """The day that matching uses: the partner's signal date, else the day of receipt in the Netherlands."""
        value = data.get(self.date_field) if self.date_field else None
        return date.fromisoformat(value) if isinstance(value, str) else received_on

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> SignalType:
        """The type in a row of the document."""
        steps = [Step(step["id"], step["article"], step["label"]) for step in row["steps"]]
        # A bundle of the time before corrections has none.
        withdrawal, correction = row["withdrawal_contract"], row.get("correction_contract")
        return cls(
            **{
                **row,
                "contract": Contract(row["contract"]),
                "withdrawal_contract": Contract(withdrawal) if withdrawal else None,
                "correction_contract": Contract(correction) if correction else None,
                "fact_fields": tuple(row["fact_fields"]),
                "steps": tuple(step.id for step in steps),
                "step_details": {step.id: step for step in steps},
                "forbidden": tuple(Forbidden(item["field"], item["article"]) for item in row["forbidden"]),
                "sorts": {item["id"]: Sort.of(item) for item in row["sorts"]},
            }
        )


class Kinds(dict[str, SignalKind]):
    """Kinds of signal by id. Of one that was taken out of the declarations while signals of it exist nothing is known: such a
    signal stands in its case without an amount, a crisis or a window, and stops nobody."""

    def __missing__(self, name: str) -> SignalKind:
        return SignalKind(id=name, purpose="", label={"nl": name, "en": name})
