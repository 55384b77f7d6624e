"""VMs of one cluster: what `VM` does across nodes."""

import asyncio
import random
from functools import partial
from typing import Any

import pytest

from aybiza.actors.cluster import link
from aybiza.actors.cluster.carrier import ProcessReply, ToProcess
from aybiza.actors.cluster.distribution import Distribution, NodeNameTaken
from aybiza.actors.runtime import (
    KILL,
    KILLED,
    NOCONNECTION,
    NOPROC,
    NORMAL,
    TIMEOUT,
    VM,
    CallExit,
    Crashed,
    Down,
    Exit,
    NodeDown,
    NodeUp,
    Pid,
    RemoteBusy,
    sys,
    virtual_time,
)
from tests.actors.cluster.kit import Actor, LoopCarrier, Probe, card, cluster, until


async def probe(node: Distribution, name: str | None = None, *, trap: bool = False) -> Any:
    """(pid, server) of a new Probe."""
    pid = await node.vm.start(Probe, name=name, trap=trap)
    assert pid is not None
    process = node.vm.find(pid)
    assert process is not None
    return pid, process.server


async def inside(node: Distribution, pid: Pid, function: Any) -> Any:
    """Run `function(server)` in a process."""
    return await node.vm.call(pid, ("run", function))


@virtual_time
async def test_nodes_know_each_other() -> None:
    async with cluster("a", "b", "c") as (_, nodes):
        assert [sorted(node.vm.nodes()) for node in nodes] == [["b", "c"], ["a", "c"], ["a", "b"]]


@virtual_time
async def test_a_pid_prints_as_ever_and_differs_from_its_predecessors() -> None:
    async with cluster("a") as (_, [a]):
        pid, _ = await probe(a)
        assert str(pid) == f"<a.{pid.serial}>"
        assert pid != Pid("a", pid.serial)


@virtual_time
async def test_send_cast_and_call_reach_pids_and_names() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid, server = await probe(b, "there")
        a.vm.send(pid, "one")
        a.vm.cast(("there", "b"), "two")
        assert await a.vm.call(("there", "b"), "three") == ("echo", "three")
        assert await a.vm.call(pid, "four") == ("echo", "four")
        assert server.got == ["one", ("cast", "two")]


@virtual_time
async def test_a_name_with_ones_own_node_is_a_local_name() -> None:
    async with cluster("a") as (_, [a]):
        await probe(a, "here")
        assert await a.vm.call(("here", "a"), 1) == ("echo", 1)


@virtual_time
async def test_a_callee_knows_its_caller() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid, _ = await probe(a)
        await probe(b, "there")
        assert await inside(a, pid, lambda self: self.vm.call(("there", "b"), ("caller",))) == pid


@virtual_time
async def test_calls_that_get_no_reply_say_why() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid, _ = await probe(b, "there")

        async def reason(dest: Any, request: Any, timeout: float = 5.0) -> Any:
            with pytest.raises(CallExit) as failure:
                await a.vm.call(dest, request, timeout)
            return failure.value.reason

        assert await reason(("nobody", "b"), 1) == NOPROC
        assert await reason(("there", "nowhere"), 1) == NOCONNECTION
        assert await reason(pid, ("never",), 0.2) == TIMEOUT
        await until(lambda: not b.vm.find(pid).callers)  # type: ignore[union-attr]
        assert await reason(pid._replace(creation=7), 1) == NOPROC
        assert (await reason(pid, ("unpicklable",)))[0] == "unpicklable_reply"
        assert isinstance(await reason(pid, ("fail",)), Crashed)


@virtual_time
async def test_what_cannot_be_pickled_fails_at_the_sender() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        await probe(b, "there")
        for attempt in (a.vm.send, a.vm.cast):
            with pytest.raises((AttributeError, TypeError)):
                attempt(("there", "b"), lambda: None)
        with pytest.raises((AttributeError, TypeError)):
            await a.vm.call(("there", "b"), lambda: None)


@virtual_time
async def test_messages_between_two_processes_keep_their_order() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        dice = random.Random(5)
        network.delay = lambda: dice.random() * 0.3
        pid, server = await probe(b)
        for number in range(5000):
            a.vm.send(pid, number)
            if number % 100 == 0:
                await asyncio.sleep(0.001)
        await until(lambda: len(server.got) == 5000)
        assert server.got == list(range(5000))


@virtual_time
async def test_monitors_tell_of_ends_on_other_nodes() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        watcher, seen = await probe(a)
        target, _ = await probe(b, "target")

        async def watch(self: Any) -> Any:
            return [self.vm.monitor(dest) for dest in (target, ("target", "b"), ("nobody", "b"))]

        one, two, three = await inside(a, watcher, watch)
        await until(lambda: seen.got)
        assert seen.got == [Down(three, ("nobody", "b"), NOPROC)]
        await b.vm.stop(target)
        await until(lambda: len(seen.got) == 3)
        assert set(seen.got[1:]) == {
            Down(one, target, NORMAL),
            Down(two, ("target", "b"), NORMAL),
        }


@virtual_time
async def test_a_monitor_that_was_ended_says_nothing() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        watcher, seen = await probe(a)
        target, _ = await probe(b)

        async def watch(self: Any) -> None:
            self.vm.demonitor(self.vm.monitor(target))

        await inside(a, watcher, watch)
        await b.vm.stop(target)
        await asyncio.sleep(1)
        assert seen.got == []


@virtual_time
async def test_links_carry_exits_both_ways() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        for one, other in ((a, b), (b, a)):
            trapping, seen = await probe(a, trap=True)
            target, _ = await probe(b)

            async def link(self: Any, target: Pid = target) -> None:
                self.vm.link(target)

            await inside(a, trapping, link)
            await a.vm.call(target, "linked by now")
            if one is a:
                b.vm.exit(target, "boom")
                await until(partial(getattr, seen, "got"))
                assert seen.got == [Exit(target, "boom")]
            else:
                other.vm.exit(trapping, KILL)
                assert await b.vm.join(target) == KILLED


@virtual_time
async def test_a_link_to_nobody_and_one_that_was_undone() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        trapping, seen = await probe(a, trap=True)
        target, _ = await probe(b)
        dead = target._replace(serial=999)

        async def link(self: Any) -> None:
            self.vm.link(target)
            self.vm.unlink(target)
            self.vm.link(dead)

        await inside(a, trapping, link)
        await b.vm.stop(target, "boom")
        await until(lambda: seen.got)
        assert seen.got == [Exit(dead, NOPROC)]


@virtual_time
async def test_exit_signals_stop_and_join_reach_other_nodes() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        first, _ = await probe(b)
        waiting = asyncio.create_task(a.vm.join(first))
        await asyncio.sleep(0.1)
        a.vm.exit(first, KILL)
        assert await waiting == KILLED
        second, _ = await probe(b)
        await a.vm.stop(second, NORMAL)
        assert not b.vm.alive(second)
        assert await a.vm.join(second) == NOPROC


@virtual_time
async def test_sys_looks_into_servers_of_other_nodes() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid, _ = await probe(b)
        a.vm.send(pid, "note")
        assert await sys.get_state(a.vm, pid) == {"got": ["note"]}


@virtual_time
async def test_the_loss_of_a_node_is_told_to_all_who_rely_on_it() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        pid, seen = await probe(a, trap=True)
        target, _ = await probe(b)

        async def rely(self: Any) -> Any:
            self.vm.monitor_nodes()
            self.vm.link(target)
            return self.vm.monitor(target)

        ref = await inside(a, pid, rely)
        calling = asyncio.create_task(a.vm.call(target, ("never",), 60))
        await asyncio.sleep(0.1)
        network.part(["a"], ["b"])
        cut = a.vm.now()
        with pytest.raises(CallExit) as failure:
            await calling
        assert failure.value.reason == NOCONNECTION
        assert a.vm.now() - cut <= 2.0
        await until(lambda: len(seen.got) == 3)
        assert seen.got == [
            Down(ref, target, NOCONNECTION),
            Exit(target, NOCONNECTION),
            NodeDown("b", "silent"),
        ]
        assert a.vm.nodes() == []
        network.heal()
        await until(lambda: len(seen.got) == 4)
        assert seen.got[3] == NodeUp("b")
        assert not b.vm.alive(target)  # its link has ended it
        successor, _ = await probe(b)
        assert await a.vm.call(successor, 1) == ("echo", 1)


@virtual_time
async def test_a_healed_partition_replays_nothing() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        pid, server = await probe(b)
        network.delay = lambda: 2.5  # what is sent now comes after the partition
        for number in range(10):
            a.vm.send(pid, number)
        await asyncio.sleep(0.01)
        network.delay = lambda: 0.0005
        network.part(["a"], ["b"])
        await until(lambda: not a.vm.nodes() and not b.vm.nodes())
        network.heal()
        await until(a.vm.nodes)
        a.vm.send(pid, "after")
        await asyncio.sleep(5)
        assert server.got == ["after"]


@virtual_time
async def test_too_much_for_a_node_is_refused_to_the_sender(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "QUEUE_ITEMS", 100)
    async with cluster("a", "b") as (_, [a, b]):
        pid, server = await probe(b)
        sent = 0
        with pytest.raises(RemoteBusy, match="'b'"):
            for sent in range(1000):
                a.vm.send(pid, sent)
        await until(lambda: len(server.got) == sent)
        assert server.got == list(range(sent))
        a.vm.send(pid, "room again")
        await until(lambda: server.got[-1] == "room again")


@virtual_time
async def test_a_node_that_leaves_is_down_at_once() -> None:
    async with cluster("a", "b") as (network, [a, b]), VM("c", creation=5000) as vm:
        async with Distribution(vm, LoopCarrier(network, card(9, "c", start=5000))) as c:
            await c.join()
            assert sorted(vm.nodes()) == ["a", "b"]
        left = a.vm.now()
        await until(lambda: "c" not in a.vm.nodes() + b.vm.nodes())
        assert a.vm.now() - left < 0.1


@virtual_time
async def test_a_name_that_is_taken_is_refused_to_the_newcomer() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        carrier = LoopCarrier(network, card(9, "b", start=9000, machine="other"))
        async with VM("b", creation=9000) as vm, Distribution(vm, carrier) as second:
            with pytest.raises(NodeNameTaken, match="belongs to a node of the machine m"):
                await second.join()
        assert (a.vm.nodes(), b.vm.nodes()) == (["b"], ["a"])


@virtual_time
async def test_a_dead_nodes_name_is_free_after_a_while() -> None:
    async with cluster("a", "b") as (network, [_, b]):
        b._carrier.dead = True  # type: ignore[attr-defined]
        carrier = LoopCarrier(network, card(9, "b", start=9000, machine="other"))
        async with VM("b", creation=9000) as vm, Distribution(vm, carrier) as second:
            await second.join()
            assert vm.nodes() == ["a"]


@virtual_time
async def test_a_thespian_program_reaches_processes() -> None:
    async with cluster("a") as (_, [a]):
        carrier: Any = a._carrier
        actor = Actor()
        _, server = await probe(a, "named")
        for message in (
            ToProcess("named", 1),
            ToProcess("named", 2, "cast"),
            ToProcess("named", 3, "send"),
            ToProcess("nobody", 4),
        ):
            carrier._receive(message, actor)
        await until(lambda: len(carrier.told) == 2)
        assert [to for to, _ in carrier.told] == [actor, actor]
        assert {str(reply) for _, reply in carrier.told} == {
            str(ProcessReply(("echo", 1))),
            str(ProcessReply(error="call to nobody failed: noproc")),
        }
        assert server.got == [("cast", 2), 3]


@virtual_time
async def test_a_process_reaches_a_thespian_actor() -> None:
    async with cluster("a") as (_, [a]):
        carrier: Any = a._carrier
        actor: Any = Actor()
        a.vm.send(actor, "hello")
        assert carrier.told == [(actor, "hello")]
        with pytest.raises(TypeError, match="can be sent messages only"):
            a.vm.cast(actor, 1)
