"""Clerks write as their partner does, and slip as people do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

import pytest

from bereik.fiction import slips
from bereik.fiction.clerks import Clerk, Habits, Home, Known, partners
from bereik.fiction.people import Person, names
from bereik.fiction.towns import rules

NEVER = dict.fromkeys((name for name in rules()["file_errors"] if name != "sloppy"), 0.0)
PLAIN = Habits(
    prefix="apart", prefix_case="as_is", letters="as_is", marks="kept", ij="kept", initials="dots", first_names="none",
    naming="as_used", hyphen="-", joint="first", number="apart", postcode="compact", unknown_day="zeros", phone="plain",
    contact="both", old_address="days", desk_phone="never", birth_date=True, business=0, sloppy=1,
)  # fmt: skip
WHO = Person(
    1, "IJzerman", "van der", ("Johanna", "Zoë"), date(1980, 3, 5), sex="f", origin="nl", called="Hanneke"
)
KNOWN = Known(
    WHO, Home(1, "1234AB", 12, "A", "2"), "own", ("de", "Müller"), ("0699123456",), "h@post.example", "", 3
)


def card(known: Known = KNOWN, other: Known | None = None, **habits: object) -> dict[str, str]:
    clerk = Clerk("p", replace(PLAIN, **habits), NEVER, names(), "0999800001")  # type: ignore[arg-type]
    return {name: value for name, value in clerk.card(known, other, Random(1))._asdict().items() if value}


def test_a_plain_card() -> None:
    assert card() == {
        "voorletters": "J.Z.", "voorvoegsel": "van der", "geslachtsnaam": "IJzerman", "geboortedatum": "1980-03-05",
        "postcode": "1234AB", "huisnummer": "12", "huisletter": "A", "huisnummertoevoeging": "2",
        "telefoonnummer": "0699123456", "email": "h@post.example",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("habits", "field", "written"),
    [
        ({"prefix": "in_front"}, "geslachtsnaam", "van der IJzerman"),
        ({"prefix": "behind"}, "geslachtsnaam", "IJzerman, van der"),
        ({"prefix": "glued"}, "geslachtsnaam", "Vanderijzerman"),
        ({"prefix": "none"}, "geslachtsnaam", "IJzerman"),
        ({"prefix_case": "title"}, "voorvoegsel", "Van der"),
        ({"letters": "capitals"}, "voorvoegsel", "VAN DER"),
        ({"ij": "y"}, "geslachtsnaam", "Yzerman"),
        ({"ij": "diaeresis"}, "geslachtsnaam", "Ÿzerman"),
        ({"initials": "first"}, "voorletters", "J"),
        ({"initials": "called"}, "voorletters", "H."),
        ({"initials": "dots_spaced"}, "voorletters", "J. Z."),
        ({"initials": "none"}, "voornamen", "Hanneke"),
        ({"first_names": "full", "marks": "plain"}, "voornamen", "Johanna Zoe"),
        ({"number": "joined"}, "huisnummertoevoeging", "A2"),
        ({"number": "dash"}, "huisnummer", "12A-2"),
        ({"number": "space"}, "huisnummer", "12A 2"),
        ({"number": "glued"}, "huisnummer", "12A2"),
        ({"number": "word"}, "huisnummer", "12 toev. A2"),
        ({"postcode": "space"}, "postcode", "1234 AB"),
        ({"phone": "dash"}, "telefoonnummer", "06-99123456"),
        ({"phone": "country"}, "telefoonnummer", "+31699123456"),
    ],
)
def test_each_habit(habits: dict[str, object], field: str, written: str) -> None:
    assert card(**habits)[field] == written


@pytest.mark.parametrize(
    ("naming", "prefix", "surname"),
    [
        ("own", "van der", "IJzerman"),
        ("partner", "de", "Müller"),
        ("own-partner", "van der", "IJzerman-de Müller"),
        ("partner-own", "de", "Müller-van der IJzerman"),
    ],
)
def test_a_partner_name_in_either_order(naming: str, prefix: str, surname: str) -> None:
    found = card(replace(KNOWN, naming=naming))
    assert (found["voorvoegsel"], found["geslachtsnaam"]) == (prefix, surname)
    # A partner with a rule of its own follows it, for those who use a partner's name.
    ruled = card(replace(KNOWN, naming=naming), naming="ev")["geslachtsnaam"]
    assert ruled == ("IJzerman" if naming == "own" else "IJzerman e/v de Müller")


def test_digits_stay_apart_from_the_number() -> None:
    home = Home(1, "1234AB", 12, "", "2")
    assert card(replace(KNOWN, home=home), number="glued")["huisnummer"] == "12-2"


def test_what_is_unknown_stays_unknown() -> None:
    assert "geboortedatum" not in card(birth_date=False)
    assert card(replace(KNOWN, known_birth=1))["geboortedatum"] == "1980-00-00"
    assert card(replace(KNOWN, known_birth=1), unknown_day="first")["geboortedatum"] == "1980-01-01"
    assert not {"telefoonnummer", "email"} & set(card(contact="none"))


def test_a_business_hides_the_person() -> None:
    found = card(replace(KNOWN, business="Kapsalon Hanneke"), business=1.0)
    assert found["geslachtsnaam"] == "Kapsalon Hanneke"
    assert not {"voorletters", "geboortedatum", "voorvoegsel"} & set(found)


def test_both_holders_in_one_field() -> None:
    other = replace(KNOWN, who=replace(WHO, surname="Smit", prefix="", given=("Bo",)), partner_name=("", ""))
    found = card(other=other, joint="both")
    assert found["geslachtsnaam"] == "IJzerman en/of Smit" and found["voorletters"] == "J.Z. en/of B."


def test_some_ways_of_writing_occur_in_what_is_reported_only() -> None:
    """Over some seeds each way of `held_out` occurs, and never for training or tuning."""
    only: dict[str, set[str]] = {name: set(shares) for name, shares in rules()["held_out"].items()}
    for held_out in (False, True):
        seen: dict[str, set[str]] = {name: set() for name in only}
        for seed in range(12):
            dealt = partners(rules(), held_out, 1, names(), Random(seed))
            for clerk in (one for clerks in dealt.values() for one in clerks):
                for name, ways in seen.items():
                    ways.add(getattr(clerk.habits, name))
        for name, ways in only.items():
            assert (seen[name] & ways) == (ways if held_out else set()), name


def test_birth_dates_are_missing_for_whole_partners() -> None:
    dealt = partners(rules(), False, 1, names(), Random(3))
    for sector, clerks in dealt.items():
        share = rules()["sectors"][sector]["birth_date"]
        assert abs(sum(clerk.habits.birth_date for clerk in clerks) - share * len(clerks)) <= 1


def test_a_slip_changes_a_name_and_keeps_its_initial() -> None:
    chance = Random(5)
    for name in ("Jansen", "de Vries", "Yıldız", "Çelik-Kaya", "Wiśniewski", "Coëlho"):
        for _ in range(50):
            for slip in (
                slips.typed(name, chance),
                slips.heard(name, names().origins["nl"]["sounds"], chance),
            ):
                assert slip[0] == name[0] and abs(len(slip) - len(name)) <= 2
        assert any(slips.typed(name, chance) != name for _ in range(5))
    assert slips.typed("Li", chance) == "Li" and slips.typed("", chance) == ""


def test_a_wrong_digit_is_another_number() -> None:
    chance = Random(6)
    for number in ("7", "10", "12", "1234", "0699123456"):
        for _ in range(50):
            found = slips.digit(number, chance)
            assert found != number and len(found) == len(number) and found.isdigit()
            assert found[0] != "0" or number[0] == "0"
