"""What a node does with what others send it."""

import asyncio
import pickle
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.reception import find_quietly
from aybiza.actors.runtime import NOPROC, CallExit, Down, Pid, Registry, Via, virtual_time
from tests.actors.cluster.kit import Probe, cluster, until


@virtual_time
async def test_a_message_that_cannot_be_delivered_is_named_and_those_behind_it_arrive() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        b.vm.registries["news"] = Registry("news", "duplicate")
        address: Any = (Via("news", "weather"), "b")
        sink = await b.vm.start(Probe)
        watcher = await a.vm.start(Probe)
        assert sink is not None and watcher is not None
        seen = a.vm.find(watcher).server.got  # type: ignore[union-attr]

        async def watch(self: Any) -> int:
            return int(self.vm.monitor(address))

        with capture_logs() as logs:
            a.vm.send(address, "hello")
            ref = await a.vm.call(watcher, ("run", watch))
            with pytest.raises(CallExit) as failure:
                await a.vm.call(address, 1)
            a.vm.send(sink, "behind it")
            await until(lambda: b.vm.find(sink).server.got)  # type: ignore[union-attr]
        assert failure.value.reason[0] == "undeliverable_request"
        assert seen == [Down(ref, address, NOPROC)]
        named = [each["to"] for each in logs if each["event"] == "message_not_delivered"]
        assert named == [str(address[0])] * 2


@virtual_time
async def test_a_signal_of_a_later_version_is_passed_over_and_named_once() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        sink = await b.vm.start(Probe)
        assert sink is not None
        data = pickle.dumps(signals.Forget(1)).replace(b"Forget", b"Fondle")
        with capture_logs() as logs:
            for _ in range(3):
                a._members.put("b", data)
            a.vm.send(sink, "behind it")
            await until(lambda: b.vm.find(sink).server.got)  # type: ignore[union-attr]
        passed = [each for each in logs if each["event"] == "signal_not_understood"]
        assert [(each["node"], each["kind"]) for each in passed] == [("a", "Fondle")]
        assert b.nodes() == ["a"]


@virtual_time
async def test_a_reply_that_the_callers_node_cannot_read_ends_that_call_alone() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        sink = await b.vm.start(Probe)

        async def answer(_: Any) -> Any:
            return Bad()

        with pytest.raises(CallExit) as failure:
            await b.vm.call(("sink", "a"), ("run", 1))
        assert failure.value.reason == NOPROC
        unreadable = asyncio.create_task(a.vm.call(sink, ("bad",)))  # type: ignore[arg-type]
        assert await unreadable == ("echo", ("bad",))
        answering = await b.vm.start(Answering)
        with pytest.raises(CallExit) as failure:
            await a.vm.call(answering, 1)  # type: ignore[arg-type]
        assert failure.value.reason[0] == "unreadable_reply"
        assert a.nodes() == ["b"]


class Bad:
    def __reduce__(self) -> Any:
        return _unread, ()


def _unread() -> None:
    raise LookupError("not here")


class Answering(Probe):
    async def handle_call(self, request: Any, from_: Any) -> Any:
        return Bad()


@virtual_time
async def test_an_address_that_cannot_be_one_is_nobodys() -> None:
    async with cluster("a") as (_, [a]):
        find = find_quietly(a.vm)
        unhashable: Any = ["list"]
        assert find(unhashable) is None
        assert find(Pid("a", 999)) is None
        pid = await a.vm.start(Probe)
        assert find(pid) is a.vm.find(pid)  # type: ignore[arg-type]
