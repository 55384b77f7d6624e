"""The network between nodes on one loop: carriers for `Distribution` that can be cut and slowed.

    network = Network()
    vm = VM("one", creation=network.carrier("one").card.incarnation)
    async with vm, Distribution(vm, network.carrier("one")) as cluster: …
    network.part(["one"], ["two", "three"]); network.heal()

What is posted is pickled, so nodes share no object. A message to a node that cannot be reached is
lost, as it is by Thespian.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Sequence
from typing import Any

from aybiza.actors.cluster.carrier import Welcome
from aybiza.actors.cluster.membership import Address, Card

FIRST_INCARNATION = 1001


def card(number: int, name: str, *, start: int = 0, machine: str = "m") -> Card:
    """The card of a node on such a network."""
    return Card(name, start or FIRST_INCARNATION - 1 + number, machine, ("10.0.0.1", number))


class Network:
    """See the module. `cut` holds the pairs of nodes that cannot hear each other; `delay` is how
    long the next message takes, in seconds."""

    def __init__(self) -> None:
        self.carriers: dict[Address, LoopCarrier] = {}
        self.cut: set[frozenset[str]] = set()
        self.delay: Callable[[], float] = lambda: 0.0005

    def carrier(self, name: str) -> LoopCarrier:
        """A new node's carrier."""
        return LoopCarrier(self, card(len(self.carriers) + 1, name))

    def part(self, *sides: Sequence[str]) -> None:
        """Cut every pair of nodes that are on different sides."""
        for side in sides:
            for other in sides:
                if side is not other:
                    self.cut |= {frozenset((one, two)) for one in side for two in other}

    def heal(self) -> None:
        """Everybody hears everybody again."""
        self.cut.clear()


class LoopCarrier:
    """A carrier between VMs on the same loop. `dead`: nothing comes or goes; `frozen`, if it is
    a list, takes what comes meanwhile, and nothing goes."""

    def __init__(self, network: Network, card: Card) -> None:
        self.card = card
        self.seeds: Sequence[Address] = ()
        self.told: list[tuple[Any, Any]] = []
        self.dead = False
        self.frozen: list[bytes] | None = None
        self._network = network
        self._receive: Callable[[Any, Any], None] = lambda _message, _sender: None
        network.carriers[card.address] = self

    def attach(self, receive: Callable[[Any, Any], None]) -> None:
        self._receive = receive

    def post(self, address: Address, message: Any) -> None:
        other = self._network.carriers.get(address)
        if other is None or self.dead or self.frozen is not None:
            return
        if frozenset((self.card.name, other.card.name)) in self._network.cut:
            return
        data = pickle.dumps(message)
        loop = asyncio.get_running_loop()
        loop.call_later(self._network.delay(), other.arrive, data)

    def arrive(self, data: bytes) -> None:
        """A message is there."""
        if self.frozen is not None:
            self.frozen.append(data)
        elif not self.dead:
            self._receive(pickle.loads(data), None)

    def thaw(self) -> None:
        """Take what has come meanwhile."""
        came, self.frozen = self.frozen, None
        for data in came or ():
            self.arrive(data)

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
