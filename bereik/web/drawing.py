"""Draws "who may meet whom" as an SVG: purposes as compartments, flows within them, bridges between them.

Pure: takes counts and words, returns text. Colours are classes of board.css, because the page allows no inline style.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

# In SVG units, which are CSS pixels at full width.
WIDTH = 1120
_NODE_WIDTH = 200
_LEAST_NODE = 40  # two lines of text
_NODE_GAP = 12
_PAD = 18
_HEAD = 46
_BRIDGE_GAP = 96
_TOP = 34
# The busiest column of the busiest compartment gets this height for its ribbons; the rest is in proportion.
_RIBBON_HEIGHT = 250.0
_LEAST_RIBBON = 1.5


@dataclass(frozen=True, slots=True)
class Node:
    """One box. `column` 0..3: signal type, gate, case, team."""

    id: str
    column: int
    label: str
    detail: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Link:
    """One flow between two boxes; `href` opens the cases (or the table row) behind it."""

    source: str
    target: str
    count: int
    title: str
    href: str
    tone: str = "allowed"


@dataclass(frozen=True, slots=True)
class Compartment:
    """One purpose with everything that may meet within it. Without an id: what belongs to none."""

    id: str
    title: str
    detail: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Tie:
    """A bridge that may exist between two compartments; one line of words per ground."""

    first: str
    second: str
    title: str
    grounds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Box:
    node: Node
    x: float
    y: float
    height: float


def draw(
    compartments: Sequence[Compartment],
    ties: Sequence[Tie],
    headings: Sequence[str],
    apart: str,
    title: str,
    description: str,
) -> str:
    """The whole picture as one `<svg>`. `apart` is written between neighbours that no bridge can join."""
    scale = _scale(compartments)
    out: list[str] = []
    extents: dict[str, tuple[float, float]] = {}
    y = float(_TOP)
    for index, compartment in enumerate(compartments):
        boxes, height = _place(compartment, y + _HEAD, scale)
        bottom = y + _HEAD + height + _PAD
        extents[compartment.id] = (y, bottom)
        out.append(_compartment(compartment, boxes, y, bottom, scale, index))
        y = bottom + _BRIDGE_GAP
    order = [compartment.id for compartment in compartments]
    for first, second in pairwise(order):
        tie = next((t for t in ties if {t.first, t.second} == {first, second}), None)
        # What belongs to no purpose stands by itself; there is nothing to be kept apart from it.
        if first and second:
            out.append(_between(tie, apart, extents[first][1], extents[second][0]))
    far = [
        t
        for t in ties
        if t.first in extents
        and t.second in extents
        and abs(order.index(t.first) - order.index(t.second)) > 1
    ]
    out += [_around(tie, extents, index) for index, tie in enumerate(far)]
    height = max(y - _BRIDGE_GAP, _TOP) + 6
    heads = "".join(
        f'<text class="flow-heading" x="{_x(column):.0f}" y="18">{escape(words)}</text>'
        for column, words in enumerate(headings)
    )
    return (
        f'<svg class="flow" viewBox="0 0 {WIDTH} {height:.0f}" xmlns="http://www.w3.org/2000/svg" role="group"'
        f' aria-labelledby="flow-title flow-desc"><title id="flow-title">{escape(title)}</title>'
        f'<desc id="flow-desc">{escape(description)}</desc>{heads}{"".join(out)}</svg>'
    )


def _x(column: int) -> float:
    step = (WIDTH - 2 * _PAD - _NODE_WIDTH) / 3
    return _PAD + column * step


def _load(links: Sequence[Link], node_id: str) -> int:
    arriving = sum(link.count for link in links if link.target == node_id)
    leaving = sum(link.count for link in links if link.source == node_id)
    return max(arriving, leaving)


def _scale(compartments: Sequence[Compartment]) -> float:
    loads: dict[tuple[str, int], int] = {}
    for compartment in compartments:
        for node in compartment.nodes:
            at = (compartment.id, node.column)
            loads[at] = loads.get(at, 0) + _load(compartment.links, node.id)
    return _RIBBON_HEIGHT / max([*loads.values(), 1])


def _thick(count: int, scale: float) -> float:
    return max(_LEAST_RIBBON, count * scale)


def _place(compartment: Compartment, top: float, scale: float) -> tuple[dict[str, _Box], float]:
    columns: list[list[tuple[Node, float]]] = [[], [], [], []]
    for node in compartment.nodes:
        sides = (
            sum(_thick(link.count, scale) for link in compartment.links if link.target == node.id),
            sum(_thick(link.count, scale) for link in compartment.links if link.source == node.id),
        )
        columns[node.column].append((node, max(_LEAST_NODE, *sides)))
    heights = [sum(h for _, h in column) + _NODE_GAP * max(0, len(column) - 1) for column in columns]
    tallest = max([*heights, float(_LEAST_NODE)])
    boxes: dict[str, _Box] = {}
    for index, column in enumerate(columns):
        # What has nothing to its right hangs from the top, so that ribbons run level.
        y = top + (tallest - heights[index]) / 2
        for node, height in column:
            boxes[node.id] = _Box(node, _x(index), y, height)
            y += height + _NODE_GAP
    return boxes, tallest


def _compartment(
    compartment: Compartment, boxes: Mapping[str, _Box], top: float, bottom: float, scale: float, index: int
) -> str:
    parts = [
        f'<g class="compartment hue-{index % 6}"><rect class="flow-compartment" x="1" y="{top:.1f}" width="{WIDTH - 2}"'
        f' height="{bottom - top:.1f}" rx="14"/>'
        f'<text class="flow-purpose" x="{_PAD}" y="{top + 27:.1f}">{escape(compartment.title)}'
        f'<tspan class="flow-basis" dx="12">{escape(_cut(compartment.detail, 110))}</tspan></text>'
    ]
    leaving = {
        key: box.y + _slack(compartment.links, key, box, scale, source=True) for key, box in boxes.items()
    }
    arriving = {
        key: box.y + _slack(compartment.links, key, box, scale, source=False) for key, box in boxes.items()
    }
    # In the order of both ends, so that ribbons cross as little as they can.
    for link in sorted(compartment.links, key=lambda each: (boxes[each.source].y, boxes[each.target].y)):
        source, target, thick = boxes[link.source], boxes[link.target], _thick(link.count, scale)
        x0, x1 = source.x + _NODE_WIDTH, target.x
        y0, y1 = leaving[link.source] + thick / 2, arriving[link.target] + thick / 2
        leaving[link.source] += thick
        arriving[link.target] += thick
        middle = (x0 + x1) / 2
        parts.append(
            f'<a href="{escape(link.href)}"><title>{escape(link.title)}</title>'
            f'<path class="ribbon tone-{escape(link.tone)}" stroke-width="{thick:.1f}"'
            f' d="M{x0:.1f} {y0:.1f}C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"/></a>'
        )
    parts += [_box(box) for box in boxes.values()]
    return "".join([*parts, "</g>"])


def _slack(links: Sequence[Link], key: str, box: _Box, scale: float, *, source: bool) -> float:
    used = sum(_thick(link.count, scale) for link in links if (link.source if source else link.target) == key)
    return (box.height - used) / 2


def _box(box: _Box) -> str:
    middle = box.y + box.height / 2
    return (
        f'<g class="node tone-{escape(box.node.tone)}"><rect x="{box.x:.1f}" y="{box.y:.1f}" width="{_NODE_WIDTH}"'
        f' height="{box.height:.1f}" rx="7"/><text x="{box.x + 12:.1f}" y="{middle - 3:.1f}">{escape(_cut(box.node.label, 26))}'
        f"<title>{escape(box.node.label)}</title></text>"
        f'<text class="flow-detail" x="{box.x + 12:.1f}" y="{middle + 13:.1f}">{escape(_cut(box.node.detail, 30))}</text></g>'
    )


def _between(tie: Tie | None, apart: str, top: float, bottom: float) -> str:
    x = _x(2) + _NODE_WIDTH / 2
    middle = (top + bottom) / 2
    if tie is None:
        return (
            f'<g class="tie apart"><line x1="{_PAD}" x2="{WIDTH - _PAD}" y1="{middle:.1f}" y2="{middle:.1f}"/>'
            f'<text x="{WIDTH / 2}" y="{middle - 8:.1f}" text-anchor="middle">{escape(apart)}</text></g>'
        )
    rails = "".join(
        f'<line x1="{x + side}" x2="{x + side}" y1="{top:.1f}" y2="{bottom:.1f}"/>' for side in (-9, 9)
    )
    return f'<g class="tie">{rails}{_sign(tie, x, middle)}</g>'


def _around(tie: Tie, extents: Mapping[str, tuple[float, float]], index: int) -> str:
    spans = sorted((extents[tie.first], extents[tie.second]))
    x = WIDTH - 30 - 14 * index
    top, bottom = spans[0][1], spans[1][0]
    line = f'<line x1="{x}" x2="{x}" y1="{top:.1f}" y2="{bottom:.1f}"/>'
    return f'<g class="tie">{line}{_sign(tie, x - 190, top + _BRIDGE_GAP / 2)}</g>'


def _sign(tie: Tie, x: float, middle: float) -> str:
    lines = [tie.title, *(_cut(words, 92) for words in tie.grounds[:2])]
    height = 14 + 17 * len(lines)
    top = middle - height / 2
    texts = "".join(
        f'<text class="{"tie-title" if not n else "tie-ground"}" x="{x:.1f}" y="{top + 20 + 17 * n:.1f}"'
        f' text-anchor="middle">{escape(words)}</text>'
        for n, words in enumerate(lines)
    )
    # About 6.3 units a letter at this size; wide enough rather than tight.
    wide = max(240.0, 6.3 * max(len(words) for words in lines) + 32)
    return f'<rect x="{x - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{height}" rx="8"/>{texts}'


def _cut(words: str, length: int) -> str:
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"
