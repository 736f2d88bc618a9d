"""What the board's forms ask for, in words: movers' offers, decisions in the tray, reported consent; and what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bereik.store.board import AnnouncedRow, CaseRow, OfferRow
from bereik.store.errands import DONE, Asked
from bereik.web.texts import known, local, long_date
from bereik.web.words import Words, reference, spaced

# A page that waits looks again by itself this long; after that something stands still, and it says so.
_LOOKS_AGAIN = timedelta(minutes=1)


def waits(asked: Sequence[Asked], now: datetime) -> bool:
    """Whether something is being done just now, so that the page should look again."""
    return any(one.outcome is None and now - one.asked_at < _LOOKS_AGAIN for one in asked)


def said(one: Asked | None, words: Words, now: datetime) -> tuple[str, str]:
    """(tone, words) of what became of an errand; empty for none."""
    if one is None:
        return "", ""
    if one.outcome is None:
        return "calm", words.t("errand.waits" if now - one.asked_at < _LOOKS_AGAIN else "errand.stands_still")
    if one.outcome == DONE:
        return "done", ""
    return "late", known(f"errand.{one.outcome}", words.language) or words.t("errand.Fault")


# ---------------------------------------------------------------- offers


def offers(
    found: Sequence[OfferRow], asked: Sequence[Asked], words: Words, now: datetime
) -> list[dict[str, Any]]:
    """Offers that wait for an answer, each with what became of the last one."""
    newest = {one.about: one for one in reversed(asked)}
    rows = []
    for one in found:
        last = newest.get(one.transfer_id)
        tone, spoken = said(last, words, now)
        rows.append(
            {
                "path": f"/offers/{one.transfer_id}",
                "reference": reference(one.case_id),
                "where": f"{words.purpose(one.purpose)} · {words.municipality(one.toward)}",
                "from": words.municipality(one.municipality),
                "since": long_date(local(one.offered_at).date(), words.language),
                "tone": tone,
                "said": spoken,
                "busy": last is not None and last.outcome is None,
            }
        )
    return rows


def answers(asked: Sequence[Asked], words: Words) -> list[str]:
    """What this user answered lately, and was done."""
    return [
        words.t(
            "offers.accepted" if one.detail["accepted"] is True else "offers.declined",
            reference=reference(one.detail["case_id"]),
            date=long_date(local(one.asked_at).date(), words.language),
        )
        for one in asked
        if one.outcome == DONE
    ]


# ---------------------------------------------------------------- consent


def announced(
    rows: Sequence[AnnouncedRow], row: CaseRow, asked: Sequence[Asked], words: Words, now: datetime
) -> list[dict[str, Any]]:
    """What partners reported of consent about a case, each with its form; nothing for a team that does not help."""
    team = words.team(row.municipality, row.team)
    if team is None or team.role != "help":
        return []
    found = []
    for each in rows:
        wanted = detail(each)
        # What was confirmed before it was reported anew, after it had been taken back, is about the earlier time.
        last = next(
            (one for one in asked if one.detail == wanted and one.asked_at >= each.announced_at), None
        )
        tone, spoken = said(last, words, now)
        found.append(
            {
                "text": words.t(
                    "announced.told",
                    who=spaced(each.who),
                    date=long_date(local(each.announced_at).date(), words.language),
                    form=each.form,
                ),
                "path": f"/cases/{row.case_id}/consent",
                "person": each.person_id,
                "toward": each.toward,
                "said": spoken,
                "tone": tone,
                # Done, and the bridge has not looked yet: then nothing is to be asked again.
                "busy": last is not None and last.outcome in (None, DONE),
            }
        )
    return found


def detail(one: AnnouncedRow) -> Mapping[str, str]:
    """What is taken down when somebody confirms it: as the command does."""
    return {"toward": one.toward, "who": one.who, "form": one.form, "person_id": one.person_id}
