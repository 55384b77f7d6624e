"""`Shared`: the names and groups of a cluster, for the processes of one VM.

Errors: `NameTaken`; `CallExit(NOPROC)` for a process that is not of this node; `TimeoutError`;
`ValueError` for a name or group of more than `NAME_BYTES`.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import structlog

from aybiza.actors.cluster import groups, names, signals
from aybiza.actors.runtime.errors import CallExit, NameTaken
from aybiza.actors.runtime.messages import System
from aybiza.actors.runtime.pid import Dest, Pid, Via
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import NOPROC
from aybiza.actors.runtime.vm import VM

CLUSTER = "cluster"
"""The registry of `Via` names that are unique in the cluster; a server may be started under one."""
REGISTER_SECONDS = 5.0
ROOM_SECONDS = 0.02
"""Between two looks whether there is room for a claim."""
NAME_BYTES = 4096
"""Longest name or group."""

log = structlog.get_logger(__name__)


class Shared:
    """See the module. `names` and `groups` may be read; `say` sends a signal to a node, `busy`
    names a node for which too much waits already."""

    def __init__(
        self, vm: VM, say: Callable[[str, Any], bool], busy: Callable[[], str | None]
    ) -> None:
        self.names = names.NameTable(vm.node)
        self.groups = groups.GroupTable(vm.node)
        self._vm = vm
        self._say = say
        self._busy = busy
        self._registering: dict[Hashable, tuple[Pid, asyncio.Future[None]]] = {}

    def statistics(self) -> dict[str, int]:
        """How many names there are in the cluster, groups, and registrations under way."""
        return {
            "names": sum(self.names.counts().values()),
            "groups": len(self.groups.groups()),
            "registering": len(self._registering),
        }

    async def register(
        self, name: Hashable, dest: Dest | None = None, timeout: float = REGISTER_SECONDS
    ) -> None:
        """Give the process at `dest` (the calling one) a name that is unique in the cluster.

        Returns when every node that can be reached knows it. Raises `NameTaken`, and `CallExit`
        with `NOPROC` for a process that is not of this node or has ended meanwhile, or
        `TimeoutError`, `ValueError` for a name that is too long and what pickling the name raises.
        While too much waits for a node, it waits for room there.
        """
        pid = self._own(dest)
        _checked(name)
        until = self._vm.now() + timeout
        while self._busy() is not None:
            if self._vm.now() >= until:
                raise TimeoutError
            await asyncio.sleep(ROOM_SECONDS)
        if not self._vm.alive(pid):
            raise CallExit(NOPROC, pid)
        if (pending := self.names.find(name)) is not None:
            raise NameTaken(name, pending)
        granted: asyncio.Future[None] = self._vm.loop.create_future()
        self._registering[name] = (pid, granted)
        try:
            async with asyncio.timeout_at(until):
                self._carry_out(self.names.register(name, pid, time.time_ns()))
                await granted
        except BaseException:
            if not granted.done() or granted.cancelled():
                self._carry_out(self.names.release(name, pid))
            raise
        finally:
            if self._registering.get(name) == (pid, granted):
                del self._registering[name]

    async def claim(self, name: Via, process: Process) -> None:
        """`register` for a server that is being started under this name, which it keeps for life:
        should it lose the name after a partition, it ends, also when it traps exits."""
        await self.register(name.key, process.pid)
        self._vm.own(process, CLUSTER, name.key)

    def unregister(self, name: Hashable) -> None:
        """Free a name that a process of this node has."""
        pid = self.names.find(name)
        if pid is not None and pid.node == self._vm.node:
            self._carry_out(self.names.release(name, pid))

    def owner(self, dest: Any) -> Pid | None:
        """Who has the name that `Via(CLUSTER, name)` stands for."""
        return self.names.find(dest.key) if type(dest) is Via and dest.registry == CLUSTER else None

    def join_group(self, group: Hashable, dest: Dest | None = None) -> None:
        """`pg:join`: put a process of this node (the calling one) into a group."""
        pid = self._own(dest)
        _checked(group)
        self._tell_groups(self.groups.join(group, pid))

    def leave_group(self, group: Hashable, dest: Dest | None = None) -> None:
        """`pg:leave`."""
        self._tell_groups(self.groups.leave(group, self._own(dest)))

    def shared_with(self, node: str) -> Iterator[Any]:
        """A node has come up: the signals that tell it all that there is now, made one by one."""
        names_, groups_ = self.names.node_up(node), self.groups.node_up(node)
        return itertools.chain(
            (signals.ForNames(message) for _, message in names_),
            (signals.ForGroups(message) for _, message in groups_),
        )

    def parted_from(self, node: str) -> None:
        """A node has gone down."""
        self._carry_out(self.names.node_down(node))
        self.groups.node_down(node)

    def take_names(self, node: str, message: names.Message) -> None:
        """What a node says about its names."""
        self._carry_out(self.names.receive(node, message))

    def process_ended(self, pid: Pid) -> None:
        """A process of this VM has ended: its names and memberships go."""
        for name in self.names.held(pid):
            if self._registering.get(name, (None,))[0] == pid:
                self._registered(name, CallExit(NOPROC, pid))
        self._tell_groups(self.groups.ended(pid))
        self._carry_out(self.names.ended(pid))

    def _carry_out(self, commands: Iterable[names.Command]) -> None:
        for command in list(commands):
            match command:
                case names.Tell(node, message):
                    self._say(node, signals.ForNames(message))
                case names.Granted(name, _):
                    self._registered(name, None)
                case names.Refused(name, _, owner):
                    self._registered(name, NameTaken(name, owner))
                case names.Settled(conflict):
                    self._settle(conflict)

    def _registered(self, name: Hashable, error: Exception | None) -> None:
        _, waiting = self._registering.pop(name, (None, None))
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)

    def _settle(self, conflict: names.NameConflict) -> None:
        log.warning(
            "name_conflict",
            name=str(conflict.name),
            winner=str(conflict.winner),
            loser=str(conflict.loser),
        )
        loser = self._vm.find(conflict.loser) if conflict.loser.node == self._vm.node else None
        if (
            loser is not None
            and loser.trap_exit
            and (CLUSTER, conflict.name) in (loser.names or ())
        ):
            loser.deliver(System(None, None, "terminate", conflict))
        elif loser is not None:
            loser.signal(conflict.winner, conflict)
        elif conflict.winner.node == self._vm.node:
            self._vm.send(conflict.winner, conflict)

    def _tell_groups(self, messages: Iterable[tuple[str, groups.Message]]) -> None:
        for node, message in list(messages):
            self._say(node, signals.ForGroups(message))

    def _own(self, dest: Dest | None) -> Pid:
        pid = self._vm.self() if dest is None else self._vm.whereis(dest)
        if pid is None:
            raise CallExit(NOPROC, dest)
        return pid


def _checked(name: Hashable) -> None:
    hash(name)
    if (length := len(signals.packed(name))) > NAME_BYTES:
        raise ValueError(f"a name of {length} bytes is too long: at most {NAME_BYTES}")
