"""A call's timers count what the caller hears, and go on where an actor has died."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aybiza.actors.call import across_lines
from aybiza.actors.call.call_timers import VOICE_SECONDS, CallTimers
from aybiza.actors.call.speaker_actor import KEPT_SECONDS
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

    async def init(self, line: Line, ending: bool = False) -> None:
        self.ending = ending
        self.timers = CallTimers(self, line)
        self.came: list[tuple[str, float]] = []

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return request(self.timers) if callable(request) else list(self.came)

    async def handle_info(self, message: Any) -> None:
        if isinstance(message, TimerFired) and self.timers.has_come(
            message.name, all_out=False, ending=self.ending
        ):
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
    cases = [(0.0, 0.3, 3.7), (2.0, 0.3, 1.7), (2.0, 1.5, 1.0), (2.5, 0.0, 1.5), (9.0, 3.0, 1.0)]
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
            await vm.call(pid, start("voice", 4.0))
            await asyncio.sleep(5.0)
            [(name, at)] = await came(vm, pid)
            assert name == "voice" and abs(at - began - voice) < 0.05


def test_phrases_that_are_kept_are_turned_to_before_a_voice_counts_as_lost() -> None:
    assert KEPT_SECONDS < VOICE_SECONDS


@virtual_time
async def test_who_is_back_from_a_lost_line_has_waited_since_before() -> None:
    for waited, voice in ((1.0, 3.0), (2.5, 1.5), (9.0, 1.0)):
        async with VM("test") as vm:
            await asyncio.sleep(20.0)
            began = vm.now()
            across_lines.leave_silent(vm, "CA1", began - waited)
            pid = await vm.start(Holder, Line("CA1", Sink()))
            assert pid is not None
            for name, seconds in (("wait", 30.0), ("voice", 4.0)):
                await vm.call(pid, start(name, seconds))
            await asyncio.sleep(5.0)
            [(name, at)] = await came(vm, pid)
            assert name == "voice" and abs(at - began - voice) < 0.05


@virtual_time
async def test_other_words_that_are_to_be_heard_give_a_voice_no_more_time() -> None:
    async with VM("test") as vm:
        line, began = Line("CA1", Sink()), vm.now()
        pid = await vm.start(Holder, line)
        assert pid is not None
        for _ in range(3):
            await vm.call(pid, start("voice", 1.5))
            await asyncio.sleep(0.7)
        assert [round(at - began, 1) for _, at in await came(vm, pid)] == [1.5]
        line.play(Sentence(1, 1), bytes(BYTES_A_SECOND // 10), vm.now())
        await vm.call(pid, start("voice", 1.5))
        await asyncio.sleep(0.2)
        began = vm.now()
        await vm.call(pid, start("voice", 1.5))
        await asyncio.sleep(2.0)
        assert 1.2 < (await came(vm, pid))[-1][1] - began < 1.6, "something was heard between"


@virtual_time
async def test_nobody_is_left_for_want_of_a_voice_whom_no_carrier_would_bring_back() -> None:
    for returns, ending, names in (
        (True, False, ["voice"]),
        (False, False, []),
        (False, True, ["voice"]),
    ):
        async with VM("test") as vm:
            pid = await vm.start(Holder, Line("CA1", Sink(), returns=returns), ending)
            assert pid is not None
            await vm.call(pid, start("voice", 1.5))
            await asyncio.sleep(2.0)
            assert [name for name, _ in await came(vm, pid)] == names


@virtual_time
async def test_a_line_that_is_lost_leaves_a_silence_where_something_is_owed() -> None:
    async with VM("test") as vm:
        line = Line("CA1", Sink())
        await asyncio.sleep(20.0)
        pid, began = await vm.start(Holder, line), vm.now()
        assert pid is not None

        async def silent() -> float | None:
            await vm.call(pid, lambda timers: timers.leave())
            return across_lines.silent_since(vm, "CA1")

        assert await silent() is None
        line.finished_at = began - 1.0
        await vm.call(pid, start("wait", 30.0))
        assert await silent() == began - 1.0
        line.play(Sentence(1, 1), bytes(BYTES_A_SECOND), began)
        assert await silent() == began, "what plays is cut off now"
        await asyncio.sleep(3.0)
        assert await silent() == began + 1.0
        other = await vm.start(Holder, Line("CA1", Sink()))
        assert other is not None
        assert await vm.call(other, lambda timers: timers._line.silent_since) == began + 1.0


@virtual_time
async def test_who_is_put_through_without_a_word_has_waited_since_they_spoke() -> None:
    async with VM("test") as vm:
        line = Line("CA1", Sink())
        await asyncio.sleep(20.0)
        pid, began = await vm.start(Holder, line), vm.now()
        assert pid is not None
        line.finished_at = began - 2.0
        for goes_on, since in ((False, None), (True, began - 2.0)):
            await vm.call(pid, lambda timers, goes_on=goes_on: timers.leave(goes_on=goes_on))
            assert across_lines.silent_since(vm, "CA1") == since
        line.finished_at = None
        await vm.call(pid, lambda timers: timers.leave(goes_on=True))
        assert across_lines.silent_since(vm, "CA1") == began, "the answer has been heard"


@virtual_time
async def test_whom_no_voice_comes_to_has_heard_nothing_though_nobody_watches_any_more() -> None:
    async with VM("test") as vm:
        pid, began = await vm.start(Holder, Line("CA1", Sink())), vm.now()
        assert pid is not None
        await vm.call(pid, start("voice", 4.0))
        await asyncio.sleep(5.0)
        await vm.call(pid, lambda timers: timers.leave())
        assert across_lines.silent_since(vm, "CA1") == began


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
