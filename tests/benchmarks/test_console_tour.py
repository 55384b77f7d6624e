"""All that the console shows fits its width and keeps nobody out, in the light and in the dark."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any, Final

import pytest

from aybiza.benchmarks.chromium import Page, browser
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
NAMELESS: Final = "document.querySelector('main').append(document.createElement('button'))"


ACTING: Final = {
    *("button", "link", "textbox", "searchbox", "combobox", "meter", "table", "treegrid"),
    *("region", "dialog", "log", "image", "group"),
}
"""The roles of what has to have a name."""
SAID: Final[dict[str, set[tuple[str, str]]]] = {
    "door": {("dialog", "This console has a token"), ("button", "Open")},
    "call": {
        *(("button", name) for name in ("Hang up", "Kill", "Restart", "Trace", "1 min", "Over")),
        *(("region", name) for name in ("Alarms", "Calls", "Table of calls", "Cluster")),
        ("treegrid", "Processes"),
        ("log", "Transcript"),
        ("searchbox", "Find"),
        ("meter", "Calls of those there is room for"),
    },
    "fault": {("button", "Run it"), ("button", "Stop it")},
    "talk": {("button", "Hang up"), ("button", "#"), ("log", "Both sides")},
}
"""What a screen reader is told of some panels, among other things."""

STOP: Final = """
(() => {
  const e = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(e);
  const isSeen = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  // Behind the last stop comes the browser itself.
  return [e.id || e.textContent.trim().slice(0, 40), isSeen || e === document.body];
})()
"""
TO_REACH: Final = """
[...(document.querySelector("dialog[open]") ?? document)
  .querySelectorAll("button, input, textarea, select")]
  .filter((e) => e.id && e.checkVisibility() && !e.disabled)
  .map((e) => e.id)
"""
MOST_STOPS: Final = 60


async def _walked(page: Page) -> list[str]:
    """What cannot be reached with the tabulator, and where it is not seen that one is there."""
    wanted = set(await page.run(TO_REACH))
    await page.run("document.activeElement.blur()")
    unseen = []
    for _ in range(MOST_STOPS):
        await page.press("Tab")
        name, seen = await page.run(STOP)
        unseen += [] if seen else [f"not seen: {name}"]
        wanted.discard(name)
        if not wanted:
            break
    return [*unseen, *(f"not reached: {name}" for name in sorted(wanted))]


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
            if not await page.run("Boolean(window.axe)"):
                await page.run(f"{axe}; 0")
            wrong = []
            for width, theme in (next(DRESSES), next(DRESSES)):
                await page.dress(width, HEIGHT, theme)
                await page.run(DRAWN)
                wrong += [] if await page.run(FITS) else [f"{width}: wider than the page"]
            wrong += await page.run(SERIOUS)
            told = await page.accessible()
            wrong += [
                f"{role} without a name" for role, name in told if role in ACTING and not name
            ]
            wrong += [f"not told: {each}" for each in SAID.get(panel.name, set()) - set(told)]
            if panel.name in ("door", "fault", "talk"):
                wrong += await _walked(page)
            found[panel.name] = wrong
            if panel.name == "over":
                assert await page.run("document.querySelector('#span-all').checkVisibility()")
                assert "told" in await page.run("document.querySelector('#call-facts').textContent")
            if panel.name == "talk":
                await page.run(NAMELESS)
                assert await page.run(SERIOUS) == ["button-name: <button></button>"]
    assert found == {name: [] for name in PANELS}
