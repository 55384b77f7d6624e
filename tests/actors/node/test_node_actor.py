"""The process that carries a node: what it answers with, and how it ends."""

import json
import os
import signal
from collections.abc import Callable

import pytest

from aybiza.actors.node.client import NodeRefused
from aybiza.actors.node.node_actor import encode_reply
from tests.actors.node.kit import LIMIT, RunningCommand, ask_node


def test_an_answer_is_sent_as_json() -> None:
    reply = encode_reply({"a": [1, None, "é"]})
    assert reply.error is None
    assert json.loads(reply.reply) == {"a": [1, None, "é"]}


@pytest.mark.parametrize("answer", [object(), {1: {2}}, b"bytes"])
def test_an_answer_that_is_not_json_is_an_error(answer: object) -> None:
    reply = encode_reply(answer)
    assert reply.reply == "null"
    assert reply.error is not None
    assert reply.error.startswith("the node's answer is not JSON data: ")


def test_an_answer_that_is_not_json_is_refused_and_the_node_goes_on(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    pid = node_pid()
    with pytest.raises(NodeRefused, match="the node's answer is not JSON data"):
        ask_node(command.port, {"object": 1}, LIMIT)
    assert node_pid() == pid


def test_a_node_that_is_terminated_ends_in_order_and_is_back(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    pid = node_pid()
    closings = command.log().count("closed in order")
    os.kill(pid, signal.SIGTERM)
    reason = "ended without being asked to (exit code 0)"
    assert command.event("node_down", pid=pid)["reason"] == reason
    assert command.log().count("closed in order") == closings + 1
    assert node_pid() != pid


def test_tasks_and_threads_that_a_main_leaves_do_not_hold_up_the_end() -> None:
    with RunningCommand("leaving_tasks") as command:
        command.ready()
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 0
        assert "ended False False" in command.log()
