"""Linkage: who a record is about. Pure.

Fellegi and Sunter (JASA 64, 1969): each comparison of two records has a level, each level a weight log2(m/u), and the
sum with the prior says in log2 odds whether both are one person. Three models, because relatives at one address share
surname, telephone and sometimes the day of birth, and neighbours a surname: `same_address` for pairs of one door,
`nearby` for other doors of one postcode, `elsewhere` for all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import product
from math import inf, log2
from typing import Any, NamedTuple

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from bereik import addresses, births, contacts, names
from bereik.addresses import Address
from bereik.declared.linkage import Linkage, LinkModel
from bereik.declared.signals import SignalType

# Raised when the normalisers change: sealed traits of an older number are made anew from the fields as written.
NORMALISED = 3

# Of three letters one is a third of the name: Bos and Vos are two.
LEAST_LETTERS = 4

SAME_ADDRESS, NEARBY, ELSEWHERE = "same_address", "nearby", "elsewhere"
DIFFERENT = "different"


class Outcome(StrEnum):
    """What was decided about a record."""

    LINK = "link"
    REVIEW = "review"
    NEW = "new"


class Reason(StrEnum):
    """Why, in one word."""

    UNSEEN = "unseen"
    TOO_LITTLE = "too_little"
    ENOUGH = "enough"
    DOUBT = "doubt"
    CONTRADICTED = "contradicted"
    SEVERAL = "several"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity fields of one signal, as written. Printing it shows nothing."""

    fields: Mapping[str, str]

    def __repr__(self) -> str:
        """Never a value."""
        return "Identity(***)"


def identity(signal_type: SignalType, data: Mapping[str, Any]) -> Identity:
    """Take the fields that the declaration names for linkage out of an event's data; empty and unknown are left out."""
    found = {}
    for name, path in signal_type.identity.items():
        value = data.get(path) if "." not in path else _deep(data, path)
        if value is not None and value != "":
            found[name] = value if isinstance(value, str) else str(value)
    return Identity(found)


def _deep(data: Mapping[str, Any], path: str) -> Any:
    value: Any = data
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


# ---------------------------------------------------------------- traits: identity made comparable


class Traits(NamedTuple):
    """Identity made comparable: folded, sorted, canonical. An empty value is unknown. Printing it shows nothing.

    `letters` are those that somebody of the first names in `given` may be called by; empty when only initials are known.
    """

    surnames: tuple[str, ...] = ()
    initials: str = ""
    given: tuple[str, ...] = ()
    letters: str = ""
    birth: tuple[int, int, int] = (0, 0, 0)
    postcode: str = ""
    number: int = 0
    addition: str = ""
    phone: str = ""
    email: str = ""

    def __repr__(self) -> str:
        """Never a value."""
        return "Traits(***)"

    @property
    def building(self) -> str:
        """Postcode and number, without what tells the doors apart; empty when unknown."""
        return Address(self.postcode, self.number, self.addition).building

    @property
    def unit(self) -> str:
        """The address unit; empty when unknown."""
        return Address(self.postcode, self.number, self.addition).unit

    @property
    def surname(self) -> str:
        """All surnames as one text: what term frequencies are counted by; empty when unknown."""
        return " ".join(self.surnames)

    @property
    def mailed(self) -> str:
        """The letters that whoever has this mail address may be called by; empty when it does not say."""
        return contacts.called(self.email, self.surnames) if self.email else ""

    @property
    def birth_date(self) -> str:
        """The birth date as ISO 8601, what term frequencies are counted by; empty unless all of it is known."""
        year, month, day = self.birth
        return f"{year:04}-{month:02}-{day:02}" if all(self.birth) else ""

    def row(self) -> dict[str, Any]:
        """Flat columns for training; unknown is None."""
        year, month, day = self.birth
        return {
            "surnames": list(self.surnames) or None,
            "surname": self.surname or None,
            "initials": self.initials or None,
            "given": list(self.given) or None,
            "letters": list(self.letters) or None,
            "mailed": list(self.mailed) or None,
            "birth_year": year or None,
            "birth_month": month or None,
            "birth_day": day or None,
            "birth": self.birth_date or None,
            "postcode": self.postcode or None,
            "number": self.number or None,
            "addition": self.addition or None,
            "building": self.building or None,
            "unit": self.unit or None,
            "phone": self.phone or None,
            "email": self.email or None,
        }


def traits(who: Identity, today: date) -> Traits:
    """Normalise what was written. `today` bounds a birth date: nobody is born tomorrow. No input raises."""
    get = who.fields.get
    family, first_names = get("surname", ""), get("first_names", "")
    initials = names.initials(get("initials", ""), first_names, family)
    given = names.given(first_names, get("initials", ""))
    alike = tuple(sorted({other for name in given for other in names.aliases(name)})) if given else ()
    place = _address(who)
    born = births.birth(get("birth_date", ""), today)
    return Traits(
        surnames=names.surnames(family, get("prefix", "")),
        initials=initials,
        given=alike,
        letters=names.called(alike) if alike else "",
        birth=(born.year, born.month, born.day),
        postcode=place.postcode,
        number=place.number,
        addition=place.addition,
        phone=contacts.phone(get("phone", "")),
        email=contacts.email(get("email", "")),
    )


def address_unit(who: Identity) -> str | None:
    """The address unit of a record; None without a postcode and a number."""
    return _address(who).unit or None


def _address(who: Identity) -> Address:
    get = who.fields.get
    return addresses.parse(
        get("postcode", ""),
        get("house_number", ""),
        get("house_letter", ""),
        get("house_number_addition", ""),
    )


# ---------------------------------------------------------------- keys: where candidates are looked for


def _born(one: Traits) -> tuple[str, ...]:
    """The birth date with day and month in order of size, so that swapped ones meet."""
    year, month, day = one.birth
    return (f"{year}-{min(month, day)}-{max(month, day)}",) if all(one.birth) else ()


def _one(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


_PARTS: Mapping[str, Callable[[Traits], tuple[str, ...]]] = {
    "birth": _born,
    "sound": lambda one: tuple(dict.fromkeys(map(names.sound, one.surnames))),
    "surname": lambda one: one.surnames,
    # Two letters: a slip further on still meets, and of a million people half a one shares them and a birth date by chance.
    "start": lambda one: tuple(dict.fromkeys(names.sound(surname)[:2] for surname in one.surnames)),
    "initial": lambda one: _one(one.initials[:1]),
    "initials": lambda one: _one(one.initials if len(one.initials) > 1 else ""),
    "unit": lambda one: _one(one.unit),
    "postcode": lambda one: _one(one.postcode),
    "phone": lambda one: _one(one.phone),
    "email": lambda one: _one(one.email),
}


def keys(one: Traits, rules: Linkage) -> list[str]:
    """The texts whose keyed hashes find candidates. A key with an unknown part is left out."""
    needed, places = _key_parts(rules)
    values = {part: _PARTS[part](one) for part in needed}
    return [
        "|".join(text)
        for place, parts in places
        for text in product(place, *[values[part] for part in parts])
    ]


@lru_cache(maxsize=64)
def _key_parts(rules: Linkage) -> tuple[frozenset[str], tuple[tuple[tuple[str], tuple[str, ...]], ...]]:
    needed = frozenset(part for parts in rules.keys for part in parts)
    return needed, tuple(((str(place),), parts) for place, parts in enumerate(rules.keys))


# ---------------------------------------------------------------- levels: how two records compare


@lru_cache(maxsize=65_536)
def _resemble(one: str, other: str, alike: float) -> bool:
    """Whether two names may be one that somebody misspelt; in a short name one letter is too much for Jaro-Winkler."""
    return JaroWinkler.similarity(one, other) >= alike or (
        min(len(one), len(other)) >= LEAST_LETTERS
        and DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1
    )


def _swapped(a: Traits, b: Traits, rules: Linkage) -> bool:
    (year, month, day), other = a.birth, b.birth
    return all(a.birth) and (year, day, month) == other


def _two_parts(a: Traits, b: Traits, rules: Linkage) -> bool:
    """All but one part the same; of two people who are given 1 January, because only their years are known, that is nothing."""
    (year, month, day), (other_year, other_month, other_day) = a.birth, b.birth
    return (
        (year == other_year) + (month == other_month) + (day == other_day) == 2
        and all(a.birth)
        and all(b.birth)
        and not month == day == other_month == other_day == 1
    )


def _new_year(a: Traits, b: Traits, rules: Linkage) -> bool:
    """The same year, and one of them is 1 January: what many systems write when they know the year only."""
    return a.birth[0] == b.birth[0] and all(a.birth) and all(b.birth) and (1, 1) in (a.birth[1:], b.birth[1:])


def _born_both(a: Traits, b: Traits) -> bool:
    (year, month, day), (other_year, other_month, other_day) = a.birth, b.birth
    return bool((year and other_year) or (month and other_month) or (day and other_day))


def _partly(a: Traits, b: Traits, rules: Linkage) -> bool:
    if all(a.birth) and all(b.birth):
        return False
    return a.birth[0] == b.birth[0] != 0 and all(
        x == y for x, y in zip(a.birth, b.birth, strict=True) if x and y
    )


def _near(a: Traits, b: Traits) -> bool:
    """The same building; its doors may differ."""
    return a.number == b.number != 0 and a.postcode == b.postcode != ""


def _slip(a: Traits, b: Traits) -> bool:
    """One digit of the number is another, too many, missing or swapped; two further is next door, where relatives live."""
    return (
        a.postcode == b.postcode != ""
        and a.addition == b.addition
        and a.number * b.number != 0
        and abs(a.number - b.number) != 2
        and DamerauLevenshtein.distance(str(a.number), str(b.number)) <= 1
    )


def _begins(a: Traits, b: Traits) -> bool:
    """The initials of one are the first of the other's."""
    return a.initials.startswith(b.initials) or b.initials.startswith(a.initials)


_Predicate = Callable[[Traits, Traits, Linkage], bool]
# Only equality, overlap, Jaro-Winkler and date parts, so that training in SQL and the stream agree to the last bit.
_LEVELS: Mapping[str, Mapping[str, _Predicate]] = {
    "surname": {
        "same": lambda a, b, rules: a.surnames == b.surnames,
        "shared": lambda a, b, rules: not set(a.surnames).isdisjoint(b.surnames),
        "alike": lambda a, b, rules: any(
            _resemble(x, y, rules.alike) for x in a.surnames for y in b.surnames
        ),
    },
    "given": {
        "name": lambda a, b, rules: bool(a.given) and not set(a.given).isdisjoint(b.given),
        "spelt": lambda a, b, rules: bool(a.given and b.given) and any(
            _resemble(x, y, rules.alike) for x in a.given for y in b.given
        ),
        "initials": lambda a, b, rules: len(a.initials) > 1 and a.initials == b.initials,
        "other": lambda a, b, rules: bool(a.given and b.given) and _begins(a, b),
        "single": lambda a, b, rules: a.initials == b.initials,
        "begin": lambda a, b, rules: _begins(a, b),
        "called": lambda a, b, rules: a.initials[0] in b.letters or b.initials[0] in a.letters,
        "some": lambda a, b, rules: not set(a.initials).isdisjoint(b.initials),
        "mailed": lambda a, b, rules: a.initials[0] in b.mailed or b.initials[0] in a.mailed,
        "nick": lambda a, b, rules: (
            not (a.given or b.given) and a.initials[0] + b.initials[0] in names.called_pairs()
        ),
        "letter": lambda a, b, rules: not (a.given or b.given),
    },
    "birth": {
        "same": lambda a, b, rules: a.birth == b.birth and all(a.birth),
        "swapped": _swapped,
        "new_year": _new_year,
        "two_parts": _two_parts,
        "partly": _partly,
    },
    "address": {
        "unit": lambda a, b, rules: a.addition == b.addition and _near(a, b),
        "blank": lambda a, b, rules: not (a.addition and b.addition) and _near(a, b),
        "flat": lambda a, b, rules: _near(a, b),
        "slip": lambda a, b, rules: _slip(a, b),
        "postcode": lambda a, b, rules: a.postcode == b.postcode,
        "district": lambda a, b, rules: a.postcode[:4] == b.postcode[:4],
    },
    "contact": {
        "both": lambda a, b, rules: a.phone == b.phone != "" and a.email == b.email != "",
        "email": lambda a, b, rules: a.email == b.email != "",
        "phone": lambda a, b, rules: a.phone == b.phone != "",
    },
}  # fmt: skip
_COMPARABLE: Mapping[str, Callable[[Traits, Traits], bool]] = {
    "surname": lambda a, b: bool(a.surnames and b.surnames),
    "given": lambda a, b: bool(a.initials and b.initials),
    "birth": _born_both,
    "address": lambda a, b: bool(a.postcode and b.postcode),
    "contact": lambda a, b: bool((a.phone and b.phone) or (a.email and b.email)),
}


def model_of(a: Traits, b: Traits) -> str:
    """Which model weighs this pair: one door (or a door and its building), other doors of one postcode, or any two people."""
    if a.postcode != b.postcode or not a.postcode:
        return ELSEWHERE
    one_door = _near(a, b) and (a.addition == b.addition or not (a.addition and b.addition))
    return SAME_ADDRESS if one_door else NEARBY


# Of each declared comparison: whether two records can be compared, and its levels in order.
_Tests = tuple[Callable[[Traits, Traits], bool], tuple[tuple[str, _Predicate], ...]]


@lru_cache(maxsize=64)
def _tests(rules: Linkage) -> Mapping[str, _Tests]:
    return {
        name: (_COMPARABLE[name], tuple((level, _LEVELS[name][level]) for level in levels))
        for name, levels in rules.comparisons.items()
    }


def level(comparison: str, a: Traits, b: Traits, rules: Linkage) -> str | None:
    """The first declared level that holds, else `different`; None when a side has nothing to compare."""
    return _level(_tests(rules)[comparison], a, b, rules)


def _level(tests: _Tests, a: Traits, b: Traits, rules: Linkage) -> str | None:
    comparable, levels = tests
    if not comparable(a, b):
        return None
    for name, holds in levels:
        if holds(a, b, rules):
            return name
    return DIFFERENT


@dataclass(frozen=True, slots=True)
class Weight:
    """What the comparison of two records comes to, in log2 odds, and each comparison's level and share of it."""

    total: float
    model: str
    levels: Mapping[str, str | None]
    parts: Mapping[str, float]

    def __repr__(self) -> str:
        """Levels and weights are no identity, but they say much of one; a log shows the total only."""
        return f"Weight({self.total:.1f})"


def weigh(a: Traits, b: Traits, rules: Linkage) -> Weight:
    """Compare two records under the model for such a pair."""
    name = model_of(a, b)
    model = rules.models[name]
    total = model.prior
    levels: dict[str, str | None] = {}
    parts: dict[str, float] = {}
    for comparison, tests in _tests(rules).items():
        levels[comparison] = found = _level(tests, a, b, rules)
        if found is None:
            continue
        part = model.weights[comparison][found]
        if found == "same" and model.frequencies:
            part += _frequency(comparison, a, b, model)
        parts[comparison] = part
        total += part
    return Weight(total, name, levels, parts)


def _frequency(comparison: str, a: Traits, b: Traits, model: LinkModel) -> float:
    """How much a value says beyond the average of its level: a common name less, as Splink adjusts for it."""
    table = model.frequencies.get(comparison)
    if not table:
        return 0.0
    share = table.get(a.surname if comparison == "surname" else a.birth_date)
    return log2(model.bases[comparison] / share) if share else 0.0


# ---------------------------------------------------------------- deciding


@dataclass(frozen=True, slots=True)
class Look:
    """One way in which a known person was written: by which signal, and what it said."""

    signal_id: str
    traits: Traits = field(repr=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """LINK to `person`, REVIEW with a hint at `person`, or NEW.

    `against` is the signal that weighed most and `weight` what it came to; `merge` are further persons who turn out to
    be the same as `person`.
    """

    outcome: Outcome
    reason: Reason
    person: str | None = None
    against: str | None = None
    weight: float | None = None
    merge: tuple[str, ...] = ()


@dataclass(slots=True)
class _Standing:
    person: str
    against: str
    weight: float = -inf
    enough: bool = False
    contradicted: bool = False
    identical: bool = False


_MORE_THAN_A_LETTER = frozenset({"name", "spelt", "initials"})


def bare(weight: Weight, without: str = "") -> bool:
    """Whether what two records share tells many people, and not who of them.

    At one door, without a birth date in common: a telephone, a letter and a surname that is not quite the same, for a
    couple is Nowak and Nowak-Bakker, or Zielinski and Zielinska; a shared surname and one letter of more; another first
    name behind the same letter. At two doors: no more than a name, or a letter or a surname that only resembles with a
    birth date; how many that fits depends on the town, and training saw one.
    """
    found = {name: level for name, level in weight.levels.items() if name != without and level != DIFFERENT}
    birth, given, contact = (found.get(name) for name in ("birth", "given", "contact"))
    if weight.model == ELSEWHERE:
        named = given or found.get("surname") == "same"
        full = (birth == "same" and named) or (birth and given in _MORE_THAN_A_LETTER)
        return not (full or contact)
    surname = found.get("surname")
    if birth or contact not in (None, "phone"):
        return False
    if surname == "same":
        return given == "other" and not contact
    if surname is None or not given:
        return given not in _MORE_THAN_A_LETTER
    return surname == "shared" and given == "begin" and not contact


# Of these a person has several that are true: "P." is no other than "J." where somebody is known as "J.P.".
_SEVERAL_TRUE = frozenset({"given"})


def _contradicted(pairs: Iterable[Mapping[str, str | None]], rules: Linkage) -> bool:
    """Whether the levels of all pairs of looks forbid one person, whatever else agrees: a declared comparison is plainly
    different, and, where a person has several that are true, agrees with no look either.
    """
    pairs = list(pairs)
    for name, forbidden in rules.veto.items():
        if {levels[name] for levels in pairs}.isdisjoint(forbidden):
            continue
        said = {None if _by_another_name(name, levels) else levels[name] for levels in pairs}
        if said.isdisjoint(forbidden):
            continue
        if name not in _SEVERAL_TRUE or said.issubset((None, *forbidden)):
            return True
    return False


def _by_another_name(comparison: str, levels: Mapping[str, str | None]) -> bool:
    """Whether another letter only says what somebody is called: Hans is J. in his passport.

    On a day of birth in common a mail address that begins with the other letter, or a telephone or address in common,
    leaves one twin for twenty call names. Without either it is one for six.
    """
    if comparison != "given" or levels.get("birth") != "same":
        return False
    found = levels["given"]
    return found == "mailed" or (found == "nick" and levels.get("contact") not in (None, DIFFERENT))


def vetoed(weight: Weight, rules: Linkage, without: str = "") -> str | None:
    """The comparison that forbids a link of such levels, were one of them not looked at; None when none does."""
    levels = {name: level for name, level in weight.levels.items() if name != without}
    return next(
        (
            name
            for name, forbidden in rules.veto.items()
            if levels.get(name) in forbidden and not _by_another_name(name, levels)
        ),
        None,
    )


def decide(
    one: Traits,
    persons: Mapping[str, Sequence[Look]],
    rules: Linkage,
    apart: Callable[[str, str | None], bool],
    crowded: bool = False,
) -> Decision:
    """Decide on the persons that share a key with this record; each with every look it has.

    `crowded` says that many unrelated people live at the record's address: who has another surname is a stranger there.
    `apart(person, other)` says whether a human decided that this record (other None), or another person, is not that
    person. A person is linked when one look weighs at least `link` and is not `bare`, the looks do not contradict, and no
    other person comes within `margin`; persons that weigh so together and do not contradict each other turn out to be
    one. Doubt is a review, and a review links nobody.
    """
    if not persons:
        return Decision(Outcome.NEW, Reason.UNSEEN)
    standings = sorted(
        [_standing(one, person, looks, rules, crowded) for person, looks in persons.items()],
        key=lambda found: -found.weight,
    )
    if standings[0].weight < rules.review:
        return Decision(Outcome.NEW, Reason.TOO_LITTLE)
    barred = {found.person for found in standings if apart(found.person, None)}
    allowed = [found for found in standings if found.person not in barred]
    fit = [found for found in allowed if found.enough and not found.contradicted]
    if not fit:
        if not allowed or allowed[0].weight < rules.review:
            return Decision(Outcome.NEW, Reason.NEVER)
        top = allowed[0]
        reason = Reason.CONTRADICTED if top.contradicted else Reason.DOUBT
        return Decision(Outcome.REVIEW, reason, top.person, top.against, top.weight)
    top, rivals = fit[0], []
    merge: list[str] = []
    for other in fit[1:]:
        if all(
            not apart(fits, other.person) and _one_person(persons[fits], persons[other.person], rules)
            for fits in (top.person, *merge)
        ):
            merge.append(other.person)
        elif top.weight - other.weight < rules.margin:
            rivals.append(other)
    if rivals:
        # Two people who are surely not one: only the one who was written exactly so before can be meant.
        same = [found for found in (top, *rivals) if found.identical]
        if len(same) != 1:
            return Decision(Outcome.REVIEW, Reason.SEVERAL, top.person, top.against, top.weight)
        if same[0] is not top:
            return Decision(Outcome.LINK, Reason.ENOUGH, same[0].person, same[0].against, same[0].weight)
    return Decision(Outcome.LINK, Reason.ENOUGH, top.person, top.against, top.weight, tuple(merge))


def _standing(one: Traits, person: str, looks: Sequence[Look], rules: Linkage, crowded: bool) -> _Standing:
    found = _Standing(person, looks[0].signal_id)
    levels = []
    for look in looks:
        mine = one
        if crowded and set(one.surnames).isdisjoint(look.traits.surnames):
            # Lodgers share a telephone, a door and 1 January; a surname in common is what strangers seldom have.
            mine = one._replace(postcode="", number=0, addition="")
        weight = weigh(mine, look.traits, rules)
        levels.append(weight.levels)
        if weight.total > found.weight or (weight.total == found.weight and look.signal_id < found.against):
            found.weight, found.against = weight.total, look.signal_id
        if weight.total >= rules.link and not bare(weight):
            found.enough = True
        if look.traits == one:
            found.identical = True
    found.contradicted = _contradicted(levels, rules)
    return found


def _one_person(mine: Sequence[Look], theirs: Sequence[Look], rules: Linkage) -> bool:
    return not _contradicted(
        ({name: level(name, a.traits, b.traits, rules) for name in rules.veto} for a in mine for b in theirs),
        rules,
    )


# ---------------------------------------------------------------- explaining


def zone(weight: Weight, rules: Linkage, without: str = "") -> Outcome:
    """What these two records alone would lead to, were one comparison not looked at."""
    total = weight.total - weight.parts.get(without, 0.0)
    if total >= rules.link and not vetoed(weight, rules, without) and not bare(weight, without):
        return Outcome.LINK
    return Outcome.REVIEW if total >= rules.review else Outcome.NEW


def distinct(looks: Iterable[Traits]) -> int:
    """How many surnames live here that have nothing to do with each other: names that share a person count as one."""
    groups: list[set[str]] = []
    for one in looks:
        mine = set(one.surnames)
        if not mine:
            continue
        touching = [group for group in groups if group & mine]
        groups = [group for group in groups if not group & mine] + [mine.union(*touching)]
    return len(groups)
