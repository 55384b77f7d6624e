"""What the console costs the node: a share of a core, and no more for more eyes.

Measured is the processor's time of this thread, so a machine with other work changes little.
"""

from __future__ import annotations

import asyncio
import time

from aybiza.actors.runtime import VM
from aybiza.benchmarks.console_crowd import crowd, stir
from aybiza.gateway.console.console_actor import TICK_SECONDS
from aybiza.gateway.console.hub import Hub

MOST_SHARE = 0.05
TICKS = 24


async def a_tick(vm: VM, held: Hub) -> float:
    """Seconds of the processor that a look takes, the shortest one of many."""
    took = []
    for _ in range(TICKS):
        stir(vm)
        await asyncio.sleep(0.001)
        began = time.thread_time()
        await held.tick()
        took.append(time.thread_time() - began)
        for viewer in held.viewers:
            viewer._frames.clear()
    return min(took)


async def test_a_thousand_processes_and_their_calls_cost_below_a_twentieth_of_a_core() -> None:
    async with crowd() as (vm, held):
        held.enter("")
        await held.tick()
        one = await a_tick(vm, held)
        assert one < MOST_SHARE * TICK_SECONDS
        for _ in range(6):
            held.enter("")
        await held.tick()
        assert await a_tick(vm, held) < 2 * one
