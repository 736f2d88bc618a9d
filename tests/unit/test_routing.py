"""Routes are a published tree over labels: the first child that matches is entered, and what nobody takes goes to triage."""

from __future__ import annotations

from pathlib import Path

import pytest

from bereik.bundle import Bundle
from bereik.declared.municipalities import RouteNode
from bereik.routing import Route, matches, route

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")

TREE = RouteNode(
    {},
    "triage",
    (
        RouteNode({"crisis": ("yes",)}, "crisis"),
        RouteNode(
            {"area": ("north", "east")},
            "north-east",
            (
                RouteNode({"type": ("rent",), "kind": ("multiple",)}, "rent"),
                RouteNode({"type": ("water",)}, None),
            ),
        ),
        RouteNode({"area": ("east",)}, "never: its sister took the east"),
    ),
)


def labels(**values: str | tuple[str, ...]) -> dict[str, frozenset[str]]:
    return {name: frozenset([one] if isinstance(one, str) else one) for name, one in values.items()}


@pytest.mark.parametrize(
    ("given", "team", "path", "why"),
    [
        (labels(), "triage", (), "no label at all: a person looks"),
        (labels(area="south"), "triage", (), "an area that no route names"),
        (
            labels(crisis="yes", area="north"),
            "crisis",
            ("crisis=yes",),
            "the first that matches wins, not the finest",
        ),
        (labels(crisis="no", area="north"), "north-east", ("area=north|east",), "one of several values"),
        (labels(area="east"), "north-east", ("area=north|east",), "an earlier sister goes first"),
        (
            labels(area="north", type=("rent", "energy"), kind="multiple"),
            "rent",
            ("area=north|east", "type=rent, kind=multiple"),
            "all labels of a node must match, and one value of many is enough",
        ),
        (
            labels(area="north", type="rent", kind="single"),
            "north-east",
            ("area=north|east",),
            "one label that does not match is enough to pass by",
        ),
        (
            labels(area="north", type="water"),
            "north-east",
            ("area=north|east", "type=water"),
            "a node without a team inherits its parent's",
        ),
    ],
)
def test_route(given: dict[str, frozenset[str]], team: str, path: tuple[str, ...], why: str) -> None:
    assert route(given, TREE) == Route(team, path), why


def test_nothing_wanted_matches_everything_and_an_empty_label_matches_nothing() -> None:
    assert matches({}, labels())
    assert not matches({"area": ("north",)}, {"area": frozenset()})


def test_every_declared_route_ends_at_a_team_of_that_purpose_and_municipality() -> None:
    for municipality in BUNDLE.municipalities.values():
        teams = {(team.purpose, team.id) for team in municipality.teams}
        for purpose, root in municipality.routes.items():
            nodes = [root]
            while nodes:
                node = nodes.pop()
                nodes += node.children
                assert node.team is None or (purpose, node.team) in teams
            for area in municipality.areas:
                assert (purpose, route(labels(area=area), root).team) in teams
