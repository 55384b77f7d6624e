"""The measures of the console's page hold, with room for a machine that does other work."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from aybiza.benchmarks import console
from aybiza.benchmarks.chromium import browser
from aybiza.benchmarks.console import LIMITS, Figures, crowded, lines, looked, missed
from aybiza.benchmarks.console_crowd import PROCESSES
from tests.gateway.console.browsers import needs_chromium
from tests.slowness import slowness

FIGURES = Figures(0.018, [100.0, 280.0], 310.0, 600.0, 2.0, 20.0)
WINDOW_SECONDS = 3.0
MOST_ROWS = 150


def test_what_is_beyond_its_limit_is_named() -> None:
    assert missed(FIGURES.measured()) == []
    slow = Figures(0.06, [301.0], 310.0, 600.0, 2.0, 20.0)
    assert missed(slow.measured()) == ["share: 0.06 of at most 0.05", "told: 301 of at most 300"]


def test_people_are_told_each_measure_beside_its_limit() -> None:
    assert len(lines(FIGURES)) == 1 + len(FIGURES.measured())
    assert "p50 190, max 280, 2 events" in lines(FIGURES)[2]


def test_without_a_browser_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "FOUND", None)
    assert console.main([]) == 2
    assert "no Chromium" in capsys.readouterr().err


@needs_chromium
@pytest.mark.real_time
async def test_a_thousand_processes_are_told_soon_and_cheaply_and_walked_with_keys(
    tmp_path: Path,
) -> None:
    async with crowded() as crowd, browser(tmp_path) as chromium:
        figures = await looked(crowd, chromium, WINDOW_SECONDS)
        assert figures.share < LIMITS["share"] * slowness()
        assert statistics.median(figures.told) < LIMITS["told"] * slowness()
        # A browser shares its cores with all other tests, and takes many.
        assert figures.paint < 5 * LIMITS["paint"] * slowness()
        assert max(figures.heap, figures.private) < LIMITS["heap"]
        page = await chromium.page(f"{crowd.url}/console")
        await page.until(console.WHOLE)
        await page.run("document.querySelector('#tree-body tr[tabindex=\"0\"]').focus()")
        await page.press("End")
        # The last one may be gone at once; then its neighbour has the focus.
        await page.until(f"document.activeElement.ariaRowIndex > {PROCESSES - 10}")
        await page.press("Home")
        await page.until("document.activeElement.ariaRowIndex === '2'")
        assert await page.run("document.querySelectorAll('#tree-body tr').length") < MOST_ROWS
        assert page.problems == []
