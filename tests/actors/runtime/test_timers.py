"""Timers."""

from __future__ import annotations

import asyncio

import pytest

from aybiza.actors.runtime import VM, GenServer, Timer, virtual_time


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


@virtual_time
async def test_a_time_below_zero_is_now() -> None:
    async with VM() as vm:
        pid = await vm.start(Bell)
        assert pid is not None
        vm.send_after(pid, "ring", -5)
        await asyncio.sleep(0.001)
        assert [message for _, message in await vm.call(pid, "rings")] == ["ring"]


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
