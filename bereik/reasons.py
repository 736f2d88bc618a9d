"""Reasons: why a case is what it is, as codes and values that are stored, and in the words they are read back in. Pure.

A stored decision holds no words, so a sentence can be mended for decisions of the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why a case is what it is; their texts stand below."""

    CRISIS = "crisis"
    WARM = "warm"
    MULTIPLE = "multiple"
    CONSECUTIVE = "consecutive"
    SINGLE = "single"
    ABOVE_THRESHOLD = "above_threshold"
    BELOW_THRESHOLD = "below_threshold"
    REPEAT = "repeat"
    TOO_SOON = "too_soon"
    TOO_OLD = "too_old"
    LATE = "late"
    WAITS = "waits"
    KNOWN = "known"
    WITHDRAWN = "withdrawn"
    DECEASED = "deceased"
    MOVED = "moved"
    PAID = "paid"
    PLAN_AGREED = "plan_agreed"
    WRONG_PERSON = "wrong_person"


_TEXTS: Mapping[Reason, tuple[str, str]] = {
    Reason.CRISIS: ("Crisissignaal: einde van levering dreigt.", "Crisis signal: supply is about to end."),
    Reason.WARM: (
        "De partner sprak al met deze persoon.",
        "The partner has already spoken with this person.",
    ),
    Reason.MULTIPLE: ("{n} signalen in dezelfde periode.", "{n} signals in the same period."),
    Reason.CONSECUTIVE: (
        "Er was in de {months} maanden hiervoor al een signaal ({date}).",
        "There was a signal in the {months} months before ({date}).",
    ),
    Reason.SINGLE: ("Eén signaal, niets in de periode ervoor.", "One signal, nothing in the period before."),
    Reason.ABOVE_THRESHOLD: (
        "Samen € {total}, drempel € {threshold}.",
        "Together € {total}, threshold € {threshold}.",
    ),
    Reason.BELOW_THRESHOLD: (
        "Samen € {total}: onder de drempel van € {threshold} ({citation}). Met € {missing} meer was er contact gezocht.",
        "Together € {total}: below the threshold of € {threshold} ({citation}). With € {missing} more we would have made contact.",
    ),
    Reason.REPEAT: (
        "Herhaalde melding van dezelfde partner; het bedrag is niet hoger dan op {date}.",
        "Repeated by the same partner; the amount is not higher than on {date}.",
    ),
    Reason.TOO_SOON: (
        "Een achterstand van {days} dagen: minder dan {least} ({citation}).",
        "Arrears of {days} days: fewer than {least} ({citation}).",
    ),
    Reason.TOO_OLD: (
        "Een achterstand van {days} dagen: meer dan {most} ({citation}).",
        "Arrears of {days} days: more than {most} ({citation}).",
    ),
    Reason.LATE: (
        "Te laat gemeld: meer dan {days} werkdagen na het verzuim ({date}).",
        "Reported late: more than {days} working days after the absence ({date}).",
    ),
    Reason.WAITS: (
        "De signalen van deze maand worden op {date} samen bekeken; de termijn loopt al.",
        "The signals of this month are looked at together on {date}; the term runs already.",
    ),
    Reason.PAID: (
        "Alle signalen zijn ingetrokken: er is betaald. Neem geen contact meer op.",
        "Every signal was withdrawn: it has been paid. Make no more contact.",
    ),
    Reason.PLAN_AGREED: (
        "Alle signalen zijn ingetrokken: er is een regeling getroffen. Neem geen contact meer op.",
        "Every signal was withdrawn: a plan was agreed. Make no more contact.",
    ),
    Reason.WRONG_PERSON: (
        "Alle signalen zijn ingetrokken: het ging om iemand anders. Neem geen contact meer op.",
        "Every signal was withdrawn: it was about somebody else. Make no more contact.",
    ),
    Reason.WITHDRAWN: (
        "Alle signalen zijn door de partner ingetrokken.",
        "The partner withdrew every signal.",
    ),
    Reason.DECEASED: ("Volgens de BRP overleden.", "Died, according to the register of persons."),
    Reason.MOVED: (
        "Volgens de BRP geen inwoner (meer) van deze gemeente.",
        "No resident of this municipality (any more), according to the register of persons.",
    ),
    Reason.KNOWN: (
        "Al bekend bij schuldhulpverlening, volgens de eigen registratie van de gemeente.",
        "Already known to debt aid, according to the municipality's own register.",
    ),
}
# Values that are whole euros, written with a mark per thousand.
_AMOUNTS = frozenset({"total", "threshold", "missing"})
# What the registers said, as `residency.outcome` names it.
BY_REGISTER = frozenset({Reason.DECEASED.value, Reason.MOVED.value, Reason.KNOWN.value})


def reason(code: Reason, **values: Any) -> dict[str, Any]:
    """A reason as it is stored: its code and the values that its text names."""
    return {"code": code.value, **values}


def spoken(decision: Mapping[str, Any]) -> dict[str, Any]:
    """A stored decision with its reasons and its term in words, in Dutch and English."""
    reasons = []
    for stored in decision["reasons"]:
        nl, en = _TEXTS[Reason(stored["code"])]
        amounts = {name: f"{stored[name]:,}" for name in _AMOUNTS & stored.keys()}
        dotted = {name: amount.replace(",", ".") for name, amount in amounts.items()}
        told = {"nl": nl.format(**{**stored, **dotted}), "en": en.format(**{**stored, **amounts})}
        reasons.append({"code": stored["code"], **told})
    return {**decision, "reasons": reasons, "offer_in": _term_text(**decision["offer_in"])}


def _term_text(days: int = 0, working_days: int = 0) -> dict[str, str]:
    if working_days:
        return {
            "nl": f"{working_days} {'werkdag' if working_days == 1 else 'werkdagen'}",
            "en": f"{working_days} working {'day' if working_days == 1 else 'days'}",
        }
    return {
        "nl": f"{days} {'dag' if days == 1 else 'dagen'}",
        "en": f"{days} {'day' if days == 1 else 'days'}",
    }
