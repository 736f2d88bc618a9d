"""Who is told what, when, and in which words; and how a message is signed and refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bereik import notices
from bereik.bundle import Bundle
from bereik.declared.municipalities import Alerting, Outlet
from bereik.outlets import Mail, OutletMisconfigured, Outlets, Webhook, signature
from bereik.ports import EndpointAway, NoticeRow, NotTaken, PendingAlert, SilenceRow
from bereik.settings import REPOSITORY

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
BUNDLE = Bundle.compile(REPOSITORY / "schemas")
TOWNS = BUNDLE.municipalities
TEAM = next(
    team for team in TOWNS["9901"].teams if any(outlet.kind == notices.EMAIL for outlet in team.outlets)
)


def alert(number: int, **changes: Any) -> PendingAlert:
    plain = PendingAlert(
        alert_id=f"{number:032x}",
        case_id=f"{number:08x}-0000-4000-8000-000000000000",
        municipality="9901",
        team=TEAM.id,
        reason="new_case",
        ordered_at=NOW - timedelta(minutes=40 - number),
        due_at=NOW - timedelta(minutes=10 - number),
        times=0,
        priority=3,
        offer_by=date(2026, 11, 2),
        stands=True,
        waiting=True,
        route=("area=zuid",),
    )
    return replace(plain, **changes)


def drafts(*alerts: PendingAlert, silences: tuple[SilenceRow, ...] = ()) -> list[list[str]]:
    return [
        [one.alert_id for one in draft.told] for draft in notices.plan(alerts, TOWNS, silences, NOW).drafts
    ]


def test_alerts_of_a_team_leave_together_when_the_first_is_due() -> None:
    later = alert(2, due_at=NOW + timedelta(minutes=20))
    assert drafts(alert(1), later) == [[alert(1).alert_id, later.alert_id]]
    assert drafts(later) == []


def test_a_crisis_leaves_at_once_and_alone() -> None:
    crisis = alert(1, reason="crisis", due_at=NOW)
    gathering = alert(2, due_at=NOW + timedelta(minutes=20))
    assert drafts(gathering, crisis) == [[crisis.alert_id]]


def test_of_one_case_only_the_newest_alert_is_told_and_all_are_settled() -> None:
    first, second = alert(1), replace(alert(2, reason="new_signal"), case_id=alert(1).case_id)
    (draft,) = notices.plan([second, first], TOWNS, [], NOW).drafts
    assert [one.alert_id for one in draft.told] == [second.alert_id]
    assert set(draft.settled) == {first.alert_id, second.alert_id}


def test_a_case_that_ended_before_anybody_was_told_of_it_is_not_told() -> None:
    found = notices.plan([alert(1, stands=False, waiting=False)], TOWNS, [], NOW)
    assert found == notices.Plan((), (alert(1).alert_id,))


def test_a_silence_holds_everything_but_a_crisis() -> None:
    quiet = SilenceRow(
        1, "9901", TEAM.id, "storing", "somebody", NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    )
    crisis = alert(2, reason="crisis", due_at=NOW)
    assert drafts(alert(1), crisis, silences=(quiet,)) == [[crisis.alert_id]]
    assert drafts(alert(1), silences=(replace(quiet, ends_at=NOW),)) == [[alert(1).alert_id]]


def test_what_nobody_acts_on_is_told_again_and_what_somebody_took_up_is_not() -> None:
    again = alert(1, times=1)
    assert drafts(again) == [[again.alert_id]]
    taken = alert(1, times=1, waiting=False)
    assert notices.plan([taken], TOWNS, [], NOW) == notices.Plan((), (taken.alert_id,))
    alerting = Alerting(repeat_hours=48)
    assert notices.repeat_due(alert(1), alerting, NOW) == NOW + timedelta(hours=48)
    assert notices.repeat_due(alert(1, waiting=False), alerting, NOW) is None
    assert notices.repeat_due(alert(1), Alerting(repeat_hours=0), NOW) is None


def test_a_repeat_waits_for_its_own_time_while_new_alerts_leave() -> None:
    repeat = alert(1, times=1, due_at=NOW + timedelta(hours=3))
    assert drafts(repeat, alert(2)) == [[alert(2).alert_id]]


def test_the_same_alerts_make_the_same_message_and_a_repeat_another() -> None:
    def mark(*alerts: PendingAlert) -> str:
        return notices.plan(alerts, TOWNS, [], NOW).drafts[0].notice_id

    assert mark(alert(1), alert(2)) == mark(alert(2), alert(1))
    assert mark(alert(1)) != mark(alert(1, times=1))


def test_a_team_with_a_board_only_waits_for_no_message() -> None:
    assert notices.first_wait("new_case", Alerting(), [Outlet("board")]) is None
    both = [Outlet("board"), Outlet("email", "team@bereik.example")]
    assert notices.first_wait("new_case", Alerting(), both) == timedelta(minutes=30)
    assert notices.first_wait("crisis", Alerting(), both) == timedelta(0)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 40), st.sampled_from(sorted(notices.TOLD)), st.booleans(), st.integers(0, 2)
        ),
        max_size=30,
    )
)
def test_nothing_is_lost_and_nothing_is_told_twice(rows: list[tuple[int, str, bool, int]]) -> None:
    pending = {
        number: alert(
            number,
            reason=reason,
            stands=stands,
            waiting=stands,
            times=times,
            due_at=NOW - timedelta(minutes=1),
        )
        for number, reason, stands, times in rows
    }
    found = notices.plan(list(pending.values()), TOWNS, [], NOW)
    settled = [one for draft in found.drafts for one in draft.settled] + list(found.dropped)
    assert sorted(settled) == sorted(one.alert_id for one in pending.values())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["new_case", "crisis", "new_signal"]), st.integers(-20, 20), st.integers(0, 1)
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_what_is_due_and_what_goes_along_is_all_that_has_to_be_looked_at(
    rows: list[tuple[str, int, int]], silent: bool
) -> None:
    every = [
        alert(number, reason=reason, due_at=NOW + timedelta(minutes=minutes), times=times)
        for number, (reason, minutes, times) in enumerate(rows)
        # An urgent alert is due as soon as it is there.
        if reason != "crisis" or minutes <= 0 or times
    ]
    every.sort(key=lambda one: (one.due_at, one.alert_id))
    silences = [
        SilenceRow(1, "9901", TEAM.id, "", "", NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    ] * silent
    due = [one for one in every if one.due_at <= NOW]
    teams = notices.leaving(due, TOWNS, silences, NOW)
    along = [
        one for one in every if one.due_at > NOW and not one.times and (one.municipality, one.team) in teams
    ]
    assert notices.plan(due + along, TOWNS, silences, NOW) == notices.plan(every, TOWNS, silences, NOW)


@given(st.integers(1, 200), st.floats(0, 1))
def test_an_endpoint_rests_longer_each_time_and_an_hour_at_most(failures: int, chance: float) -> None:
    wait = notices.wait_after(failures, chance)
    assert timedelta(seconds=15) <= wait <= timedelta(hours=1)
    assert wait <= notices.wait_after(failures + 1, chance)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_text_says_why_this_why_us_why_now_and_nothing_else(language: str) -> None:
    (line,) = notices.lines([alert(1, times=1)], "https://board.example/", language)
    text = notices.body([line], language)
    assert line["link"] == f"https://board.example/cases/{alert(1).case_id}"
    assert "area=zuid" in text and "02-11-2026" in text and notices.TOLD["new_case"][language == "en"] in text
    assert set(line) == {"alert_id", "case", "reason", "why_this", "why_us", "why_now", "link"}


@pytest.mark.parametrize(
    ("language", "what", "why", "head"),
    [
        ("nl", "Er is geen plaats voor wie voorgaat (3 mensen)", "de leiding hoort", "Bereik: dringend voor Leiding (1)"),
        ("en", "There is no room for those who go first (3 people)", "the manager hears", "Bereik: urgent for Leiding (1)"),
    ],
)  # fmt: skip
def test_a_manager_hears_of_how_many_people_and_gets_no_link_to_a_case_of_a_team(
    language: str, what: str, why: str, head: str
) -> None:
    (line,) = notices.lines([alert(1, reason="floor_not_met", people=3)], "https://board.example/", language)
    assert line["why_this"] == what and line["why_us"].startswith(why)
    assert line["link"] == "https://board.example/"
    assert notices.subject([line], True, "Leiding", language) == head
    (one,) = notices.lines([alert(1, reason="floor_not_met")], "https://board.example/", language)
    assert one["why_this"].endswith(("(1 persoon)", "(1 person)"))
    (crisis,) = notices.lines([alert(1, reason="crisis")], "https://board.example/", language)
    assert "crisis" in notices.subject([crisis], True, "Leiding", language)


@pytest.mark.parametrize(
    ("language", "what", "why"),
    [
        ("nl", "Een zaak van iemand die hierheen verhuisde wacht op uw antwoord", "iemand verhuisde naar uw gemeente"),
        ("en", "The case of somebody who moved here waits for your answer", "somebody moved to your municipality"),
    ],
)  # fmt: skip
def test_an_offer_leads_to_where_it_is_answered_and_tells_no_route_of_the_other_municipality(
    language: str, what: str, why: str
) -> None:
    offer = replace(alert(1, reason="offer_waiting"), route=("area=zuid",), stands=False)
    (line,) = notices.lines([offer], "https://board.example/", language)
    assert (line["why_this"], line["why_us"], line["link"]) == (what, why, "https://board.example/offers")
    # The case has ended where it was; that it waits here is news all the same.
    assert drafts(offer) == [[offer.alert_id]]


def test_every_reason_that_may_be_urgent_has_words() -> None:
    for name in ("municipality", "defaults"):
        shape = json.loads((REPOSITORY / "schemas" / "meta" / f"{name}.json").read_text("utf-8"))
        assert set(shape["$defs"]["alerting"]["properties"]["urgent"]["items"]["enum"]) == set(notices.TOLD)


# ---------------------------------------------------------------- the ways out

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def message(target: str, outlet: str = "webhook") -> NoticeRow:
    lines = notices.lines([alert(1)], "https://board.example", "nl")
    text = {"subject": "Bereik", "text": notices.body(lines, "nl"), "alerts": lines}
    return NoticeRow("d" * 32, "schuldhulp", "9901", TEAM.id, outlet, target, False, text, NOW)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    # The test vector of the standard's own reference libraries.
    assert (
        signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@contextmanager
def endpoint(*answers: int) -> Iterator[tuple[str, list[SimpleNamespace]]]:
    """A web server that gives these answers, one after the other, and keeps what it was asked."""
    seen: list[SimpleNamespace] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(SimpleNamespace(headers=dict(self.headers), body=body))
            code = left.pop(0)
            self.send_response(code)
            if code in (301, 302, 307):
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_webhook_is_signed_and_keeps_its_id_over_tries() -> None:
    with endpoint(503, 200) as (url, seen):
        hook = Webhook({url: SECRET}, lambda: NOW)
        with pytest.raises(EndpointAway, match="http_503"):
            hook.send(message(url))
        hook.send(message(url))
    assert {one.headers["Webhook-Id"] for one in seen} == {"d" * 32}
    for one in seen:
        stamp = one.headers["Webhook-Timestamp"]
        assert stamp == str(int(NOW.timestamp()))
        assert one.headers["Webhook-Signature"] == signature(SECRET, "d" * 32, stamp, one.body)
    data = json.loads(seen[0].body)["data"]
    assert set(data) == {"team", "urgent", "alerts"}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, NotTaken),
        (410, NotTaken),
        (302, NotTaken),
        (429, EndpointAway),
        (408, EndpointAway),
        (500, EndpointAway),
    ],
)
def test_which_answers_are_worth_another_try(code: int, kind: type[Exception]) -> None:
    with endpoint(code) as (url, _), pytest.raises(kind, match=f"http_{code}"):
        Webhook({url: SECRET}, lambda: NOW).send(message(url))


def test_an_endpoint_that_is_away_or_has_no_secret_is_asked_later() -> None:
    with endpoint() as (url, _):
        pass
    with pytest.raises(EndpointAway):
        Webhook({url: SECRET}, lambda: NOW).send(message(url))
    with pytest.raises(EndpointAway, match="no_secret"):
        Webhook({}, lambda: NOW).send(message(url))
    with pytest.raises(EndpointAway, match="not_configured"):
        Outlets({}).send(message(url))


def test_a_folder_takes_mails_as_a_server_would(tmp_path: Path) -> None:
    Mail(f"maildir:{tmp_path}/mail", "bereik@bereik.example").send(message("team@bereik.example", "email"))
    (one,) = (tmp_path / "mail" / "new").iterdir()
    text = one.read_text("utf-8")
    assert f"Message-ID: <{'d' * 32}@bereik.example>" in text and "To: team@bereik.example" in text


@pytest.mark.parametrize(
    "found",
    [
        "{",
        '{"http://elsewhere.example": "whsec_' + "A" * 40 + '"}',
        '{"https://a.example": "whsec_AAAA"}',
        '["x"]',
    ],
)
def test_secrets_that_cannot_be_used_are_refused_at_the_start(found: str, tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(found, "utf-8")
    with pytest.raises(OutletMisconfigured, match="BEREIK_WEBHOOK_SECRETS"):
        Outlets.of("", "", "", file)


@pytest.mark.parametrize(("url", "sender"), [("ftp://x", "a@b.example"), ("smtp://x", "nobody")])
def test_mail_settings_that_cannot_be_used_are_refused_at_the_start(url: str, sender: str) -> None:
    with pytest.raises(OutletMisconfigured):
        Outlets.of(url, "", sender, None)
