"""One running node for the tests of a module; several of them end it, and each asks which it is."""

from collections.abc import Callable, Iterator

import pytest

from aybiza.actors.node.client import NodeRefused
from tests.actors.node.kit import LIMIT, RunningCommand, ask_node, free_port, until


@pytest.fixture(scope="module")
def command() -> Iterator[RunningCommand]:
    """`aybiza run` with a node whose own door keeps its port from one start to the next."""
    port = str(free_port())
    with RunningCommand(
        "serving", "--silence-limit", "1", "--max-restarts", "100", NODE_PORT=port
    ) as command:
        assert command.ready()["tcp"] == f"127.0.0.1:{port}"
        yield command


@pytest.fixture
def node_pid(command: RunningCommand) -> Callable[[], int]:
    """The pid of the node, which a call waits for until it is up."""

    def ask() -> int | None:
        try:
            return int(ask_node(command.port, {}, LIMIT)["pid"])
        except NodeRefused:
            return None

    return lambda: int(until(ask, "the node is up"))
