"""What may be stated about a case, when, and where it leads; and the words of the national exchange model."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bereik import lifecycle
from bereik.bundle import Bundle
from bereik.declared.purposes import Purpose
from bereik.lifecycle import Fact, IllegalMove, Standing

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
DEBTS, SCHOOL = BUNDLE.purposes["schuldhulp"], BUNDLE.purposes["leerplicht"]
TODAY = date(2026, 11, 25)
TEAMS = ("9901-vroeg-noord", "9901-crisis")
START = datetime(2026, 11, 3, 9, tzinfo=UTC)
HELPED = "Vervolghulp en/of verwijzing financieel"
DIED = "Inwoner is overleden"


def fact(kind: str, hours: int = 0, by: str = "w1", /, **detail: Any) -> Fact:
    return Fact("c", kind, detail, by, START + timedelta(hours=hours))


def tried(**changes: Any) -> dict[str, Any]:
    """The detail of a sound attempt, but for these fields."""
    return {"kind": "Brief", "reached": False, "day": "2026-11-20", "daypart": "Avond", **changes}


def check(kind: str, when: str = "new", purpose: Purpose = DEBTS, /, **detail: Any) -> None:
    lifecycle.check(kind, detail, purpose, when, TEAMS, TODAY)


# ---------------------------------------------------------------- the words


def test_debt_aid_speaks_the_words_of_ddas_1_2() -> None:
    assert {word.id for word in DEBTS.states} - {"Ingetrokken", "Afgesloten"} == {
        "Inwoner al bekend bij schuldhulpverlening",
        "Inwoner is overleden",
        "Niet opgepakt: andere reden",
        "Niet opgepakt: herhaalde melding",
        "Niet opgepakt: onterecht signaal",
        "Nog niet opgepakt",
        "Opgepakt",
        "Persoon is geen inwoner (meer) in de gemeente",
    }
    assert {word.id for word in DEBTS.results} - {"Ingetrokken"} == {
        "(Budget)advies en/of quick fix",
        "Definitief geen contact kunnen krijgen",
        "Geen reactie na eerder contact",
        "Inwoner al bekend bij schuldhulpverlening",
        "Inwoner heeft al een ander lopend traject",
        "Inwoner heeft zelf al betaald/betalingsregeling getroffen",
        "Inwoner is overleden",
        "Inwoner regelt het zelf/hoeft geen hulp vanuit vroegsignalering",
        "Niet opgepakt: andere reden",
        "Niet opgepakt: herhaalde melding",
        "Niet opgepakt: onterecht signaal",
        "Persoon is geen inwoner (meer) in de gemeente",
        "Vervolghulp en/of verwijzing",
        "Vervolghulp en/of verwijzing financieel",
        "Vervolghulp en/of verwijzing niet financieel",
        "Verwijzing zonder tussenkomst inwoner",
    }
    assert {word.id for word in DEBTS.words["contacts"]} == {
        "Administratief", "Afspraak op locatie", "Brief", "Huisbezoek", "Kaartje", "Mail", "Onbekend", "Overige",
        "SMS/Whatsapp", "Telefoon",
    }  # fmt: skip
    for purpose in (DEBTS, SCHOOL):
        assert [word.id for word in purpose.words["dayparts"]] == ["Ochtend", "Middag", "Avond"]


def test_compulsory_education_speaks_the_words_of_the_attendance_register() -> None:
    assert {word.id for word in SCHOOL.states} == {
        "Geregistreerd", "In behandeling", "Afgesloten", "Ingetrokken", "Ter kennisgeving aangenomen",
    }  # fmt: skip
    assert not SCHOOL.ddas and SCHOOL.subject == "person"


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("kind", "when", "detail", "why"),
    [
        ("taken_up", "taken_up", {}, "taken this case up already"),
        ("taken_up", "closed", {}, "lawful only in: “Nog niet opgepakt”"),
        ("attempt", "new", tried(), "lawful only in: “Opgepakt”"),
        ("attempt", "taken_up", tried(day="2026-11-26"), "lies in the future"),
        ("attempt", "taken_up", tried(kind="Postduif"), "kind must be one of Administratief"),
        ("attempt", "taken_up", tried(reached="ja"), "reached must be true or false"),
        ("attempt", "taken_up", tried(day="20-11-2026"), "day must be a day as yyyy-mm-dd"),
        ("attempt", "taken_up", {"kind": "Brief", "reached": True, "day": "2026-11-20"}, "needs daypart: one of Ochtend"),
        ("closed", "taken_up", {}, "closed needs result: one of (Budget)advies"),
        ("closed", "taken_up", {"result": HELPED, "note": "x"}, "has no field note"),
        ("closed", "new", {"result": HELPED}, "Take the case up first"),
        ("closed", "taken_up", {"result": "Niet opgepakt: herhaalde melding"}, "this result is not lawful"),
        ("closed", "taken_up", {"result": "Ingetrokken"}, "this result is not lawful"),
        ("handed_over", "taken_up", {"team": "9902-crisis"}, "team must be one of 9901-crisis"),
        ("reopened", "new", {}, "reopened is lawful only in"),
        ("known", "new", {"person_id": "Jan de Vries", "yes": True}, "person_id must be an id"),
        ("gossip", "new", {}, "no fact of this kind; known are taken_up, handed_over, closed"),
        ("attempt", "taken_up", {**tried(), "note": "x", "mood": "x"}, "has no field mood, note; known are kind, reached"),
        ("taken_up", "new", {"note": "x"}, "known are none"),
        ("handed_over", "taken_up", {}, "handed_over needs team: one of 9901-crisis, 9901-vroeg"),
        ("taken_up", "taken_up", {}, "(“Opgepakt”)"),
        ("attempt", "new", tried(), "The case is “Nog niet opgepakt”"),
        ("reopened", "new", {}, "“Niet opgepakt: onterecht signaal”, “Afgesloten”, “"),
        ("closed", "new", {"result": HELPED}, "it leads to “Afgesloten”. Lawful is what leads to: Niet opgepakt: andere reden, "),
    ],
)  # fmt: skip
def test_what_may_not_be_stated_is_refused_with_the_reason(
    kind: str, when: str, detail: dict[str, Any], why: str
) -> None:
    with pytest.raises(IllegalMove) as refusal:
        check(kind, when, **detail)
    assert why in str(refusal.value)


# One sound statement of each kind that has a field worth trying.
SOUND: dict[str, dict[str, Any]] = {
    "resident": {"person_id": "0000000a", "answer": "deviating"},
    "consent": {"toward": "leerplicht", "who": "contractant", "form": "gezin-v1", "person_id": "0000000a"},
    "handed_over": {"team": "9901-crisis"},
    "promise": {"promise_id": "0000000a", "what": "terugbellen", "by": "2026-11-27"},
    "attempt": tried(),
}


@pytest.mark.parametrize(
    ("kind", "name", "value", "fits"),
    [
        ("resident", "differences", ["postcode", "huisnummer"], True),
        ("resident", "differences", [], True),
        ("resident", "differences", ["schoenmaat"], False),
        ("resident", "differences", "postcode", False),
        ("consent", "form", "gezin-v1_2", True),
        ("consent", "form", "a", True),
        ("consent", "form", "a" * 60, True),
        ("consent", "form", "a" * 61, False),
        ("consent", "form", "", False),
        ("consent", "form", "gezin v1", False),
        ("consent", "form", 1, False),
        ("consent", "person_id", "0000000b", False),
        ("resident", "person_id", "0" * 7, False),
        ("resident", "person_id", "00000000-0000-0000-0000-00000000000a", True),
        ("resident", "person_id", "0123456789abcdef-0000000000000000000", True),
        ("resident", "person_id", "0" * 37, False),
        ("resident", "person_id", "0000000g", False),
        ("handed_over", "team", "elsewhere", False),
        ("promise", "by", "2026-11-31", False),
        ("promise", "by", 20261125, False),
        ("attempt", "day", "2026-11-25", True),
    ],
)
def test_what_each_kind_of_field_takes(kind: str, name: str, value: object, fits: bool) -> None:
    when = "taken_up" if kind in ("attempt", "promise", "handed_over") else "new"
    said = {**SOUND[kind], name: value}
    if fits:
        lifecycle.check(kind, said, DEBTS, when, TEAMS, TODAY, ("0000000a",))
    else:
        with pytest.raises(IllegalMove, match=f"{kind}: {name} must be "):
            lifecycle.check(kind, said, DEBTS, when, TEAMS, TODAY, ("0000000a",))


def test_a_refusal_says_what_a_list_takes() -> None:
    with pytest.raises(IllegalMove, match="a list of geslachtsnaam, voorletters, geboortedatum, postcode"):
        check("resident", **SOUND["resident"], differences="postcode")


def test_what_a_purpose_does_not_declare_cannot_be_stated() -> None:
    with pytest.raises(IllegalMove, match="not something that can be stated for leerplicht"):
        check("known", "new", SCHOOL, person_id="0000000a", yes=True)


def test_a_refusal_never_repeats_what_was_typed() -> None:
    with pytest.raises(IllegalMove) as refusal:
        check("attempt", "taken_up", kind="ZZCANARY", reached=True, day="2026-11-20", daypart="Avond")
    assert "ZZCANARY" not in str(refusal.value)


# ---------------------------------------------------------------- where facts lead


@pytest.mark.parametrize(
    ("facts", "stands", "why"),
    [
        ([], Standing("new"), "nobody stated anything"),
        ([fact("taken_up")], Standing("taken_up", START, None, START, "w1"), "somebody has it"),
        (
            [fact("taken_up"), fact("handed_over", 1, team=TEAMS[1])],
            Standing("new", START + timedelta(hours=1), None, START, None, TEAMS[1]),
            "the other team has to take it up; that it was taken up before stays",
        ),
        (
            [fact("taken_up"), fact("closed", 1, result=HELPED)],
            Standing("closed", START + timedelta(hours=1), HELPED, START, "w1"),
            "closed with a result",
        ),
        (
            [fact("closed", result=DIED)],
            Standing("deceased", START, DIED),
            "a result that belongs to a state leads there, also when nobody had taken it up",
        ),
        (
            [fact("closed", result=DIED), fact("reopened", 1, "w2")],
            Standing("taken_up", START + timedelta(hours=1), None, START + timedelta(hours=1), "w2"),
            "a mistake is mended by who opens it again",
        ),
        (
            [fact("taken_up"), fact("attempt", 1, kind="Brief")],
            Standing("taken_up", START, None, START, "w1"),
            "an attempt moves nothing",
        ),
    ],
)
def test_where_facts_lead(facts: list[Fact], stands: Standing, why: str) -> None:
    assert lifecycle.stand(facts, DEBTS, "new") == stands, why
    assert lifecycle.stand(facts[::-1], DEBTS, "new") == stands, "the order of reading does not count"


@pytest.mark.parametrize(
    ("received", "when", "why"),
    [(0, "closed", "what was there was judged"), (1, "closed", "at the same moment too"), (2, "new", "what came later was not")],
)  # fmt: skip
def test_a_signal_after_the_end_opens_the_case_again(received: int, when: str, why: str) -> None:
    facts = [fact("taken_up"), fact("closed", 1, result=HELPED)]
    stands = lifecycle.stand(facts, DEBTS, "new", [START + timedelta(hours=received)])
    assert stands.when == when, why
    assert (stands.result is None) == (when == "new")


def test_who_takes_a_case_up_after_it_came_back_has_it() -> None:
    facts = [fact("taken_up"), fact("closed", 1, result=HELPED), fact("taken_up", 3, "w2")]
    stands = lifecycle.stand(facts, DEBTS, "new", [START + timedelta(hours=2)])
    assert (stands.when, stands.holder, stands.taken_up_at) == ("taken_up", "w2", START)


# ---------------------------------------------------------------- whose consent

ANNA, BART = "0000000a", "0000000b"
AGREED = {"toward": "leerplicht", "who": "contractant", "form": "gezin-v1"}


@pytest.mark.parametrize(
    ("people", "detail", "lawful", "why"),
    [
        ((ANNA,), {}, True, "one person: nobody else can be meant"),
        ((ANNA, BART), {}, False, "two contract holders: whose consent is it"),
        ((ANNA, BART), {"person_id": BART}, True, "one of them"),
        ((ANNA, BART), {"person_id": "0000000c"}, False, "somebody else"),
    ],
)
def test_consent_says_whose_it_is(
    people: tuple[str, ...], detail: dict[str, Any], lawful: bool, why: str
) -> None:
    def state() -> None:
        lifecycle.check("consent", {**AGREED, **detail}, DEBTS, "new", TEAMS, TODAY, people)

    if lawful:
        state()
        assert lifecycle.completed("consent", {**AGREED, **detail}, people)["person_id"] in people, why
    else:
        with pytest.raises(lifecycle.IllegalMove, match=f"{ANNA}, {BART}"):
            state()


def test_a_withdrawal_that_names_nobody_stays_everybodys() -> None:
    withdrawn = {"toward": "leerplicht"}
    lifecycle.check("consent_withdrawn", withdrawn, DEBTS, "new", TEAMS, TODAY, (ANNA, BART))
    assert lifecycle.completed("consent_withdrawn", withdrawn, (ANNA,)) == withdrawn


# ---------------------------------------------------------------- what came in between


def after(*hours: int) -> list[datetime]:
    return [START + timedelta(hours=hour) for hour in hours]


@pytest.mark.parametrize(
    ("facts", "received", "holder", "why"),
    [
        (
            [fact("attempt", 3)],
            (2,),
            None,
            "what is said after a signal came is about a case that was open again",
        ),
        ([fact("attempt", 3)], (3,), None, "at the same moment too"),
        ([fact("attempt", 3)], (1,), "w1", "a signal at the moment of the end was judged"),
    ],
)
def test_a_signal_between_two_statements_opens_the_case_between_them(
    facts: list[Fact], received: tuple[int, ...], holder: str | None, why: str
) -> None:
    ended = [fact("taken_up"), fact("closed", 1, result=HELPED)]
    stands = lifecycle.stand([*ended, *facts], DEBTS, "new", after(*received))
    assert (stands.when, stands.holder) == ("closed" if holder else "new", holder), why


def test_a_statement_counts_also_in_a_state_in_which_it_would_be_refused_today() -> None:
    """Two consumers wrote at once, or signals moved since: it was lawful when it was stated."""
    twice = [fact("taken_up"), fact("taken_up", 1, "w2")]
    assert lifecycle.stand(twice, DEBTS, "new").holder == "w2"
    unknown = [fact("taken_up"), fact("gossip", 1)]
    assert lifecycle.stand(unknown, DEBTS, "new") == lifecycle.stand(twice[:1], DEBTS, "new")


def test_a_relation_is_between_two_people_of_the_case() -> None:
    def state(people: tuple[str, ...], **detail: str) -> None:
        lifecycle.check("related", detail, DEBTS, "taken_up", TEAMS, TODAY, people)

    state((ANNA, BART), person_id=ANNA, other_id=BART)
    for people, detail in (((ANNA, BART), {"person_id": ANNA, "other_id": "0000000c"}), ((ANNA,), {})):
        with pytest.raises(IllegalMove, match="one of the people of this case"):
            state(people, **detail)
