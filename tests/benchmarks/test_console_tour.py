"""All that the console shows fits its width and keeps nobody out, in the light and in the dark."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any, Final

import pytest

from aybiza.benchmarks.chromium import browser
from aybiza.benchmarks.console_tour import DRAWN, HEIGHT, TOKEN, Place, tour
from aybiza.config.recording import Recording
from tests.call.kit import agent, world
from tests.gateway.console.browsers import needs_chromium

pytestmark = [pytest.mark.real_time, needs_chromium]

AXE: Final = Path(__file__).parents[1] / "gateway/console/axe/axe.min.js"
SERIOUS: Final = """
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations
  .filter((found) => ["serious", "critical"].includes(found.impact))
  .flatMap((found) => found.nodes.map((node) => `${found.id}: ${node.html.slice(0, 120)}`)))
"""
FITS: Final = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
PANELS: Final = ["door", "quiet", "call", "fault", "alarms", "over", "phone", "talk"]
DRESSES: Final = cycle([(1280, "light"), (400, "dark"), (400, "light"), (1280, "dark")])
"""Two for each panel, which has to fit both; axe sees it in the second."""
PART_OF_OTHERS: Final = ("fault", "phone")
"""What of these is to be seen stands in the next panels too."""
NAMELESS: Final = "document.querySelector('main').append(document.createElement('button'))"


async def test_each_panel_fits_and_axe_finds_nothing_serious_in_it(tmp_path: Path) -> None:
    axe = AXE.read_text(encoding="utf-8")
    settings: dict[str, Any] = {
        "AYBIZA_CONSOLE_TOKEN": TOKEN,
        "AYBIZA_RECORDINGS": str(tmp_path / "recordings"),
        "AYBIZA_ALLOW_FAULTS": "true",
    }
    who = agent(recording=Recording(consent="told"))
    found: dict[str, Any] = {}
    async with world(tmp_path, agent=who, **settings) as made, browser(tmp_path) as chromium:
        async for panel in tour(chromium, Place(made.node.http_url, TOKEN)):
            page = panel.page
            if panel.name not in PART_OF_OTHERS and not await page.run("Boolean(window.axe)"):
                await page.run(f"{axe}; 0")
            wrong = []
            for width, theme in (next(DRESSES), next(DRESSES)):
                await page.dress(width, HEIGHT, theme)
                await page.run(DRAWN)
                wrong += [] if await page.run(FITS) else [f"{width}: wider than the page"]
            if panel.name not in PART_OF_OTHERS:
                wrong += await page.run(SERIOUS)
            found[panel.name] = wrong
            if panel.name == "over":
                assert await page.run("document.querySelector('#span-all').checkVisibility()")
                assert "told" in await page.run("document.querySelector('#call-facts').textContent")
            if panel.name == "talk":
                await page.run(NAMELESS)
                assert await page.run(SERIOUS) == ["button-name: <button></button>"]
    assert found == {name: [] for name in PANELS}
