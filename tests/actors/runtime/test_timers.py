"""Timers."""

from __future__ import annotations

import asyncio
import gc
import math
import weakref

import pytest

from aybiza.actors.runtime import KILLED, VM, GenServer, Pid, Timer, TimerElapsed, virtual_time


class Bell(GenServer):
    async def init(self) -> None:
        self.rings: list[tuple[float, str]] = []

    async def handle_info(self, message: str) -> None:
        self.rings.append((self.vm.now(), message))

    async def handle_call(self, request: object, from_: object) -> list[tuple[float, str]]:
        return self.rings

    async def handle_cast(self, request: tuple[str, float]) -> None:
        self.send_after(*request)


@virtual_time
async def test_a_message_is_sent_after_its_time_and_not_before() -> None:
    async with VM() as vm:
        pid = await vm.start(Bell)
        assert pid is not None
        timer = vm.send_after(pid, "ring", 60)
        await asyncio.sleep(59)
        assert not timer.fired
        assert await vm.call(pid, "rings") == []
        await asyncio.sleep(2)
        assert timer.fired
        assert await vm.call(pid, "rings") == [(pytest.approx(60), "ring")]


@virtual_time
async def test_cancelling_tells_the_time_left_and_stops_the_message() -> None:
    async with VM() as vm:
        pid = await vm.start(Bell)
        assert pid is not None
        timer = vm.send_after(pid, "ring", 60)
        await asyncio.sleep(20)
        assert timer.cancel() == pytest.approx(40)
        assert timer.cancel() is None
        await asyncio.sleep(100)
        assert await vm.call(pid, "rings") == []


@virtual_time
async def test_a_timer_that_has_fired_has_no_time_left() -> None:
    async with VM() as vm:
        pid = await vm.start(Bell)
        assert pid is not None
        timer = vm.send_after(pid, "ring", 1)
        await asyncio.sleep(2)
        assert timer.cancel() is None
        assert len(await vm.call(pid, "rings")) == 1


@pytest.mark.parametrize("seconds", [-5, -0.001, math.nan, math.inf])
def test_a_time_that_cannot_be_is_refused(seconds: float) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            for start in (vm.send_after, vm.start_timer, vm.send_interval, vm.exit_after):
                with pytest.raises(ValueError, match="cannot run for"):
                    start("bell", "ring", seconds)
            with pytest.raises(ValueError, match="cannot run for"):
                vm.kill_after("bell", seconds)
            with pytest.raises(TypeError, match="a number of seconds"):
                vm.send_after("bell", "ring", "soon")  # type: ignore[arg-type]

    scenario()


@virtual_time
async def test_no_interval_is_so_short_that_nothing_else_would_run() -> None:
    async with VM() as vm:
        with pytest.raises(ValueError, match="cannot run for"):
            vm.send_interval("bell", "ring", 0)


@virtual_time
async def test_a_running_timer_can_be_read() -> None:
    async with VM() as vm:
        timer = vm.send_after("bell", "ring", 60)
        await asyncio.sleep(20)
        assert timer.read() == pytest.approx(40)
        assert timer.cancel() == pytest.approx(40)
        assert timer.read() is None


@virtual_time
async def test_a_started_timer_names_itself_in_its_message() -> None:
    async with VM() as vm:
        pid = await vm.start(Bell)
        assert pid is not None
        one, two = vm.start_timer(pid, "ring", 2), vm.start_timer(pid, "ring", 1)
        await asyncio.sleep(3)
        assert [message for _, message in await vm.call(pid, "rings")] == [
            TimerElapsed(two.ref, "ring"),
            TimerElapsed(one.ref, "ring"),
        ]


@virtual_time
async def test_a_timer_for_a_process_ends_with_it_and_one_for_a_name_does_not() -> None:
    async with VM() as vm:
        pid = await vm.start(Bell, name="bell")
        assert pid is not None
        timers = [vm.send_after(pid, "ring", 60), vm.send_interval(pid, "ring", 7)]
        named = vm.send_after("bell", "ring", 60)
        assert len(vm.tied) == 2
        await vm.stop(pid)
        assert [timer.read() for timer in timers] == [None, None]
        assert len(vm.tied) == 0
        assert named.read() is not None
        assert vm.send_after(pid, "ring", 60).read() is None


@virtual_time
async def test_a_timer_that_is_over_holds_nothing() -> None:
    class Message:
        pass

    async with VM() as vm:
        dead = await vm.start(Bell)
        assert dead is not None
        message, cancelled = Message(), Message()
        held = [weakref.ref(message), weakref.ref(cancelled)]
        vm.send_after(dead, message, 3600)
        vm.send_after("bell", cancelled, 3600).cancel()
        del message, cancelled
        assert held[0]() is not None
        await vm.stop(dead)
        gc.collect()
        assert [reference() for reference in held] == [None, None]


@virtual_time
async def test_a_server_ticks() -> None:
    class Clock(Bell):
        async def init(self) -> None:
            await super().init()
            self.send_interval("tick", 2)

    async with VM() as vm:
        pid = await vm.start(Clock)
        assert pid is not None
        await asyncio.sleep(7)
        rings = await vm.call(pid, "rings")
        assert rings == [(pytest.approx(when), "tick") for when in (2, 4, 6)]


@virtual_time
async def test_an_interval_keeps_its_beat_until_it_is_cancelled() -> None:
    async with VM() as vm:
        pid = await vm.start(Bell)
        assert pid is not None
        ticks = vm.send_interval(pid, "tick", 0.5)
        await asyncio.sleep(1.7)
        assert ticks.read() == pytest.approx(0.3)
        ticks.cancel()
        await asyncio.sleep(5)
        rings = await vm.call(pid, "rings")
        assert rings == [(pytest.approx(when), "tick") for when in (0.5, 1.0, 1.5)]
        assert len(vm.tied) == 0


@virtual_time
async def test_an_interval_for_a_name_ends_with_who_started_it() -> None:
    async with VM() as vm:
        pid = await vm.start(Bell, name="bell")
        assert pid is not None

        async def starts_it() -> None:
            vm.send_interval("bell", "tick", 1)
            await asyncio.sleep(2.5)

        vm.spawn(starts_it)
        await asyncio.sleep(10)
        assert len(await vm.call(pid, "rings")) == 2


@virtual_time
async def test_processes_are_ended_later_unless_it_is_called_off() -> None:
    async with VM() as vm:
        one, two, spared = (vm.spawn(asyncio.sleep, 100) for _ in range(3))
        vm.exit_after(one, "boom", 1)
        vm.kill_after(two, 2)
        vm.kill_after(spared, 2).cancel()
        assert await vm.join(one) == "boom"
        assert await vm.join(two) == KILLED
        assert vm.now() == pytest.approx(2)
        await asyncio.sleep(1)
        assert vm.alive(spared)


@virtual_time
async def test_a_function_is_run_later_as_a_process_of_its_own() -> None:
    async with VM() as vm:
        ran: list[tuple[str, float, Pid | None]] = []

        async def note(what: str) -> None:
            ran.append((what, vm.now(), vm.self()))

        vm.apply_after(3, note, "done")
        vm.apply_after(3, note, "never").cancel()
        await asyncio.sleep(5)
        ((what, when, who),) = ran
        assert what == "done"
        assert when == pytest.approx(3)
        assert who is not None


@virtual_time
async def test_a_name_is_looked_up_when_the_time_has_come() -> None:
    async with VM() as vm:
        vm.send_after("bell", "ring", 10)
        vm.send_after("nobody", "ring", 10)
        await asyncio.sleep(5)
        pid = await vm.start(Bell, name="bell")
        assert pid is not None
        await asyncio.sleep(10)
        assert [message for _, message in await vm.call(pid, "rings")] == ["ring"]


@virtual_time
async def test_a_server_sends_to_itself() -> None:
    async with VM() as vm:
        pid = await vm.start(Bell)
        assert pid is not None
        vm.cast(pid, ("tick", 3.0))
        await asyncio.sleep(4)
        assert [message for _, message in await vm.call(pid, "rings")] == ["tick"]


@virtual_time
async def test_a_timer_can_run_any_function() -> None:
    ran: list[str] = []
    Timer(asyncio.get_running_loop(), 1, ran.append, "done")
    await asyncio.sleep(2)
    assert ran == ["done"]


@virtual_time
async def test_a_timer_that_has_fired_leaves_nothing_for_a_full_collection() -> None:
    class Message:
        pass

    async with VM() as vm:
        pid = await vm.start(Bell)
        assert pid is not None
        message = Message()
        held = weakref.ref(message)
        gc.collect()
        gc.disable()
        try:
            vm.send_after(pid, message, 1)
            del message
            await asyncio.sleep(2)
            await vm.stop(pid)
            assert held() is None
        finally:
            gc.enable()
