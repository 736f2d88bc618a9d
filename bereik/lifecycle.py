"""The life of a case: what may be stated about it, in which state, and where that leads. Pure.

Everything a person or an outside register says of a case is a `Fact`, written once and never changed. `FACTS` says what a
fact of each kind holds; `moves:` of a purpose (purposes.yaml) says in which states it may be stated. `check` is asked
before one is written, under the subject's lock; `stand` reads them back and never refuses: what was lawful when it was
stated counts, whatever signals came, went or moved since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from bereik.declared.purposes import Move, Purpose
from bereik.errors import LastingError

# The states in which somebody has to reach out; in every other one a case has ended.
NEW, TAKEN_UP = "new", "taken_up"
OPEN: Final = (NEW, TAKEN_UP)
CLOSED = "closed"
# Where only partners' signals lead, never a person.
BY_SIGNALS: Final = ("repeat", "below_threshold", "withdrawn")


class IllegalMove(LastingError):
    """This may not be stated about the case as it stands."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What somebody (`stated_by`: a worker's login, or the name of a register) stated about a case, and when."""

    case_id: str
    kind: str
    detail: Mapping[str, Any]
    stated_by: str
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a fact's `detail`.

    `kind`: "word" (one of `words`, or of the list `words_of` of the purpose), "words" (several of them), "yesno" (bool),
    "day" (yyyy-mm-dd; `past` forbids tomorrow), "team" (a team of the case's municipality and purpose), "id" (of a
    person, a promise or a case: hexadecimal digits and dashes), "holder" (one of the people whom the case is about; it may
    be left out while there is only one). None of them can hold a sentence about somebody.
    """

    kind: str
    words: tuple[str, ...] = ()
    words_of: str | None = None
    required: bool = True
    past: bool = False


_PERSON: Final = Field("id")
# Kind of fact → the fields of its detail. The owner of a kind adds it here; nothing else can be stated.
FACTS: Final[Mapping[str, Mapping[str, Field]]] = {
    # the case
    "taken_up": {},
    "handed_over": {"team": Field("team")},
    "closed": {
        "result": Field("word", words_of="results"),
        "cause": Field("word", words_of="causes", required=False),
        "helped": Field("yesno", required=False),
        "promised_done": Field("yesno", required=False),
        "reason": Field("word", words_of="reasons", required=False),
    },
    "reopened": {},
    "deviated": {"rule": Field("word", words_of="rules"), "reason": Field("word", words_of="reasons")},
    # contact
    "attempt": {
        "kind": Field("word", words_of="contacts"),
        "reached": Field("yesno"),
        "day": Field("day", past=True),
        "daypart": Field("word", words_of="dayparts"),
        # Why it was another way than the plan asked for.
        "reason": Field("word", words_of="reasons", required=False),
    },
    "promise": {
        "promise_id": Field("id"),
        "what": Field("word", words_of="promises"),
        "by": Field("day"),
    },
    "promise_kept": {"promise_id": Field("id")},
    "promise_broken": {"promise_id": Field("id")},
    # The language in which the resident wants to be spoken with, because the resident said so; never concluded from anything.
    "language": {"language": Field("word", words_of="languages")},
    # The team is full: the case gets the lighter plan. Only the rule of capacity states it.
    "lightened": {},
    # checks before contact
    "resident": {
        "person_id": _PERSON,
        "answer": Field("word", ("unique", "deviating", "not_found", "moved", "deceased", "in_onderzoek")),
        # Names of fields in the register's own terms, never what stands in them.
        "differences": Field(
            "words",
            (
                "geslachtsnaam",
                "voorletters",
                "geboortedatum",
                "postcode",
                "huisnummer",
                "huisnummertoevoeging",
                "verblijfplaats",
            ),
            required=False,
        ),
    },
    "known": {"person_id": _PERSON, "yes": Field("yesno")},
    "repaired": {
        "person_id": _PERSON,
        "choice": Field("word", ("register", "partner", "asked", "other_person", "no_resident")),
    },
    "moved_away": {
        "person_id": _PERSON,
        "way": Field("word", ("offered", "number_only", "abroad", "within")),
    },
    # a mover's case: what the new municipality answered, here; and there, which case it goes on from
    "offer_answered": {
        "municipality": Field("slug"),
        "accepted": Field("yesno"),
        "reference": Field("id", required=False),
    },
    "taken_over": {"municipality": Field("slug"), "reference": Field("id")},
    "secrecy": {"person_id": _PERSON, "on": Field("yesno")},
    # a relation between two people of one address, confirmed by a worker
    "related": {"person_id": Field("holder"), "other_id": Field("holder")},
    # the bridge
    "consent": {
        "toward": Field("slug"),
        "who": Field("slug"),
        "form": Field("slug"),
        # Everybody whose data crosses agrees for themselves.
        "person_id": Field("holder"),
    },
    # Without a person it is the consent of everybody.
    "consent_withdrawn": {"toward": Field("slug"), "person_id": Field("holder", required=False)},
    "bridge_accepted": {},
}


# ---------------------------------------------------------------- before it is written


def check(
    kind: str,
    detail: Mapping[str, Any],
    purpose: Purpose,
    when: str,
    teams: Iterable[str],
    today: date,
    people: Sequence[str] = (),
) -> None:
    """Whether this may be stated about a case that is in the state `when`. Raises `IllegalMove` with the reason.

    `teams` are those a case of this municipality and purpose may be handed to; `today` is the day in the Netherlands;
    `people` are those whom the case is about.
    """
    if kind not in FACTS:
        raise IllegalMove(f"There is no fact of this kind; known are {', '.join(FACTS)}.")
    _check_detail(kind, completed(kind, detail, people), purpose, frozenset(teams), today, people)
    moves = [move for move in purpose.moves if move.act == kind]
    if not moves:
        raise IllegalMove(f"{kind} is not something that can be stated for {purpose.id}; see purposes.yaml.")
    move = move_from(purpose, kind, when)
    if move is None:
        allowed = sorted({state for one in moves for state in one.starts})
        raise IllegalMove(_refusal(kind, purpose, when, allowed))
    target = _target(move, detail, purpose)
    if move.leads and target not in move.leads:
        words = ", ".join(_name(purpose, state) for state in move.leads)
        raise IllegalMove(
            f"From “{_name(purpose, when)}” this result is not lawful: it leads to “{_name(purpose, target or '')}”."
            f" Lawful is what leads to: {words}. Take the case up first, or choose another result."
        )


def completed(kind: str, detail: Mapping[str, Any], people: Sequence[str]) -> Mapping[str, Any]:
    """The detail with what goes without saying: whom it is about, where a case is about one person only."""
    if len(people) != 1:
        return detail
    field = FACTS.get(kind, {}).get("person_id")
    if field is None or field.kind != "holder" or not field.required:
        return detail
    return {"person_id": people[0], **detail}


def _refusal(kind: str, purpose: Purpose, when: str, allowed: Sequence[str]) -> str:
    stands = _name(purpose, when)
    if kind == TAKEN_UP and when == TAKEN_UP:
        return (
            f"Somebody has taken this case up already (“{stands}”). Ask in your team, or have it handed over."
        )
    words = ", ".join(f"“{_name(purpose, state)}”" for state in allowed)
    return f"The case is “{stands}”; {kind} is lawful only in: {words}."


def _name(purpose: Purpose, when: str) -> str:
    word = purpose.state(when)
    return word.id if word is not None else when


def _check_detail(
    kind: str,
    detail: Mapping[str, Any],
    purpose: Purpose,
    teams: frozenset[str],
    today: date,
    people: Sequence[str],
) -> None:
    fields = FACTS[kind]
    if strangers := sorted(set(detail) - set(fields)):
        raise IllegalMove(
            f"{kind} has no field {', '.join(strangers)}; known are {', '.join(fields) or 'none'}."
        )
    for name, field in fields.items():
        if name not in detail:
            if field.required:
                raise IllegalMove(f"{kind} needs {name}: {expects(field, purpose, teams, people)}.")
        elif not _fits(detail[name], field, purpose, teams, people):
            raise IllegalMove(f"{kind}: {name} must be {expects(field, purpose, teams, people)}.")
        elif field.past and date.fromisoformat(detail[name]) > today:
            raise IllegalMove(f"{kind}: {name} lies in the future; state it once it has happened.")


def _words(field: Field, purpose: Purpose) -> tuple[str, ...]:
    if field.words_of is None:
        return field.words
    return tuple(word.id for word in purpose.words.get(field.words_of, ()))


def expects(field: Field, purpose: Purpose, teams: Iterable[str] = (), people: Iterable[str] = ()) -> str:
    """What a field takes, for a reader: the words themselves when there are any."""
    match field.kind:
        case "word":
            return f"one of {', '.join(_words(field, purpose))}"
        case "words":
            return f"a list of {', '.join(_words(field, purpose))}"
        case "yesno":
            return "true or false"
        case "day":
            return "a day as yyyy-mm-dd"
        case "team":
            return f"one of {', '.join(sorted(teams))}"
        case "slug":
            return "letters, digits, dashes"
        case "holder":
            return f"one of the people of this case: {', '.join(one[:8] for one in people)}"
        case _:
            return "an id of hexadecimal digits and dashes"


_HEX: Final = frozenset("0123456789abcdef-")


def _fits(value: Any, field: Field, purpose: Purpose, teams: frozenset[str], people: Sequence[str]) -> bool:
    match field.kind:
        case "word":
            return value in _words(field, purpose)
        case "words":
            return isinstance(value, (list, tuple)) and set(value) <= set(_words(field, purpose))
        case "yesno":
            return isinstance(value, bool)
        case "day":
            return isinstance(value, str) and _is_day(value)
        case "team":
            return value in teams
        case "holder":
            return value in people
        case "slug":
            return (
                isinstance(value, str)
                and 0 < len(value) <= 60
                and value.replace("-", "").replace("_", "").isalnum()
            )
        case _:
            return isinstance(value, str) and 8 <= len(value) <= 36 and set(value) <= _HEX


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


# ---------------------------------------------------------------- reading them back


def language_of(facts: Iterable[Fact]) -> str | None:
    """The language of contact that was stated last of one case; None when nobody said any."""
    said = [fact for fact in facts if fact.kind == "language"]
    return str(max(said, key=lambda fact: fact.stated_at).detail["language"]) if said else None


def move_from(purpose: Purpose, act: str, when: str) -> Move | None:
    """The move that this act makes in this state; None where it is not lawful."""
    return next((move for move in purpose.moves if move.act == act and when in move.starts), None)


def _target(move: Move, detail: Mapping[str, Any], purpose: Purpose) -> str | None:
    """The state an act leads to: that of its result, else the only one declared; None when it changes nothing."""
    result = purpose.result(detail.get("result"))
    if result is not None:
        return result.when or CLOSED
    return move.leads[0] if move.leads else None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where people brought a case: its state, since when, who has it, and the result when it has ended.

    `taken_up_at` is the first time anybody took it up (DDAS: datumOpgepakt) and stays; `holder` and `team` are those of
    now, None when nobody said otherwise.
    """

    when: str
    since: datetime | None = None
    result: str | None = None
    taken_up_at: datetime | None = None
    holder: str | None = None
    team: str | None = None


def stand(facts: Sequence[Fact], purpose: Purpose, start: str, received: Sequence[datetime] = ()) -> Standing:
    """Where the facts of one case bring it from the state that its signals give.

    What is received (moments of the signals that count) after somebody ended the case opens it again: nobody has judged that.
    """
    if not facts:
        return Standing(start)
    latest = max(received, default=None)
    when, since, result, taken_up_at, holder, team = start, None, None, None, None, None
    for fact in sorted(facts, key=lambda fact: fact.stated_at):
        if when not in OPEN and since is not None and any(since < one <= fact.stated_at for one in received):
            when, since, result, holder = start, None, None, None
        if fact.kind == "handed_over":
            team, holder = fact.detail["team"], None
        move = move_from(purpose, fact.kind, when) or next(
            (move for move in purpose.moves if move.act == fact.kind), None
        )
        target = _target(move, fact.detail, purpose) if move is not None else None
        if target is None:
            continue
        when, since, result = target, fact.stated_at, fact.detail.get("result")
        if target == TAKEN_UP:
            holder, taken_up_at = fact.stated_by, taken_up_at or fact.stated_at
    if when not in OPEN and since is not None and latest is not None and latest > since:
        when, since, result, holder = start, None, None, None
    return Standing(when, since, result, taken_up_at, holder, team)
