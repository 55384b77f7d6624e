"""A page in a browser is driven, and what goes wrong on it is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.benchmarks.chromium import PageError, browser
from tests.gateway.console.browsers import needs_chromium

BUTTON = "data:text/html,<button onclick=\"document.title='pressed'\">one</button>"
MOVING = """data:text/html,<p onclick="document.title += 'above'">above</p>
<button onclick="document.title += 'pressed'">one</button>
<script>
let height = 0;
const grow = setInterval(() => {
  document.querySelector('p').style.height = `${height += 5}px`;
  if (height === 200) clearInterval(grow);
}, 10);
</script>"""


@needs_chromium
@pytest.mark.real_time
async def test_a_button_is_pressed_where_it_has_come_to_stand(tmp_path: Path) -> None:
    async with browser(tmp_path) as chromium:
        page = await chromium.page(MOVING)
        await page.click("button")
        assert await page.until("document.title") == "pressed"


@needs_chromium
@pytest.mark.real_time
async def test_a_page_is_driven_dressed_and_drawn(tmp_path: Path) -> None:
    async with browser(tmp_path) as chromium:
        page = await chromium.page(BUTTON)
        await page.click("button")
        await page.until("document.title === 'pressed'")
        await page.dress(400, 300, "dark")
        assert await page.run("matchMedia('(prefers-color-scheme: dark)').matches")
        await page.picture(tmp_path / "page.png")
        assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
        assert 0 < await page.heap_mb() < 60 < 1000 * await chromium.private_mb()
        assert page.problems == []
        with pytest.raises(PageError):
            await page.run("nobody.knows")
        with pytest.raises(PageError, match="did not come"):
            await page.until("false", within=0.1)
        await page.run("console.error('ouch')")
        assert "ouch" in str(page.problems)
