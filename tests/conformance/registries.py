"""Runs Registry scenarios: processes that register, look up and die, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from aybiza.actors.runtime import (
    KILL,
    NORMAL,
    VM,
    CallExit,
    From,
    GenServer,
    NameTaken,
    Pid,
    Process,
    Registry,
    StartError,
    Stop,
    Via,
    run_virtual,
)
from aybiza.actors.runtime.registry import Entry
from tests.conformance import puppet
from tests.conformance.kit import Options, Result, Runner, compare, shown
from tests.conformance.puppet import MOMENT, PATIENCE, Puppet

NAME = "registry"


class Named(GenServer):
    """A server that knows the label it has in the scenario."""

    async def init(self, label: str) -> None:
        self.label = label

    async def handle_call(self, request: Any, from_: From) -> str:
        return self.label

    async def handle_cast(self, request: Any) -> None:
        match request:
            case ("exit", why):
                raise Stop(why)


class World:
    """One scenario: a registry and the processes that use it."""

    def __init__(self, vm: VM, registry: Registry) -> None:
        self.vm = vm
        self.registry = vm.registries[NAME] = registry
        self.puppets: dict[str, Puppet] = {}
        self.processes: dict[str, Process] = {}
        self.labels: dict[Pid, str] = {}

    async def do(self, stimulus: Mapping[str, Any]) -> Any:
        """Apply a stimulus; what it returned."""
        fields = {name: puppet.value(each) for name, each in stimulus.items() if name != "op"}
        try:
            answer = getattr(self, f"do_{stimulus['op']}")(**fields)
            if isinstance(answer, Awaitable):
                answer = await answer
        except ValueError:
            answer = ["raise", "ArgumentError"]
        await asyncio.sleep(MOMENT)
        return puppet.term(answer, lambda pid: self.labels[pid])

    # In the name of a process

    async def do_register(self, who: str, key: Any, value: Any) -> Any:
        def register(process: Process) -> Any:
            try:
                self.registry.register(process, key, value)
            except NameTaken as taken:
                return "error", ("already_registered", taken.pid)
            return "ok", NAME

        return await self._by(who, register)

    async def do_unregister(self, who: str, key: Any) -> Any:
        def unregister(process: Process) -> str:
            self.registry.unregister(process, key)
            return "ok"

        return await self._by(who, unregister)

    async def do_unregister_match(self, who: str, key: Any, value: Any) -> Any:
        def unregister(process: Process) -> str:
            self.registry.unregister_match(process, key, value)
            return "ok"

        return await self._by(who, unregister)

    async def do_update_value(self, who: str, key: Any, add: Any) -> Any:
        def update(process: Process) -> Any:
            return self.registry.update_value(process, key, lambda old: old + add) or "error"

        return await self._by(who, update)

    # By anybody

    def do_lookup(self, key: Any) -> Any:
        return self._sorted(self.registry.lookup(key))

    def do_match(self, key: Any, value: Any) -> Any:
        return self._sorted(self.registry.match(key, value))

    def do_count_match(self, key: Any, value: Any) -> int:
        return len(self.registry.match(key, value))

    def do_dispatch(self, key: Any) -> Any:
        calls: list[Any] = []
        self.registry.dispatch(key, lambda entries: calls.append(self._sorted(entries)))
        return "ok", calls

    def do_keys(self, who: str) -> Any:
        process = self.processes.get(who)
        return sorted(self.registry.keys_of(process), key=puppet.order) if process else []

    def do_values(self, who: str, key: Any) -> Any:
        process = self.processes.get(who)
        return sorted(self.registry.values(process, key), key=puppet.order) if process else []

    def do_count(self) -> int:
        return self.registry.count()

    def do_put_meta(self, key: Any, value: Any) -> str:
        self.registry.put_meta(key, value)
        return "ok"

    def do_meta(self, key: Any) -> Any:
        nothing = object()
        value = self.registry.meta(key, nothing)
        return "error" if value is nothing else ("ok", value)

    async def do_start_via(self, who: str, key: Any, value: Any = None) -> Any:
        try:
            pid = await self.vm.start(Named, who, name=Via(NAME, key, value))
        except StartError as error:
            return "error", error.reason
        process = self.vm.find(pid) if pid else None
        if process is not None:
            self._know(who, process)
        return "ok", pid

    def do_whereis(self, key: Any) -> Any:
        return self.vm.whereis(Via(NAME, key))

    async def do_call_via(self, key: Any) -> Any:
        try:
            return await self.vm.call(Via(NAME, key), "who")
        except CallExit as error:
            return "exit", error.reason

    def do_cast_via(self, key: Any) -> str:
        self.vm.cast(Via(NAME, key), "hello")
        return "ok"

    # Ends

    def do_kill(self, who: str) -> str:
        return self._end(who, lambda process: self.vm.exit(process.pid, KILL))

    def do_exit(self, who: str, reason: Any = NORMAL) -> str:
        why = puppet.reason(reason)

        def leave(process: Process) -> None:
            if who in self.puppets:
                self.puppets[who].exit(why)
            else:
                self.vm.cast(process.pid, ("exit", why))

        return self._end(who, leave)

    async def do_stop_server(self, who: str, reason: Any = NORMAL) -> Any:
        process = self.processes.get(who)
        if process is None or not process.alive:
            return "no_process"
        try:
            await self.vm.stop(process.pid, puppet.reason(reason))
        except CallExit as error:
            return "exit", error.reason
        return "ok"

    # Means

    async def _by(self, who: str, act: Any) -> Any:
        if who not in self.processes:
            self.puppets[who] = Puppet(self.vm, who)
            self._know(who, self.puppets[who].process)
        process = self.processes[who]
        if not process.alive:
            return "dead"
        if who not in self.puppets:
            return act(process)
        return await self.puppets[who].do(lambda: act(process))

    def _end(self, who: str, act: Any) -> str:
        process = self.processes.get(who)
        if process is None or not process.alive:
            return "no_process"
        act(process)
        return "ok"

    def _know(self, who: str, process: Process) -> None:
        self.processes[who] = process
        self.labels[process.pid] = who

    def _sorted(self, entries: Iterable[Entry]) -> list[Any]:
        shown = [[self.labels[entry.pid], entry.value] for entry in entries]
        return sorted(shown, key=puppet.order)


async def play(scenario: Mapping[str, Any]) -> list[str]:
    """The differences between what the scenario records and what happens here."""
    async with asyncio.timeout(PATIENCE), VM("n", block_warning_ms=None) as vm:
        world = World(vm, Registry(NAME, scenario["keys"]))
        differences: list[str] = []
        for number, step in enumerate(scenario["steps"], 1):
            title = f"step {number} {shown(step['do'])}: return"
            differences += compare(title, step["return"], await world.do(step["do"]))
        return differences


def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
    """Play every scenario of `file`."""
    for scenario in file["scenarios"]:
        try:
            differences = run_virtual(play(scenario))
        except Exception as error:
            differences = [f"cannot be played: {error!r}"]
        yield Result(scenario["name"], differences)


FORMATS: dict[str, Runner] = {"registry-scenarios/1": run}
