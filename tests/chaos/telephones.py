"""Live calls to the nodes of a chaos run, from telephones of this process."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aybiza.benchmarks.turn import emulators
from aybiza.emulators.phone import Phone
from aybiza.emulators.phone.script import parse

if TYPE_CHECKING:
    from tests.chaos.cluster import Run

TURNS = 2
HARM_SECONDS = 3.0
"""A node that was harmed so short a time before a call may refuse it."""
STOP_SECONDS = 60.0


@contextlib.contextmanager
def providers() -> Iterator[dict[str, str]]:
    """The loopback emulators, and the settings of nodes that use them."""
    with emulators() as urls:
        yield {
            **urls,
            "AWS_ACCESS_KEY_ID": "EMULATED",
            "AWS_SECRET_ACCESS_KEY": "emulated",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DEEPGRAM_API_KEY": "emulated",
            "AYBIZA_LOG_LEVEL": "warning",
        }


class Telephones:
    """Places calls, one after the other on each of `lines` lines; `faults` are calls that failed
    on a node that nobody had harmed."""

    def __init__(self, lines: int, seed: int) -> None:
        self.faults: list[str] = []
        self.whole = self.cut_short = self.refused = 0
        self._lines = lines
        self._dice = random.Random(seed)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def calling(self, run: Run) -> Iterator[None]:
        """Calls go on in a thread of their own."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._call(run)), daemon=True)
        self._thread.start()
        try:
            yield
        finally:
            self.stop()

    def stop(self) -> None:
        """Let the calls that are under way come to their ends."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def summary(self) -> str:
        """For people."""
        return (
            f"{self.whole} calls whole, {self.cut_short} cut short on nodes that were harmed,"
            f" {self.refused} while their node was started"
        )

    async def _call(self, run: Run) -> None:
        await asyncio.gather(*(self._line(run) for _ in range(self._lines)))

    async def _line(self, run: Run) -> None:
        while not self._stopping.is_set():
            name = self._dice.choice(run.names)
            began = time.monotonic()
            failure = await self._place(f"ws://127.0.0.1:{run.doors[name]}/media")
            if not failure:
                self.whole += 1
            elif (
                "cannot connect" in failure
            ):  # it is being started; the run sees that it comes back
                self.refused += 1
            elif run.harmed.get(name, -HARM_SECONDS) > began - HARM_SECONDS:
                self.cut_short += 1
            else:
                self.faults.append(f"a call to {name}, which nobody had harmed: {failure}")
            await asyncio.sleep(0.2)

    async def _place(self, url: str) -> str:
        try:
            async with Phone(url, _script()) as phone:
                report = await phone.run()
        except OSError as error:
            return str(error)
        return report.failure or ""


def _script() -> Any:
    steps: list[dict[str, Any]] = [
        {"text": f"What are your opening hours on day {day}?", "after_quiet_ms": 500}
        for day in range(1, TURNS + 1)
    ]
    steps.append({"hangup": True, "after_quiet_ms": 500})
    document = {"title": "Asks twice", "steps": steps, "limit_s": 60.0}
    return parse(document, Path("chaos.toml"), "text")
