"""Several VMs of one cluster on one loop, over a carrier that a test can cut and slow down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.node.wire import Reader, Writer
from aybiza.actors.runtime import VM, GenServer
from aybiza.faults.network import Actor, LoopCarrier, Network, card

__all__ = ["Actor", "LoopCarrier", "Network", "Probe", "card", "cluster", "until"]

LIMIT = 30.0


@asynccontextmanager
async def cluster(
    *names: str, network: Network | None = None
) -> AsyncIterator[tuple[Network, list[Distribution]]]:
    """VMs of these names, joined."""
    network = network or Network()
    async with AsyncExitStack() as stack:
        joined: list[Distribution] = []
        for number, name in enumerate(names, 1):
            carrier = LoopCarrier(network, card(number, name))
            vm = await stack.enter_async_context(VM(name, creation=carrier.card.incarnation))
            joined.append(await stack.enter_async_context(Distribution(vm, carrier)))
        for each in joined:
            await each.join()
        yield network, joined


async def until(condition: Callable[[], Any], limit: float = LIMIT) -> Any:
    """The first true value of `condition()`."""
    async with asyncio.timeout(limit):
        while not (value := condition()):  # noqa: ASYNC110 - conditions of all kinds
            await asyncio.sleep(0.01)
    return value


class Probe(GenServer):
    """Notes what it gets, and answers."""

    async def init(self, *, trap: bool = False) -> None:
        self.got: list[Any] = []
        self.trap_exit(trap)

    async def handle_call(self, request: Any, from_: Any) -> Any:
        match request:
            case ("run", function):
                return await function(self)
            case ("fail",):
                raise ValueError("asked to fail")
            case ("never",):
                from aybiza.actors.runtime import NO_REPLY

                return NO_REPLY
            case ("unpicklable",):
                return lambda: None
            case ("caller",):
                return from_.pid
        return ("echo", request)

    async def handle_cast(self, request: Any) -> None:
        self.got.append(("cast", request))

    async def handle_info(self, message: Any) -> None:
        self.got.append(message)


def travelled(message: Any) -> Any:
    """The message, as it is when a stream has carried it."""
    [arrived] = Reader().read(Writer().written(message))
    return arrived
