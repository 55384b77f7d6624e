"""Draws arrows between names as arcs beside a column of them: SVG that needs nothing else.

    svg(["A", "B"], {("A", "B"): ["Started"]}, first="A", last="B")

Arrows that lead down run on the right, those that lead up on the left; the wider, the farther. What
an arrow is for is its title. It follows the reader's light or dark. Pure; errors: `KeyError` for an
arrow of a name that is not in the column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

STEP: Final = 84
"""From a name to the next one, px."""
BOX: Final = (150, 52)
MARGIN: Final = 30
MIDDLE: Final = 400
_HEAD: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>{title}</title>
<style>
text {{ font: 600 14px system-ui, sans-serif; fill: #1d2733; text-anchor: middle; }}
rect {{ fill: #eef2f7; stroke: #52606d; }}
path {{ fill: none; stroke: #2563a8; stroke-width: 1.4; }}
.up {{ stroke: #a8501c; }}
.end {{ fill: #52606d; stroke: none; }}
@media (prefers-color-scheme: dark) {{
  text {{ fill: #e8edf3; }} rect {{ fill: #2b3440; stroke: #9aa7b5; }}
  path {{ stroke: #7fb4ee; }} .up {{ stroke: #efa274; }} .end {{ fill: #9aa7b5; }}
}}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"
 orient="auto"><path d="M0 0L8 4L0 8z" style="fill: context-stroke; stroke: none"/></marker></defs>
"""


def svg(
    names: Sequence[str],
    arrows: Mapping[tuple[str, str], Sequence[str]],
    *,
    first: str,
    last: str,
    title: str = "",
) -> str:
    """The drawing; `first` and `last`: where one comes in and where it is over."""
    rows = {name: row for row, name in enumerate(names)}
    ends = _ends([(rows[start], rows[end]) for start, end in arrows])
    height = 2 * MARGIN + STEP * (len(names) - 1) + BOX[1]
    lines = [_HEAD.format(width=2 * MIDDLE, height=height, title=escape(title))]
    for (start, end), why in arrows.items():
        way = (rows[start], rows[end])
        side = 1 if way[1] > way[0] else -1
        edge = MIDDLE + side * BOX[0] // 2
        out, into = (ends[way, which] for which in (0, 1))
        bulge = edge + side * (40 + 58 * (abs(way[1] - way[0]) - 1))
        words = escape(f"{start} to {end}: {', '.join(why)}")
        curve = f"M{edge} {out:.0f}C{bulge} {out:.0f} {bulge} {into:.0f} {edge} {into:.0f}"
        kind = "down" if side > 0 else "up"
        lines.append(
            f'<path class="{kind}" marker-end="url(#tip)" d="{curve}"><title>{words}</title></path>'
        )
    for name, row in rows.items():
        left, top, middle = MIDDLE - BOX[0] // 2, MARGIN + STEP * row, _middle(row)
        lines.append(f'<rect x="{left}" y="{top}" width="{BOX[0]}" height="{BOX[1]}" rx="8"/>')
        lines.append(f'<text x="{MIDDLE}" y="{middle + 5:.0f}">{escape(name)}</text>')
    lines.append(f'<circle class="end" cx="{MIDDLE - 60}" cy="{_middle(rows[first]):.0f}" r="5"/>')
    lines.append(
        f'<path d="M{MIDDLE - 68} {_middle(rows[last]) + 8:.0f}h14v-14h-14z" class="end"/>'
    )
    return "\n".join([*lines, "</svg>\n"])


def _middle(row: int) -> float:
    return MARGIN + STEP * row + BOX[1] / 2


def _ends(ways: Sequence[tuple[int, int]]) -> dict[tuple[tuple[int, int], int], float]:
    """How high each way leaves (0) its name and comes in (1): spread, so that few arcs cross."""
    at: dict[tuple[tuple[int, int], int], float] = {}
    places: dict[tuple[int, bool], list[tuple[tuple[int, int], int]]] = {}
    for way in ways:
        for which in (0, 1):
            places.setdefault((way[which], way[1] > way[0]), []).append((way, which))
    for (row, _), here in places.items():
        # What goes on below the name leaves it below what comes from above, the near ones outside.
        here.sort(key=lambda end: -1 / (end[0][1 - end[1]] - row))
        here.sort(key=lambda end: end[0][1 - end[1]] > row)
        for place, end in enumerate(here, 1):
            at[end] = MARGIN + STEP * row + BOX[1] * place / (len(here) + 1)
    return at
