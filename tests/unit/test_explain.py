"""`bereik explain` says a stored case in the language that was asked for, and shows no code where there is a word."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from bereik.bundle import Bundle
from bereik.cases import Kind
from bereik.cli.explain import _Sayer

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
AT = datetime(2026, 11, 3, 9, tzinfo=UTC)


def stored(kind: Kind) -> dict[str, object]:
    """A case as `store.explain` gives it."""
    return {
        "case_id": str(UUID(int=1)),
        "purpose": "schuldhulp",
        "municipality": "9901",
        "team": "9901-vroeg-noord",
        "status": "x",
        "kind": kind.value,
        "priority": 2,
        "offer_by": date(2026, 12, 1),
        "received_at": AT,
        "decided_at": AT,
        "bundle": "0" * 64,
        "decision": {
            "reasons": [{"code": "single", "nl": "Eén signaal.", "en": "One signal."}],
            "route": {"team": "9901-vroeg-noord", "path": []},
            "offer_in": {"nl": "28 dagen", "en": "28 days"},
            "priority_reason": {"nl": "Gewone volgorde.", "en": "Ordinary order."},
        },
        "signals": [],
        "facts": [],
        "bridges": [],
        "alerts": [],
    }


@pytest.mark.parametrize(
    ("language", "kind", "words"),
    [
        ("nl", Kind.SINGLE, ("Waarom deze zaak: enkelvoudig", "(28 dagen na ontvangst")),
        ("nl", Kind.MULTIPLE, ("Waarom deze zaak: meervoudig",)),
        ("nl", Kind.CONSECUTIVE, ("Waarom deze zaak: opeenvolgend",)),
        ("en", Kind.SINGLE, ("Why this case: single", "(28 days after receipt")),
        ("en", Kind.MULTIPLE, ("Why this case: multiple",)),
        ("en", Kind.CONSECUTIVE, ("Why this case: consecutive",)),
    ],
)
def test_a_case_is_said_in_one_language(language: str, kind: Kind, words: tuple[str, ...]) -> None:
    said = "\n".join(_Sayer(language, BUNDLE).case(stored(kind)))
    for word in words:
        assert word in said
    other = "after receipt" if language == "nl" else "ontvangst"
    assert other not in said
