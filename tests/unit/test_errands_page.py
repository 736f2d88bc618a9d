"""What a page says of something that was asked for by a form: being done, done, refused, or standing still."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bereik.bundle import Bundle
from bereik.store.board import AnnouncedRow, CaseRow, OfferRow
from bereik.store.errands import DONE, Asked
from bereik.web import errands
from bereik.web.words import Words

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
CASE, TRANSFER = str(UUID(int=1)), str(UUID(int=2))
TOLD = AnnouncedRow(str(UUID(int=3)), "leerplicht", "gezin-v1", "contractant", NOW - timedelta(days=1))
OFFER = OfferRow(TRANSFER, "schuldhulp", CASE, "9902", "9901", NOW - timedelta(days=1))


def case(team: str) -> CaseRow:
    values: dict[str, Any] = {
        "case_id": CASE, "purpose": "schuldhulp", "subject": str(UUID(int=4)), "municipality": "9901", "area": None,
        "status": "Opgepakt", "result": None, "kind": "single", "crisis": False, "priority": 5, "team": team, "month": "2026-11",
        "first_signal": date(2026, 11, 2), "received_at": NOW, "offer_by": date(2026, 11, 30), "signals": 1, "stands": True,
        "decision": {}, "decided_at": NOW, "version": 1, "bundle_id": 1,
    }  # fmt: skip
    return CaseRow(**values)


def asked(outcome: str | None, ago: timedelta, about: str = CASE) -> Asked:
    return Asked(about, errands.detail(TOLD), NOW - ago, outcome)


@pytest.mark.parametrize(
    ("outcome", "ago", "busy", "said", "again"),
    [
        (None, timedelta(seconds=5), True, "Wordt verwerkt", True),
        # The process that does it is away: the page says so, and asks the server no more.
        (None, timedelta(minutes=2), True, "Nog niet verwerkt", False),
        (DONE, timedelta(minutes=2), True, "", False),
        ("IllegalMove", timedelta(minutes=2), False, "stand van deze zaak", False),
        ("SomethingOfOurs", timedelta(minutes=2), False, "een fout van ons", False),
    ],
)
def test_a_form_is_there_until_it_was_sent_and_again_when_it_failed(
    outcome: str | None, ago: timedelta, busy: bool, said: str, again: bool
) -> None:
    rows = [asked(outcome, ago)]
    (shown,) = errands.announced([TOLD], case("9901-vroeg-noord"), rows, Words(BUNDLE, "nl"), NOW)
    assert (shown["busy"], errands.waits(rows, NOW)) == (busy, again)
    assert said in shown["said"] and bool(said) == bool(shown["said"])


def test_consent_that_is_reported_anew_is_asked_about_anew() -> None:
    before = [asked(DONE, timedelta(days=2))]
    (shown,) = errands.announced([TOLD], case("9901-vroeg-noord"), before, Words(BUNDLE, "en"), NOW)
    assert not shown["busy"] and not shown["said"]


def test_a_team_that_enforces_is_shown_no_consent() -> None:
    enforcing = next(team for team in BUNDLE.municipalities["9901"].teams if team.role == "enforce")
    assert errands.announced([TOLD], case(enforcing.id), [], Words(BUNDLE, "nl"), NOW) == []


def test_of_an_offer_the_last_answer_counts_and_a_refused_one_may_be_given_again() -> None:
    failed = asked("NothingLeft", timedelta(minutes=3), TRANSFER)
    again = asked(None, timedelta(seconds=2), TRANSFER)
    words = Words(BUNDLE, "en")
    (shown,) = errands.offers([OFFER], [failed], words, NOW)
    assert not shown["busy"] and "Decline the case" in shown["said"]
    (shown,) = errands.offers([OFFER], [again, failed], words, NOW)
    assert shown["busy"] and shown["said"].startswith("Being done")
    assert (shown["from"], shown["reference"]) == ("Lindeveen", "0000-0000")
