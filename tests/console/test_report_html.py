"""The report as a page: whole, of itself, and safe whatever the names are."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from aybiza.actors.measures.report import Rows, report
from aybiza.console.report_html import bars, lines, page
from tests.actors.measures.report_kit import SINCE, UNTIL, calls_of


class Tags(HTMLParser):
    """Which tags there are, which attributes, and whether each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("rows", [Rows(), calls_of(1)], ids=["nothing", "calls"])
def test_the_page_is_whole_and_fetches_nothing(rows: Rows) -> None:
    tags = Tags()
    tags.feed(page(report(rows, SINCE, UNTIL), "24h"))
    tags.close()
    assert tags.open == [] and tags.links == []
    assert {"svg", "table", "h1"} <= tags.seen and "script" not in tags.seen


def test_names_are_escaped() -> None:
    rows = calls_of(1)
    nasty = "<script>alert(1)</script>"
    turns = [{**row, "model": nasty, "country": nasty, "experiment": nasty} for row in rows.turns]
    made = page(report(Rows(rows.calls, turns, rows.charges), SINCE, UNTIL), nasty)
    assert "<script" not in made and "&lt;script&gt;" in made


def test_a_line_has_a_gap_where_nothing_is_known_and_bars_none() -> None:
    at = [SINCE + number for number in range(4)]
    drawn = ElementTree.fromstring(lines(at, {"p50": [1.0, 2.0, None, 4.0]}))
    pieces = [each.get("points", "") for each in drawn.iter("polyline")]
    assert [len(piece.split()) for piece in pieces] == [2, 1]
    drawn = ElementTree.fromstring(bars(at, [0.0, 5.0, 0.0, 10.0]))
    heights = [float(each.get("height", "")) for each in drawn.iter("rect")]
    assert heights[1] == pytest.approx(2 * heights[0], rel=0.01)
