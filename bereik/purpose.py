"""Law at the door: may this partner signal this, to this municipality, on this day, after these steps? Pure.

Everything comes from the declarations. What nobody registered is unconfigured, and unconfigured is never allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from bereik.bundle import Bundle
from bereik.declared.partners import Agreement, Partner
from bereik.declared.signals import SignalType


class Outcome(StrEnum):
    """What the law says of one event."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNCONFIGURED = "unconfigured"


class LawReason(StrEnum):
    """Why an event may not enter."""

    NO_AGREEMENT = "no_agreement"
    NOT_DESIGNATED = "not_designated"
    OUTSIDE_MUNICIPALITIES = "outside_municipalities"
    MUNICIPALITY_DISAGREES = "municipality_disagrees"
    NO_AGREEMENT_HERE = "no_agreement_here"
    NOT_IN_FORCE = "agreement_not_in_force"
    STEP_NOT_ATTESTED = "step_not_attested"
    STEP_DENIED = "step_denied"
    BELOW_MINIMUM = "below_minimum"
    FORBIDDEN_FIELD = "forbidden_field"


# Dutch, English. {type}, {field} and {step} are words of the declarations, {start} and {end} dates, {amount} a rule's.
_TEXTS: Final[Mapping[LawReason, tuple[str, str]]] = {
    LawReason.NO_AGREEMENT: (
        "Voor deze partner is geen grondslag geregistreerd om {type} te melden.",
        "No ground is registered for this partner to report {type}.",
    ),
    LawReason.NOT_DESIGNATED: (
        "Een partner van deze soort is niet aangewezen om {type} te melden.",
        "A partner of this kind is not designated to report {type}.",
    ),
    LawReason.OUTSIDE_MUNICIPALITIES: (
        "Postcode en huisnummer liggen niet in een aangesloten gemeente.",
        "Postcode and house number do not lie in a municipality that takes part.",
    ),
    LawReason.MUNICIPALITY_DISAGREES: (
        "De gemeentecode past niet bij postcode en huisnummer.",
        "The municipality's code does not fit postcode and house number.",
    ),
    LawReason.NO_AGREEMENT_HERE: (
        "Voor deze partner en deze gemeente is geen afspraak over {type} geregistreerd.",
        "No agreement about {type} is registered for this partner and this municipality.",
    ),
    LawReason.NOT_IN_FORCE: (
        "De afspraak over {type} geldt van {start} tot en met {end}.",
        "The agreement about {type} holds from {start} up to and including {end}.",
    ),
    LawReason.STEP_NOT_ATTESTED: (
        "Nog niet bevestigd vóór het melden: {step}.",
        "Not attested before reporting: {step}.",
    ),
    LawReason.STEP_DENIED: (
        "Volgens het bericht zelf is deze stap niet gezet: {step}.",
        "By the event's own word this step was not taken: {step}.",
    ),
    LawReason.BELOW_MINIMUM: (
        "Melden mag pas vanaf € {amount}.",
        "Reporting is allowed from € {amount} on.",
    ),
    LawReason.FORBIDDEN_FIELD: (
        "Het veld {field} mag niet worden meegestuurd.",
        "The field {field} may not be sent.",
    ),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, with the article or the registration it rests on."""

    code: LawReason
    article: str
    text_nl: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer at the door. `purpose` is set only when allowed; `reasons` are empty only then."""

    outcome: Outcome
    purpose: str | None
    reasons: tuple[Reason, ...]
    agreement: Agreement | None = None


def admit(
    signal_type: SignalType,
    action: str,
    partner: Partner,
    municipality_code: str | None,
    data: Mapping[str, Any],
    received_on: date,
    bundle: Bundle,
) -> Admission:
    """Judge one event whose fields are sound. `action` is "report", "withdraw" or "correct"; all reasons come at once.

    `municipality_code` is what postcode and house number gave, None when they gave nothing. A withdrawal or a correction needs
    an agreement, but neither a day in force nor steps: taking something back or mending it is always welcome.
    """
    agreements = [one for one in partner.agreements if signal_type.id in one.signal_types]
    if not agreements:
        return _unconfigured(_reason(LawReason.NO_AGREEMENT, signal_type))
    if partner.sector != signal_type.partner_type:
        return _refused(_reason(LawReason.NOT_DESIGNATED, signal_type))
    if action != "report":
        return Admission(Outcome.ALLOWED, signal_type.purpose, ())
    if municipality_code is None or municipality_code not in bundle.municipalities:
        return _refused(_reason(LawReason.OUTSIDE_MUNICIPALITIES, signal_type))
    here = [one for one in agreements if one.municipality == municipality_code]
    if not here:
        return _unconfigured(_reason(LawReason.NO_AGREEMENT_HERE, signal_type))
    reasons: list[Reason] = []
    told = data.get(signal_type.municipality_field) if signal_type.municipality_field else None
    if told is not None and told != municipality_code:
        reasons.append(_reason(LawReason.MUNICIPALITY_DISAGREES, signal_type))
    agreement = next((one for one in here if one.in_force(received_on)), None)
    if agreement is None:
        last = max(here, key=lambda one: one.start)
        end = last.end.isoformat() if last.end else "…"
        reasons.append(_reason(LawReason.NOT_IN_FORCE, signal_type, start=last.start.isoformat(), end=end))
    else:
        reasons.extend(_steps(signal_type, agreement, data))
    reasons.extend(forbidden(signal_type, data))
    if (below := below_minimum(signal_type, data)) is not None:
        reasons.append(below)
    if reasons:
        return _refused(*reasons)
    return Admission(Outcome.ALLOWED, signal_type.purpose, (), agreement)


def below_minimum(signal_type: SignalType, data: Mapping[str, Any]) -> Reason | None:
    """That the amount in `data`, if there is one, is below what a regulation lets partners report."""
    amount = data.get(signal_type.amount_field) if signal_type.amount_field else None
    if signal_type.minimum_eur is None or not isinstance(amount, int) or amount >= signal_type.minimum_eur:
        return None
    return _reason(
        LawReason.BELOW_MINIMUM, signal_type, signal_type.minimum_article, amount=signal_type.minimum_eur
    )


@dataclass(frozen=True, slots=True)
class Consent:
    """That somebody agreed, as a partner reports it. `counts` only on a form that is registered for that partner."""

    form: str
    who: str
    counts: bool


def consent(signal_type: SignalType, agreement: Agreement | None, data: Mapping[str, Any]) -> Consent | None:
    """The consent that an event carries, if it carries one. It says nothing yet: a worker confirms it in a conversation."""
    if signal_type.consent_form_field is None or signal_type.consent_form_field not in data:
        return None
    form, who = data[signal_type.consent_form_field], data.get(signal_type.consent_by_field or "")
    registered = agreement is not None and form in agreement.consent_forms
    return Consent(str(form), str(who or ""), registered and who is not None)


def corrected_consent(
    signal_type: SignalType, partner: Partner, changes: Mapping[str, Any]
) -> Consent | None:
    """The consent that a correction carries. It names no municipality, so here a form counts that is registered for this partner
    anywhere; where the signal was sent decides."""
    form = changes.get(signal_type.consent_form_field or "")
    found = (
        one for one in partner.agreements if signal_type.id in one.signal_types and form in one.consent_forms
    )
    return consent(signal_type, next(found, None), changes)


def forbidden(signal_type: SignalType, data: Mapping[str, Any]) -> tuple[Reason, ...]:
    """The forbidden fields that an event carries. Also for events that the contract refuses: the article says more."""
    return tuple(
        _reason(LawReason.FORBIDDEN_FIELD, signal_type, rule.article, field=rule.field)
        for rule in signal_type.forbidden
        if rule.field in data
    )


def missing_steps(signal_type: SignalType, agreement: Agreement, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The prior steps that nobody vouches for: not the agreement, nor, where it leaves that to them, the data."""
    said = _said(signal_type, data)
    from_data = agreement.attestation in ("row", "delivery")
    return tuple(
        step
        for step in signal_type.steps
        if said.get(step) is False
        or (step not in agreement.attested and not (from_data and said.get(step) is True))
    )


def _said(signal_type: SignalType, data: Mapping[str, Any]) -> Mapping[str, Any]:
    said = data.get(signal_type.attestation_field) if signal_type.attestation_field else None
    return said if isinstance(said, Mapping) else {}


def _steps(signal_type: SignalType, agreement: Agreement, data: Mapping[str, Any]) -> list[Reason]:
    said = _said(signal_type, data)
    reasons = []
    for step_id in missing_steps(signal_type, agreement, data):
        step = signal_type.step_details[step_id]
        code = LawReason.STEP_DENIED if said.get(step_id) is False else LawReason.STEP_NOT_ATTESTED
        nl, en = _TEXTS[code]
        reasons.append(
            Reason(code, step.article, nl.format(step=step.label["nl"]), en.format(step=step.label["en"]))
        )
    return reasons


def _reason(code: LawReason, signal_type: SignalType, article: str | None = None, **values: Any) -> Reason:
    nl, en = _TEXTS[code]
    return Reason(
        code,
        article or signal_type.article,
        nl.format(type=signal_type.label["nl"], **values),
        en.format(type=signal_type.label["en"], **values),
    )


def _refused(*reasons: Reason) -> Admission:
    return Admission(Outcome.REFUSED, None, reasons)


def _unconfigured(reason: Reason) -> Admission:
    return Admission(Outcome.UNCONFIGURED, None, (reason,))
