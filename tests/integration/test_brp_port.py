"""The port to the registers, over real HTTP against the fictional ones, which are as strict as the real."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from register_desk import Served, serving

from bereik import residency
from bereik.brp import KNOWN, Brp, Credentials, DebtHelp, Line, QuestionRefused, RegisterAway, RegisterRefused
from bereik.fiction import brp as fiction
from bereik.linkage import Identity
from bereik.residency import Answer

TODAY = date(2026, 11, 25)
A, B, C, D = [number for number, _ in zip(fiction.numbers(), range(4), strict=False)]
PEOPLE = [
    fiction.person(A, "Voorbeeld", "1980-02-03", municipality="9901", postcode="9901AA", house_number=12),
    fiction.person(B, "Verhuisd", "1985-01-01", municipality="9902", postcode="9911AA", house_number=1),
    fiction.person(
        C, "Overleden", "1940-01-01", municipality="9901", postcode="9901AC", house_number=3, suspended="O"
    ),
    fiction.person(
        D, "Geheim", "1990-05-05", municipality="9901", postcode="9901AD", house_number=4, secret=True
    ),
]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One register for the questions below."""
    with serving(fiction.Desk(lambda: PEOPLE, lambda: {A}, key="sleutel", client=("wij", "geheim"))) as one:
        yield one


def answer(brp: Brp, who: dict[str, str]) -> Answer:
    """The whole way, as the checks go it."""
    asked = Identity(who)
    for question in residency.questions(asked, TODAY):
        met = residency.people(brp.ask(question))
        if met:
            one = residency.single(asked, met, TODAY)
            full = residency.people(brp.ask(residency.record_of(one.bsn))) if one else []
            return residency.judge(asked, "9901", full[0] if full else None, TODAY).answer
    return Answer.NOT_FOUND


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (("Voorbeeld", "1980-02-03", "9901AA", "12"), Answer.UNIQUE),
        (("Voorbeeld", "1980-02-03", "9901AB", "9"), Answer.DEVIATING),
        (("Anders", "1980-02-03", "9901AA", "12"), Answer.DEVIATING),
        (("Verhuisd", "1985-01-01", "9901AA", "12"), Answer.MOVED),
        (("Overleden", "1940-01-01", "9901AC", "3"), Answer.DECEASED),
        (("Niemand", "1999-09-09", "9901AA", "12"), Answer.NOT_FOUND),
    ],
)
def test_the_six_ways_to_be_found(served: Served, who: tuple[str, ...], expected: Answer) -> None:
    fields = dict(zip(("surname", "birth_date", "postcode", "house_number"), who, strict=True))
    assert answer(served.brp(), fields) is expected


def test_secrecy_comes_along_unasked_and_an_address_only_with_one_record(served: Served) -> None:
    (found,) = served.brp().ask(residency.record_of(D))
    assert found["geheimhoudingPersoonsgegevens"] is True
    assert residency.read(found).secret
    search = {**residency.questions(Identity({"surname": "Geheim", "birth_date": "1990-05-05"}), TODAY)[0]}
    with pytest.raises(QuestionRefused):
        served.brp().ask({**search, "fields": [*search["fields"], "verblijfplaats.verblijfadres.postcode"]})


def test_nothing_but_the_declared_fields_was_asked(served: Served) -> None:
    answer(
        served.brp(),
        {"surname": "Voorbeeld", "birth_date": "1980-02-03", "postcode": "9901AA", "house_number": "12"},
    )
    wanted = {"RaadpleegMetBurgerservicenummer": residency.RECORD_FIELDS}
    assert served.desk.asked
    for kind, fields in served.desk.asked:
        assert fields == wanted.get(kind, residency.SEARCH_FIELDS)


@pytest.mark.parametrize("extra", [{"straat": "x"}, {"fields": []}, {"fields": ["opschortingBijhouding"]}])
def test_what_the_real_one_refuses_is_refused(served: Served, extra: dict[str, Any]) -> None:
    with pytest.raises(QuestionRefused):
        served.brp().ask({**residency.record_of(A), **extra})


def test_a_wrong_key_is_said_plainly_and_without_it(served: Served) -> None:
    with pytest.raises(RegisterRefused) as refused:
        served.brp(Credentials(key="onjuist")).ask(residency.record_of(A))
    assert "docs/engineer/brp.md" in str(refused.value)
    assert "onjuist" not in str(refused.value) and A not in str(refused.value)


def test_client_credentials_get_a_token(served: Served) -> None:
    way = Credentials(token_url=served.url + fiction.TOKEN, client="wij", secret="geheim")
    assert len(served.brp(way).ask(residency.record_of(A))) == 1
    with pytest.raises(RegisterRefused):
        served.brp(Credentials(token_url=served.url + fiction.TOKEN, client="wij", secret="mis")).ask({})


def test_known_to_debt_help_or_not(served: Served) -> None:
    desk = DebtHelp(Line(served.url + KNOWN, Credentials(key="sleutel")))
    assert (desk.knows(A), desk.knows(B)) == (True, False)


def test_a_register_that_is_away_may_be_asked_again() -> None:
    with serving(fiction.Desk(lambda: PEOPLE)) as one:
        brp = one.brp()
        one.desk.away = True
        with pytest.raises(RegisterAway):
            brp.ask(residency.record_of(A))
        one.desk.away = False
        assert len(brp.ask(residency.record_of(A))) == 1
    with pytest.raises(RegisterAway):
        brp.ask(residency.record_of(A))


def test_numbers_are_of_the_test_range_and_pass_the_eleven_test() -> None:
    every = list(fiction.numbers())
    assert len(every) == 909
    assert all(number.startswith("99999") for number in every)
