"""Evidence: why two signals are one person, or not, in plain Dutch and English. Pure; it names levels, never a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bereik import linkage
from bereik.declared.linkage import Linkage
from bereik.linkage import Outcome, Traits, Weight

_NAMES: Mapping[str, tuple[str, str]] = {
    "surname": ("achternaam", "surname"),
    "given": ("voornaam of voorletters", "first name or initials"),
    "birth": ("geboortedatum", "date of birth"),
    "address": ("adres", "address"),
    "contact": ("telefoon of e-mail", "telephone or e-mail"),
}
_LEVELS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("surname", "same"): ("dezelfde namen", "the same names"),
    ("surname", "shared"): ("één naam gemeen (eigen of partnernaam)", "one name in common (own or partner's)"),
    ("surname", "alike"): ("lijken op elkaar (een schrijffout?)", "alike (a slip of the pen?)"),
    ("given", "name"): ("dezelfde voornaam of roepnaam", "the same first name or call name"),
    ("given", "initials"): ("dezelfde voorletters", "the same initials"),
    ("given", "spelt"): ("voornamen die op elkaar lijken", "first names that are alike"),
    ("given", "other"): ("dezelfde voorletter, een andere voornaam", "the same initial, another first name"),
    ("given", "single"): ("dezelfde ene voorletter", "the same single initial"),
    ("given", "begin"): ("dezelfde eerste voorletter, één keer meer", "the same first initial, once with more"),
    ("given", "called"): ("de voorletter van een mogelijke roepnaam", "the initial of a possible call name"),
    ("given", "some"): ("een voorletter gemeen", "an initial in common"),
    ("given", "mailed"): ("de voorletter in het e-mailadres", "the initial in the e-mail address"),
    ("given", "nick"): ("andere voorletters, misschien een roepnaam", "other initials, perhaps a call name"),
    ("given", "letter"): ("andere voorletters, geen namen", "other initials, no names"),
    ("birth", "same"): ("dezelfde dag", "the same day"),
    ("birth", "swapped"): ("dag en maand verwisseld", "day and month swapped"),
    ("birth", "new_year"): (
        "hetzelfde jaar, één keer op 1 januari",
        "the same year, once on 1 January",
    ),
    ("birth", "two_parts"): ("twee van dag, maand en jaar gelijk", "two of day, month and year equal"),
    ("birth", "partly"): ("gelijk voor zover bekend", "equal as far as known"),
    ("address", "unit"): ("dezelfde deur", "the same door"),
    ("address", "blank"): ("hetzelfde nummer, één keer zonder toevoeging", "the same number, once without its addition"),
    ("address", "flat"): ("hetzelfde nummer, een andere toevoeging", "the same number, another addition"),
    ("address", "slip"): ("een nummer dat één cijfer scheelt", "a number one digit off"),
    ("address", "postcode"): ("dezelfde postcode, een ander nummer", "the same postcode, another number"),
    ("address", "district"): ("dezelfde wijk", "the same district"),
    ("contact", "both"): ("hetzelfde nummer en hetzelfde e-mailadres", "the same number and the same e-mail address"),
    ("contact", "email"): ("hetzelfde e-mailadres", "the same e-mail address"),
    ("contact", "phone"): ("hetzelfde telefoonnummer", "the same telephone number"),
}  # fmt: skip
_DIFFERENT = ("verschillend", "different")
_SILENT = ("één van beide zegt niets", "one of them says nothing")
_OUTCOMES: Mapping[Outcome, tuple[str, str]] = {
    Outcome.LINK: ("één persoon", "one person"),
    Outcome.REVIEW: ("beoordeling door een mens", "review by a person"),
    Outcome.NEW: ("twee personen", "two people"),
}
_TEXTS: Mapping[str, tuple[str, str]] = {
    "prior_elsewhere": (
        "vooraf: twee willekeurige mensen in dit register",
        "beforehand: any two people in this register",
    ),
    "prior_nearby": ("vooraf: twee signalen van één postcode", "beforehand: two signals of one postcode"),
    "prior_same_address": ("vooraf: twee signalen van één adres", "beforehand: two signals of one address"),
    "total": ("samen {total:+.1f}: {outcome}", "together {total:+.1f}: {outcome}"),
    "contradicted": (
        "maar {name} spreekt het tegen: nooit vanzelf één persoon",
        "but the {name} contradicts it: never one person by itself",
    ),
    "bare": (
        "maar dit geldt voor meer mensen: wie van hen het is, blijkt nergens uit",
        "but this is true of several people, and nothing says which of them",
    ),
    "without": ("zonder {name}: {outcome}", "without the {name}: {outcome}"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison: its name and what was found, in one language, and its weight; None when it says nothing."""

    comparison: str
    name: str
    finding: str
    weight: float | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two signals side by side. `without` are the comparisons that alone turned the outcome, and what it would be."""

    weight: Weight
    outcome: Outcome
    prior: Line
    lines: tuple[Line, ...]
    contradicted: str | None
    without: Mapping[str, Outcome]

    def text(self, language: str) -> list[str]:
        """The evidence as lines to be read: one per comparison, the sum, and the counterfactual."""
        width = max(len(line.name) for line in self.lines)
        told = [f"{_signed(self.prior.weight)}  {self.prior.finding}"]
        told += [f"{_signed(line.weight)}  {line.name:<{width}}  {line.finding}" for line in self.lines]
        outcome = _say(_OUTCOMES[self.outcome], language)
        told.append(_say(_TEXTS["total"], language).format(total=self.weight.total, outcome=outcome))
        if self.contradicted:
            told.append(_say(_TEXTS["contradicted"], language).format(name=self.contradicted))
        elif linkage.bare(self.weight):
            told.append(_say(_TEXTS["bare"], language))
        for comparison, other in self.without.items():
            name = _say(_NAMES[comparison], language)
            told.append(
                _say(_TEXTS["without"], language).format(name=name, outcome=_say(_OUTCOMES[other], language))
            )
        return told


def evidence(a: Traits, b: Traits, rules: Linkage, language: str) -> Evidence:
    """Why two records are one person or not, under these rules. Language is `nl` or `en`."""
    weight = linkage.weigh(a, b, rules)
    veto = linkage.vetoed(weight, rules)
    outcome = linkage.zone(weight, rules)
    without = {
        name: other for name in weight.parts if (other := linkage.zone(weight, rules, name)) is not outcome
    }
    prior = rules.models[weight.model].prior
    return Evidence(
        weight,
        outcome,
        Line("prior", "", _say(_TEXTS[f"prior_{weight.model}"], language), prior),
        tuple(
            Line(name, _say(_NAMES[name], language), _finding(name, found, language), weight.parts.get(name))
            for name, found in weight.levels.items()
        ),
        _say(_NAMES[veto], language) if veto else None,
        without,
    )


def _finding(comparison: str, found: str | None, language: str) -> str:
    if found is None:
        return _say(_SILENT, language)
    return _say(_LEVELS.get((comparison, found), _DIFFERENT), language)


def _signed(weight: float | None) -> str:
    return "     ·" if weight is None else f"{weight:+6.1f}"


def _say(texts: tuple[str, str], language: str) -> str:
    return texts[0] if language == "nl" else texts[1]
