"""Runs Registry scenarios of the second kind: a registry that is a process, with patterns,
guards, metadata and listeners, in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aybiza.actors.runtime import (
    KILL,
    VM,
    Pid,
    Process,
    Registry,
    StartError,
    UnknownName,
    run_virtual,
)
from aybiza.actors.runtime.registry import Registered, Unregistered
from tests.conformance import puppet, registries
from tests.conformance.kit import Options, Result, Runner, compare, shown
from tests.conformance.match_terms import clause, guard, pattern
from tests.conformance.puppet import MOMENT, PATIENCE
from tests.conformance.registries import NAME

SUPERVISOR = "registry_supervisor"


class World(registries.World):
    """One scenario: a registry that is a process, those that use it and its listeners."""

    def __init__(self, vm: VM, pid: Pid) -> None:
        super().__init__(vm, vm.registries[NAME])
        self.labels[pid] = SUPERVISOR
        self.listeners: dict[str, Process] = {}

    async def do(self, stimulus: Mapping[str, Any]) -> Any:
        fields = {name: each for name, each in stimulus.items() if name != "op"}
        act = getattr(self, f"do_{stimulus['op']}")
        try:
            answer = act(**fields)
            if isinstance(answer, Awaitable):
                answer = await answer
        except (ValueError, TypeError, UnknownName):
            answer = ["raise", "ArgumentError"]
        except RuntimeError:
            answer = ["raise", "RuntimeError"]
        await asyncio.sleep(MOMENT)
        return self._term(answer)

    def heard(self) -> dict[str, list[Any]]:
        """What each listener has got since the last time."""
        told = {}
        for name, process in self.listeners.items():
            if process.mailbox:
                told[name] = [self._message(message) for message in process.mailbox]
                process.discard(lambda _: True)
        return told

    # What this format has more, or otherwise

    def do_lookup(self, key: Any) -> Any:
        return self.registry.lookup(key)

    def do_values(self, who: str, key: Any) -> Any:
        process = self.processes.get(who)
        return self.registry.values(process, key) if process else []

    def do_match(self, key: Any, pattern: Any, guards: Any = ()) -> Any:
        return self._by_text(self.registry.match(key, *_parts(pattern, guards)))

    def do_count_match(self, key: Any, pattern: Any, guards: Any = ()) -> int:
        return self.registry.count_match(key, *_parts(pattern, guards))

    async def do_unregister_match(self, who: str, key: Any, pattern: Any, guards: Any = ()) -> Any:
        def unregister(process: Process) -> str:
            self.registry.unregister_match(process, key, *_parts(pattern, guards))
            return "ok"

        return await self._by(who, unregister)

    async def do_update_value(self, who: str, key: Any, fun: list[Any]) -> Any:
        def update(process: Process) -> Any:
            return self.registry.update_value(process, key, _functions[fun[0]](*fun[1:])) or "error"

        return await self._by(who, update)

    def do_select(self, spec: list[Any]) -> Any:
        return self._by_text(self.registry.select(*(clause(*part) for part in spec)))

    def do_count_select(self, spec: list[Any]) -> int:
        return self.registry.count_select(*(clause(*part) for part in spec))

    def do_dispatch(self, key: Any, **options: Any) -> Any:
        calls: list[Any] = []

        def act(entries: list[Any]) -> None:
            calls.append(self._term(entries))
            if options.get("raise"):
                raise RuntimeError("as the scenario says")

        try:
            self.registry.dispatch(key, act)
        except RuntimeError:
            return ["raise", "RuntimeError"], calls
        return "ok", calls

    def do_delete_meta(self, key: Any) -> str:
        self.registry.delete_meta(key)
        return "ok"

    def do_listen(self, name: str) -> str:
        self.listeners[name] = process = self.vm.spawn_process(_idle, label=name)
        self.vm.register(name, process.pid)
        return "ok"

    def do_unlisten(self, name: str) -> str:
        self.vm.exit(name, KILL)
        del self.listeners[name]
        return "ok"

    async def do_start_again(self, **options: Any) -> Any:
        try:
            pid = await Registry.start_link(self.vm, name=NAME, keys=self.registry.keys, **options)
        except StartError as error:
            return "error", error.reason
        return "ok", pid

    async def do_bad_start(self, options: dict[str, Any]) -> Any:
        return "ok", await Registry.start_link(self.vm, **options)

    # Means

    def _term(self, answer: Any) -> Any:
        return puppet.term(answer, lambda pid: self.labels[pid])

    def _message(self, message: Any) -> Any:
        match message:
            case Registered(_, key, pid, value):
                return self._term(["register", key, pid, value])
            case Unregistered(_, key, pid):
                return self._term(["unregister", key, pid])
        return repr(message)

    def _by_text(self, found: list[Any]) -> list[Any]:
        return sorted(self._term(found), key=lambda each: json.dumps(each, ensure_ascii=False))


def _parts(shape: Any, guards: Any) -> list[Any]:
    return [pattern(shape), *map(guard, guards)]


def _failing(_: Any) -> Any:
    raise RuntimeError("as the scenario says")


_functions: dict[str, Callable[..., Callable[[Any], Any]]] = {
    "add": lambda more: lambda old: old + more,
    "const": lambda value: lambda _: value,
    "append": lambda last: lambda old: [*old, last],
    "raise": lambda: _failing,
}


async def _idle(process: Process) -> None:
    await asyncio.Event().wait()


async def play(case: Mapping[str, Any]) -> list[str]:
    """The differences between what the case records and what happens here."""
    async with asyncio.timeout(PATIENCE), VM("n", block_warning_ms=None) as vm:
        world = World(vm, await Registry.start_link(vm, name=NAME, **case["registry"]))
        differences: list[str] = []
        for number, step in enumerate(case["steps"], 1):
            title = f"step {number} {shown(step['do'])}"
            answer = await world.do(step["do"])
            differences += compare(f"{title}: return", step["return"], answer)
            differences += compare(f"{title}: heard", step.get("heard", {}), world.heard())
        return differences


def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
    """Play every case of `file`."""
    for case in file["cases"]:
        try:
            differences = run_virtual(play(case))
        except Exception as error:
            differences = [f"cannot be played: {error!r}"]
        yield Result(case["name"], differences)


FORMATS: dict[str, Runner] = {"registry-more-cases/1": run}
