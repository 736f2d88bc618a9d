"""Why data may be used, and what may meet: purposes with their life cycles, and the bridges between. `schemas/purposes.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bereik.declared.rows import match
from bereik.declared.signals import SignalKind

# The kinds of partner that the national delivery knows (DDAS v1.2, signaalpartner.type). A purpose with any other cannot deliver.
DELIVERED_PARTNER_TYPES: Final = (
    "Belastingdienst", "CAK Eigen bijdrage", "CAK Zorgverzekeringen", "Dienst Toeslagen", "DUO", "Energie", "Huur",
    "Hypotheek", "Overige", "Water", "Zorg",
)  # fmt: skip
# The lists of words of a purpose that facts choose from, beside its results.
WORD_LISTS: Final = ("contacts", "dayparts", "causes", "reasons", "rules", "promises", "languages")


@dataclass(frozen=True, slots=True)
class Matching:
    """Which signals of a subject belong together: those of one "month", or all that are "open"."""

    period: str
    lookback_months: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a purpose's life cycle. `when` is the rule that leads to it; `feedback` what a partner may hear of it,
    `code` how that is explained to it.

    A result may be that of a withdrawal `because` of something.
    """

    id: str
    label: Mapping[str, str]
    when: str | None = None
    feedback: str | None = None
    unreached: bool = False
    because: tuple[str, ...] = ()
    code: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Word:
        """The word in a row of the document."""
        return cls(
            row["id"],
            row["label"],
            row.get("when"),
            row.get("feedback"),
            row.get("unreached", False),
            tuple(row.get("because", ())),
            row.get("code"),
        )


@dataclass(frozen=True, slots=True)
class Move:
    """What may be stated in the states `starts`, and the states it may lead to; none when it changes no state."""

    act: str
    starts: frozenset[str]
    leads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PriorityRule:
    """A published rule: cases whose labels match get this level (1 goes first) and this reason."""

    id: str
    level: int
    match: Mapping[str, tuple[str, ...]]
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Agrees:
    """Who must agree before data of a purpose crosses a bridge; the ages, in years, bound the data subject."""

    role: str
    from_age: int | None = None
    below_age: int | None = None


@dataclass(frozen=True, slots=True)
class BridgeRule:
    """A possible tie between two purposes: fields shown to each, who agrees for each, the forms that count."""

    id: str
    purposes: tuple[str, str]
    fields: Mapping[str, tuple[str, ...]]
    agrees: Mapping[str, tuple[Agrees, ...]]
    forms: tuple[str, ...]

    def other(self, purpose: str) -> str:
        """The purpose on the other side."""
        first, second = self.purposes
        return second if purpose == first else first

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> BridgeRule:
        """The bridge in a row of the document."""
        first, second = row["purposes"]
        return cls(
            id=row["id"],
            purposes=(first, second),
            fields={name: tuple(shown) for name, shown in row["shown"].items()},
            agrees={
                name: tuple(Agrees(item["role"], item.get("fromAge"), item.get("belowAge")) for item in items)
                for name, items in row["agrees"].items()
            },
            forms=tuple(row["forms"]),
        )


@dataclass(frozen=True, slots=True)
class Lookup:
    """When the register of persons is asked.

    About nobody whose case came in longer than `within_days` ago; again after `again_days` about whom it was looking into.
    """

    within_days: int
    again_days: int


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why data may be used: legal basis, subject, life cycle, retention.

    `words` are its lists of words by name: results, contacts, dayparts, causes, reasons, rules,
    promises, languages.
    """

    id: str
    name: Mapping[str, str]
    legal_basis: str
    article: str
    subject: str  # "address" | "person"
    partner_types: tuple[str, ...]
    matching: Matching
    repeat: bool
    states: tuple[Word, ...]
    results: tuple[Word, ...]
    priorities: tuple[PriorityRule, ...]
    feedback: Mapping[str, Mapping[str, str]]
    retention_days: Mapping[str, int]
    bridges: tuple[BridgeRule, ...]
    moves: tuple[Move, ...]
    words: Mapping[str, tuple[Word, ...]]
    ddas: bool = False
    # The kind of signal that a case from another municipality is here; None where none can be taken over.
    taken_over: SignalKind | None = None
    # Where people are looked up in the national register, and their number kept, sealed.
    bsn: Lookup | None = None

    def state(self, when: str) -> Word | None:
        """The state that this purpose declares for a rule outcome, if it has one."""
        return next((word for word in self.states if word.when == when), None)

    def when(self, state: str) -> str:
        """The rule outcome behind a state's own word; the word itself when this bundle does not know it."""
        return next((word.when for word in self.states if word.id == state and word.when), state)

    def result(self, name: str | None) -> Word | None:
        """The result with this name, if there is one."""
        return next((word for word in self.results if word.id == name), None)

    def withdrawn(self, because: str) -> str | None:
        """The result of a case whose signals were all taken back for this reason."""
        found = [word.id for word in self.results if because in word.because]
        found += [word.id for word in self.results if word.when == "withdrawn"]
        return found[0] if found else None

    @classmethod
    def of(cls, name: str, row: Mapping[str, Any], bridges: tuple[BridgeRule, ...]) -> Purpose:
        """The purpose in a row of the document, with those of `bridges` that it has a side in."""
        results = tuple(map(Word.of, row["results"]))
        every = frozenset(word["when"] for word in row["states"])
        return cls(
            id=name,
            name=row["name"],
            legal_basis=row["legalBasis"],
            article=row["article"],
            subject=row["subject"],
            partner_types=tuple(row["partnerTypes"]),
            matching=Matching(row["matching"]["period"], row["matching"]["lookbackMonths"]),
            repeat=row["repeat"],
            states=tuple(map(Word.of, row["states"])),
            results=results,
            priorities=tuple(
                PriorityRule(item["id"], item["level"], match(item["match"]), item["label"])
                for item in row["priorities"]
            ),
            feedback=row["feedback"],
            retention_days=row["retentionDays"],
            bridges=tuple(bridge for bridge in bridges if name in bridge.purposes),
            moves=tuple(
                Move(
                    item["act"],
                    frozenset(item["from"]) if "from" in item else every,
                    tuple(item.get("to", ())),
                )
                for item in row["moves"]
            ),
            words={"results": results} | {kind: tuple(map(Word.of, row[kind])) for kind in WORD_LISTS},
            ddas=row.get("ddas", False),
            taken_over=_taken_over(name, row["takenOver"]) if "takenOver" in row else None,
            bsn=Lookup(row["bsn"]["askWithinDays"], row["bsn"]["askAgainDays"]) if "bsn" in row else None,
        )


def _taken_over(purpose: str, row: Mapping[str, Any]) -> SignalKind:
    """Its only fact is whether the short term of a crisis runs."""
    return SignalKind(
        id=row["id"], purpose=purpose, label=row["label"], fact_fields=("crisis",), crisis_field="crisis"
    )
