"""Topics: whether every one that there must be is declared."""

from __future__ import annotations

from typing import Any

from bereik.declarations.draft import Draft
from bereik.declarations.reading import Document, Key


def check(draft: Draft, document: Document) -> None:
    """Whether every topic there must be is declared, and can keep what it has to."""
    if not document.sound:
        return
    rows: list[dict[str, Any]] = document.value["topics"]
    wanted = {
        "in.{partner}",
        "signals.{purpose}",
        "cases.{purpose}",
        "alerts.{purpose}",
        "words.{purpose}",
        "receipts.{partner}",
        "register.brp",
    }
    patterns = [row["pattern"] for row in rows]
    for missing in wanted - set(patterns):
        draft.report(document, ("topics",), f"no topic {missing}", wanted)
    for index, row in enumerate(rows):
        here: Key = ("topics", index)
        if row["pattern"] in patterns[:index]:
            draft.report(document, here, "the pattern occurs twice", "once")
        if row["segmentHours"] >= row["retentionHours"]:
            draft.report(document, (*here, "segmentHours"), "not below retentionHours", "a smaller number")
        if row["pattern"] == "in.{partner}" and "landedHours" not in row:
            draft.report(document, here, "key is missing: landedHours", "hours after which landed records go")
    draft.topics = rows
