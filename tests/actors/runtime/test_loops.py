"""The same runtime on uvloop and on asyncio's loop."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
import uvloop

from aybiza.actors.runtime import (
    KILL,
    SHUTDOWN,
    TIMEOUT,
    VM,
    CallExit,
    Crashed,
    Down,
    Exit,
    TimedOut,
    current_process,
)
from aybiza.actors.runtime.loops import new_event_loop
from aybiza.actors.runtime.process import INSIST_SECONDS
from aybiza.supervisors import Supervisor, child
from tests.actors.runtime.probe import Probe, forever, started

LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [
    asyncio.new_event_loop,
    uvloop.new_event_loop,
]


def test_a_node_gets_uvloop_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = new_event_loop()
    assert isinstance(loop, uvloop.Loop)
    loop.close()
    monkeypatch.setitem(sys.modules, "uvloop", None)
    loop = new_event_loop()
    assert isinstance(loop, asyncio.SelectorEventLoop)
    loop.close()


async def story() -> list[Any]:
    """Something of everything, and what came of it."""
    told: list[Any] = []

    async with VM("n", block_warning_ms=None) as vm:
        probe = await started(vm, True, name="probe")
        told.append(await vm.call("probe", "seen"))

        async def body() -> None:
            process = current_process.get()
            assert process is not None
            process.trap_exit = True
            vm.link(probe)
            ref = vm.monitor(probe)
            told.append(await process.receive(0.01))
            vm.exit(probe, KILL)
            got = [await process.receive(), await process.receive()]
            told.append([type(message) for message in got])
            told.append(got == [Exit(probe, "killed"), Down(ref, probe, "killed")])

        await vm.join(vm.spawn(body))
        busy = await started(vm)
        try:
            await vm.call(busy, forever, 0.01)
        except CallExit as error:
            told.append(error.reason == TIMEOUT)
        vm.exit(busy, KILL)
        await vm.start(Supervisor, [child(Probe, name="child")], name="top")
        first = vm.whereis("child")
        try:
            await vm.call("child", lambda: 1 // 0)
        except CallExit as error:
            told.append(type(error.reason) is Crashed)
        await asyncio.sleep(0.05)
        told.append(vm.whereis("child") not in (first, None))
        told.append(await vm.run_blocking(sum, (1, 2)))
        vm.send_after("child", "late", 0.01)
        await asyncio.sleep(0.05)
        told.append(await vm.call("child", "seen"))
        await vm.stop("top", SHUTDOWN)
        told.append(vm.alive("child"))
    told.append(vm.processes())
    return told


@pytest.mark.parametrize("factory", LOOPS)
def test_the_runtime_does_the_same_on_both(
    factory: Callable[[], asyncio.AbstractEventLoop], logs: list[MutableMapping[str, Any]]
) -> None:
    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(story()) == [
            [],
            TimedOut(),
            [Exit, Down],
            True,
            True,
            True,
            True,
            3,
            ["late"],
            False,
            [],
        ]


@pytest.mark.parametrize("factory", LOOPS)
def test_what_blocks_the_loop_is_named_on_both(
    factory: Callable[[], asyncio.AbstractEventLoop], logs: list[MutableMapping[str, Any]]
) -> None:
    def block() -> None:
        end = asyncio.get_running_loop().time
        import time

        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            end()

    async def main() -> None:
        async with VM("n", block_warning_ms=50) as vm:
            await vm.call(await started(vm, name="slow"), block)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
    (told,) = [entry for entry in logs if entry["event"] == "loop_blocked"]
    assert told["name"] == "slow"


def hold(seconds: float) -> None:
    """Let nothing else run on the loop."""
    time.sleep(seconds)


@pytest.mark.parametrize("made", LOOPS)
def test_an_interval_goes_on_after_the_loop_was_held_for_longer(made: Any) -> None:
    async def held() -> int:
        async with VM("n", block_warning_ms=None) as vm:
            counter = await started(vm)
            process = vm.find(counter)
            assert process is not None
            ticks = vm.send_interval(counter, "tick", 0.01)
            await asyncio.sleep(0.02)
            hold(0.05)
            await asyncio.sleep(0.02)
            before = process.reductions
            await asyncio.sleep(0.1)
            assert ticks.read() is not None
            return process.reductions - before

    with asyncio.Runner(loop_factory=made) as runner:
        assert runner.run(held()) >= 3


@pytest.mark.parametrize("made", LOOPS)
def test_a_timer_that_is_due_at_once_can_be_read_and_cancelled(made: Any) -> None:
    async def at_once() -> None:
        async with VM("n", block_warning_ms=None) as vm:
            process = await started(vm)
            assert vm.send_after(process, "now", 0).read() == 0.0
            assert vm.send_after(process, "now", 0).cancel() == 0.0

    with asyncio.Runner(loop_factory=made) as runner:
        runner.run(at_once())


@pytest.mark.parametrize("made", LOOPS)
@pytest.mark.parametrize("seconds", [0, 0.0002])
def test_a_time_limit_that_is_over_at_once_holds(made: Any, seconds: float) -> None:
    async def call() -> Any:
        async with VM("n", block_warning_ms=None) as vm, asyncio.timeout(5.0):
            probe = await started(vm)
            for _ in range(2):
                with pytest.raises(CallExit) as failure:
                    await vm.call(probe, forever, seconds)
            vm.exit(probe, KILL)
            return failure.value.reason

    with asyncio.Runner(loop_factory=made) as runner:
        assert runner.run(call()) == TIMEOUT


@pytest.mark.parametrize("factory", LOOPS)
def test_who_has_been_told_to_end_while_the_loop_was_held_is_told_once(
    factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    told: list[int] = []

    async def scenario() -> None:
        async with VM(block_warning_ms=None) as vm:
            pids = [vm.spawn(forever) for _ in range(10)]
            await asyncio.sleep(0.01)
            for pid in pids:
                task = vm.find(pid).task  # type: ignore[union-attr]
                task.add_done_callback(lambda task: told.append(task.cancelling()))  # type: ignore[union-attr]
                vm.exit(pid, KILL)
            hold(2 * INSIST_SECONDS)
            await asyncio.sleep(0.01)
            assert vm.processes() == []

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(scenario())
    assert told == [1] * 10
