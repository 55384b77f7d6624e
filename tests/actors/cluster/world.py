"""A cluster whose network, nodes and messages a test breaks in every way, on one virtual clock.

What can be done to it is in `deeds.py`, what must hold for everybody in `ledger.py`.
`tests.chaos.machine` runs it by command, `test_cluster_machine.py` under hypothesis, which
shrinks what it finds.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable, Coroutine, MutableMapping
from contextlib import AsyncExitStack, suppress
from typing import Any

import structlog

from aybiza.actors.cluster import link, signals
from aybiza.actors.cluster.carrier import Gone, Unreachable
from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.cluster.membership import Address, Card
from aybiza.actors.runtime import (
    KILL,
    NO_REPLY,
    VM,
    GenServer,
    Pid,
    Process,
    Registry,
    RemoteBusy,
    reply,
)
from aybiza.actors.runtime.clock import VirtualTimeLoop
from aybiza.actors.runtime.process import current_process
from aybiza.supervisors import TaskSupervisor
from tests.actors.cluster.kit import LoopCarrier, Network, travelled
from tests.actors.cluster.ledger import Ledger

NODES = ("n0", "n1", "n2")
PLAYERS = 3
NAMES = ("x", "y", "z")
GROUPS = ("g", "h")
TASKS = "tasks"
CALL_SECONDS = 60.0
SETTLE_SECONDS = 14.0
QUEUE_ITEMS = 60
MAX_BYTES = 20_000


class Unreadable:
    """Pickles, and cannot be read on the other side."""

    def __reduce__(self) -> Any:
        return _missing, ()


class UnreadableSoon:
    """Can be read where it was made, and nowhere after that: a class of a newer version."""

    def __init__(self) -> None:
        self.key = object()

    def __reduce__(self) -> Any:
        return _once, (id(self),)


_read: set[int] = set()


def _missing() -> Any:
    raise ImportError("this node has no such class")


def _once(key: int) -> Any:
    if key in _read:
        raise ImportError("this node has no such class")
    _read.add(key)
    return "fine"


class WildCarrier(LoopCarrier):
    """Loses, repeats, delays and holds back what the test says."""

    def __init__(self, network: WildNetwork, card: Card) -> None:
        super().__init__(network, card)
        self.wild = network
        self.held: list[Callable[[], None]] | None = None

    def post(self, address: Address, message: Any) -> None:
        if self.held is not None:
            self.held.append(lambda: self.post(address, message))
            return
        message = travelled(message)
        other = self.wild.carriers.get(address)
        if other is None or other.dead:
            if not self.dead and self.wild.dice.random() < 0.5:
                asyncio.get_running_loop().call_soon(self._receive, Unreachable(address), address)
            return
        fate = self.wild.fate.get((self.card.name, other.card.name))
        if fate:
            kind = fate.pop()
            if kind == "lose":
                return
            super().post(address, message)
        super().post(address, message)

    def arrive(self, data: bytes) -> None:
        if self.held is not None:
            self.held.append(lambda: self.arrive(data))
        else:
            super().arrive(data)


class WildNetwork(Network):
    """See `WildCarrier`. `fate` has what becomes of the next letters between two nodes."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice = dice
        self.fate: dict[tuple[str, str], list[str]] = {}


class Player(GenServer):
    """Does what the test says, and shows the ledger all it gets."""

    traps_exits = True

    async def init(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.vm.monitor_nodes()
        for node in self.vm.nodes():
            ledger.up[self.pid, node] = True

    async def handle_call(self, request: Any, from_: Any) -> Any:
        match request:
            case ("never",):
                return NO_REPLY
            case ("delegate", dest, value):
                with suppress(RemoteBusy):
                    self.vm.cast(dest, ("answer", from_, value))
                return NO_REPLY
        return request

    async def handle_cast(self, request: Any) -> None:
        match request:
            case ("answer", from_, value):
                reply(from_, ("delegate", value))
            case _:
                self.ledger.got(self.pid, request)

    async def handle_info(self, message: Any) -> None:
        self.ledger.got(self.pid, message)


class Node:
    """One node, with its players."""

    def __init__(self, world: World, card: Card) -> None:
        self.card = card
        self.world = world
        self.carrier = WildCarrier(world.network, card)
        self.stack = AsyncExitStack()
        self.players: list[Pid] = []

    async def start(self) -> None:
        vm = VM(self.card.name, creation=self.card.incarnation, block_warning_ms=None)
        self.vm = await self.stack.enter_async_context(vm)
        self.vm.registries["topics"] = Registry("topics", "duplicate")
        self.cluster = await self.stack.enter_async_context(Distribution(vm, self.carrier))
        tick = self.cluster._members.tick
        self.cluster._members.tick = (  # type: ignore[method-assign]
            lambda now: iter(()) if self.frozen else tick(now)
        )
        vm.observers.append(lambda process, _: self.world.ledger.died(process.pid))
        await vm.start(TaskSupervisor, name=TASKS)
        for _ in range(PLAYERS):
            await self.play()

    async def play(self) -> None:
        pid = await self.vm.start(Player, self.world.ledger)
        assert pid is not None
        self.world.ledger.born(pid)
        self.players.append(pid)

    @property
    def frozen(self) -> bool:
        return self.carrier.held is not None

    def process(self, index: int) -> Process:
        """A living player."""
        found = self.vm.find(self.players[index % len(self.players)])
        assert found is not None
        return found

    def thaw(self) -> None:
        held, self.carrier.held = self.carrier.held or [], None
        for act in held:
            act()


def inside(process: Process, function: Callable[..., Any], *arguments: Any) -> Any:
    """Run a function as a process would."""
    context = contextvars.copy_context()
    context.run(current_process.set, process)
    return context.run(function, *arguments)


class World:
    """See the module. Raises `Broken` at the step that shows a fault."""

    def __init__(self, seed: int = 0, say: Callable[[str], None] = lambda _: None) -> None:
        self.loop = VirtualTimeLoop()
        self.dice = random.Random(seed)
        self.network = WildNetwork(self.dice)
        self.ledger = Ledger(self.loop.time)
        self.nodes: dict[str, Node] = {}
        self.steps = 0
        self.say = say
        self._incarnation = 1000
        self._tasks: set[asyncio.Task[None]] = set()
        self._limits = link.QUEUE_ITEMS, signals.MAX_BYTES
        link.QUEUE_ITEMS, signals.MAX_BYTES = QUEUE_ITEMS, MAX_BYTES
        _read.clear()
        structlog.configure(processors=[self._logged], wrapper_class=structlog.BoundLogger)
        self.loop.set_exception_handler(self._failed)
        self.run(self._start_all())
        self.run(self._settle())

    # Running it

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something to its end on the world's loop."""
        self.loop.run_until_complete(work)
        self.ledger.check()

    def step(self, text: str, work: Coroutine[Any, Any, None]) -> None:
        """Do one thing, then check."""
        self.steps += 1
        self.say(f"{self.loop.time():9.3f} {text}")
        self.run(work)
        self.ledger.always(self.nodes.values())
        self.ledger.check()

    def close(self) -> None:
        """End it; raises nothing that is not a fault of the cluster."""
        try:
            self.run(self._close())
        finally:
            link.QUEUE_ITEMS, signals.MAX_BYTES = self._limits
            structlog.reset_defaults()
            self.loop.close()

    async def _close(self) -> None:
        for node in list(self.nodes.values()):
            await node.stack.aclose()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _logged(self, _logger: Any, _level: str, event: MutableMapping[str, Any]) -> str:
        self.ledger.logged(event)
        raise structlog.DropEvent

    def _failed(self, _loop: Any, context: dict[str, Any]) -> None:
        self.ledger.fault(f"{context['message']}: {context.get('exception')!r}")

    def task(self, work: Coroutine[Any, Any, None], process: Process | None = None) -> None:
        """Run something in the name of a process."""
        context = contextvars.copy_context()
        if process is not None:
            context.run(current_process.set, process)
        task = self.loop.create_task(work, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Nodes

    async def _start_all(self) -> None:
        for name in NODES:
            await self.start(name)

    async def start(self, name: str) -> None:
        """A new incarnation of a node."""
        self._incarnation += 1
        node = Node(self, Card(name, self._incarnation, "m", ("10.0.0.1", self._incarnation)))
        await node.start()
        self.nodes[name] = node

    async def kill(self, name: str, *, orderly: bool, seen: bool) -> None:
        """End a node, with or without its farewell."""
        node = self.nodes.pop(name)
        node.thaw()
        self.ledger.node_ended(name)
        if not orderly:
            node.carrier.dead = True
        await node.stack.aclose()
        node.carrier.dead = True
        self.network.carriers.pop(node.card.address, None)
        if seen:
            for other in self.nodes.values():
                if not other.frozen:
                    other.carrier._receive(Gone(node.card), None)

    def node(self, number: int) -> Node | None:
        """The node of this number, if it runs."""
        return self.nodes.get(NODES[number % len(NODES)])

    def pids(self) -> list[Pid]:
        """All players that live."""
        return [pid for node in self.nodes.values() for pid in node.players]

    async def _settle(self) -> None:
        """All is well for a while; then everything that must hold is looked at."""
        self.network.heal()
        self.network.fate.clear()
        self.network.delay = lambda: 0.0005
        for node in self.nodes.values():
            if node.frozen:
                node.thaw()
        for name in NODES:
            if name not in self.nodes:
                await self.start(name)
        await asyncio.sleep(SETTLE_SECONDS)
        self.ledger.settled(list(self.nodes.values()))

    def settle(self) -> None:
        """Heal, wait and check."""
        self.run(self._settle())

    def finish(self) -> None:
        """Settle, end all players, and see that each end is told and nothing is left."""
        self.settle()
        self.run(self._end_players())

    async def _end_players(self) -> None:
        for node in self.nodes.values():
            for pid in node.players:
                node.vm.exit(pid, KILL)
                await asyncio.sleep(0.05)
            node.players.clear()
            for pid in node.vm.processes():
                process = node.vm.find(pid)
                if process is not None and process.label.startswith("Task "):
                    node.vm.exit(pid, KILL)
        await asyncio.sleep(SETTLE_SECONDS)
        self.ledger.empty(list(self.nodes.values()))
