"""What a partner hears after its receipt: on its own topic, once, and nothing but receipt, word, code and day."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from support import World, house, person, today, wait_for

pytestmark = pytest.mark.stack


def told(world: World, partner: str, receipt_id: str) -> list[dict[str, Any]]:
    """Every version of one receipt on its partner's topic, in order."""
    return [one for one in world.receipts_topic(partner) if one["data"].get("ontvangstbewijs") == receipt_id]


def receipt_of(world: World, partner: str, event_id: str) -> str:
    return str(
        world.rows(
            "SELECT receipt_id FROM intake.receipt WHERE partner = %s AND event_id = %s", (partner, event_id)
        )[0][0]
    )


def test_a_word_flows_back_once_and_says_nothing_else(world: World) -> None:
    kind = next(
        one
        for one in world.bundle.signal_types.values()
        if one.purpose in world.bundle.delivered and one.amount_field
    )
    partner = world.partner_of(kind, "9901")
    who = {**person(), **house(world.bundle, "9901")}
    contract = {kind.contract_field: "C-FB-1"} if kind.contract_field else {}
    event_id = world.report(kind, "9901", who, **contract)
    world.drain()
    receipt_id = receipt_of(world, partner, event_id)
    ((purpose, case_id),) = world.cases_of(partner, event_id)
    assert [one["id"] for one in told(world, partner, receipt_id)] == [f"{receipt_id}:1"]

    def state(*stated: tuple[str, dict[str, Any]]) -> None:
        for act, detail in stated:
            world.app.state_fact(purpose, case_id, act, detail, "worker-canary")

    def heard(word: str) -> list[dict[str, Any]]:
        # A word that lasts a moment may be passed over by the next, so the one that stays is awaited.
        return wait_for(
            lambda: (
                found
                if (found := told(world, partner, receipt_id))[-1]["data"].get("woord") == word
                else None
            ),
            30,
            word,
        )

    state(
        ("taken_up", {}),
        ("attempt", {"kind": "Brief", "reached": False, "day": today().isoformat(), "daypart": "Ochtend"}),
        (
            "closed",
            {
                "result": "Definitief geen contact kunnen krijgen",
                "cause": "onzichtbaar",
                "reason": "beter_zo",
            },
        ),
    )
    heard("geenContact")
    state(("reopened", {}), ("closed", {"result": "Vervolghulp en/of verwijzing niet financieel"}))
    versions = heard("hulpAanvaard")
    assert [one["id"] for one in versions] == [f"{receipt_id}:{n}" for n in range(1, len(versions) + 1)]
    said = [one["data"]["woord"] for one in versions[1:]]
    assert all(one != other for one, other in pairwise(said)), "a word is told once"
    for one in versions[1:]:
        assert set(one["data"]) == {"ontvangstbewijs", "versie", "woord", "code", "datum"}
        for value in ("worker-canary", str(case_id), who["surname"], event_id, "financieel"):
            assert value not in json.dumps(one)
    stored = world.rows(
        "SELECT version, word, code FROM intake.told WHERE receipt_id = %s ORDER BY version", (receipt_id,)
    )
    assert stored == [(n, word, None) for n, word in enumerate(said, 2)]


def test_a_withdrawal_is_heard_and_other_partners_hear_nothing(world: World) -> None:
    kind = next(
        one
        for one in world.bundle.signal_types.values()
        if one.purpose in world.bundle.delivered and one.withdrawal_type
    )
    partner = world.partner_of(kind, "9901")
    event_id = world.report(kind, "9901", {**person(), **house(world.bundle, "9901")})
    world.drain()
    world.send(partner, world.withdrawal(kind, partner, event_id), key="9901")
    world.drain()
    receipt_id = receipt_of(world, partner, event_id)
    words = wait_for(
        lambda: found if len(found := told(world, partner, receipt_id)) == 2 else None,
        30,
        "that it is closed",
    )
    assert words[1]["data"]["woord"] == "afgesloten"
    for other in set(world.bundle.partners) - {partner}:
        assert told(world, other, receipt_id) == []


def test_nobody_but_its_purpose_reaches_what_was_told(world: World) -> None:
    seen = world.rows("SELECT DISTINCT purpose FROM intake.told")
    assert seen and {purpose for (purpose,) in seen} <= set(world.bundle.purposes)
