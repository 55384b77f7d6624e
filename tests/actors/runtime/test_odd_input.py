"""What nobody should hand to the runtime and somebody does: odd names, limits, errors, reasons."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    NORMAL,
    SHUTDOWN,
    VM,
    CallExit,
    Crashed,
    Down,
    Exit,
    ExitError,
    GenServer,
    Pid,
    Process,
    Reason,
    Registry,
    StartError,
    Stop,
    Task,
    Timeout,
    UnknownName,
    Via,
    current_process,
    virtual_time,
)
from aybiza.actors.runtime.telemetry import PROCESS_STOP
from aybiza.actors.runtime.time_limit import LONGEST_SECONDS, seconds_of
from aybiza.supervisors import Supervisor, child
from tests.actors.runtime.probe import Probe, forever, started


class Odd(BaseException):
    """As libraries derive theirs, which no `except Exception` is to catch."""


class Array:
    """Compares as numpy's arrays do: element by element, without a truth of the whole."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")


class Named(GenServer):
    async def init(self, begun: list[Pid]) -> None:
        begun.append(self.pid)


@pytest.mark.parametrize("link", [True, False])
@pytest.mark.parametrize(
    "name",
    [5, 3.5, b"x", True, ("a", "b", "c"), ("x", "nonode"), Pid("nonode", 999), object()],
    ids=lambda name: type(name).__name__,
)
@virtual_time
async def test_what_is_no_name_starts_nothing(name: Any, link: bool) -> None:
    begun: list[Pid] = []
    async with VM() as vm:
        starter = await started(vm)

        async def start() -> None:
            with pytest.raises(TypeError, match="registered under a string"):
                await vm.start(Named, begun, name=name, link=link)

        await vm.call(starter, start)
        await asyncio.sleep(1)
        assert vm.processes() == [starter]
    assert begun == []


@virtual_time
async def test_a_name_that_its_registry_refuses_starts_nothing() -> None:
    begun: list[Pid] = []
    async with VM() as vm:
        vm.registries["told"] = Registry("told", listeners=["nobody"])
        starter = await started(vm)

        async def start() -> None:
            with pytest.raises(UnknownName):
                await vm.start(Named, begun, name=Via("told", "key"), link=True)

        await vm.call(starter, start)
        assert vm.processes() == [starter]
        assert vm.whereis(Via("told", "key")) is None
        await asyncio.sleep(1)
        assert await vm.call(starter, "seen") == []
    assert begun == []


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [
        (0, 0.0),
        (-3, 0.0),
        (-math.inf, 0.0),
        (2, 2.0),
        (1e300, LONGEST_SECONDS),
        (math.inf, LONGEST_SECONDS),
        (10**400, LONGEST_SECONDS),
    ],
    ids=["none", "below", "least", "usual", "century", "endless", "integer"],
)
def test_every_number_is_a_limit(limit: float, seconds: float) -> None:
    assert seconds_of(limit) == seconds


@virtual_time
async def test_nobody_is_told_to_end_who_has_no_address() -> None:
    async with VM() as vm:
        for dest in (None, 5, object()):
            with pytest.raises(TypeError, match="a destination is a Pid"):
                vm.exit(dest, "reason")  # type: ignore[arg-type]
        for gone in ("nobody", ("nobody", "nonode"), Pid("nonode", 99), Via("none", "key")):
            vm.exit(gone, "reason")


Use = Callable[[VM, Pid, Any], Awaitable[Any]]


async def _receive(vm: VM, _: Pid, limit: Any) -> None:
    process = current_process.get()
    assert process is not None
    await process.receive(limit)


USES: dict[str, Use] = {
    "start": lambda vm, _, limit: vm.start(Probe, timeout=limit),
    "call": lambda vm, pid, limit: vm.call(pid, "seen", limit),
    "stop": lambda vm, pid, limit: vm.stop(pid, NORMAL, limit),
    "join": lambda vm, pid, limit: vm.join(pid, limit),
    "receive": _receive,
    "result": lambda vm, _, limit: Task.async_(vm, asyncio.sleep, 1).result(limit),
}


@pytest.mark.parametrize("limit", [math.nan, True, [1], Array()], ids=["nan", "bool", "list", "eq"])
@pytest.mark.parametrize("use", USES)
@virtual_time
async def test_what_is_no_limit_is_refused_before_anything_is_done(use: str, limit: Any) -> None:
    told: list[Any] = []
    async with VM() as vm:
        target = await started(vm)

        async def body() -> None:
            try:
                await USES[use](vm, target, limit)
            except (TypeError, ValueError) as error:
                told.append(error)

        await vm.join(vm.spawn(body))
        assert len(told) == 1
        # The timers of the loop still come due in their order, and so the task of `result` ends.
        await asyncio.wait_for(asyncio.sleep(2), 3)
        assert vm.processes() == [target]
        assert not vm.find(target).callers  # type: ignore[union-attr]


@virtual_time
async def test_a_server_that_waits_for_no_number_of_seconds_ends_with_an_error() -> None:
    class Waits(Probe):
        async def handle_cast(self, request: Any) -> Any:
            return Timeout(request)

    async with VM() as vm:
        for seconds in (math.nan, "5"):
            pid = await vm.start(Waits)
            assert pid is not None
            vm.cast(pid, seconds)
            reason = await vm.join(pid)
            assert isinstance(reason, Crashed)


@pytest.mark.parametrize(
    "error",
    [Odd(), GeneratorExit(), BaseExceptionGroup("some", [Odd()])],
    ids=["own", "exit", "group"],
)
@pytest.mark.parametrize("where", ["init", "call", "terminate", "process", "task"])
@virtual_time
async def test_whatever_is_raised_is_a_crash_that_everybody_hears_of(
    where: str, error: BaseException
) -> None:
    class Raises(GenServer):
        async def init(self) -> None:
            if where == "init":
                raise error

        async def handle_call(self, request: Any, from_: Any) -> Any:
            raise Stop("over") if where == "terminate" else error

        async def terminate(self, reason: Reason) -> None:
            if where == "terminate":
                raise error

    async def raises() -> None:
        await asyncio.sleep(1)
        raise error

    async with VM() as vm:
        watcher = await started(vm, trap=True)

        async def begin() -> Pid | None:
            if where == "process":
                pid = vm.spawn(raises, link=True)
            elif where == "task":
                pid = Task.start(vm, raises).pid
            else:
                pid = await vm.start(Raises, link=True)  # type: ignore[assignment]
            vm.monitor(pid)
            return pid

        if where == "init":
            with pytest.raises(StartError) as refused:
                await vm.start(Raises)
            assert refused.value.reason == Crashed(error)
        else:
            pid = await vm.call(watcher, begin)
            if where in ("call", "terminate"):
                with pytest.raises(CallExit) as failed:
                    await vm.call(pid, "now")
                assert failed.value.reason == Crashed(error)
            await asyncio.sleep(2)
            exit, down = await vm.call(watcher, "seen")
            assert (exit, down.pid, down.reason) == (
                Exit(pid, Crashed(error)),
                pid,
                Crashed(error),
            )
        assert vm.processes() == [watcher]


@virtual_time
async def test_nothing_that_is_raised_by_who_is_told_of_an_end_keeps_others_from_it() -> None:
    def raises(*_: Any) -> None:
        raise Odd

    async with VM() as vm:
        vm.observers.append(raises)
        vm.telemetry.attach("odd", PROCESS_STOP, raises)
        watcher, watched = await started(vm), await started(vm)
        ref = await vm.call(watcher, lambda: vm.monitor(watched))
        vm.exit(watched, "gone")
        await asyncio.sleep(1)
        assert await vm.call(watcher, "seen") == [Down(ref, watched, "gone")]
        vm.observers.clear()


def test_an_interrupt_is_the_whole_programs_and_the_others_hear_of_the_end_too() -> None:
    ended: list[tuple[str, Reason]] = []

    def note(process: Process, reason: Reason) -> None:
        ended.append((process.label, reason))

    async def interrupted() -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        async with VM() as vm:
            vm.observers.append(note)
            vm.spawn(interrupted)
            await forever()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert [label.rpartition(".")[2] for label, _ in ended] == ["interrupted"]


@virtual_time
async def test_a_supervisor_ends_all_children_though_a_reason_cannot_be_compared() -> None:
    class Ends(Probe):
        traps_exits = True

        async def terminate(self, reason: Reason) -> None:
            raise ExitError(Array())

    async with VM() as vm:
        specs = [
            child(Probe, name="a"),
            child(Ends, id="b", name="b"),
            child(Probe, id=3, name="c"),
        ]
        supervisor = await vm.start(Supervisor, specs)
        assert supervisor is not None
        await vm.stop(supervisor, SHUTDOWN)
        assert vm.processes() == []
        # Who stops such a one is told what it really ended with.
        await vm.start(Ends, name="b")
        with pytest.raises(CallExit) as failed:
            await vm.stop("b", SHUTDOWN)
        assert type(failed.value.reason) is Array


@pytest.mark.parametrize(
    ("dest", "shown"),
    [
        ("name", ("name", "nonode")),
        (("name", "nonode"), ("name", "nonode")),
        (Via("names", "key"), Via("names", "key")),
    ],
)
@pytest.mark.parametrize("alive", [True, False])
@virtual_time
async def test_who_monitors_by_a_name_is_told_of_that_name(
    dest: Any, shown: Any, alive: bool
) -> None:
    async with VM() as vm:
        vm.registries["names"] = Registry("names")
        watcher = await started(vm)
        if alive:
            await started(vm, name=dest if isinstance(dest, Via) else "name")
        ref = await vm.call(watcher, lambda: vm.monitor(dest))
        vm.exit(dest, KILL)
        await asyncio.sleep(1)
        reason = "killed" if alive else "noproc"
        assert await vm.call(watcher, "seen") == [Down(ref, shown, reason)]
