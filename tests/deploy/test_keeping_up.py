"""What systemd and containers rely on: restarts with longer waits, then an exit code, no orphan.

`tests/actors/node` shows the same of each part: the keeper's decisions, a node that is killed, that
hangs or stops, the loss of the admin, the logger, the keeper and the command itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from aybiza.actors.node.client import NodeError
from aybiza.actors.node.messages import Limits
from tests.actors.node.kit import (
    COMMAND,
    LIMIT,
    ROOT,
    RunningCommand,
    ask_node,
    free_port,
    is_alive,
    until,
)
from tests.deploy.kit import unit


def downs(log: str) -> list[dict[str, Any]]:
    """The ends of nodes that a log tells of."""
    entries = []
    for line in log.splitlines():
        with contextlib.suppress(ValueError):
            entries.append(json.loads(line))
    return [entry for entry in entries if entry.get("event") == "node_down"]


def test_a_node_that_keeps_crashing_is_restarted_with_longer_waits_and_then_left_to_systemd() -> (
    None
):
    with RunningCommand("crashing") as command:
        assert command.wait() == 1
        log = command.log()
    limits = Limits()
    assert [down["restart_in_s"] for down in downs(log)] == list(limits.backoff)
    assert f"the node ended {limits.max_restarts + 1} times within {limits.max_seconds:g} s" in log
    service = unit("systemd/aybiza.service")["Service"]
    assert service["Restart"] == ["on-failure"]


def test_when_one_node_cannot_be_kept_the_others_end_in_order_before_systemd_takes_over() -> None:
    with RunningCommand("serving", "--nodes", "2", "--max-restarts", "0") as command:
        nodes = command.ready()["nodes"]
        os.kill(nodes[0]["pid"], signal.SIGKILL)
        assert command.wait() == 1
        log = command.log()
    assert "the node ended 1 times within 30 s; the last time: killed by SIGKILL" in log
    assert log.count("closed in order") == 1


def test_systemd_leaves_a_keeper_the_time_for_all_its_restarts() -> None:
    section = unit("systemd/aybiza.service")["Unit"]
    limits = Limits()
    assert float(section["StartLimitIntervalSec"][0]) > limits.max_seconds
    assert sum(limits.backoff) < limits.max_seconds


@contextmanager
def process_one(port: int) -> Iterator[psutil.Process]:
    """`aybiza run` as process 1 of a PID namespace of its own, as in a container."""
    here = ROOT / "tests" / "actors" / "node"
    node = ("--json", "--port", str(port), "--node-main", "node_mains:serving")
    namespace = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    probe = subprocess.run([*namespace, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"no PID namespace, so aybiza as process 1 was not tested: {probe.stderr}")
    outer = subprocess.Popen(
        [*namespace, sys.executable, "-c", COMMAND, *node],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(here), str(ROOT)]),
            "NODE_PORT": "0",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert outer.stdout is not None
    try:
        assert outer.stdout.readline(), "not ready"
        yield psutil.Process(outer.pid).children()[0]
    finally:
        outer.kill()
        outer.wait(LIMIT)
        outer.stdout.close()


def test_as_process_one_it_ends_in_order_and_takes_all_with_it() -> None:
    with process_one(free_port()) as first:
        below = first.children(recursive=True)
        assert len(below) >= 4
        parent = first.parent()
        first.send_signal(signal.SIGTERM)
        until(lambda: not any(map(is_alive, [first, *below])), "all have ended")
        assert parent is not None and parent.wait(LIMIT) == 0


def test_as_process_one_it_leaves_no_orphan_and_no_zombie() -> None:
    port = free_port()
    with process_one(port) as first:
        orphan_in_namespace = ask_node(port, {"spawn": 3600}, LIMIT)["pid"]
        (orphan,) = (p for p in first.children(recursive=True) if "sleep" in p.name())
        node = orphan.parent()
        assert orphan_in_namespace != orphan.pid and node is not None
        node.kill()
        until(lambda: not orphan.is_running(), "the node's child is gone")
        until(lambda: is_up(port), "another node")
        zombies = [p for p in first.children(recursive=True) if p.status() == psutil.STATUS_ZOMBIE]
        until(lambda: not any(zombie.is_running() for zombie in zombies), "no zombie is left")


def is_up(port: int) -> bool:
    """Whether the node answers."""
    try:
        return bool(ask_node(port, {}, LIMIT))
    except NodeError:
        return False
