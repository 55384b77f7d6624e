"""A node main of one's own: the tutorial's till, on two nodes that the command runs."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from aybiza.actors.node import client
from aybiza.actors.node.context import NodeContext
from aybiza.console.member import member
from tests.actors.node.kit import LIMIT, ROOT, RunningCommand, cookie, until

PROGRAMS = ROOT / "examples" / "runtime"
# As the installed command, which has its own folder on the path, not the one it is given in.
INSTALLED = {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}


class CommandThere(RunningCommand):
    """`aybiza run`, given in the folder of the programs."""

    cwd = PROGRAMS


@pytest.fixture(scope="module")
def shop() -> Iterator[RunningCommand]:
    options = ("--node-main", "shop:main", "--name", "shop", "--nodes", "2")
    with CommandThere("", *options, **INSTALLED) as command:
        command.ready()
        yield command
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 0


def labels(command: RunningCommand, node: str) -> list[str]:
    """The processes of a node, by their classes; none while it cannot be asked."""
    try:
        reply: Any = client.ask_node(
            command.port, {"op": "tree"}, LIMIT, cookie=cookie(), node=node
        )
    except client.NodeError:
        return []
    return [process["server"] for process in reply["processes"]]


def owner(command: RunningCommand) -> str | None:
    """The node that runs the till, if just one does."""
    found = [node for node in ("shop-1", "shop-2") if "Counter" in labels(command, node)]
    return found[0] if len(found) == 1 else None


def test_what_runs_once_in_the_cluster_goes_on_when_its_node_is_killed(
    shop: RunningCommand,
) -> None:
    first = until(lambda: owner(shop), "one node runs the till")
    nodes = client.list_nodes(shop.port, LIMIT, cookie=cookie())
    (pid,) = [int(node["pid"]) for node in nodes if node["node"] == first]
    os.kill(pid, signal.SIGKILL)
    until(lambda: owner(shop) not in (first, None), "the other node runs it")
    until(lambda: "Singleton" in labels(shop, first), "the killed node is back and stands by")
    assert owner(shop) != first


def test_a_node_that_stands_alone_is_told_how_it_is_started() -> None:
    context = NodeContext(incarnation=1, settings={}, on_ready=lambda _info: None)

    async def nothing(_vm: Any) -> None:
        pass

    with pytest.raises(ValueError, match="aybiza run --node-main"):
        asyncio.run(member(context, nothing))


def test_the_application_is_not_asked_for_what_it_needs() -> None:
    """No agent, tools or quotas are read for a node main of one's own."""
    options = ("--node-main", "shop:main", "--name", "alone")
    with CommandThere("", *options, AYBIZA_AGENT="nobody", **INSTALLED) as command:
        assert command.ready()
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 0
