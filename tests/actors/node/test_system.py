"""The actor system of a node: it starts on a port of its own, and it ends in one piece."""

import os
import signal
import socket
from collections.abc import Callable

import psutil
import pytest

from aybiza.actors.node.system import NodeStartError, NodeSystem
from tests.actors.node.kit import (
    LIMIT,
    RunningCommand,
    ask_node,
    cookie,
    free_port,
    is_alive,
    until,
)


def test_a_busy_port_is_told_before_anything_is_started() -> None:
    before = psutil.Process().children()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(NodeStartError) as raised:
            NodeSystem(main="node_mains:serving", port=port, cookie=cookie()).start()
    assert str(raised.value) == (
        f"port {port} on 127.0.0.1 is in use: another node runs there, or another program;"
        " stop it or choose another cluster port (AYBIZA_CLUSTER_PORT)"
    )
    assert psutil.Process().children() == before


def test_an_interface_that_this_machine_does_not_have_is_told() -> None:
    port = free_port()
    words = f"cannot listen on 192.0.2.1:{port}: Cannot assign requested address"
    with pytest.raises(NodeStartError, match=words):
        NodeSystem(
            main="node_mains:serving", port=port, cookie=cookie(), address="192.0.2.1"
        ).start()


def test_a_second_node_on_the_port_does_not_harm_the_first(command: RunningCommand) -> None:
    with RunningCommand("serving", "--cluster-port", str(command.port)) as second:
        assert second.wait() == 1
        assert f"port {command.port} on 127.0.0.1 is in use" in second.log()
    assert ask_node(command.port, {}, LIMIT)["echo"] == {}


def test_children_of_a_killed_node_are_ended(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    pid = node_pid()
    child = psutil.Process(ask_node(command.port, {"spawn": 3600}, LIMIT)["pid"])
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(child), "the node's child has ended")
    node_pid()


@pytest.mark.parametrize(
    ("part", "name"), [("keeper", "NodeKeeper"), ("admin", "admin"), ("logger", "logger")]
)
def test_the_loss_of_a_process_that_keeps_the_node_ends_everything(part: str, name: str) -> None:
    with RunningCommand("serving") as command:
        command.ready()
        process = command.tree()[part]
        process.kill()
        assert command.wait() == 1
        assert f"the {name} process (pid {process.pid})" in command.log()
        assert "ended unexpectedly" in command.log()


def test_the_loss_of_the_command_itself_ends_everything() -> None:
    with RunningCommand("serving") as command:
        command.ready()
        tree = command.tree()
        command.process.kill()
        until(lambda: not any(map(is_alive, tree.values())), "all processes have ended")
