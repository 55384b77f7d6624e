"""What the console costs and how soon it tells, and pictures of all that it shows.

    python -m aybiza.benchmarks.console                      the measures, with their limits
    python -m aybiza.benchmarks.console --turns              the turns beside consoles, too
    python -m aybiza.benchmarks.console --screenshots DIR    pictures of all panels

The node is a process of 1,000 processes and 200 calls (`console_crowd`); its page is open in a
headless Chromium. Measured are

    share    of a core: the node's processor time with the page open, less that without it
    told     ms from what happens in the node until the page's document has it, the 95th percentile
    paint    ms from the request of the page to its first picture
    heap     MB that the page's scripts hold, when what they have let go of is collected
    private  MB that the processes of pages have to themselves, beyond those of an empty page
    turns    the median overhead of a turn with three consoles open, as a share of that without one;
             in pairs of rounds, one with and one without, on one node (`aybiza.benchmarks.turn`)

What else the machine does is in all of them but the first and the memory.

Errors: `PageError` of the browser. Exit code 1: a limit is missed; 2: there is no Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aybiza.benchmarks.chromium import FOUND, Chromium, Page, browser
from aybiza.benchmarks.compared import Compared
from aybiza.benchmarks.console_crowd import BELL, CALLS, PROCESSES
from aybiza.benchmarks.console_tour import pictures
from aybiza.benchmarks.console_turns import CONSOLES, compare
from aybiza.benchmarks.load_bench import share as _share
from aybiza.config.children import end_soon

SETTLE_SECONDS: Final = 3.0
WINDOW_SECONDS: Final = 12.0
END_SECONDS: Final = 10.0

LIMITS: Final = {
    "share": 0.05,
    "told": 300.0,
    "paint": 1000.0,
    "heap": 60.0,
    "private": 60.0,
    "turns": 1.1,
}
"""What may be at most, by what is measured."""

WATCH: Final = f"""
(() => {{
  window.bells = new Map();
  const seen = (text) => {{
    const now = performance.timeOrigin + performance.now();
    for (const [bell, at] of text.matchAll(/{BELL}[a-z]+-(\\d{{13}})/g)) {{
      if (!bells.has(bell)) bells.set(bell, [Number(at), now]);
    }}
  }};
  new MutationObserver((changes) => {{
    for (const {{ type, target, addedNodes }} of changes) {{
      for (const node of type === "characterData" ? [target] : addedNodes) seen(node.textContent);
    }}
  }}).observe(document, {{ childList: true, characterData: true, subtree: true }});
}})();
"""
"""Notes of what bears its time in its name when the page has it first, in ms of unix time."""

PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
WHOLE: Final = f"document.querySelector('#tree').ariaRowCount > {PROCESSES}"
LAST: Final = "document.querySelector('#tree').closest('.scroll').scrollTop = 1e6"


@dataclass(slots=True)
class Figures:
    """See the module. `whole`: ms until all processes stand on the page; `told`: ms by event."""

    share: float
    told: list[float]
    paint: float
    whole: float
    heap: float
    private: float

    def measured(self) -> dict[str, float]:
        """What has a limit."""
        late = _share(self.told, 0.95) or 0.0
        memory = {"heap": self.heap, "private": self.private}
        return {"share": self.share, "told": late, "paint": self.paint, **memory}


class Crowd:
    """The node of the measures, as a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.url = ""

    async def told(self) -> dict[str, Any]:
        """The next that it says."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the crowd's process has ended")
        found: dict[str, Any] = json.loads(line)
        return found

    async def cpu(self) -> float:
        """The seconds of the processor that it has taken."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        return float((await self.told())["cpu"])

    async def share(self, seconds: float) -> float:
        """What it takes of a core for so long."""
        before, began = await self.cpu(), time.monotonic()
        await asyncio.sleep(seconds)
        return (await self.cpu() - before) / (time.monotonic() - began)


@asynccontextmanager
async def crowded() -> AsyncIterator[Crowd]:
    """A node with many processes and calls."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "aybiza.benchmarks.console_crowd",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=dict(os.environ),
    )
    assert process.stdin is not None
    try:
        crowd = Crowd(process)
        crowd.url = (await crowd.told())["url"]
        yield crowd
    finally:
        process.stdin.close()
        await end_soon(process, END_SECONDS, asked=True)


async def looked(crowd: Crowd, chromium: Chromium, window: float = WINDOW_SECONDS) -> Figures:
    """Open the page and measure it."""
    await (await chromium.page("about:blank")).until("document.readyState === 'complete'")
    await asyncio.sleep(SETTLE_SECONDS)
    empty = await chromium.private_mb()
    alone = await crowd.share(window)
    began = time.monotonic()
    page: Page = await chromium.page(f"{crowd.url}/console", first=WATCH)
    await page.until(WHOLE)
    whole = (time.monotonic() - began) * 1000
    paint = float(await page.until(PAINT))
    # A process that starts is the last one of the tree.
    await page.run(LAST)
    await asyncio.sleep(SETTLE_SECONDS)
    since = time.time() * 1000
    beside = await crowd.share(window)
    bells = await page.run("[...bells.values()]")
    told = [float(seen) - float(at) for at, seen in bells if at > since]
    heap = await page.heap_mb()
    private = await chromium.private_mb() - empty
    return Figures(beside - alone, told, paint, whole, heap, private)


async def measure(window: float = WINDOW_SECONDS) -> Figures:
    """All but the turns."""
    with tempfile.TemporaryDirectory(prefix="aybiza-console-") as folder:
        async with crowded() as crowd, browser(Path(folder)) as chromium:
            return await looked(crowd, chromium, window)


async def draw(folder: Path) -> int:
    """Write the pictures; 1 if a page had an error."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with crowded() as crowd:
        told = await pictures(folder, crowd.url)
    # The page without the token is refused, and the browser says so.
    problems = [
        problem for problem in told if "401" not in problem and "credentials" not in problem
    ]
    print("\n".join(problems) or f"the pictures are in {folder}")
    return 1 if problems else 0


def lines(figures: Figures) -> list[str]:
    """For people."""
    told = figures.told
    late = (
        f"p50 {statistics.median(told):.0f}, max {max(told):.0f}, {len(told)} events"
        if told
        else ""
    )
    rows = [
        ("of the node's core", 100 * figures.share, "%", 5.0, ""),
        ("told after, p95", _share(told, 0.95) or 0.0, "ms", LIMITS["told"], late),
        ("first paint", figures.paint, "ms", LIMITS["paint"], f"all of it {figures.whole:.0f}"),
        ("held by its scripts", figures.heap, "MB", LIMITS["heap"], "after a collection"),
        (
            "of its processes alone",
            figures.private,
            "MB",
            LIMITS["private"],
            "beyond an empty page",
        ),
    ]
    head = f"{PROCESSES} processes, {CALLS} calls, one page in {Path(FOUND or '').name}"
    return [head, *(_line(*row) for row in rows)]


def turns_line(compared: Compared) -> str:
    """For people."""
    about = f"rounds without consoles differ by {compared.noise:.2f}"
    return _line(f"a turn beside {CONSOLES} consoles", compared.ratio, "x", LIMITS["turns"], about)


def _line(what: str, value: float, unit: str, most: float, about: str) -> str:
    shown = f"{value:8.0f}" if unit == "ms" else f"{value:8.2f}"
    return f"{what:<26}{shown} {unit:<3} of at most {most:<6g}{about}".rstrip()


def missed(measured: dict[str, float]) -> list[str]:
    """What is beyond its limit.

    >>> missed({"share": 0.02, "told": 310.0})
    ['told: 310 of at most 300']
    """
    return [
        f"{name}: {value:.3g} of at most {LIMITS[name]:g}"
        for name, value in measured.items()
        if value > LIMITS[name]
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="aybiza.benchmarks.console", description=__doc__)
    parser.add_argument("--turns", action="store_true", help="measure turns beside consoles, too")
    parser.add_argument("--screenshots", type=Path, metavar="DIR", help="write pictures instead")
    asked = parser.parse_args(arguments)
    if FOUND is None:
        print("no Chromium is installed; on Debian: apt-get install chromium", file=sys.stderr)
        return 2
    if asked.screenshots is not None:
        return asyncio.run(draw(asked.screenshots))
    figures = asyncio.run(measure())
    measured = figures.measured()
    print("\n".join(lines(figures)))
    if asked.turns:
        compared, _ = asyncio.run(compare())
        measured["turns"] = compared.ratio
        print(turns_line(compared))
    wrong = missed(measured)
    print("\n".join(wrong) or "all limits are kept")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
