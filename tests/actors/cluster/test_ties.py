"""Links and monitors across nodes, with another node that a test plays."""

from typing import Any

import pytest

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.ties import Ties
from aybiza.actors.runtime import NOCONNECTION, NOPROC, VM, Down, Exit, Pid, Process, virtual_time
from tests.actors.cluster.kit import Probe

THERE = Pid("b", 7, 1)


class Wire:
    """Notes what is said to other nodes."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []
        self.up = True

    def say(self, node: str, signal: Any) -> bool:
        if self.up:
            self.said.append((node, signal))
        return self.up


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def process_of(vm: VM) -> Process:
    pid = await vm.start(Probe, trap=True)
    assert pid is not None
    process = vm.find(pid)
    assert process is not None
    return process


async def settled(process: Process) -> list[Any]:
    await process.vm.call(process.pid, "settled")
    got: list[Any] = process.server.got
    return got


@virtual_time
async def test_an_exit_is_taken_only_while_its_link_stands() -> None:
    wire = Wire()
    async with VM("a") as vm:
        ties = Ties(wire.say, vm.find)
        process = await process_of(vm)
        ties.exited(THERE, process.pid, "stranger")
        ties.link(process, THERE)
        ties.unlink(process, THERE)
        ties.exited(THERE, process.pid, "late")
        ties.link(process, THERE)
        ties.exited(THERE, process.pid, "boom")
        ties.exited(THERE, process.pid, "again")
        assert await settled(process) == [Exit(THERE, "boom")]
        assert [type(signal) for _, signal in wire.said] == [
            signals.LinkTo,
            signals.Unlink,
            signals.LinkTo,
        ]


@virtual_time
async def test_a_link_or_monitor_to_a_node_that_is_down_fails_at_once() -> None:
    wire = Wire()
    wire.up = False
    async with VM("a") as vm:
        ties = Ties(wire.say, vm.find)
        process = await process_of(vm)
        ties.link(process, THERE)
        ties.monitor(process, 5, "b", "name", ("name", "b"))
        assert await settled(process) == [
            Exit(THERE, NOCONNECTION),
            Down(5, ("name", "b"), NOCONNECTION),
        ]


@virtual_time
async def test_who_ties_itself_to_nobody_is_told() -> None:
    wire = Wire()
    async with VM("a") as vm:
        ties = Ties(wire.say, vm.find)
        nobody = Pid("a", 99)
        ties.linked_by("b", THERE, nobody)
        ties.monitored_by("b", 3, nobody)
        assert wire.said == [
            ("b", signals.ExitSignal(nobody, THERE, NOPROC, True)),
            ("b", signals.Died(3, NOPROC)),
        ]


@virtual_time
async def test_what_crosses_on_the_wire_leaves_no_half_link() -> None:
    wires = {"a": Wire(), "b": Wire()}
    async with VM("a") as vm_a, VM("b") as vm_b:
        ends = {"a": Ties(wires["a"].say, vm_a.find), "b": Ties(wires["b"].say, vm_b.find)}
        one, other = await process_of(vm_a), await process_of(vm_b)

        def deliver(node: str) -> None:
            """Take in what was said to this node."""
            said, wires["ab".replace(node, "")].said = wires["ab".replace(node, "")].said, []
            for _, signal in said:
                match signal:
                    case signals.LinkTo(source, target):
                        ends[node].linked_by(source.node, source, target)
                    case signals.Unlink(source, target, number):
                        ends[node].unlinked_by(source, target, number)
                    case signals.Unlinked(source, target, number):
                        ends[node].unlink_acknowledged(source, target, number)

        ends["a"].link(one, other.pid)
        deliver("b")
        ends["b"].unlink(other, one.pid)
        ends["a"].unlink(one, other.pid)
        ends["a"].link(one, other.pid)
        for _ in range(3):
            deliver("a")
            deliver("b")
        assert ends["a"].links(one.pid) == ends["b"].links(other.pid) == []
        assert ends["a"].statistics()["unlinking"] == ends["b"].statistics()["unlinking"] == 0
        ends["a"].link(one, other.pid)
        deliver("b")
        assert ends["a"].links(one.pid) == [other.pid]
        assert ends["b"].links(other.pid) == [one.pid]


@virtual_time
async def test_what_is_gone_can_be_undone_again_without_harm() -> None:
    wire = Wire()
    async with VM("a") as vm:
        ties = Ties(wire.say, vm.find)
        process = await process_of(vm)
        ties.demonitor(99)
        ties.demonitored_by("b", 99)
        ties.unlink(process, THERE)
        ties.unlink_acknowledged(THERE, process.pid, 99)
        ties.died(99, "boom")
        assert wire.said == []
        ties.unlinked_by(THERE, process.pid, 7)
        assert wire.said == [("b", signals.Unlinked(process.pid, THERE, 7))]


@virtual_time
async def test_an_address_that_does_not_travel_leaves_no_monitor() -> None:
    def refuse(_node: str, _signal: Any) -> bool:
        raise ValueError("too long")

    async with VM("a") as vm:
        ties = Ties(refuse, vm.find)
        process = await process_of(vm)
        with pytest.raises(ValueError, match="too long"):
            ties.monitor(process, 5, "b", "x", ("x", "b"))
        assert set(ties.statistics().values()) == {0}


@virtual_time
async def test_the_end_of_a_process_is_told_to_those_who_are_tied_to_it() -> None:
    wire = Wire()
    async with VM("a") as vm:
        ties = Ties(wire.say, vm.find)
        process = await process_of(vm)
        ties.linked_by("b", THERE, process.pid)
        ties.monitored_by("b", 3, process.pid)
        ties.monitored_by("c", 3, process.pid)
        ties.demonitored_by("c", 3)
        ties.monitor(process, 8, "b", "name", ("name", "b"))
        wire.said.clear()
        ties.ended(process, "boom")
        assert wire.said == [
            ("b", signals.ExitSignal(process.pid, THERE, "boom", True)),
            ("b", signals.Died(3, "boom")),
            ("b", signals.Demonitor(8)),
        ]
        ties.ended(process, "boom")
        assert len(wire.said) == 3


@virtual_time
async def test_a_node_that_goes_down_leaves_no_tie_behind() -> None:
    wire = Wire()
    async with VM("a") as vm:
        ties = Ties(wire.say, vm.find)
        process = await process_of(vm)
        ties.link(process, THERE)
        ties.linked_by("b", THERE._replace(serial=8), process.pid)
        ties.monitor(process, 8, "b", THERE, THERE)
        ties.monitored_by("b", 3, process.pid)
        ties.node_down("b")
        got = await settled(process)
        assert got[0] == Down(8, THERE, NOCONNECTION)
        assert [type(message) for message in got] == [Down, Exit, Exit]
        tables = (ties._links, ties._watching, ties._refs_of, ties._watched, ties._watchers)
        assert tables == ({}, {}, {}, {}, {})
