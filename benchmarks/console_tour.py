"""A walk through all that the console shows, for pictures of it and for who looks at its markup.

    async for panel in tour(chromium, Place(url, token)):      `panel.name`, `panel.page`
        await panel.page.picture(...)
    await pictures(folder)                                     all of them, in all dresses

The panels: `door` (the dialog for the token), `quiet` (nobody calls), `call` (one that is spoken
on, with its actor traced), `fault` (that was killed, a plan of faults is written), `alarms` (the
plan was run), `over` (calls that are over, one of them chosen), `phone` and `talk` (the softphone
before and in a call).

The node of the pictures is one of its own, with emulated providers, a token, recordings, analyses,
and a crowd's page beside it (`crowd`: 1,000 processes, 200 calls).

Errors: `PageError` of the browser.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aybiza.benchmarks.chromium import Chromium, Page, browser
from aybiza.benchmarks.console_crowd import PROCESSES
from aybiza.config.agents import FOLDER
from aybiza.config.children import end_soon
from aybiza.config.ports import free_port
from aybiza.emulators.phone import Phone
from aybiza.emulators.phone.messages import new_sid
from aybiza.emulators.phone.script import parse

WIDTHS: Final = (1280, 400)
THEMES: Final = ("light", "dark")
HEIGHT: Final = 900
TOKEN: Final = "a-token-for-pictures-alone"
END_SECONDS: Final = 20.0
CALL_SECONDS: Final = 300.0
MOST_SAID: Final = 50

DRAWN: Final = """
new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100)));
})
"""
"""What has changed stands on the page."""

MORE: Final = """
[recording]
consent = "told"

[analysis]
sentiment = true
data = { type = "object", properties = { topic = { type = "string" } } }
intents = { hours = ["open", "hours"], booking = ["appointment"] }
"""
"""What the agent of the pictures has beside the clinic's."""

SAYS: Final = ("What are your opening hours?", "I would like an appointment on Tuesday morning.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node's console is, and its token; "" for none."""

    url: str
    token: str = ""

    def at(self, path: str = "/console") -> str:
        """The address of a page, for who has the token."""
        return f"{self.url}{path}" + (f"#token={self.token}" if self.token else "")


@dataclass(frozen=True, slots=True)
class Panel:
    """Something that the console shows."""

    name: str
    page: Page


@asynccontextmanager
async def _calling(url: str, says: Sequence[str]) -> AsyncIterator[str]:
    """A caller who says this and stays; the call's id."""
    patient: dict[str, Any] = {"expect": r"\S", "timeout_s": CALL_SECONDS}
    steps = [{"text": words, "after_quiet_ms": 200, **patient} for words in says]
    # Of who says nothing for long the agent takes leave.
    steps += [{"text": says[0], "after_quiet_ms": 6000, **patient} for _ in range(MOST_SAID)]
    document = {"steps": steps, "limit_s": CALL_SECONDS}
    call_id = new_sid("CA")
    async with Phone(
        script=parse(document, Path("tour"), "text"), call_sid=call_id, http=url
    ) as phone:
        running = asyncio.ensure_future(phone.run())
        try:
            yield call_id
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def tour(
    chromium: Chromium, place: Place, says: Sequence[str] = SAYS
) -> AsyncIterator[Panel]:
    """See the module. `says`: what a caller says; the agent has an answer to each."""
    if place.token:
        page = await chromium.page(f"{place.url}/console")
        await page.until("document.querySelector('#door').open")
        yield Panel("door", page)
    page = await chromium.page(place.at())
    await page.until("document.querySelectorAll('#tree-body tr').length > 10")
    yield Panel("quiet", page)
    async with _calling(place.url, says) as call_id:
        await page.click(f"tr[data-call={call_id}] button")
        await page.until(f"document.querySelectorAll('#turns-body tr').length >= {len(says)}")
        await page.run("document.querySelector('#search').value = 'callactor'")
        await page.run("document.querySelector('#search').dispatchEvent(new Event('input'))")
        await page.click("#tree-body tr .own-name")
        await page.click("#trace")
        await page.until("document.querySelector('#traced').checkVisibility()")
        yield Panel("call", page)
        await page.run("document.querySelector('#search').value = ''")
        await page.run("document.querySelector('#search').dispatchEvent(new Event('input'))")
        await page.click("#kill")
        await page.until("document.querySelector('#process-state').textContent.includes('took')")
        if await page.run("!document.querySelector('#fault').hidden"):
            await page.click("#fault")
            yield Panel("fault", page)
            await page.click("#fault-run")
            await page.until("document.querySelectorAll('#alarms li').length > 0")
            yield Panel("alarms", page)
        await page.click("#hangup")
        await page.until(f"!document.querySelector('tr[data-call={call_id}]')")
    await page.click("#show-past")
    await page.click(f"tr[data-past={call_id}] button")
    await page.until("document.querySelectorAll('#transcript li').length > 2")
    yield Panel("over", page)
    page = await chromium.page(place.at("/console/phone"))
    await page.until("!document.querySelector('#call').disabled")
    yield Panel("phone", page)
    await page.click("#call")
    await page.until("document.querySelectorAll('#transcript li').length > 0")
    yield Panel("talk", page)
    await page.click("#hangup")


@asynccontextmanager
async def a_node(folder: Path) -> AsyncIterator[Place]:
    """A node of its own with all that the console can show."""
    agent = folder / "clinic.toml"
    clinic = (FOLDER / "clinic.toml").read_text(encoding="utf-8")
    agent.write_text(clinic + MORE, encoding="utf-8")
    environment = {
        **os.environ,
        "AYBIZA_CONSOLE_TOKEN": TOKEN,
        "AYBIZA_RECORDINGS": str(folder / "recordings"),
        "AYBIZA_MEMORY_PATH": str(folder / "memory.sqlite3"),
        "AYBIZA_AGENT": str(agent),
        "AYBIZA_HTTP_PORT": "0",
        "AYBIZA_MEDIA_PORT": "0",
        "AYBIZA_CLUSTER_PORT": str(free_port()),
        "AYBIZA_LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aybiza.console", "run", "--json"),
        *("--emulated=scripted", "--allow-faults"),
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError("the node did not start")
        yield Place(json.loads(line)["http"], TOKEN)
    finally:
        await end_soon(process, END_SECONDS)


async def _dressed(panel: Panel, folder: Path) -> None:
    for width in WIDTHS:
        for theme in THEMES:
            await panel.page.dress(width, HEIGHT, theme)
            await panel.page.run(DRAWN)
            await panel.page.picture(folder / f"{panel.name}-{width}-{theme}.png")


async def pictures(folder: Path, crowd_url: str) -> list[str]:
    """Pictures of all panels in both themes at both widths; what went wrong on the pages."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="aybiza-tour-") as made:
        async with a_node(Path(made)) as place, browser(Path(made)) as chromium:
            async for panel in tour(chromium, place):
                await _dressed(panel, folder)
                problems += panel.page.problems
            page = await chromium.page(f"{crowd_url}/console")
            await page.until(f"document.querySelector('#tree').ariaRowCount > {PROCESSES}")
            await _dressed(Panel("crowd", page), folder)
            problems += page.problems
    return problems
