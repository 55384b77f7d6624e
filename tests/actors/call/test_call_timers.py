"""A call's timers count what the caller hears, and go on where an actor has died."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aybiza.actors.call.call_timers import CallTimers
from aybiza.actors.runtime import VM, GenServer, Pid, virtual_time
from aybiza.dialogue.events import StartTimer, StopTimer, TimerFired
from aybiza.speech.line import Line
from aybiza.speech.playout import BYTES_A_SECOND, Sentence


class Sink:
    def media(self, mulaw: bytes) -> None: ...
    def mark(self, name: str) -> None: ...
    def clear(self) -> None: ...


class Holder(GenServer):
    """Has timers on a line, and keeps when which of them had come."""

    async def init(self, line: Line) -> None:
        self.timers = CallTimers(self, line)
        self.came: list[tuple[str, float]] = []

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return request(self.timers) if callable(request) else list(self.came)

    async def handle_info(self, message: Any) -> None:
        if isinstance(message, TimerFired) and self.timers.has_come(message.name, all_out=False):
            self.came.append((message.name, round(self.vm.now(), 2)))


async def came(vm: VM, pid: Pid | None) -> list[tuple[str, float]]:
    assert pid is not None
    return cast(list[tuple[str, float]], await vm.call(pid, "came"))


def start(name: Any, seconds: float, *, resuming: bool = False) -> Any:
    def begin(timers: CallTimers) -> None:
        timers.resuming = resuming
        timers.start(StartTimer(name, seconds))

    return begin


@virtual_time
async def test_what_plays_holds_the_wait_up_and_tells_that_there_is_a_voice() -> None:
    async with VM("test") as vm:
        line, began = Line("CA1", Sink()), vm.now()
        pid = await vm.start(Holder, line)
        assert pid is not None
        for name, seconds in (("wait", 2.0), ("voice", 1.5)):
            await vm.call(pid, start(name, seconds))
        await asyncio.sleep(1.0)
        line.play(Sentence(1, 1), bytes(2 * BYTES_A_SECOND), vm.now())
        await asyncio.sleep(10.0)
        [(name, at)] = await came(vm, pid)
        assert name == "wait" and abs(at - began - 5.0) < 0.05


@virtual_time
async def test_where_nothing_plays_both_come() -> None:
    async with VM("test") as vm:
        pid = await vm.start(Holder, Line("CA1", Sink()))
        assert pid is not None
        for name, seconds in (("wait", 2.0), ("voice", 1.5)):
            await vm.call(pid, start(name, seconds))
        await asyncio.sleep(3.0)
        assert [name for name, _ in await came(vm, pid)] == ["voice", "wait"]


@virtual_time
async def test_an_actor_that_takes_a_call_up_goes_on_with_its_silence() -> None:
    async with VM("test") as vm:
        line, began = Line("CA1", Sink()), vm.now()
        first = await vm.start(Holder, line)
        assert first is not None
        await vm.call(first, start("silence", 30.0))
        await asyncio.sleep(20.0)
        await vm.stop(first)
        second = await vm.start(Holder, line)
        assert second is not None
        await vm.call(second, start("silence", 30.0, resuming=True))
        await asyncio.sleep(11.0)
        [(_, at)] = await came(vm, second)
        assert abs(at - began - 30.0) < 0.05


@virtual_time
async def test_a_timer_goes_on_for_as_long_as_it_was_started_for() -> None:
    async with VM("test") as vm:
        line = Line("CA1", Sink())
        first = await vm.start(Holder, line)
        assert first is not None
        await vm.call(first, start("wait", 0.5))
        await vm.stop(first)
        second = await vm.start(Holder, line)
        assert second is not None
        await vm.call(second, start("wait", 2.0, resuming=True))
        await asyncio.sleep(1.0)
        assert [name for name, _ in await came(vm, second)] == ["wait"]


@virtual_time
async def test_an_actor_that_takes_a_call_up_knows_that_a_voice_is_waited_for() -> None:
    async with VM("test") as vm:
        line, began = Line("CA1", Sink()), vm.now()
        for _ in range(3):
            pid = await vm.start(Holder, line)
            assert pid is not None
            if not line.running:
                await vm.call(pid, start("voice", 1.5))
            await asyncio.sleep(0.4)
            await vm.stop(pid)
        last = await vm.start(Holder, line)
        await asyncio.sleep(2.0)
        [(name, at)] = await came(vm, last)
        assert name == "voice" and abs(at - began - 1.5) < 0.05 and line.running == {}


@virtual_time
async def test_a_voice_has_the_less_time_the_longer_the_caller_has_waited() -> None:
    cases = [(0.0, 0.3, 1.5), (2.0, 0.3, 1.5), (2.0, 1.5, 0.5), (3.0, 0.0, 1.0), (9.0, 3.0, 0.5)]
    for waited, spoke_before, voice in cases:
        async with VM("test") as vm:
            line = Line("CA1", Sink())
            await asyncio.sleep(20.0)
            pid = await vm.start(Holder, line)
            assert pid is not None
            line.finished_at = vm.now() - spoke_before
            await vm.call(pid, start("wait", 30.0))
            await asyncio.sleep(waited)
            began = vm.now()
            await vm.call(pid, start("voice", 1.5))
            await asyncio.sleep(2.0)
            [(name, at)] = await came(vm, pid)
            assert name == "voice" and abs(at - began - voice) < 0.05


@virtual_time
async def test_a_timer_that_is_stopped_is_forgotten() -> None:
    async with VM("test") as vm:
        line = Line("CA1", Sink())
        pid = await vm.start(Holder, line)
        assert pid is not None
        await vm.call(pid, start("silence", 3.0))
        await vm.call(pid, lambda timers: timers.stop(StopTimer("silence")))
        await asyncio.sleep(5.0)
        assert await came(vm, pid) == [] and line.running == {}
