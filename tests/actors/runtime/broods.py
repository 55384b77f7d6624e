"""Servers whose start fails in every way, what they start before, and what must hold afterwards."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aybiza.actors.runtime import (
    FUNCTION_CLAUSE,
    IGNORE,
    KILL,
    KILLED,
    NOPROC,
    NORMAL,
    TIMEOUT,
    VM,
    BadReturnValue,
    CallFailed,
    Crashed,
    Exit,
    ExitError,
    GenServer,
    Process,
    Reason,
    Registry,
    Shutdown,
    StartError,
    Stop,
    Task,
    Via,
    current_process,
)
from aybiza.actors.runtime.process import INSIST_TIMES
from aybiza.supervisors import DynamicSupervisor, Supervisor, TaskSupervisor, child
from tests.actors.runtime.probe import Probe, forever

LIMIT = 0.5


@dataclass
class Trouble:
    """How a start fails: what `init` does at its end, and what is told."""

    act: Callable[[GenServer], Awaitable[Any]]
    told: Callable[[Any], bool]


def _raise(make: Callable[[], BaseException]) -> Callable[[GenServer], Awaitable[Any]]:
    async def act(_: GenServer) -> None:
        raise make()

    return act


async def _sleep(_: GenServer) -> None:
    await forever()


async def _ignore(_: GenServer) -> Any:
    return IGNORE


async def _kill(server: GenServer) -> None:
    server.vm.exit(server.pid, KILL)
    await forever()


async def _signal(server: GenServer) -> None:
    server.vm.exit(server.pid, "ordered")
    server.trap_exit(False)
    server.vm.exit(server.pid, "ordered")
    await forever()


async def _call_nobody(server: GenServer) -> None:
    await server.vm.call("nobody", 1)


async def _start_what_fails(server: GenServer) -> None:
    await server.vm.start(Fails, link=True)


async def _nonsense(_: GenServer) -> Any:
    return 42


async def _misunderstand(server: GenServer) -> Any:
    return await GenServer.handle_continue(server, 1)


async def _swallow(_: GenServer) -> Any:
    for _time in range(INSIST_TIMES + 1):
        with contextlib.suppress(asyncio.CancelledError):
            await forever()
    await forever()


def _reason(expected: Any) -> Callable[[Any], bool]:
    def told(outcome: Any) -> bool:
        return isinstance(outcome, StartError) and outcome.reason == expected

    return told


def crashed(kind: type[BaseException]) -> Callable[[Any], bool]:
    def told(outcome: Any) -> bool:
        return (
            isinstance(outcome, StartError)
            and isinstance(outcome.reason, Crashed)
            and type(outcome.reason.exception) is kind
            and outcome.__cause__ is outcome.reason.exception
        )

    return told


TROUBLES: dict[str, Trouble] = {
    "raises": Trouble(_raise(lambda: ValueError("init")), crashed(ValueError)),
    "raises SystemExit": Trouble(_raise(lambda: SystemExit(3)), crashed(SystemExit)),
    "cancels itself": Trouble(_raise(asyncio.CancelledError), crashed(asyncio.CancelledError)),
    "a start in it fails": Trouble(_start_what_fails, crashed(StartError)),
    "stops": Trouble(_raise(lambda: Stop("no")), _reason("no")),
    "stops in order": Trouble(_raise(lambda: Stop(NORMAL)), _reason(NORMAL)),
    "shuts down": Trouble(_raise(lambda: Stop(Shutdown("no"))), _reason(Shutdown("no"))),
    "exits": Trouble(_raise(lambda: ExitError("gone")), _reason("gone")),
    "a call of it fails": Trouble(_call_nobody, _reason(CallFailed(NOPROC, "nobody"))),
    "no clause": Trouble(_misunderstand, _reason(FUNCTION_CLAUSE)),
    "returns nonsense": Trouble(_nonsense, _reason(BadReturnValue(42))),
    "ignores": Trouble(_ignore, lambda outcome: outcome is None),
    "runs out of time": Trouble(_sleep, _reason(TIMEOUT)),
    "does not let itself be cancelled": Trouble(_swallow, _reason(TIMEOUT)),
    "is killed": Trouble(_kill, _reason(KILLED)),
    "is told to end": Trouble(_signal, _reason("ordered")),
}


class Fails(GenServer):
    async def init(self) -> None:
        await start_brood(self.vm, "inner")
        raise ValueError("inner")


class Stubborn(GenServer):
    """Traps exits and takes its time to end."""

    traps_exits = True

    async def terminate(self, reason: Reason) -> None:
        await asyncio.sleep(0.2)
        self.vm.spawn(forever, link=True)
        await asyncio.sleep(0.2)


class Nest(GenServer):
    """Starts a brood `depth` floors deep."""

    async def init(self, label: str, depth: int) -> None:
        await start_brood(self.vm, label, depth)


async def deaf() -> None:
    """A process that traps exits and hears of none."""
    process = current_process.get()
    assert process is not None
    process.trap_exit = True
    await forever()


async def start_brood(vm: VM, label: str, depth: int = 0) -> None:
    """One of each kind, linked to the calling process, under names."""
    await vm.start(Probe, name=f"{label}.worker", link=True)
    await vm.start(Stubborn, name=Via("names", f"{label}.stubborn"), link=True)
    await vm.start(
        Supervisor,
        [child(Probe, name=f"{label}.child"), child(Stubborn, name=f"{label}.trapping")],
        name=f"{label}.supervisor",
        link=True,
    )
    await vm.start(TaskSupervisor, name=f"{label}.tasks", link=True)
    await TaskSupervisor.start_child(vm, f"{label}.tasks", forever)
    vm.spawn(forever, link=True)
    vm.spawn(deaf, link=True)
    Task.start(vm, forever)
    if depth:
        await vm.start(Nest, f"{label}.{depth}", depth - 1, link=True)


class Server(GenServer):
    async def init(self, trouble: Trouble, depth: int) -> Any:
        await start_brood(self.vm, "own", depth)
        return await trouble.act(self)


class Trapping(Server):
    traps_exits = True


class Static(Supervisor):
    async def init(self, trouble: Trouble, depth: int) -> Any:  # type: ignore[override]
        await super().init(
            [
                child(Probe, name="own.worker"),
                child(Stubborn, name="own.stubborn"),
                child(Nest, "own.nest", depth, name="own.nest"),
            ],
            strategy="rest_for_one",
        )
        return await trouble.act(self)


class Dynamic(DynamicSupervisor):
    async def init(self, trouble: Trouble, depth: int) -> Any:  # type: ignore[override]
        await super().init()
        await start_brood(self.vm, "own", depth)
        return await trouble.act(self)


class Nested(Supervisor):
    """Its last child is the one whose start fails."""

    async def init(self, trouble: Trouble, depth: int) -> Any:  # type: ignore[override]
        below: Any = Nested if depth > 1 else Static
        first = child(Probe, name=f"nested.{depth}")
        await super().init([first, child(below, trouble, depth - 1, id="below")])
        return await trouble.act(self)


KINDS: list[type[GenServer]] = [Server, Trapping, Static, Dynamic, Nested]


@dataclass
class Told:
    """What the starter was told, and what there was at that moment."""

    outcomes: list[Any] = field(default_factory=list)
    alive: list[str] = field(default_factory=list)
    names: list[Any] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)


class Starter(GenServer):
    """Starts a server, and keeps what it is told; it must live on."""

    async def init(self, trap: bool) -> None:
        self.trap_exit(trap)
        self.told = Told()

    async def handle_cast(self, start: Callable[[], Awaitable[Any]]) -> None:
        baseline = set(self.vm.processes())
        try:
            self.told.outcomes.append(await start())
        except (StartError, TimeoutError) as error:
            self.told.outcomes.append(error)
        left = [self.vm.find(pid) for pid in self.vm.processes() if pid not in baseline]
        self.told.alive = [str(process) for process in left]
        self.told.names = names_of(self.vm)

    async def handle_info(self, message: Any) -> None:
        self.told.exits.append(message)


def names_of(vm: VM) -> list[Any]:
    """All names that somebody has."""
    found = [vm.find(pid) for pid in vm.processes()]
    return [name for process in found if process for name in process.names or ()]


def nothing_is_left(vm: VM, starter: Process) -> None:
    """The invariant: no orphan, no name, one telling."""
    told = starter.server.told
    assert len(told.outcomes) == 1, told.outcomes
    assert told.alive == [], "alive when the starter was told"
    assert told.names == [], "taken when the starter was told"
    assert told.exits == [], "an exit signal beside the error"
    assert starter.alive, "the starter died of it"
    assert not starter.links
    assert vm.processes() == [starter.pid]
    assert not starter.callers
    assert not vm.registries["names"].count()


async def fail(
    start: Callable[[VM], Awaitable[Any]], trap: bool, seconds: float = 30
) -> tuple[Any, float]:
    async with VM(block_warning_ms=None) as vm:
        vm.registries["names"] = Registry("names")
        pid = await vm.start(Starter, trap)
        starter = vm.find(pid) if pid else None
        assert starter is not None
        vm.cast(starter.pid, lambda: start(vm))
        for _ in range(int(seconds * 10)):
            await asyncio.sleep(0.1)
            if starter.server.told.outcomes:
                break
        took = vm.now()
        await asyncio.sleep(0.1)
        nothing_is_left(vm, starter)
        return starter.server.told.outcomes[0], took
