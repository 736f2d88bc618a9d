"""The tray on the board: whom the register did not find as reported, in the cases of one's own team. Reads facts, and kinds of
events that wait.

A fact holds an answer and names of fields. Who it is about, and what stands in those fields, shows `bereik tray show`, which
writes down who looked: the board's login reads no vault. What somebody decides is an errand, as every form of the board.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any

from bereik import residency
from bereik.lifecycle import Fact
from bereik.residency import Choice, Waiting
from bereik.store.board import TrayCase
from bereik.store.errands import DONE, Asked
from bereik.web import errands
from bereik.web.texts import known, local, long_date, plain
from bereik.web.words import Words, reference


def waiting(found: Sequence[tuple[TrayCase, Fact]]) -> list[tuple[TrayCase, Waiting]]:
    """Everybody in these cases about whom a person must still decide: first what is due first."""
    facts: dict[str, list[Fact]] = defaultdict(list)
    cases: dict[str, TrayCase] = {}
    for case, fact in found:
        cases[case.case_id] = case
        facts[case.case_id].append(fact)
    rows = [(cases[case_id], one) for case_id, told in facts.items() for one in residency.waiting(told)]
    return sorted(rows, key=lambda row: (row[0].offer_by, row[1].since, row[0].case_id, row[1].person_id))


def rows(
    found: Sequence[tuple[TrayCase, Waiting]],
    held: Mapping[tuple[str, str], Sequence[str]],
    asked: Sequence[Asked],
    username: str,
    words: Words,
    now: datetime,
) -> list[dict[str, Any]]:
    """The page's lines, each with what the register told since that waits for the decision, and what became of the last one."""
    newest = {_about(one): one for one in reversed(asked)}
    lines = []
    for case, one in found:
        last = newest.get((case.case_id, one.person_id))
        if last is not None and last.asked_at < one.since:
            # It was about an earlier answer of the register.
            last = None
        tone, spoken = errands.said(last, words, now)
        lines.append(
            {
                "href": f"/cases/{case.case_id}",
                "reference": reference(case.case_id),
                "where": f"{words.purpose(case.purpose)} · {words.municipality(case.municipality)}",
                "answer": words.t(f"tray.answer.{one.answer}"),
                "fields": [words.t(f"tray.field.{name}") for name in one.differences],
                "asked": one.asked,
                "held": [
                    known(f"tray.held.{kind}", words.language) or plain(kind)
                    for kind in held.get((case.case_id, one.person_id), ())
                ],
                "since": long_date(local(one.since).date(), words.language),
                "due": long_date(case.offer_by, words.language),
                "show": _show(case, one, username),
                "path": f"/tray/{case.case_id}",
                "person": one.person_id,
                "tone": tone,
                "said": spoken,
                "busy": last is not None and last.outcome is None,
            }
        )
    return lines


def decided(asked: Sequence[Asked], waits: Container[tuple[str, str]], words: Words) -> list[str]:
    """What became of this user's decisions of the last week. A refusal about somebody who waits stands in that row instead."""
    lines = []
    for one in asked:
        choice = Choice(one.detail["choice"])
        if one.outcome == DONE:
            date = long_date(local(one.asked_at).date(), words.language)
            what = words.t(f"tray.choice.{choice.value}"), words.t(f"tray.then.{choice.value}")
            lines.append(
                words.t("tray.decided", reference=reference(one.about), date=date, what=" ".join(what))
            )
        elif one.outcome is not None and _about(one) not in waits:
            lines.append(f"{reference(one.about)}: {errands.said(one, words, one.asked_at)[1]}")
    return lines


def _about(one: Asked) -> tuple[str, str]:
    return one.about, one.detail["person_id"]


def choices(words: Words) -> list[tuple[str, str, str]]:
    """(what the form sends, when, what happens) of every choice."""
    return [
        (one.value, words.t(f"tray.choice.{one.value}"), words.t(f"tray.then.{one.value}")) for one in Choice
    ]


def _show(case: TrayCase, one: Waiting, username: str) -> str:
    """Always with the person: a case may have more than one in the tray by the time that somebody types this."""
    parts = ["bereik", "tray", "show", case.case_id[:8], "--person", one.person_id[:8], "--by", username]
    return shlex.join(parts)
