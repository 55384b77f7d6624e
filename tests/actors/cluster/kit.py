"""Several VMs of one cluster on one loop, over a carrier that a test can cut and slow down."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aybiza.actors.cluster.carrier import Welcome
from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.cluster.membership import Address, Card
from aybiza.actors.runtime import VM, GenServer

LIMIT = 30.0


class Network:
    """All carriers of a test. `cut` holds the pairs of nodes that cannot hear each other."""

    def __init__(self) -> None:
        self.carriers: dict[Address, LoopCarrier] = {}
        self.cut: set[frozenset[str]] = set()
        self.delay: Callable[[], float] = lambda: 0.0005

    def part(self, *sides: Sequence[str]) -> None:
        """Cut every pair of nodes that are on different sides."""
        for side in sides:
            for other in sides:
                if side is not other:
                    self.cut |= {frozenset((one, two)) for one in side for two in other}

    def heal(self) -> None:
        self.cut.clear()


class LoopCarrier:
    """A carrier between VMs on the same loop."""

    def __init__(self, network: Network, card: Card) -> None:
        self.card = card
        self.seeds: Sequence[Address] = ()
        self.told: list[tuple[Any, Any]] = []
        self.dead = False
        self._network = network
        self._receive: Callable[[Any, Any], None] = lambda _message, _sender: None
        network.carriers[card.address] = self

    def attach(self, receive: Callable[[Any, Any], None]) -> None:
        self._receive = receive

    def post(self, address: Address, message: Any) -> None:
        other = self._network.carriers.get(address)
        if other is None or self.dead:
            return
        if frozenset((self.card.name, other.card.name)) in self._network.cut:
            return
        data = pickle.dumps(message)
        loop = asyncio.get_running_loop()
        loop.call_later(self._network.delay(), other.arrive, data)

    def arrive(self, data: bytes) -> None:
        if not self.dead:
            self._receive(pickle.loads(data), None)

    def hello(self, machines: Sequence[Address]) -> None:
        if self.dead:
            return
        cards = tuple(c.card for c in self._network.carriers.values() if not c.dead)
        self._receive(Welcome(self.card.machine, cards), None)

    def tell(self, actor: Any, message: Any) -> None:
        self.told.append((actor, message))

    def is_actor(self, dest: Any) -> bool:
        return isinstance(dest, Actor)


class Actor:
    """Stands for a Thespian address."""


def card(number: int, name: str, *, start: int = 0, machine: str = "m") -> Card:
    return Card(name, start or 1000 + number, machine, ("10.0.0.1", number))


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
