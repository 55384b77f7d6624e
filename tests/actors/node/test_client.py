"""What another process is told when it asks a node, and when there is none to ask."""

import gc
import socket
from collections.abc import Callable

import psutil
import pytest

from aybiza.actors.node.client import NodeNotRunning, NodeRefused, NodeTimeout
from tests.actors.node.kit import LIMIT, RunningCommand, ask_node, free_port, stop_node


def test_a_node_answers_a_request_from_outside(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    pid = node_pid()
    assert ask_node(command.port, {"a": [1, None]}) == {"echo": {"a": [1, None]}, "pid": pid}


def test_a_request_that_fails_is_answered_with_the_reason(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    node_pid()
    with pytest.raises(NodeRefused, match=r"^no such call$"):
        ask_node(command.port, {"fail": "no such call"}, LIMIT)


def test_a_request_that_takes_too_long_is_given_up(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    node_pid()
    with pytest.raises(NodeRefused, match=r"the node did not answer within 0\.3 s"):
        ask_node(command.port, {"sleep": 60}, 0.3)


def test_a_request_that_nobody_takes_is_given_up(command: RunningCommand) -> None:
    keeper = command.tree()["keeper"]
    keeper.suspend()
    try:
        with pytest.raises(NodeTimeout, match=r"has not answered within 0\.1 s"):
            ask_node(command.port, {}, 0.1)
    finally:
        keeper.resume()


def test_no_connection_waits_for_the_garbage_collector(command: RunningCommand) -> None:
    gc.collect()
    before = psutil.Process().num_fds()
    gc.disable()
    try:
        ask_node(command.port, {}, LIMIT)
        assert psutil.Process().num_fds() == before
    finally:
        gc.enable()


@pytest.mark.parametrize("use", [lambda port: ask_node(port, {}), stop_node], ids=["ask", "stop"])
def test_a_port_without_a_node_is_said_to_have_none(use: Callable[[int], object]) -> None:
    port = free_port()
    words = f"no node runs on port {port} of 127.0.0.1: nothing listens there"
    with pytest.raises(NodeNotRunning, match=words):
        use(port)


def test_a_port_with_another_program_is_said_to_have_no_node() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(NodeNotRunning, match=f"no node runs on port {port}.*is not a node"):
            ask_node(port, {})


def test_a_client_can_stop_the_node() -> None:
    with RunningCommand("serving") as command:
        command.ready()
        stop_node(command.port, LIMIT)
        assert command.wait() == 0
        with pytest.raises(NodeNotRunning):
            stop_node(command.port)


def test_a_node_that_does_not_stop_in_time_is_told() -> None:
    with RunningCommand("stubborn", "--stop-limit", "60") as command:
        command.ready()
        with pytest.raises(NodeTimeout, match=r"has not stopped within 0\.2 s"):
            stop_node(command.port, 0.2)
