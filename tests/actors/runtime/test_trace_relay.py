"""Servers of other nodes are traced and counted as one's own."""

import asyncio
import threading
from typing import Any

import pytest

from aybiza.actors.runtime import CallExit, GenServer, sys, virtual_time
from aybiza.actors.runtime.debug import Statistics, Traced
from aybiza.actors.runtime.trace_relay import RELAYS
from tests.actors.cluster.kit import Probe, cluster, until


class Locked(GenServer):
    """A server whose replies and state do not travel."""

    async def init(self) -> None:
        self.lock = threading.Lock()

    async def handle_cast(self, request: Any) -> None:
        self.vm.send(self.pid, self.lock)

    async def handle_info(self, message: Any) -> None:
        pass


def texts(seen: list[Traced]) -> list[str]:
    return [event.text for event in seen]


async def relays_of(node: Any) -> int:
    return len(node.vm.tables.get(RELAYS, {}))


@virtual_time
async def test_a_function_here_is_told_what_a_server_there_does() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid: Any = await b.vm.start(Probe, name="probe")
        seen: list[Traced] = []
        await sys.trace(a.vm, pid, seen.append)
        await a.vm.call(pid, "hello")
        b.vm.cast(pid, "there")
        await until(lambda: len(seen) == 4)
        assert texts(seen)[:3] == [
            "got call 'hello' from None",
            "sent ('echo', 'hello') to None, new state {'got': []}",
            "got cast 'there'",
        ]
        assert {event.pid for event in seen} == {pid}
        await sys.trace(a.vm, pid, False)
        await a.vm.call(pid, "not seen")
        await asyncio.sleep(0.1)
        assert len(seen) == 4
        assert await relays_of(a) == 0
        assert b.vm.debugged == {}


@virtual_time
async def test_a_process_here_gets_the_events_and_what_does_not_travel_as_text() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid: Any = await b.vm.start(Locked)
        watcher: Any = await a.vm.start(Probe)
        got = a.vm.find(watcher).server.got  # type: ignore[union-attr]
        await sys.trace(a.vm, pid, watcher)
        a.vm.cast(pid, "go")
        await until(lambda: len(got) == 5)
        assert [event.event for event in got] == ["cast", "send", "state", "info", "state"]
        assert got[0].message == "go"
        assert "lock object" in got[1].message
        await a.vm.stop(watcher)
        a.vm.cast(pid, "to nobody")
        await asyncio.sleep(0.1)
        assert b.vm.alive(pid)


@virtual_time
async def test_the_relay_ends_with_the_limit_the_server_its_node_and_a_function_that_raises() -> (
    None
):
    async with cluster("a", "b") as (network, [a, b]):
        seen: list[Traced] = []
        pid: Any = await b.vm.start(Probe, name="probe")
        await sys.trace(a.vm, pid, seen.append, limit=2)
        await a.vm.call(pid, 1)
        await until(lambda: len(seen) == 3)
        assert seen[-1].event == "end"
        assert await relays_of(a) == 0

        def broken(_: Traced) -> None:
            raise ValueError("a bad tracer")

        await sys.trace(a.vm, pid, broken)
        await a.vm.call(pid, 2)
        await until(lambda: not b.vm.debugged)
        assert await relays_of(a) == 0

        await sys.trace(a.vm, ("probe", "b"), seen.append)
        await b.vm.stop(pid)
        await asyncio.sleep(0.1)
        assert await relays_of(a) == 0

        second: Any = await b.vm.start(Probe)
        await sys.trace(a.vm, second, seen.append)
        network.part(["a"], ["b"])
        await until(lambda: not a.nodes() and not b.nodes())
        assert await relays_of(a) == 0
        await b.vm.call(second, 3)
        assert b.vm.find(second).vm.debugged[second.serial].used is False  # type: ignore[union-attr]


@virtual_time
async def test_a_server_there_is_counted() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid: Any = await b.vm.start(Probe, name="probe")
        await sys.statistics(a.vm, ("probe", "b"), True)
        await a.vm.call(pid, 1)
        counted = await sys.statistics(a.vm, pid)
        assert isinstance(counted, Statistics)
        assert (counted.messages_in, counted.messages_out) == (1, 1)
        assert await sys.statistics(a.vm, pid, False) is None


@virtual_time
async def test_a_server_that_is_not_there_says_so() -> None:
    async with cluster("a", "b") as (_, [a, _b]):
        with pytest.raises(CallExit):
            await sys.trace(a.vm, ("nobody", "b"), print)
        await asyncio.sleep(0.1)
        assert await relays_of(a) == 0
