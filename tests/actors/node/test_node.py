"""A node under `aybiza run`: where it listens, how it is kept alive, what it answers.

The tests share one node, which several of them kill; each waits for its successor.
"""

import os
import signal
import socket
import time
from collections.abc import Iterator

import psutil
import pytest

from actors.node.client import NodeNotRunning, NodeRefused, ask_node
from tests.actors.node.kit import LIMIT, RunningCommand, answer, free_port, is_alive, until


@pytest.fixture(scope="module")
def command() -> Iterator[RunningCommand]:
    port = str(free_port())
    with RunningCommand(
        "serving", "--silence-limit", "1", "--max-restarts", "100", NODE_PORT=port
    ) as command:
        assert command.ready()["tcp"] == f"127.0.0.1:{port}"
        yield command


def node_pid(command: RunningCommand) -> int:
    """The pid of the node once it is up."""

    def ask() -> int | None:
        try:
            return int(ask_node(command.port, {}, LIMIT)["pid"])
        except NodeRefused:
            return None

    pid: int = until(ask, "the node is up")
    return pid


def listeners(process: psutil.Process) -> set[str]:
    """The addresses on which a process listens."""
    sockets = process.net_connections("tcp")
    return {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN}


def below(command: RunningCommand) -> list[psutil.Process]:
    return psutil.Process(command.process.pid).children(recursive=True)


def test_every_process_of_a_node_listens_on_loopback_only(command: RunningCommand) -> None:
    node_pid(command)
    processes = [psutil.Process(command.process.pid), *below(command)]
    assert len(processes) == 5  # the command, the admin, its logger, the keeper, the node
    assert [listeners(process) for process in processes] == [{"127.0.0.1"}] * 5


def test_what_a_node_prints_goes_to_standard_error(command: RunningCommand) -> None:
    until(lambda: "printed by the node\n" in command.log(), "its own words")
    until(lambda: "printed below the node\n" in command.log(), "those of its child")


def test_what_a_library_logs_in_a_node_is_in_the_log(command: RunningCommand) -> None:
    node_pid(command)
    ask_node(command.port, {"log": "a library's warning"}, LIMIT)
    assert command.event("a library's warning")["logger"] == "a.library"


def test_a_node_leaves_ctrl_c_and_hang_up_to_its_command(command: RunningCommand) -> None:
    pid = node_pid(command)
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(pid, number)
    assert ask_node(command.port, {}, LIMIT)["pid"] == pid


def test_a_node_answers_a_request_from_outside(command: RunningCommand) -> None:
    pid = node_pid(command)
    assert ask_node(command.port, {"a": [1, None]}) == {"echo": {"a": [1, None]}, "pid": pid}


def test_a_request_that_fails_is_answered_with_the_reason(command: RunningCommand) -> None:
    node_pid(command)
    with pytest.raises(NodeRefused, match="ValueError: no such call"):
        ask_node(command.port, {"fail": "no such call"}, LIMIT)


def test_an_answer_that_is_not_json_is_refused(command: RunningCommand) -> None:
    node_pid(command)
    with pytest.raises(NodeRefused, match="the node's answer is not JSON data"):
        ask_node(command.port, {"object": 1}, LIMIT)


def test_a_request_that_takes_too_long_is_given_up(command: RunningCommand) -> None:
    node_pid(command)
    with pytest.raises(NodeRefused, match=r"the node did not answer within 0\.3 s"):
        ask_node(command.port, {"sleep": 60}, 0.3)


def test_a_killed_node_is_back_within_two_seconds(command: RunningCommand) -> None:
    pid = node_pid(command)
    assert answer(command.info["tcp"]) == pid
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    until(lambda: answer(command.info["tcp"]) not in (None, pid), "another node on its port")
    assert time.monotonic() - killed < 2
    assert command.event("node_down", pid=pid)["reason"] == "killed by SIGKILL"


def test_a_fault_ends_a_node_and_it_is_back(command: RunningCommand) -> None:
    pid = node_pid(command)
    ask_node(command.port, {"fault": 1}, LIMIT)
    assert command.event("node_down", pid=pid)["reason"] == "killed by SIGSEGV"
    assert node_pid(command) != pid


def test_a_node_that_hangs_is_killed_and_back(command: RunningCommand) -> None:
    pid = node_pid(command)
    ask_node(command.port, {"block": 3600}, LIMIT)
    down = command.event("node_down", pid=pid)
    assert down["reason"] == "its loop hung: no heartbeat for 1 s"
    assert node_pid(command) != pid


def test_a_stopped_node_is_killed_and_back(command: RunningCommand) -> None:
    pid = node_pid(command)
    os.kill(pid, signal.SIGSTOP)
    assert "its loop hung" in command.event("node_down", pid=pid)["reason"]
    assert node_pid(command) != pid


def test_a_node_that_is_terminated_ends_in_order_and_is_back(command: RunningCommand) -> None:
    pid = node_pid(command)
    closings = command.log().count("closed in order")
    os.kill(pid, signal.SIGTERM)
    reason = "ended without being asked to (exit code 0)"
    assert command.event("node_down", pid=pid)["reason"] == reason
    assert command.log().count("closed in order") == closings + 1
    assert node_pid(command) != pid


def test_children_of_a_killed_node_are_ended(command: RunningCommand) -> None:
    pid = node_pid(command)
    child = psutil.Process(ask_node(command.port, {"spawn": 3600}, LIMIT)["pid"])
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(child), "the node's child has ended")
    node_pid(command)


def test_a_port_without_a_node_is_said_to_have_none() -> None:
    port = free_port()
    with pytest.raises(NodeNotRunning, match=f"no node runs on port {port}"):
        ask_node(port, {})


def test_a_port_with_another_program_is_said_to_have_no_node() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(NodeNotRunning, match=f"no node runs on port {port}"):
            ask_node(port, {})
