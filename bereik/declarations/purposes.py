"""Purposes and bridges: words, moves and priorities that refer to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bereik.declarations.draft import Draft
from bereik.declarations.reading import Document, Key
from bereik.declared.purposes import DELIVERED_PARTNER_TYPES, WORD_LISTS
from bereik.lifecycle import BY_SIGNALS, CLOSED, FACTS, OPEN


def check(draft: Draft, document: Document) -> None:
    """Whether every purpose has a whole life cycle, and every bridge two sides."""
    if not document.sound:
        return
    for name, purpose in document.value["purposes"].items():
        _purpose(draft, document, name, purpose)
        draft.purposes[name] = purpose
    bridges: list[dict[str, Any]] = document.value.get("bridges", [])
    pairs: set[frozenset[str]] = set()
    for index, bridge in enumerate(bridges):
        here: Key = ("bridges", index)
        for at, name in enumerate(bridge["purposes"]):
            if name not in draft.purposes:
                draft.report(document, (*here, "purposes", at), "unknown purpose", draft.purposes)
        for part in ("shown", "agrees"):
            if set(bridge[part]) != set(bridge["purposes"]):
                draft.report(document, (*here, part), "not for each side", bridge["purposes"])
        if frozenset(bridge["purposes"]) in pairs:
            draft.report(document, here, "these purposes have a bridge already", "one bridge for a pair")
        pairs.add(frozenset(bridge["purposes"]))
    draft.bridges = bridges


def _purpose(draft: Draft, document: Document, name: str, purpose: Mapping[str, Any]) -> None:
    here: Key = ("purposes", name)
    for part in ("states", "results", "priorities", *WORD_LISTS):
        seen: set[str] = set()
        for index, word in enumerate(purpose[part]):
            if word["id"] in seen:
                draft.report(document, (*here, part, index, "id"), "the id occurs twice", "every id once")
            seen.add(word["id"])
            if "code" in word and "feedback" not in word:
                draft.report(document, (*here, part, index, "code"), "a code without a word", "feedback too")
            if "feedback" in word and word["feedback"] not in purpose["feedback"]:
                key = (*here, part, index, "feedback")
                draft.report(document, key, "unknown feedback word", purpose["feedback"])
            if part == "priorities":
                draft.match(document, (*here, part, index, "match"), word["match"], {}, name)
    for index, kind in enumerate(purpose["partnerTypes"] if purpose.get("ddas") else ()):
        if kind not in DELIVERED_PARTNER_TYPES:
            key = (*here, "partnerTypes", index)
            message = "not in the national delivery: this purpose cannot deliver"
            draft.report(document, key, message, DELIVERED_PARTNER_TYPES)
    for term in ("residency", "transfer") if "bsn" in purpose else ():
        if term not in purpose["retentionDays"]:
            key = (*here, "retentionDays")
            draft.report(document, key, f"key is missing: {term}", "a term for what the register says")
    outcomes = {word["when"] for word in purpose["states"] if "when" in word}
    for index, word in enumerate(purpose["states"]):
        if "when" not in word:
            draft.report(document, (*here, "states", index), "key is missing: when", "what leads to it")
    for index, word in enumerate(purpose["results"]):
        if (when := word.get("when", CLOSED)) not in outcomes:
            key = (*here, "results", index, "when")
            draft.report(document, key, f"no state with when: {when}", outcomes)
    _moves(draft, document, here, purpose, outcomes)
    for needed in ("new", "withdrawn"):
        if needed not in outcomes:
            draft.report(
                document, (*here, "states"), f"no state with when: {needed}", "new and withdrawn at least"
            )
    if purpose["priorities"][-1]["match"]:
        key = (*here, "priorities", len(purpose["priorities"]) - 1, "match")
        draft.report(document, key, "the last rule must match everything", "{}")


def _moves(draft: Draft, document: Document, here: Key, purpose: Mapping[str, Any], states: set[str]) -> None:
    """One table of moves: every act and state in it is known, each act means one thing, and every case can end."""
    results = {word.get("when", CLOSED) for word in purpose["results"]}
    seen: set[tuple[str, str]] = set()
    onward: dict[str, set[str]] = {}
    for index, move in enumerate(purpose["moves"]):
        key: Key = (*here, "moves", index)
        if move["act"] not in FACTS:
            draft.report(document, (*key, "act"), "nothing that can be stated", FACTS)
            continue
        starts = move.get("from", sorted(states))
        leads = move.get("to", [])
        for part in ("from", "to"):
            for at, state in enumerate(move.get(part, ())):
                if state not in states:
                    draft.report(document, (*key, part, at), "no state with this when", states)
                elif part == "to" and state in BY_SIGNALS:
                    draft.report(document, (*key, part, at), "only signals lead there", states)
        if "result" in FACTS[move["act"]]:
            for at, state in enumerate(leads):
                if state not in results:
                    draft.report(document, (*key, "to", at), "no result leads there", results)
        elif len(leads) > 1:
            draft.report(document, (*key, "to"), "leads to more than one state", "one, or none")
        for start in starts:
            if (move["act"], start) in seen:
                draft.report(document, key, f"a second {move['act']} from {start}", "one")
            seen.add((move["act"], start))
            onward.setdefault(start, set()).update(leads)
    for start in sorted(states):
        reached, found = {start}, {start}
        while found:
            found = {state for one in found for state in onward.get(one, ())} - reached
            reached |= found
        if not reached - set(OPEN):
            draft.report(document, (*here, "moves"), f"a case that is {start} can never end", "a closed")
