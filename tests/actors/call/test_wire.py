"""The wire: one socket at a time, whose events alone are taken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.call.wire import Down, Up, Wire, _Clock
from aybiza.actors.runtime import Continue, GenServer, Pid, virtual_time
from aybiza.speech.reconnect import Limits
from tests.actors.call.sockets import Place, Socket, place

LIMITS = Limits(stall=2.0)


class Owner(GenServer):
    """Keeps what happens on its wire."""

    traps_exits = True

    async def init(self, there: Place, happened: list[Any]) -> Continue:
        async def dial(timeout: float) -> Socket:
            return await there.deepgram._open(None, timeout)

        self.wire = Wire(self, "owner", "CA1", LIMITS, dial)
        self.happened = happened
        return Continue("start")

    async def handle_continue(self, value: Any) -> None:
        self.wire.start()

    async def handle_info(self, message: Any) -> None:
        if callable(message):
            outcome = message(self.wire)
            if asyncio.iscoroutine(outcome):
                self.happened.append(await outcome)
        self.happened += self.wire.take(message)

    async def terminate(self, reason: Any) -> None:
        self.wire.stop()


async def owner(there: Place, happened: list[Any]) -> Pid:
    pid = await there.vm.start(Owner, there, happened)
    assert pid is not None
    return pid


@virtual_time
async def test_what_a_dropped_socket_still_says_is_not_taken() -> None:
    async with place() as there:
        happened: list[Any] = []
        pid = await owner(there, happened)
        await asyncio.sleep(0.1)
        there.deepgram.sockets[0].say("first")
        await asyncio.sleep(0.1)
        # Both are under way when the owner drops the socket.
        there.deepgram.sockets[0].say("late")
        there.vm.send(pid, lambda wire: wire.drop("no good"))
        await asyncio.sleep(0.1)
        there.deepgram.sockets[0].say("later")
        there.deepgram.sockets[1].say("second")
        await asyncio.sleep(0.1)
        assert happened == [Up(), "first", Down("no good"), Up(), "second"]
        assert there.deepgram.sockets[0].closed


@virtual_time
async def test_a_send_that_is_not_taken_has_a_limit_and_costs_the_socket() -> None:
    async with place() as there:
        happened: list[Any] = []
        pid = await owner(there, happened)
        await asyncio.sleep(0.1)
        there.deepgram.sockets[0].takes = False
        there.vm.send(pid, lambda wire: wire.send(wire.session.keep_alive()))
        await asyncio.sleep(5.0)
        assert happened == [Up(), False, Down("the socket takes nothing"), Up()]


@virtual_time
async def test_the_socket_ends_with_its_owner() -> None:
    async with place() as there:
        pid = await owner(there, [])
        await asyncio.sleep(0.1)
        await there.vm.stop(pid)
        await asyncio.sleep(0.1)
        assert there.deepgram.sockets[0].closed
        assert there.vm.processes() == []


@virtual_time
async def test_a_time_that_has_passed_between_two_looks_at_the_clock_is_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with place() as there:
        happened: list[Any] = []
        pid = await owner(there, happened)
        await asyncio.sleep(0.1)
        there.vm.send(pid, lambda wire: wire.wants(True))
        await asyncio.sleep(LIMITS.stall - 0.05)
        due = there.vm.now() + 0.05
        looks = iter([due - 0.001, due + 0.001])
        monkeypatch.setattr(there.vm, "now", lambda: next(looks, due + 0.001))
        there.vm.send(pid, _Clock(opens=False))
        await asyncio.sleep(0.01)
        monkeypatch.undo()
        await asyncio.sleep(0.2)
        assert there.vm.alive(pid)
        assert happened == [Up(), Down("stalled"), Up()]
