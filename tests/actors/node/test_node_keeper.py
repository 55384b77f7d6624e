"""A node under its keeper: it is back when it has ended, hung or crashed, or given up in words."""

import json
import os
import signal
import time
from collections.abc import Callable
from unittest.mock import Mock

import pytest

from aybiza.actors.cluster.membership import Card
from aybiza.actors.node import actor_process
from aybiza.actors.node.messages import ForwardedHello
from aybiza.actors.node.node_keeper import CAPABILITY, NodeKeeper
from tests.actors.node.kit import LIMIT, RunningCommand, answer, ask_node, until
from tests.slowness import slowness


def test_only_a_system_that_is_made_for_a_node_gets_a_keeper() -> None:
    assert NodeKeeper.actorSystemCapabilityCheck({CAPABILITY: True}, None)
    assert not NodeKeeper.actorSystemCapabilityCheck({"Admin Port": 1900}, None)


def test_another_machine_that_asks_before_there_are_nodes_ends_no_keeper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(actor_process, "die_with_parent", lambda: None)
    before = signal.getsignal(signal.SIGTERM)
    try:
        NodeKeeper().handle(ForwardedHello(Mock(Card), None), None)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_killed_node_is_back_within_two_seconds(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    pid = node_pid()
    assert answer(command.info["tcp"]) == pid
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    until(lambda: answer(command.info["tcp"]) not in (None, pid), "another node on its port")
    assert time.monotonic() - killed < 2 * slowness()
    assert command.event("node_down", pid=pid)["reason"] == "killed by SIGKILL"


def test_a_node_that_hangs_is_killed_and_back(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    pid = node_pid()
    ask_node(command.port, {"block": 3600}, LIMIT)
    down = command.event("node_down", pid=pid)
    assert down["reason"] == "its loop hung: no heartbeat for 1 s"
    assert node_pid() != pid


def test_a_stopped_node_is_killed_and_back(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    pid = node_pid()
    os.kill(pid, signal.SIGSTOP)
    assert "its loop hung" in command.event("node_down", pid=pid)["reason"]
    assert node_pid() != pid


def test_a_node_leaves_alone_what_it_shares_with_its_keeper(command: RunningCommand) -> None:
    frozen = ask_node(command.port, {"frozen": True}, LIMIT)["frozen"]
    assert frozen, "a collection of the node writes to all that its keeper has imported"


def test_a_node_that_does_not_end_is_killed_and_that_is_a_failure() -> None:
    with RunningCommand("stubborn", "--stop-limit", "0.5") as command:
        command.ready()
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 1
        assert "it did not stop within 0.5 s and was killed" in command.log()


@pytest.mark.parametrize(
    ("main", "options", "message"),
    [
        ("failing", [], "the node did not start: OSError: the door is locked"),
        ("never_ready", ["--start-limit", "0.3"], "it was not ready within 0.3 s"),
        (
            "crashing",
            ["--max-restarts", "1"],
            "the node ended 2 times within 30 s; the last time: RuntimeError: crashed again",
        ),
    ],
)
def test_a_node_that_cannot_be_kept_is_an_error_with_its_reason(
    main: str, options: list[str], message: str
) -> None:
    with RunningCommand(main, *options) as command:
        assert command.wait() == 1
        assert message in command.log()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("node_mains:nothing", "node_mains has no coroutine function nothing"),
        ("nosuch:main", "there is no module nosuch"),
        ("nosuch", "is not of the form module:function"),
    ],
)
def test_a_main_that_there_is_not_is_one_sentence_and_wrong_usage(name: str, why: str) -> None:
    with RunningCommand("", "--node-main", name) as command:
        assert command.wait() == 2
        # The log is written by a thread: which of the two comes first is not promised.
        begun, sentence = sorted(command.log().splitlines(), reverse=True)
        assert json.loads(begun)["event"] == "actor_system_started"
        assert sentence.startswith(f"aybiza run: the node did not start: node main '{name}'")
        assert sentence.endswith(why)
