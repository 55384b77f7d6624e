"""What goes wrong on a connection costs that connection, and is told to both ends."""

import asyncio
import pickle
import time
from typing import Any

import pytest

from aybiza.actors.cluster import link, signals
from aybiza.actors.cluster.carrier import Welcome
from aybiza.actors.cluster.distribution import ClusterFailed, Distribution
from aybiza.actors.cluster.membership import Card, Farewell, Letter, Refusal
from aybiza.actors.runtime import (
    KILL,
    NOCONNECTION,
    CallExit,
    Down,
    Exit,
    NodeDown,
    NodeUp,
    Pid,
    virtual_time,
)
from tests.actors.cluster.kit import Probe, card, cluster, until


async def watching(node: Distribution, target: Pid, *, times: int = 1) -> Any:
    """The server of a process that watches another, is linked to it, and watches the nodes."""
    pid = await node.vm.start(Probe, trap=True)
    assert pid is not None

    async def rely(self: Any) -> None:
        self.vm.monitor_nodes()
        self.vm.link(target)
        for _ in range(times):
            self.vm.monitor(target)

    await node.vm.call(pid, ("run", rely))
    await asyncio.sleep(0.05)
    return node.vm.find(pid).server  # type: ignore[union-attr]


def kinds(server: Any) -> list[str]:
    return [type(message).__name__ for message in server.got]


@pytest.mark.parametrize(
    "item",
    [
        b"no pickle",
        pickle.dumps("no signal"),
        bytes(signals.MAX_BYTES + 1),
        signals.packed(signals.ForNames("no message for names"))[:-3],
        pickle.dumps(signals.Forget),
        signals.packed(signals.ForGroups(signals.Forget(1))).replace(b"Forget", b"Forgot"),
    ],
    ids=["garbage", "other object", "too long", "cut off", "a class", "unknown inside"],
)
@virtual_time
async def test_what_cannot_be_read_ends_that_connection_and_everybody_is_told(item: bytes) -> None:
    async with cluster("a", "b", "c") as (_, [a, b, c]):
        target = await b.vm.start(Probe, trap=True)
        assert target is not None
        here, there = await watching(a, target), await watching(c, target)
        b._members.put("a", item)
        await until(lambda: len(here.got) == 4)
        assert kinds(here) == ["Down", "Exit", "NodeDown", "NodeUp"]
        assert {here.got[0].reason, here.got[1].reason} == {NOCONNECTION}
        assert "ProtocolError" in here.got[2].reason
        assert there.got == []
        assert await c.vm.call(target, 1) == ("echo", 1)


@pytest.mark.parametrize(
    "message",
    [
        Letter(None, 0, None),  # type: ignore[arg-type]
        Letter(card(2, "b"), 0, None),  # type: ignore[arg-type]
        Farewell(None),  # type: ignore[arg-type]
        Refusal(None),  # type: ignore[arg-type]
        Welcome("m", (None,)),  # type: ignore[arg-type]
        "nothing that is known",
    ],
    ids=str,
)
@virtual_time
async def test_a_message_of_no_sense_harms_no_other_connection(message: Any) -> None:
    async with cluster("a", "b", "c") as (_, [a, _b, c]):
        own: Any = await c.vm.start(Probe)
        carrier: Any = a._carrier
        carrier._receive(message, None)
        assert await a.vm.call(own, 1) == ("echo", 1)
        await until(lambda: sorted(a.nodes()) == ["b", "c"])
        assert not a.lost.done()


@virtual_time
async def test_one_bad_message_takes_no_other_with_it() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        sink = await b.vm.start(Probe)
        assert sink is not None
        server = b.vm.find(sink).server  # type: ignore[union-attr]
        a.vm.send(sink, 1)
        a.vm.send(sink, Unreadable())
        a.vm.send(sink, 2)
        a.vm.cast(sink, Unreadable())
        call = asyncio.create_task(a.vm.call(sink, Unreadable()))
        good = asyncio.create_task(a.vm.call(sink, 3))
        with pytest.raises(CallExit) as failure:
            await call
        assert failure.value.reason[0] == "unreadable_request"
        assert await good == ("echo", 3)
        assert server.got == [1, 2]
        assert a.nodes() == ["b"]


class Unreadable:
    """Can be pickled, and not read."""

    def __reduce__(self) -> Any:
        return _missing, ()


def _missing() -> None:
    raise ImportError("no such class here")


@virtual_time
async def test_a_reason_of_any_length_is_told() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        target = await b.vm.start(Probe)
        assert target is not None
        server = await watching(a, target)
        calling = asyncio.create_task(a.vm.call(target, ("never",)))
        await asyncio.sleep(0.1)
        b.vm.exit(target, ("bad data", b"x" * 9_000_000))
        with pytest.raises(CallExit) as failure:
            await calling
        await until(lambda: len(server.got) == 2)
        assert kinds(server) == ["Exit", "Down"]
        for reason in (failure.value.reason, server.got[0].reason):
            assert str(reason).startswith("crashed with RemoteCrash: tuple: ('bad data', b'xxx")
            assert len(str(reason)) < 1000
        assert a.nodes() == ["b"]


@virtual_time
async def test_a_queue_that_is_full_to_the_last_costs_the_connection_and_nobody_else_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "QUEUE_ITEMS", 50)
    async with cluster("a", "b", "c") as (_, [a, b, c]):
        target = await b.vm.start(Probe)
        own = await a.vm.start(Probe)
        assert target is not None and own is not None
        here, there = await watching(a, target, times=3), await watching(c, target)
        on_b = await watching(b, own)
        peer = b._members.peer("a")
        assert peer is not None
        while peer.link.put(signals.packed(signals.Forget(1)), reserve=True):
            pass
        b.vm.exit(target, "gone")
        await until(lambda: len(here.got) == 6 and len(on_b.got) == 4)
        assert kinds(here) == ["Down", "Down", "Down", "Exit", "NodeDown", "NodeUp"]
        assert kinds(on_b) == ["Down", "Exit", "NodeDown", "NodeUp"]
        assert sorted(there.got, key=str) == [
            Down(there.got[1].ref, target, "gone"),
            Exit(target, "gone"),
        ] or kinds(there) == ["Exit", "Down"]


@virtual_time
async def test_a_connection_is_never_given_up_in_the_midst_of_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "QUEUE_ITEMS", 50)
    async with cluster("a", "b") as (_, [a, b]):
        down: list[str] = []
        node_down = b.node_down

        def told(gone: Card, why: str) -> None:
            down.append(gone.name)
            node_down(gone, why)

        monkeypatch.setattr(b, "node_down", told)
        item = signals.packed(signals.Forget(1))
        while b._connections.put("a", item, reserve=True):
            pass
        assert (down, a.vm.node in b.nodes()) == ([], True)
        assert b._connections.put("a", item, reserve=True) is False
        await asyncio.sleep(0.001)
        assert (down, b.nodes()) == (["a"], [])


@virtual_time
async def test_a_tick_that_dies_ends_the_node_and_all_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with cluster("a", "b") as (_, [a, b]):
        target, own = await b.vm.start(Probe), await a.vm.start(Probe)
        assert target is not None and own is not None
        here, there = await watching(a, target), await watching(b, own)
        monkeypatch.setattr(a._members, "tick", lambda _: 1 / 0)
        await until(lambda: len(here.got) == 3 and len(there.got) == 3)
        assert kinds(here) == kinds(there) == ["Down", "Exit", "NodeDown"]
        with pytest.raises(ClusterFailed, match="division by zero"):
            await a.lost
        assert a.nodes() == []


@virtual_time
async def test_a_task_of_the_cluster_that_returns_ends_the_node() -> None:
    async with cluster("a") as (_, [a]):

        async def returns() -> None:
            return None

        a._run(returns())
        with pytest.raises(ClusterFailed, match="has returned"):
            await a.lost


@virtual_time
async def test_a_node_is_up_when_all_its_names_and_groups_are_here() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        network.part(["a"], ["b"])
        await until(lambda: not a.nodes() and not b.nodes())
        owner = await a.vm.start(Probe)
        assert owner is not None
        for number in range(5000):
            await a.register(("name", number), owner)
            a.join_group(("group", number), owner)
        seen: list[Any] = []

        async def look(self: Any) -> None:
            self.vm.monitor_nodes()

        watcher = await b.vm.start(Counter, b, seen)
        assert watcher is not None
        await b.vm.call(watcher, ("run", look))
        network.heal()
        a.vm.send(watcher, "ahead")  # while it is down: dropped
        await until(b._members.up)
        a.vm.send(watcher, "first of all")
        await until(lambda: len(seen) == 2)
        assert seen == [(NodeUp("a"), 5000, 5000), ("first of all", 5000, 5000)]
        b.vm.exit(watcher, KILL)


@virtual_time
async def test_a_hundred_thousand_names_are_handed_over_within_three_seconds() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        network.part(["a"], ["b"])
        await until(lambda: not a.nodes() and not b.nodes())
        owner = await a.vm.start(Probe)
        assert owner is not None
        for number in range(100_000):
            name = ("conversation", f"tenant-7c9e6679-{number:012d}", f"9f1c2b3a-{number:012d}")
            list(a.names.register(name, owner, 1_700_000_000_000_000_000 + number))
        network.heal()
        await until(b._members.up)
        began, cpu = b.vm.now(), time.process_time()
        await until(lambda: b.nodes() == ["a"])
        assert b.names.counts()["a"] == 100_000
        assert b.vm.now() - began < 3
        assert time.process_time() - cpu < 3


class Counter(Probe):
    """Notes how many names and groups there are when it is told something."""

    async def init(self, cluster: Any, seen: list[Any]) -> None:  # type: ignore[override]
        self.cluster, self.seen = cluster, seen

    async def handle_info(self, message: Any) -> None:
        names, groups = self.cluster.names.names(), self.cluster.groups.groups()
        self.seen.append((message, len(names), len(groups)))


@virtual_time
async def test_a_subscriber_is_told_of_nodes_in_turn() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        own = await b.vm.start(Probe)
        assert own is not None
        server = await watching(a, own)
        for _ in range(3):
            network.part(["a"], ["b"])
            await until(lambda: not a.nodes())
            network.heal()
            await until(a.nodes)
        turns = [type(each) for each in server.got if isinstance(each, NodeUp | NodeDown)]
        assert turns == [NodeDown, NodeUp] * 3
