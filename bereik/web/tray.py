"""The tray on the board: whom the register did not find as reported, in the cases of one's own team. Reads facts, and kinds of
events that wait.

A fact holds an answer and names of fields. Who it is about, and what stands in those fields, shows `bereik tray show`, which
writes down who looked.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from bereik import residency
from bereik.lifecycle import Fact
from bereik.residency import Choice, Waiting
from bereik.store.board import TrayCase
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
    username: str,
    words: Words,
) -> list[dict[str, Any]]:
    """The page's lines, with the commands for each, and what the register told since that waits for the decision."""
    return [
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
            "show": _command("show", case, one, username),
            "repair": _command("repair", case, one, username) + " --choice …",
        }
        for case, one in found
    ]


def choices(words: Words) -> list[tuple[str, str, str]]:
    """(word of the command, when, what happens) of every choice."""
    return [
        (one.value, words.t(f"tray.choice.{one.value}"), words.t(f"tray.then.{one.value}")) for one in Choice
    ]


def _command(verb: str, case: TrayCase, one: Waiting, username: str) -> str:
    """Always with the person: a case may have more than one in the tray by the time that somebody types this."""
    parts = ["bereik", "tray", verb, case.case_id[:8], "--person", one.person_id[:8], "--by", username]
    return shlex.join(parts)
