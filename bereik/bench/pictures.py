"""Pictures for docs/linkage.md, as SVG: a weight waterfall and a precision-recall curve. Readable on light and on dark.

Written by hand because a drawing library that makes SVG brings a browser or a JavaScript engine with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor

# One place for colours: they follow the reader's light or dark setting, also inside an <img>.
_STYLE = """
  .card { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #24292f }
  .faint { fill: #57606a } .line { stroke: #d0d7de; stroke-width: 1 } .axis { stroke: #57606a; stroke-width: 1 }
  .for { fill: #1a7f37 } .against { fill: #cf222e } .sum { fill: #57606a }
  .mark { stroke: #9a6700; stroke-width: 1.5; stroke-dasharray: 5 4 }
  .curve { fill: none; stroke-width: 2.5 } .c0 { stroke: #0969da } .c1 { stroke: #bc4c00 }
  .d0 { fill: #0969da } .d1 { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117 } text { fill: #e6edf3 } .faint { fill: #9198a1 } .line { stroke: #3d444d } .axis { stroke: #9198a1 }
    .for { fill: #3fb950 } .against { fill: #f85149 } .sum { fill: #9198a1 } .mark { stroke: #d29922 }
    .c0 { stroke: #4493f8 } .c1 { stroke: #f0883e } .d0 { fill: #4493f8 } .d1 { fill: #f0883e }
  }
"""


def waterfall(title: str, steps: Sequence[tuple[str, float]], marks: Mapping[str, float]) -> str:
    """How the weight of one pair adds up, from top to bottom: each step a bar from the sum before it to the sum after.

    `steps` are (label, log2 odds), the prior first; `marks` are named thresholds in the same unit.
    """
    # 7 px for each letter of the longest label, at 13 px.
    left, right, top, row = 24 + 7 * max(len(label) for label, _ in steps), 50, 64, 30
    width, height = left + 550, top + row * (len(steps) + 1) + 52
    sums = [0.0]
    for _, weight in steps:
        sums.append(sums[-1] + weight)
    low, high = floor(min(*sums, *marks.values()) / 5) * 5, ceil(max(*sums, *marks.values()) / 5) * 5

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (width - left - right)

    bottom = height - 44
    drawn = []
    for tick in range(low, high + 1, 5):
        kind = "axis" if tick == 0 else "line"
        drawn.append(_line(x(tick), top - 6, x(tick), bottom, kind))
        drawn.append(_text(x(tick), bottom + 16, f"{tick:+d}" if tick else "0", "middle", "faint"))
    # The lower threshold is named to the left of its line and the higher to the right, so that they never meet.
    for place, (name, value) in enumerate(sorted(marks.items(), key=lambda mark: mark[1])):
        aside, anchor = (-4, "end") if place == 0 else (4, "start")
        drawn.append(_line(x(value), top - 20, x(value), bottom, "mark"))
        drawn.append(_text(x(value) + aside, top - 10, f"{name} {value:g}", anchor, "faint"))
    for place, (label, weight) in enumerate(steps):
        y = top + row * place
        start, end = x(sums[place]), x(sums[place + 1])
        kind = "sum" if place == 0 else "for" if weight >= 0 else "against"
        drawn.append(_text(left - 12, y + 18, label, "end"))
        drawn.append(_bar(start, y + 4, end, row - 9, kind))
        beside = max(start, end) + 6
        drawn.append(_text(beside, y + 18, f"{weight:+.1f}", "start", "faint"))
    y = top + row * len(steps)
    drawn.append(_text(left - 12, y + 18, "together", "end"))
    drawn.append(_bar(x(0), y + 4, x(sums[-1]), row - 9, "sum"))
    drawn.append(_text(max(x(0), x(sums[-1])) + 6, y + 18, f"{sums[-1]:+.1f}"))
    drawn.append(
        _text((left + width - right) / 2, height - 8, "log2 odds of being one person", "middle", "faint")
    )
    return _svg(width, height, title, drawn)


def precision_recall(
    title: str, curves: Mapping[str, Sequence[tuple[float, float]]], points: Mapping[str, tuple[float, float]]
) -> str:
    """Precision against recall. `curves` by name are (recall, precision), at most two; `points` where each one works.

    The axes begin where the curves do, not at 0: both systems live in the last few percent.
    """
    width, height, left, right, top, bottom = 760, 490, 70, 30, 74, 60
    shown = [point for curve in curves.values() for point in curve if point[0] >= 0.6 and point[1] >= 0.9]
    low_x = floor(min([0.95, *(recall for recall, _ in shown)]) * 20) / 20
    low_y = floor(min([0.98, *(precision for _, precision in shown)]) * 50) / 50

    def x(recall: float) -> float:
        return left + (recall - low_x) / (1 - low_x) * (width - left - right)

    def y(precision: float) -> float:
        return height - bottom - (precision - low_y) / (1 - low_y) * (height - top - bottom)

    drawn = []
    for step in range(6):
        recall, precision = low_x + (1 - low_x) * step / 5, low_y + (1 - low_y) * step / 5
        drawn.append(_line(x(recall), top, x(recall), height - bottom, "line"))
        drawn.append(_text(x(recall), height - bottom + 18, f"{recall:.2f}", "middle", "faint"))
        drawn.append(_line(left, y(precision), width - right, y(precision), "line"))
        drawn.append(_text(left - 8, y(precision) + 4, f"{precision:.3f}", "end", "faint"))
    if low_y < 0.995:
        drawn.append(_line(left, y(0.995), width - right, y(0.995), "mark"))
        drawn.append(_text(left + 6, y(0.995) + 16, "0.995, the least allowed", "start", "faint"))
    for place, (name, curve) in enumerate(curves.items()):
        inside = [
            (x(recall), y(precision)) for recall, precision in curve if recall >= low_x and precision >= low_y
        ]
        path = " ".join(f"{one:.1f},{other:.1f}" for one, other in _thinned(inside))
        drawn.append(f'<polyline class="curve c{place}" points="{path}"/>')
        drawn.append(
            f'<circle class="d{place}" cx="{left + 12}" cy="{height - bottom - 40 + 20 * place}" r="5"/>'
        )
        drawn.append(_text(left + 24, height - bottom - 36 + 20 * place, name))
        if name in points:
            recall, precision = points[name]
            drawn.append(f'<circle class="d{place}" cx="{x(recall):.1f}" cy="{y(precision):.1f}" r="6"/>')
    drawn.append(_text((left + width - right) / 2, height - 16, "recall of pairs", "middle", "faint"))
    drawn.append(_text(left, top - 12, "precision of pairs", "middle", "faint"))
    return _svg(width, height, title, drawn)


def _thinned(path: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without the points that nobody would see: less than a pixel from the one before."""
    kept: list[tuple[float, float]] = []
    for one in path:
        if not kept or abs(one[0] - kept[-1][0]) + abs(one[1] - kept[-1][1]) >= 1:
            kept.append(one)
    return kept


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _bar(start: float, y: float, end: float, height: float, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{min(start, end):.1f}" y="{y:.1f}"'
        f' width="{max(abs(end - start), 1):.1f}" height="{height:.1f}" rx="2"/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: int, height: int, title: str, drawn: Sequence[str]) -> str:
    body = "\n  ".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">\n'
        f"  <title>{escape(title)}</title>\n  <style>{_STYLE}</style>\n"
        # A ground of its own: a page need not be as light or dark as the reader's setting says.
        f'  <rect class="card" width="{width}" height="{height}" rx="6"/>\n'
        f'  <text x="16" y="24" font-weight="600">{escape(title)}</text>\n  {body}\n</svg>\n'
    )
