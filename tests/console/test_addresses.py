"""A pid that an operator types means one process of one start of one node, or is refused."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.runtime import VM, Pid, virtual_time
from aybiza.console.addresses import Place, place_of
from aybiza.console.cli import app
from aybiza.console.control import control
from aybiza.supervisors.spawn import SPAWN_SUPERVISOR, SpawnSupervisor
from tests.actors.cluster.kit import Probe, cluster
from tests.actors.cluster.machines import Machine
from tests.actors.node.kit import LIMIT, until


async def asked(at: Distribution, op: str, process: str, **more: Any) -> dict[str, Any]:
    request = {"op": op, "process": process, **more}
    if op == "kill":
        request["reason"] = "kill"
    answer = await control(at.vm, json.loads(json.dumps(request)))
    found: dict[str, Any] = json.loads(json.dumps(answer))
    return found


async def refused(at: Distribution, op: str, process: str, **more: Any) -> str:
    with pytest.raises(ValueError, match=r".") as refusal:
        await asked(at, op, process, **more)
    return str(refusal.value)


async def probe(node: Distribution) -> Pid:
    pid = await node.vm.start(Probe)
    assert pid is not None
    return pid


@virtual_time
async def test_what_a_pid_of_a_node_alone_may_look_like() -> None:
    async with VM("front") as vm:
        for which in ("<front.12>", "front.12", "12", "<0.12>", "<12>"):
            assert place_of(vm, which) == Place("front", Pid("front", 12))
        for which in ("metrics", "call:CA1", "²", "-1", "", "<front.x>", "<.1>", "<front.1@>"):
            assert place_of(vm, which) is None


@virtual_time
async def test_a_pid_of_another_node_is_looked_for_there() -> None:
    async with cluster("vm-1", "vm-2") as (_, [one, two]):
        await two.vm.start(SpawnSupervisor, name=SPAWN_SUPERVISOR)
        here, there = await probe(one), await probe(two)
        while here.serial != there.serial:  # the very pid that another node has, too
            here, there = await probe(one), await probe(two)
            if here.serial < there.serial:
                here = await probe(one)
        seen = await asked(one, "observe", str(there))
        assert (seen["pid"], seen["label"]) == (repr(there), "Probe")
        killed = await asked(one, "kill", repr(there))
        assert killed["killed"] == repr(there)
        assert not two.vm.alive(there)
        assert one.vm.alive(here)
        assert "no process is called" in await refused(one, "observe", str(there))


@virtual_time
async def test_a_node_that_is_not_there_a_former_start_and_a_bare_serial_are_refused() -> None:
    async with cluster("vm-1", "vm-2") as (_, [one, _two]):
        pid = await probe(one)
        former = Pid(pid.node, pid.serial, pid.creation - 1)
        for op in ("kill", "observe"):
            assert await refused(one, op, f"<back.{pid.serial}>") == (
                f"<back.{pid.serial}> is a process of the node back, which vm-1 does not reach:"
                " it knows vm-1, vm-2"
            )
            assert await refused(one, op, repr(former)) == (
                f"{former!r} was a process of another start of the node vm-1;"
                f" its present start is {pid.start}, and `aybiza tree` shows it"
            )
            for alone in (str(pid.serial), f"<0.{pid.serial}>"):
                assert await refused(one, op, alone) == (
                    f"{alone} may be a process of any of vm-1, vm-2:"
                    f" write <vm-1.{pid.serial}>, or say which with --node"
                )
            assert "and --node says vm-1" in await refused(one, op, "<vm-2.1>", node="vm-1")
        assert one.vm.alive(pid)
        assert (await asked(one, "kill", str(pid.serial), node="vm-1"))["killed"] == repr(pid)


@virtual_time
async def test_a_node_that_does_not_answer_is_named() -> None:
    async with cluster("vm-1", "vm-2") as (_, [one, two]):
        there = await probe(two)
        assert "the node vm-2 does not answer" in await refused(one, "kill", str(there))
        assert two.vm.alive(there)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A machine with two real nodes."""
    main = ("--node-main", "cluster_mains:operated")
    with Machine("vm", "--max-restarts", "100", *main, nodes=2) as made:
        assert [each["node"] for each in made.ready()["nodes"]] == ["vm-1", "vm-2"]
        for name in made.names:
            until(lambda name=name: len(witnesses(made, name)) == 1, f"{name} runs")
        yield made


def aybiza(machine: Machine, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--port", str(machine.port)])


def witnesses(machine: Machine, node: str) -> list[str]:
    """The pids of the witness of a node, as `aybiza tree` shows them."""
    shown = aybiza(machine, "tree", "--node", node, "--json")
    if shown.exit_code:
        return []
    return [
        each["pid"] for each in json.loads(shown.stdout)["processes"] if each["server"] == "Witness"
    ]


def test_a_name_is_looked_for_on_all_nodes_of_the_machine(machine: Machine) -> None:
    refusal = aybiza(machine, "observe", "witness")
    assert refusal.exit_code == 1
    assert refusal.stderr == (
        "aybiza: vm-1 and vm-2 each have a process 'witness': say which with --node\n"
    )
    shown = aybiza(machine, "observe", "witness", "--node", "vm-2", "--json")
    assert json.loads(shown.stdout)["pid"].startswith("<vm-2.")
    assert "no process is called 'nobody'" in aybiza(machine, "kill", "nobody").stderr


def test_the_commands_reach_the_process_that_was_typed(machine: Machine) -> None:
    first, second = witnesses(machine, "vm-1"), witnesses(machine, "vm-2")
    bare = first[0].partition("@")[0].strip("<>").rpartition(".")[2]
    assert first[0].startswith(f"<vm-1.{bare}@")
    assert second[0].startswith(f"<vm-2.{bare}@")  # the same serial on both nodes
    until(lambda: aybiza(machine, "observe", second[0]).exit_code == 0, "vm-2 is reached")

    shown = aybiza(machine, "observe", f"<vm-2.{bare}>", "--json")
    assert json.loads(shown.stdout)["pid"] == second[0]
    wrong = aybiza(machine, "observe", bare)
    assert wrong.exit_code == 1
    assert "may be a process of any of vm-1, vm-2" in wrong.stderr
    wrong = aybiza(machine, "kill", f"<back.{bare}>")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "which vm-1 does not reach" in wrong.stderr
    wrong = aybiza(machine, "kill", f"<vm-2.{bare}>", "--node", "vm-1")
    assert "and --node says vm-1" in wrong.stderr
    assert witnesses(machine, "vm-1") == first

    killed = aybiza(machine, "kill", f"<vm-2.{bare}>", "--json")
    assert json.loads(killed.stdout)["killed"] == second[0]
    assert witnesses(machine, "vm-2") == []
    assert witnesses(machine, "vm-1") == first
    shown = aybiza(machine, "observe", bare, "--node", "vm-1", "--json")
    assert json.loads(shown.stdout)["pid"] == first[0]


def test_a_pid_of_a_former_start_is_refused(machine: Machine) -> None:
    before = witnesses(machine, "vm-1")
    os.kill(machine.pid("vm-1"), signal.SIGKILL)
    until(lambda: witnesses(machine, "vm-1") not in ([], before), "vm-1 is back")
    until(lambda: "does not reach" not in aybiza(machine, "observe", before[0]).stderr, "joined")
    refusal = aybiza(machine, "kill", before[0])
    assert refusal.exit_code == 1
    assert "was a process of another start of the node vm-1" in refusal.stderr
    assert len(witnesses(machine, "vm-1")) == 1


def test_one_node_of_a_machine_is_stopped_and_not_started_again() -> None:
    with Machine("vm", "--node-main", "cluster_mains:operated", nodes=2) as machine:
        machine.ready()
        for command in (["stop"], ["tree"], ["observe", "witness"], ["faults", "run", "--live"]):
            plan = ["--stop"] if "--live" in command else []
            refusal = aybiza(machine, *command, *plan, "--node", "vm-3")
            assert (refusal.exit_code, refusal.stdout) == (2, "")
            assert refusal.stderr == "aybiza: no node vm-3 is kept here, but vm-1, vm-2\n"
        for _ in range(2):
            stopped = aybiza(machine, "stop", "--node", "vm-2", "--timeout", str(LIMIT))
            assert (stopped.exit_code, stopped.stdout) == (0, "vm-2 has ended; vm-1 goes on\n")
        assert machine.event("node_left")["name"] == "vm-2"
        # The name is one node's now.
        assert aybiza(machine, "observe", "witness").exit_code == 0
        assert machine.process.poll() is None
        last = aybiza(machine, "stop", "--node", "vm-1", "--timeout", str(LIMIT))
        assert last.stdout == "vm-1 has ended; `aybiza run` ends with it\n"
        assert machine.wait() == 0
