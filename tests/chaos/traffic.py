"""What the nodes of a chaos run say to each other, and what must hold for it.

Each node has a `Witness`, which notes what reaches it and checks it on the spot, and a `Traffic`,
which casts numbers to all other witnesses, calls them, has processes monitored and linked, takes
names and joins groups. `faults()` of both are sentences about what was broken; empty is well.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.cluster.names import NameConflict
from aybiza.actors.runtime import (
    KILL,
    NOCONNECTION,
    NOPROC,
    TIMEOUT,
    VM,
    CallExit,
    Down,
    Exit,
    GenServer,
    NameTaken,
    NodeDown,
    NodeUp,
    Pid,
    RemoteBusy,
)

WITNESS = "witness"
GROUP = "everybody"
NAMES = [f"name-{number}" for number in range(8)]
PAUSE_SECONDS = 0.2
CALL_SECONDS = 5.0
MAX_TARGETS = 20
MAX_FAULTS = 50


class Witness(GenServer):
    """Checks: numbers come once, in order and without a gap within a connection; nodes come and go
    in turn; each monitor and each link fires once."""

    traps_exits = True

    async def init(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.faults: list[str] = []
        self.seen: list[list[Any]] = []
        """[time, "up" or "down", node]"""
        self.received = 0
        self._last: dict[tuple[str, int], int] = {}
        self._monitors: dict[int, int] = {}
        self._links: dict[Pid, int] = {}
        self.vm.monitor_nodes()
        self._up = dict.fromkeys(self.vm.nodes(), True)
        self._fresh = set(self._up)

    async def handle_cast(self, request: Any) -> None:
        node, creation, number = request
        last = self._last.get((node, creation), 0)
        if number <= last:
            self._fault(f"{number} of {node} came after {last}: twice, or out of order")
        elif number != last + 1 and node not in self._fresh:
            self._fault(f"{number} of {node} came after {last} within a connection")
        self._fresh.discard(node)
        self._last[node, creation] = number
        self.received += 1

    async def handle_call(self, request: Any, _from: Any) -> Any:
        match request:
            case ("watch", Pid() as pid):
                self._monitors[self.vm.monitor(pid)] = 0
                self._links[pid] = 0
                self.vm.link(pid)
            case ("watched",):
                fired = [*self._monitors.values(), *self._links.values()]
                return {"watched": len(fired), "waiting": fired.count(0)}
        return request

    async def handle_info(self, message: Any) -> None:
        match message:
            case NodeUp(node):
                self._turn(node, True)
                self._fresh.add(node)
            case NodeDown(node):
                self._turn(node, False)
            case Down(ref=ref):
                self._monitors[ref] = self._monitors.get(ref, 0) + 1
                if self._monitors[ref] != 1:
                    self._fault(f"monitor {ref} fired {self._monitors[ref]} times")
            case Exit(pid=Pid() as pid):
                self._links[pid] = self._links.get(pid, 0) + 1
                if self._links[pid] != 1:
                    self._fault(f"the link to {pid} fired {self._links[pid]} times")

    def _turn(self, node: str, up: bool) -> None:
        if self._up.get(node, False) == up:
            self._fault(f"{node} was told to be {'up' if up else 'down'} twice")
        self._up[node] = up
        self.seen.append([self.clock(), "up" if up else "down", node])

    def _fault(self, text: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(f"{self.vm.node}: {text}")


class Target(GenServer):
    """Is monitored and linked by others."""


class Owner(GenServer):
    """Has a name of the cluster; notes that it was told of a conflict."""

    traps_exits = True

    async def init(self) -> None:
        self.lost = False

    async def handle_info(self, message: Any) -> None:
        conflict = message.reason if isinstance(message, Exit) else message
        if isinstance(conflict, NameConflict) and conflict.loser == self.pid:
            self.lost = True


class Traffic:
    """See the module. `run` goes on until it is cancelled; `paused` says when it may say nothing,
    `resting` when only numbers are cast."""

    def __init__(
        self,
        cluster: Distribution,
        seed: str,
        paused: Callable[[], bool] = lambda: False,
        late_seconds: float = 3.0,
    ) -> None:
        """`late_seconds`: by how much a call may be later than its time limit."""
        self.cluster = cluster
        self.vm: VM = cluster.vm
        self.faults: list[str] = []
        self.counts = {"casts": 0, "calls": 0, "failed": 0, "names": 0, "refused": 0, "watches": 0}
        self.resting = False
        self._dice = random.Random(seed)
        self._paused = paused
        self._late_seconds = late_seconds
        self._numbers: dict[tuple[str, int], int] = {}
        self._targets: list[Pid] = []
        self._owners: dict[Pid, str] = {}
        self._grouped: list[Pid] = []
        self._work: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Talk."""
        try:
            while True:
                if not self._paused():
                    self._cast()
                    if not self.resting:
                        await self._act()
                await asyncio.sleep(PAUSE_SECONDS * (0.5 + self._dice.random()))
        finally:
            for task in self._work:
                task.cancel()

    def rest(self) -> None:
        """End all that is watched, so that each watcher must hear of it."""
        self.resting = True
        for pid in self._targets:
            self.vm.exit(pid, KILL)
        self._targets.clear()

    @property
    def busy(self) -> int:
        """Calls and registrations under way."""
        return len(self._work)

    def held(self) -> dict[str, Pid]:
        """The names whose registration was acknowledged, whose owners live, and were not told of
        a conflict."""
        return {
            name: pid
            for pid, name in self._owners.items()
            if (process := self.vm.find(pid)) is not None and not process.server.lost
        }

    def grouped(self) -> list[Pid]:
        """The processes of this node in the group."""
        return sorted(self._grouped)

    def _cast(self) -> None:
        for member in self.cluster.members():
            if member["state"] != "up":
                continue
            key = member["node"], member["incarnation"]
            number = self._numbers.get(key, 0) + 1
            try:
                self.vm.cast((WITNESS, key[0]), (self.vm.node, self.vm.creation, number))
            except RemoteBusy:
                continue
            self._numbers[key] = number
            self.counts["casts"] += 1

    async def _act(self) -> None:
        nodes = self.vm.nodes()
        match self._dice.randrange(6):
            case 0 | 1 if nodes:
                self._start(self._call(self._dice.choice(nodes)))
            case 2 if nodes:
                await self._be_watched(self._dice.choice(nodes))
            case 3:
                self._start(self._register(self._dice.choice(NAMES)))
            case 4:
                self._give_up()
            case 5:
                await self._group()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault(f"{error!r}")

    async def _call(self, node: str) -> None:
        began, value = self.vm.now(), self._dice.random()
        self.counts["calls"] += 1
        try:
            reply = await self.vm.call((WITNESS, node), value, CALL_SECONDS)
        except CallExit as failure:
            self.counts["failed"] += 1
            if failure.reason not in (NOCONNECTION, NOPROC, TIMEOUT):
                self._fault(f"a call to {node} failed with {failure.reason!r}")
        except RemoteBusy:
            self.counts["failed"] += 1
        else:
            if reply != value:
                self._fault(f"{node} answered {reply!r} to {value!r}")
        limit = CALL_SECONDS + self._late_seconds
        if self.vm.now() - began > limit and not self._paused():
            self._fault(f"a call to {node} took {self.vm.now() - began:.1f} s")

    async def _be_watched(self, node: str) -> None:
        while len(self._targets) >= MAX_TARGETS:
            self.vm.exit(self._targets.pop(0), self._dice.choice([KILL, "bye"]))
        pid = await self.vm.start(Target)
        assert pid is not None
        self._targets.append(pid)
        self.counts["watches"] += 1
        self._start(self._ask_to_watch(node, pid))

    async def _ask_to_watch(self, node: str, pid: Pid) -> None:
        try:
            await self.vm.call((WITNESS, node), ("watch", pid), CALL_SECONDS)
        except (CallExit, RemoteBusy):
            self.counts["failed"] += 1

    async def _register(self, name: str) -> None:
        pid = await self.vm.start(Owner)
        assert pid is not None
        try:
            await self.cluster.register(name, pid)
        except (NameTaken, TimeoutError):
            self.counts["refused"] += 1
            self.vm.exit(pid, KILL)
        else:
            self.counts["names"] += 1
            self._owners[pid] = name

    def _give_up(self) -> None:
        held = [(pid, name) for pid, name in self._owners.items() if self.vm.alive(pid)]
        if not held or self._dice.random() < 0.5:
            return
        pid, name = self._dice.choice(held)
        del self._owners[pid]
        if self._dice.random() < 0.5 and self.cluster.whereis(name) == pid:
            self.cluster.unregister(name)
        self.vm.exit(pid, KILL)

    async def _group(self) -> None:
        self._grouped = [pid for pid in self._grouped if self.vm.alive(pid)]
        if self._grouped and self._dice.random() < 0.5:
            pid = self._grouped.pop(self._dice.randrange(len(self._grouped)))
            if self._dice.random() < 0.5:
                self.cluster.leave_group(GROUP, pid)
            self.vm.exit(pid, KILL)
        elif len(self._grouped) < 5:
            pid_ = await self.vm.start(Target)
            assert pid_ is not None
            self.cluster.join_group(GROUP, pid_)
            self._grouped.append(pid_)

    def _fault(self, text: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(f"{self.vm.node}: {text}")
