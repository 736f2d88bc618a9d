"""What a partner hears of its signal: the declared word, and a lighter one where its agreement does not list it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bereik.bundle import Bundle
from bereik.feedback import Heard, Words
from bereik.ports import SignalRow

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
DEBTS = next(purpose for purpose in BUNDLE.purposes.values() if purpose.ddas)
# Until a jurist verified more, every partner may hear these, and no other word.
EVERYBODY = {"ontvangen", "nietOpgepakt", "geenInwoner", "overleden", "afgesloten"}
LISTED = {"geenContact", "geenHulp", "hulpAanvaard"}
HELPED, PAID = (
    "Vervolghulp en/of verwijzing financieel",
    "Inwoner heeft zelf al betaald/betalingsregeling getroffen",
)


# One partner whose agreement lists the words about help, and the same partner with one that does not.
PARTNER, AGREEMENT = next(
    (partner, agreement)
    for partner in BUNDLE.partners.values()
    for agreement in partner.agreements
    if set(agreement.feedback) >= LISTED
)
SHORT = replace(PARTNER, agreements=(replace(AGREEMENT, feedback=("ontvangen",)),))


def row() -> SignalRow:
    partner, municipality, kind = PARTNER.id, AGREEMENT.municipality, min(AGREEMENT.signal_types)
    received = datetime(2026, 11, 4, 9, tzinfo=UTC)
    return SignalRow(
        *(
            "s",
            1,
            "active",
            "a",
            None,
            "p",
            municipality,
            None,
            kind,
            partner,
            date(2026, 11, 4),
            received,
            {},
            None,
        )
    )


LISTING, BRIEF = Words(DEBTS, BUNDLE.partners), Words(DEBTS, {PARTNER.id: SHORT})


@pytest.mark.parametrize(
    ("when", "result", "listed", "everybody"),
    [
        ("new", None, "ontvangen", "ontvangen"),
        ("taken_up", None, "ontvangen", "ontvangen"),
        ("repeat", None, "nietOpgepakt/herhaaldeMelding", "nietOpgepakt/herhaaldeMelding"),
        ("below_threshold", None, "nietOpgepakt/onterechtSignaal", "nietOpgepakt/onterechtSignaal"),
        ("other", "Niet opgepakt: andere reden", "nietOpgepakt", "nietOpgepakt"),
        ("deceased", None, "overleden", "overleden"),
        ("moved", None, "geenInwoner", "geenInwoner"),
        ("known", None, "ontvangen", "ontvangen"),
        ("withdrawn", None, "afgesloten", "afgesloten"),
        ("closed", None, "afgesloten", "afgesloten"),
        ("closed", HELPED, "hulpAanvaard", "afgesloten"),
        ("closed", PAID, "geenHulp", "afgesloten"),
        ("closed", "Definitief geen contact kunnen krijgen", "geenContact", "afgesloten"),
        ("closed", "Verwijzing zonder tussenkomst inwoner", "afgesloten", "afgesloten"),
    ],
)
def test_the_word_of_a_signal(when: str, result: str | None, listed: str, everybody: str) -> None:
    assert LISTING.of(when, result, row()) == listed
    assert BRIEF.of(when, result, row()) == everybody


def test_words_about_help_are_heard_only_where_the_agreement_lists_them() -> None:
    for purpose in BUNDLE.purposes.values():
        told = Words(purpose, {PARTNER.id: SHORT})
        for state in purpose.states:
            for result in (None, *(word.id for word in purpose.results)):
                word = Heard.read(told.of(str(state.when), result, row())).word
                assert word not in LISTED
                if purpose is DEBTS:
                    assert word in EVERYBODY


def test_an_agreement_that_did_not_hold_on_the_day_of_receipt_lists_nothing() -> None:
    before = replace(row(), received_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert LISTING.of("closed", HELPED, before) == "afgesloten"
    assert LISTING.of("closed", HELPED, replace(row(), partner="nobody")) == "afgesloten"


def test_the_reason_inside_never_goes_along() -> None:
    """Only the two codes that may be told; why a case was closed for another reason stays here."""
    codes = {
        word.code for purpose in BUNDLE.purposes.values() for word in (*purpose.states, *purpose.results)
    }
    assert codes == {None, "herhaaldeMelding", "onterechtSignaal"}


def test_a_word_is_remembered_as_one_text() -> None:
    for heard in (Heard("afgesloten"), Heard("nietOpgepakt", "herhaaldeMelding")):
        assert Heard.read(str(heard)) == heard
