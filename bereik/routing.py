"""Routing: a published tree over labels, read depth first; the root takes what nobody else does. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bereik.declared.municipalities import RouteNode

Labels = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Route:
    """The team, and the matchers passed on the way to it; an empty path means the root: human triage."""

    team: str
    path: tuple[str, ...]


def matches(wanted: Mapping[str, tuple[str, ...]], labels: Labels) -> bool:
    """Whether every wanted label has one of its wanted values."""
    return all(not labels.get(name, frozenset()).isdisjoint(values) for name, values in wanted.items())


def route(labels: Labels, root: RouteNode) -> Route:
    """Walk the tree: the first child that matches is entered; a node without a team inherits its parent's."""
    node, team = root, root.team or ""
    path: list[str] = []
    while True:
        child = next((child for child in node.children if matches(child.match, labels)), None)
        if child is None:
            return Route(team, tuple(path))
        path.append(", ".join(f"{name}={'|'.join(values)}" for name, values in child.match.items()))
        node, team = child, child.team or team
