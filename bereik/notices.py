"""Notices: which alerts leave together, when, to whom, and in which words. Pure.

Every alert is on the board at once. A team that also has e-mail or a webhook gets its alerts there in groups, a crisis at
once; what nobody acts on is repeated; a silence holds everything but a crisis. The text holds a reference and the reasons
(why this, why to us, why now), never a name, an address or an amount.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from bereik import residency, workload
from bereik.cases import Notify
from bereik.declared.municipalities import Alerting, Municipality, Outlet, Team
from bereik.ports import PendingAlert, SilenceRow

BOARD, EMAIL, WEBHOOK = "board", "email", "webhook"

# Reason of an alert → what it says, in Dutch and English. What is not here is told as "look at the board".
TOLD: Mapping[str, tuple[str, str]] = {
    "new_case": ("Nieuwe zaak", "New case"),
    "crisis": ("Crisis", "Crisis"),
    "register": ("Het register maakte een einde aan de zaak", "A register ended the case"),
    "corrected": ("De partner corrigeerde een signaal", "The partner corrected a signal"),
    residency.OFFERED: (
        "Een zaak van iemand die hierheen verhuisde wacht op uw antwoord",
        "The case of somebody who moved here waits for your answer",
    ),
    "offer_accepted": ("De nieuwe gemeente neemt de zaak over", "The new municipality takes the case over"),
    "offer_declined": (
        "De nieuwe gemeente neemt de zaak niet over",
        "The new municipality does not take the case over",
    ),
    "now_multiple": ("De zaak werd meervoudig", "The case became multiple"),
    "new_signal": ("Er kwam een signaal bij", "A signal was added"),
    "new_team": ("De zaak kwam naar dit team", "The case came to this team"),
    "withdrawn": ("Een signaal is ingetrokken", "A signal was withdrawn"),
    "paid": (
        "Ingetrokken: er is betaald, neem geen contact meer op",
        "Withdrawn: it was paid, make no more contact",
    ),
    "plan_agreed": (
        "Ingetrokken: er is een regeling getroffen, neem geen contact meer op",
        "Withdrawn: a plan was agreed, make no more contact",
    ),
    "wrong_person": (
        "Ingetrokken: het ging om iemand anders, neem geen contact meer op",
        "Withdrawn: it was about somebody else, make no more contact",
    ),
    "bridge_announced": (
        "Een partner meldt toestemming: bevestig die in een gesprek",
        "A partner reports consent: confirm it in a conversation",
    ),
    "bridge_requested": ("Een brug is gevraagd", "A bridge was asked for"),
    "bridge_open": ("Een brug ging open", "A bridge was opened"),
    "bridge_ended": ("Een brug is geëindigd", "A bridge has ended"),
    "unclaimed": ("Niemand pakte de zaak op tijd op", "Nobody took the case up in time"),
    "promise_due": ("Een belofte moet morgen zijn nagekomen", "A promise is due on the next working day"),
    "term_near": ("De termijn loopt bijna af", "The term is nearly over"),
    "capacity_overflow": ("Het team is vol", "The team is full"),
    "floor_not_met": ("Er is geen plaats voor wie voorgaat", "There is no room for those who go first"),
}
_LOOK = ("Er is nieuws op het bord", "There is news on the board")

# The first failure waits half a minute, each further one twice as long, at most an hour: an endpoint that is down for a
# weekend is asked some 60 times, and one that comes back gets its alerts within the hour.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Draft:
    """One message to be sent: the newest alert of each case in it, and every alert that it settles."""

    team: str
    outlet: Outlet
    urgent: bool
    told: tuple[PendingAlert, ...]
    settled: tuple[str, ...]

    @property
    def notice_id(self) -> str:
        """The same for the same alerts told for the same time to the same endpoint; keyed as the ids of alerts are."""
        parts = (f"{one.alert_id}:{one.times}" for one in sorted(self.told, key=lambda one: one.alert_id))
        text = f"{self.outlet.kind}|{self.outlet.target}|{'|'.join(parts)}"
        return str(UUID(bytes=hashlib.blake2b(text.encode(), digest_size=16).digest()))


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send now, and the alerts of which nothing has to be told any more."""

    drafts: tuple[Draft, ...]
    dropped: tuple[str, ...]


def first_wait(reason: str, alerting: Alerting, outlets: Iterable[Outlet]) -> timedelta | None:
    """How long a new alert waits until it leaves by other ways than the board; None for a team that has no other."""
    if all(outlet.kind == BOARD for outlet in outlets):
        return None
    return timedelta(0) if reason in alerting.urgent else timedelta(minutes=alerting.group_minutes)


def repeat_due(alert: PendingAlert, alerting: Alerting, now: datetime) -> datetime | None:
    """When an alert that was told now is told again, should nobody act; None where it is told once."""
    if not alert.waiting or not alerting.repeat_hours:
        return None
    return now + timedelta(hours=alerting.repeat_hours)


def leaving(
    due: Iterable[PendingAlert],
    municipalities: Mapping[str, Municipality],
    silences: Sequence[SilenceRow],
    now: datetime,
) -> set[tuple[str, str]]:
    """The (municipality, team) of which a group leaves: the first of its new alerts is due, and the others go along."""
    return {
        (alert.municipality, alert.team)
        for alert in due
        if not alert.times
        and not _urgent(alert, municipalities)
        and not _silenced(alert.municipality, alert.team, silences, now)
    }


def plan(
    pending: Sequence[PendingAlert],
    municipalities: Mapping[str, Municipality],
    silences: Sequence[SilenceRow],
    now: datetime,
) -> Plan:
    """Group what waits. Each team's urgent alerts leave by themselves; of one case only the newest is told."""
    drafts: list[Draft] = []
    dropped: list[str] = []
    groups: dict[tuple[str, str, bool], list[PendingAlert]] = defaultdict(list)
    for alert in pending:
        groups[(alert.municipality, alert.team, _urgent(alert, municipalities))].append(alert)
    for (code, team_id, urgent), alerts in sorted(groups.items()):
        team = _team(municipalities.get(code), team_id)
        if team is None or all(outlet.kind == BOARD for outlet in team.outlets):
            dropped += [alert.alert_id for alert in alerts]
            continue
        if not urgent and _silenced(code, team_id, silences, now):
            continue
        # What was told before and met no answer comes back when its own time is there; new ones leave with the first of them.
        again = [alert for alert in alerts if alert.times and alert.due_at <= now]
        fresh = [alert for alert in alerts if not alert.times]
        chosen = again + (fresh if any(alert.due_at <= now for alert in fresh) else [])
        stale = [alert.alert_id for alert in chosen if _stale(alert)]
        dropped += stale
        left = [alert for alert in chosen if alert.alert_id not in stale]
        newest: dict[str, PendingAlert] = {}
        for alert in sorted(left, key=lambda one: (one.ordered_at, one.alert_id)):
            newest[alert.case_id] = alert
        if not newest:
            continue
        told = tuple(sorted(newest.values(), key=lambda one: (one.priority, one.offer_by, one.case_id)))
        settled = tuple(alert.alert_id for alert in left)
        drafts += [
            Draft(team_id, outlet, urgent, told, settled) for outlet in team.outlets if outlet.kind != BOARD
        ]
    return Plan(tuple(drafts), tuple(dropped))


def _urgent(alert: PendingAlert, municipalities: Mapping[str, Municipality]) -> bool:
    town = municipalities.get(alert.municipality)
    return town is not None and alert.reason in town.alerting.urgent


def _stale(alert: PendingAlert) -> bool:
    """A repeat of what somebody acted on, or a first word about a case that has ended before anybody was told of it."""
    if alert.times:
        return not alert.waiting
    return not alert.stands and alert.reason in ("new_case", "now_multiple", "new_signal", "new_team")


def _silenced(code: str, team: str, silences: Iterable[SilenceRow], now: datetime) -> bool:
    return any(
        one.municipality == code and one.team == team and one.starts_at <= now < one.ends_at
        for one in silences
    )


def _team(town: Municipality | None, team_id: str) -> Team | None:
    return next((team for team in town.teams if team.id == team_id), None) if town is not None else None


def wait_after(failures: int, chance: float) -> timedelta:
    """How long an endpoint rests after so many failures in a row; `chance` (0 to 1) spreads them by half."""
    whole = min(_FIRST_WAIT * (1 << min(max(failures - 1, 0), 12)), _LONGEST_WAIT)
    return whole * (0.5 + 0.5 * chance)


# ---------------------------------------------------------------- words


def _both(nl: str, en: str, language: str) -> str:
    return en if language == "en" else nl


def told(reason: str, language: str) -> str:
    """What a reason says."""
    nl, en = TOLD.get(reason, _LOOK)
    return _both(nl, en, language)


def subject(alerts: Sequence[Mapping[str, Any]], urgent: bool, team: str, language: str) -> str:
    """The subject of a mail: how many, how urgent, for whom."""
    count = len(alerts)
    if urgent:
        crisis = all(one["reason"] == Notify.CRISIS for one in alerts)
        nl, en = ("crisis", "crisis") if crisis else ("dringend", "urgent")
        return _both(f"Bereik: {nl} voor {team} ({count})", f"Bereik: {en} for {team} ({count})", language)
    return _both(
        f"Bereik: {count} {'melding' if count == 1 else 'meldingen'} voor {team}",
        f"Bereik: {count} {'alert' if count == 1 else 'alerts'} for {team}",
        language,
    )


def body(alerts: Sequence[Mapping[str, Any]], language: str) -> str:
    """The text of a mail: per case why this, why to us, why now, and where to look."""
    lines = []
    for one in alerts:
        lines += [
            f"{one['why_this']} · {_both('zaak', 'case', language)} {one['case'][:8]}",
            f"  {_both('Waarom naar ons', 'Why to us', language)}: {one['why_us']}",
            f"  {_both('Waarom nu', 'Why now', language)}: {one['why_now']}",
            f"  {one['link']}",
            "",
        ]
    lines.append(
        _both(
            "Wie het is, staat alleen op het bord. Stuur deze mail niet door.",
            "Who it is stands on the board only. Do not forward this mail.",
            language,
        )
    )
    return "\n".join(lines) + "\n"


def lines(alerts: Sequence[PendingAlert], board: str, language: str) -> list[dict[str, str]]:
    """Each alert in words: a reference and the reasons."""
    return [
        {
            "alert_id": one.alert_id,
            "case": one.case_id,
            "reason": one.reason,
            "why_this": told(one.reason, language) + _people(one, language),
            "why_us": _why_us(one, language),
            "why_now": _why_now(one.offer_by, one.times, language),
            "link": f"{board.rstrip('/')}/{_page(one)}",
        }
        for one in alerts
    ]


def _page(one: PendingAlert) -> str:
    """Where to look: a manager cannot open the cases of the teams, and nobody yet the case that another municipality offers."""
    if one.reason == residency.OFFERED:
        return "offers"
    return "" if one.reason in workload.FOR_THE_MANAGER else f"cases/{one.case_id}"


def _people(one: PendingAlert, language: str) -> str:
    if one.people == 1 and one.reason not in workload.NO_ROOM:
        return ""
    words = ("persoon", "person") if one.people == 1 else ("mensen", "people")
    return f" ({one.people} {_both(*words, language)})"


def _why_us(one: PendingAlert, language: str) -> str:
    if one.reason == residency.OFFERED:
        return _both("iemand verhuisde naar uw gemeente", "somebody moved to your municipality", language)
    if one.reason in workload.FOR_THE_MANAGER:
        return _both(
            "de leiding hoort wat een team niet redt", "the manager hears what a team cannot do", language
        )
    path = one.route
    if not path:
        return _both("geen route past; een mens beslist", "no route fits; a person decides", language)
    return _both("de route ", "the route ", language) + " › ".join(path)


def _why_now(offer_by: date, times: int, language: str) -> str:
    when = f"{offer_by:%d-%m-%Y}"
    text = _both(f"aanbod uiterlijk {when}", f"an offer is due by {when}", language)
    if times:
        text += _both(f"; keer {times + 1} dat wij dit melden", f"; told for time {times + 1}", language)
    return text
