"""`aybiza faults run --live` on nodes in processes of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aybiza.console.live_faults import lines
from tests.actors.node.kit import RunningCommand, WholeCommand, ask_node, until
from tests.slowness import slowness

AYBIZA = [sys.executable, "-m", "aybiza.console"]
KILL = '[[fault]]\nwhat = "kill"\nwhere = "MemoryActor"\nat = 0.3\n'
FREEZE = '[[fault]]\nwhat = "node.freeze"\nnode = "n-1"\nat = 0.2\nseconds = 1.0\n'
END = '[[fault]]\nwhat = "node.kill"\nnode = "n-2"\nat = 1.5\n'
WAIT = '[[fault]]\nwhat = "kill"\nwhere = "MemoryActor"\nat = 1000\n'


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCommand]:
    folder = tmp_path_factory.mktemp("nodes")
    variables = {
        "XDG_STATE_HOME": str(folder),
        "AYBIZA_HTTP_PORT": "0",
        "AYBIZA_MEDIA_PORT": "0",
    }
    options = ["--name", "n", "--nodes", "2", "--emulated=scripted", "--allow-faults"]
    with WholeCommand("", *options, **variables) as command:
        command.ready()
        yield command
        command.process.terminate()
        command.process.wait(20)


def started(nodes: RunningCommand, folder: Path, plan: str, *options: str) -> Any:
    path = folder / "plan.toml"
    path.write_text(f'title = "t"\n{plan}')
    files = [str(path)] if plan else []
    command = [*AYBIZA, "faults", "run", *files, "--port", str(nodes.port), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def aybiza(nodes: RunningCommand, folder: Path, plan: str, *options: str) -> tuple[int, str, str]:
    running = started(nodes, folder, plan, *options)
    out, err = running.communicate(timeout=60)
    return running.returncode, out, " ".join(err.split())


def test_a_plan_strikes_on_one_node_and_tells_what_its_supervisor_did(
    nodes: RunningCommand, tmp_path: Path
) -> None:
    code, out, err = aybiza(nodes, tmp_path, KILL, "--node", "n-1")
    assert code == 0, err
    assert "n-1: MemoryActor#" in out and "n-2" not in out
    assert "exit killed" in out and "restarted" in out and "all has struck" in out
    logged = nodes.event("fault_struck", what="kill", node="n-1")
    assert "@" in logged["by"]


def test_all_nodes_of_the_cluster_are_frozen_killed_and_told_of(
    nodes: RunningCommand, tmp_path: Path
) -> None:
    code, out, err = aybiza(nodes, tmp_path, FREEZE + END, "--cluster", "--json")
    assert code == 0, err
    reports = json.loads(out)["nodes"]
    assert [strike["fault"] for strike in reports["n-1"]["strikes"]] == [
        "node.freeze node='n-1' at=0.2"
    ]
    assert reports["n-1"]["ended"] == "all has struck"
    assert "it was started again (start 2" in reports["n-2"]["ended"]
    until(lambda: _state(nodes, "n-2") == "up", "n-2 is up again")


def test_a_plan_that_its_asker_leaves_is_over_soon(nodes: RunningCommand, tmp_path: Path) -> None:
    running = started(nodes, tmp_path, WAIT, "--node", "n-1", "--seconds", "600")
    nodes.event("fault_plan_began", seconds=600.0)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=60)
    began = time.monotonic()
    nodes.event("fault_plan_ended", why="nobody asks for it any more")
    assert time.monotonic() - began < 10 * slowness()


def test_a_plan_is_stopped_by_another_command_and_by_ctrl_c(
    nodes: RunningCommand, tmp_path: Path
) -> None:
    for how, seconds in (("--stop", 601), ("ctrl-c", 602)):
        running = started(nodes, tmp_path, WAIT, "--node", "n-1", "--seconds", str(seconds))
        nodes.event("fault_plan_began", seconds=float(seconds))
        if how == "--stop":
            code, out, _ = aybiza(nodes, tmp_path, "", "--stop", "--node", "n-1")
            assert code == 0 and "stopped" in out
        else:
            running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=60)
        assert "n-1: t" in out and "stopped" in out


def test_what_cannot_be_done_is_refused_before_anything_is(
    nodes: RunningCommand, tmp_path: Path
) -> None:
    line = '[[fault]]\nwhat = "line.drop"\nat = 1\n'
    code, _, err = aybiza(nodes, tmp_path, KILL + line, "--cluster")
    assert code == 1
    assert "fault 2: line.drop cannot be done on a running node" in err
    code, _, err = aybiza(nodes, tmp_path, KILL.replace("MemoryActor", "MemoryAktor"), "--live")
    assert code == 2
    said = "there is no actor 'MemoryAktor'; did you mean 'MemoryActor'"
    assert said in err


def test_a_node_that_is_not_meant_for_it_refuses(tmp_path: Path) -> None:
    variables = {"XDG_STATE_HOME": str(tmp_path), "AYBIZA_HTTP_PORT": "0", "AYBIZA_MEDIA_PORT": "0"}
    with RunningCommand("", "--emulated=scripted", **variables) as command:
        command.ready()
        code, _, err = aybiza(command, tmp_path, KILL, "--live")
        assert code == 1
        assert "aybiza run --allow-faults" in err
        command.process.terminate()
        command.process.wait(20)


def test_a_report_is_told_in_the_order_of_time() -> None:
    report = {
        "title": "t",
        "strikes": [{"at": 1.0, "whom": "A#1", "phase": "none", "fault": "kill"}],
        "exits": [{"at": 1.0, "who": "A#1", "what": "killed"}],
        "restarts": [{"at": 1.1, "who": "A#2", "what": ""}],
        "undone": ["exit: there is no B now"],
        "seconds": 3.0,
        "ended": "all has struck",
    }
    assert lines("n-1", report) == [
        "n-1: t",
        "     1.00 s  A#1, none: kill",
        "     1.00 s  A#1 exit killed",
        "     1.10 s  A#2 restarted",
        "  NOT DONE  exit: there is no B now",
        "  ended after 3 s: all has struck",
    ]


def _state(nodes: RunningCommand, name: str) -> str:
    members = ask_node(nodes.port, {"op": "members"})["members"]
    return str({one["node"]: one["state"] for one in members}.get(name, ""))
