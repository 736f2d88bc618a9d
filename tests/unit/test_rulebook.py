"""docs/rules.md: made from the declarations, fresh, whole, and about rules only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bereik import rulebook
from bereik.bundle import Bundle

ROOT = Path(__file__).parents[2]
BUNDLE = Bundle.compile(ROOT / "schemas")
PAGE = rulebook.page(BUNDLE)


def test_the_page_in_the_repository_is_that_of_the_declarations() -> None:
    assert (ROOT / "docs" / "rules.md").read_text("utf-8") == PAGE, "run `make docs`"


def test_it_tells_every_threshold_with_its_citation_and_every_team_and_route() -> None:
    for town in BUNDLE.municipalities.values():
        for policy in town.policies.values():
            if policy.threshold_eur:
                assert f"€ {policy.threshold_eur}" in PAGE and str(policy.threshold_citation) in PAGE
            for plan in policy.contact.plans if policy.contact else ():
                assert plan.label["en"] in PAGE and plan.label["nl"] in PAGE
        for node in town.routes.values():
            assert all(f"`{one.team}`" in PAGE for one in (node, *node.children) if one.team)
        for statute in town.statutes:
            assert statute.article in PAGE and statute.dpia in PAGE
    for purpose in BUNDLE.purposes.values():
        assert purpose.article in PAGE
        for word in (*purpose.states, *purpose.results):
            assert word.id in PAGE
        for rule in purpose.priorities:
            assert rule.label["nl"] in PAGE
    for bridge in BUNDLE.bridges:
        assert all(form in PAGE for form in bridge.forms)


def test_words_about_help_stand_in_brackets_with_what_is_heard_instead() -> None:
    assert "| [Help accepted (Hulp aanvaard)], else Closed |" in PAGE
    assert "| Not taken up (Niet opgepakt), herhaaldeMelding |" in PAGE


def test_a_changed_rule_changes_the_page() -> None:
    code, town = next(iter(BUNDLE.municipalities.items()))
    policies = {
        name: replace(policy, threshold_eur=99, threshold_citation="Een ander plan")
        for name, policy in town.policies.items()
    }
    changed = replace(
        BUNDLE, municipalities={**BUNDLE.municipalities, code: replace(town, policies=policies)}
    )
    assert "Een ander plan" in rulebook.page(changed)
