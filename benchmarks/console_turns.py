"""What consoles that are open cost the turns of calls: rounds with them and without, by turns.

    compared = await compare(pairs=4)          on a node of its own, in one run
    compared.ratio                             the median overhead with consoles by that without

A console is here what the node has of one: a websocket that is told all that happens and looks at a
call, so that no browser takes the cores that the node needs. The rounds alternate, and the ratio is
of all turns of one kind to all of the other; `noise` is how far the medians of the rounds without
consoles lie from each other, as a share.

Errors: what `aybiza.benchmarks.turn` raises.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from aybiza.benchmarks.turn import bench

CONSOLES: Final = 3
CALLS: Final = 4
TURNS: Final = 6
_CALL: Final = re.compile(r'"id":"(CA\w+)"')


@dataclass(slots=True)
class Compared:
    """The overheads of turns in ms, a list for each round, without consoles and with them;
    `frames` is what the consoles were told."""

    without: list[list[float]] = field(default_factory=list)
    beside: list[list[float]] = field(default_factory=list)
    frames: int = 0

    @property
    def ratio(self) -> float:
        """The median of all turns beside consoles by that of all others."""
        return _median(_all(self.beside)) / _median(_all(self.without))

    @property
    def noise(self) -> float:
        """How far apart the rounds without consoles are."""
        medians = [_median(each) for each in self.without]
        return (max(medians) - min(medians)) / _median(_all(self.without))


def _all(rounds: list[list[float]]) -> list[float]:
    return [overhead for one in rounds for overhead in one]


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


async def _look(url: str, compared: Compared) -> None:
    """A console: it hears all, and looks at a call that is new."""
    origin: Any = url
    address = f"{url.replace('http', 'ws', 1)}/console/events"
    async with connect(address, origin=origin, proxy=None, max_size=None) as socket:
        known: set[str] = set()
        with contextlib.suppress(ConnectionClosed):
            async for told in socket:
                compared.frames += 1
                new = set(_CALL.findall(str(told))) - known
                if new:
                    known |= new
                    await socket.send(json.dumps({"call": new.pop()}))


@asynccontextmanager
async def _consoles(url: str, compared: Compared) -> AsyncIterator[None]:
    looking = [asyncio.create_task(_look(url, compared)) for _ in range(CONSOLES)]
    try:
        yield
    finally:
        for each in looking:
            each.cancel()
        await asyncio.gather(*looking, return_exceptions=True)


async def compare(pairs: int = 4, calls: int = CALLS, turns: int = TURNS) -> Compared:
    """So many rounds of each kind, one behind the other."""
    compared = Compared()
    with bench() as made:
        # What a node does once, it has done then.
        await made.round(1, 1)
        for _ in range(pairs):
            compared.without.append((await made.round(calls, turns)).total)
            async with _consoles(made.http, compared):
                compared.beside.append((await made.round(calls, turns)).total)
    return compared
