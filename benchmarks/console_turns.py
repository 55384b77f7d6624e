"""What consoles that are open cost the turns of calls: rounds with them and without, by turns.

    compared, frames = await compare(pairs=4)  on a node of its own, in one run
    compared.ratio                             the median overhead with consoles by that without

A console is here what the node has of one: a websocket that is told all that happens and looks at a
call, so that no browser takes the cores that the node needs. The rounds alternate, and the ratio is
of all turns of one kind to all of the other (`aybiza.benchmarks.compared`).

Errors: what `aybiza.benchmarks.turn` raises.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from aybiza.benchmarks.compared import Compared
from aybiza.benchmarks.turn import bench

CONSOLES: Final = 3
CALLS: Final = 4
TURNS: Final = 6
_CALL: Final = re.compile(r'"id":"(CA\w+)"')


async def _look(url: str, told: list[int]) -> None:
    """A console: it hears all, and looks at a call that is new."""
    origin: Any = url
    address = f"{url.replace('http', 'ws', 1)}/console/events"
    async with connect(address, origin=origin, proxy=None, max_size=None) as socket:
        known: set[str] = set()
        with contextlib.suppress(ConnectionClosed):
            async for frame in socket:
                told[0] += 1
                new = set(_CALL.findall(str(frame))) - known
                if new:
                    known |= new
                    await socket.send(json.dumps({"call": new.pop()}))


@asynccontextmanager
async def _consoles(url: str, told: list[int]) -> AsyncIterator[None]:
    looking = [asyncio.create_task(_look(url, told)) for _ in range(CONSOLES)]
    try:
        yield
    finally:
        for each in looking:
            each.cancel()
        await asyncio.gather(*looking, return_exceptions=True)


async def compare(pairs: int = 4, calls: int = CALLS, turns: int = TURNS) -> tuple[Compared, int]:
    """So many rounds of each kind, one behind the other; and how much the consoles were told."""
    compared, told = Compared(), [0]
    with bench() as made:
        # What a node does once, it has done then.
        await made.round(1, 1)
        for _ in range(pairs):
            compared.without.append((await made.round(calls, turns)).total)
            async with _consoles(made.http, told):
                compared.beside.append((await made.round(calls, turns)).total)
    return compared, told[0]
