"""The `From` of a call on other nodes."""

import asyncio
import pickle
from typing import Any

import pytest

from aybiza.actors.cluster.replies import RemoteFrom
from aybiza.actors.runtime import (
    KILL,
    KILLED,
    NO_REPLY,
    NOCONNECTION,
    TIMEOUT,
    CallExit,
    GenServer,
    reply,
    virtual_time,
)
from tests.actors.cluster.kit import Probe, cluster, until


class Desk(GenServer):
    """Hands each request and its `From` to another process, as Elixir code does."""

    async def init(self, helper: Any) -> None:
        self.helper = helper

    async def handle_call(self, request: Any, from_: Any) -> Any:
        self.vm.cast(self.helper, (from_, request))
        return NO_REPLY


class Helper(GenServer):
    """Answers for others, or passes the request on."""

    async def init(self, onward: Any = None) -> None:
        self.onward = onward
        self.kept: list[Any] = []

    async def handle_cast(self, request: Any) -> None:
        from_, question = request
        if self.onward is not None:
            self.vm.cast(self.onward, request)
        elif question == "keep":
            self.kept.append(from_)
        elif question == "unpicklable":
            reply(from_, lambda: None)
        else:
            reply(from_, ("helped", question))
            reply(from_, "a second reply is dropped")


async def started(node: Any, server: Any, *arguments: Any) -> Any:
    return await node.vm.start(server, *arguments)


@virtual_time
async def test_another_node_answers_a_call_that_was_handed_to_it() -> None:
    async with cluster("a", "b", "c") as (_, [a, b, c]):
        helper = await started(c, Helper)
        desk = await started(a, Desk, helper)
        assert await a.vm.call(desk, 1) == ("helped", 1)
        assert await b.vm.call(desk, 2) == ("helped", 2)
        assert [node.statistics()["lent"] for node in (a, b, c)] == [0, 0, 0]


@virtual_time
async def test_a_from_can_be_passed_on_and_come_home() -> None:
    async with cluster("a", "b", "c") as (_, [a, b, c]):
        last = await started(a, Helper)
        second = await started(c, Helper, last)
        first = await started(b, Helper, second)
        desk = await started(a, Desk, first)
        assert await a.vm.call(desk, "home") == ("helped", "home")


@virtual_time
async def test_a_reply_that_cannot_be_sent_is_told_to_the_caller() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        helper = await started(b, Helper)
        desk = await started(a, Desk, helper)
        with pytest.raises(CallExit) as failure:
            await a.vm.call(desk, "unpicklable")
        assert failure.value.reason[0] == "unpicklable_reply"


@virtual_time
async def test_the_call_ends_with_the_server_that_was_called_and_nothing_is_left() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        helper = await started(b, Helper)
        desk = await started(a, Desk, helper)
        timed_out = asyncio.create_task(a.vm.call(desk, "keep", 1.0))
        failing = asyncio.create_task(a.vm.call(desk, "keep"))
        remote = asyncio.create_task(b.vm.call(desk, "keep"))
        await asyncio.sleep(0.1)
        assert a.statistics()["lent"] == 3
        with pytest.raises(CallExit) as failure:
            await timed_out
        assert failure.value.reason == TIMEOUT
        a.vm.exit(desk, KILL)
        for call in (failing, remote):
            with pytest.raises(CallExit) as failure:
                await call
            assert failure.value.reason == KILLED
        assert a.statistics()["lent"] == 0
        for late in b.vm.find(helper).server.kept:  # type: ignore[union-attr]
            reply(late, "too late")
        await asyncio.sleep(0.1)


@virtual_time
async def test_a_from_of_a_former_incarnation_answers_nobody() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        helper = await started(b, Helper)
        desk = await started(a, Desk, helper)
        waiting = asyncio.create_task(a.vm.call(desk, "keep", 2.0))
        kept = b.vm.find(helper).server.kept  # type: ignore[union-attr]
        await until(lambda: kept)
        kept[0].creation -= 1
        reply(kept[0], "for the predecessor")
        with pytest.raises(CallExit) as failure:
            await waiting
        assert failure.value.reason == TIMEOUT


@virtual_time
async def test_a_reply_to_a_node_that_is_down_is_dropped() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        helper = await started(b, Helper)
        desk = await started(a, Desk, helper)
        waiting = asyncio.create_task(b.vm.call(desk, "keep"))
        kept = b.vm.find(helper).server.kept  # type: ignore[union-attr]
        await until(lambda: kept)
        network.part(["a"], ["b"])
        with pytest.raises(CallExit) as failure:
            await waiting
        assert failure.value.reason == NOCONNECTION
        assert kept[0].waiting
        reply(kept[0], "nobody is there")
        assert not kept[0].waiting


@virtual_time
async def test_a_from_travels_in_messages_of_the_cluster_only() -> None:
    async with cluster("a") as (_, [a]):
        probe = await started(a, Probe)
        kept = []

        class Keeper(GenServer):
            async def handle_call(self, request: Any, from_: Any) -> Any:
                kept.append(from_)
                return NO_REPLY

        keeper = await started(a, Keeper)
        call = asyncio.create_task(a.vm.call(keeper, 1, 1.0))
        await until(lambda: kept)
        with pytest.raises(TypeError):
            pickle.dumps(kept[0])
        stray = pickle.loads(pickle.dumps(RemoteFrom(probe, "b", 1, 1)))
        reply(stray, "nobody reads this")
        with pytest.raises(CallExit):
            await call
