"""What the console knows of a node: what has changed is told once, and in slices."""

from __future__ import annotations

from typing import Any

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.placement.placement import Limits
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import KILL, VM, GenServer, sys
from aybiza.gateway.console.happenings import Happenings
from aybiza.gateway.console.look import (
    LABEL,
    MAILBOX,
    MEMORY,
    NAME,
    PARENT,
    REFRESH,
    RESTARTS,
    SERIAL,
    SLICE,
    TAKEN,
    Look,
)
from aybiza.supervisors import Supervisor, child


class Idle(GenServer):
    """Stands for a process."""


def looked(look: Look, vm: VM, heard: Happenings) -> list[list[Any]]:
    return [row for rows in look.processes(vm, heard) for row in rows]


async def test_what_is_new_is_told_once_and_what_is_gone_is_told() -> None:
    async with VM("test") as vm:
        heard, look = Happenings(vm.now, lambda: 0.0), Look()
        root = await vm.start(Supervisor, [child(Idle, name="one")], name="root")
        assert root is not None
        rows = looked(look, vm, heard)
        assert [row[LABEL] for row in rows] == ["Supervisor", "Idle"]
        assert (rows[1][PARENT], rows[1][NAME]) == (root.serial, "one")
        assert looked(look, vm, heard) == []
        gone = vm.whereis("one")
        assert gone is not None
        vm.exit(gone, KILL)
        await vm.join(gone)
        told = looked(look, vm, heard)
        assert look.gone() == [gone.serial]
        assert (
            {row[SERIAL] for row in told}
            <= set(look.rows)
            == {pid.serial for pid in vm.processes()}
        )


async def test_a_mailbox_is_told_at_the_next_look_and_other_figures_soon() -> None:
    async with VM("test") as vm:
        heard, look = Happenings(vm.now, lambda: 0.0), Look()
        pid = await vm.start(Idle, name="one")
        assert pid is not None
        looked(look, vm, heard)
        await sys.suspend(vm, pid)
        vm.send(pid, "wait")
        told = looked(look, vm, heard)
        assert [row[MAILBOX] for row in told] == [1]
        await sys.resume(vm, pid)
        await sys.get_state(vm, pid)
        heard.restarts["one"] = 3
        for _ in range(REFRESH):
            looked(look, vm, heard)
        row = look.rows[pid.serial]
        process = vm.find(pid)
        assert process is not None
        assert (row[MAILBOX], row[TAKEN], row[RESTARTS]) == (0, process.reductions, 3)


async def test_many_processes_are_looked_at_in_slices() -> None:
    async with VM("test") as vm:
        for _ in range(2 * SLICE + 1):
            vm.spawn_process(_waits, label="Waits")
        slices = list(Look().processes(vm, Happenings(vm.now, lambda: 0.0)))
        assert [len(rows) for rows in slices] == [SLICE, SLICE, 1]


async def _waits(process: Any) -> None:
    await process.receive()


async def test_memory_is_measured_of_a_few_at_a_time_until_all_were() -> None:
    async with VM("test") as vm:
        look = Look()
        for _ in range(10):
            await vm.start(Idle)
        looked(look, vm, Happenings(vm.now, lambda: 0.0))
        assert len(look.measure(vm)) < len(look.rows)
        for _ in range(len(look.rows)):
            look.measure(vm)
        assert all(row[MEMORY] > 0 for row in look.rows.values())


async def test_alarms_are_what_is_wrong_now_or_was_a_moment_ago() -> None:
    async with VM("test") as vm:
        board(vm).limits = Limits(calls=1)
        heard, look = Happenings(vm.now, lambda: 1000.0), Look()
        heard.attach(vm)
        assert look.node(vm, heard, 1000.0)["alarms"] == []
        emit(vm, events.FAULT_STRUCK, what="kill", by="anna")
        heard.tell("crash", "somebody")
        alarms = look.alarms(vm, heard, 1001.0)
        assert [alarm["how"] for alarm in alarms] == ["bad", "odd"]
        assert look.alarms(vm, heard, 1061.0) == []
        board(vm).draining = board(vm).ending = True
        (alarm,) = look.alarms(vm, heard, 1061.0)
        assert alarm["text"] == "the node takes no calls: draining"
