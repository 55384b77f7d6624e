"""Machines of a cluster as child processes of a test: each is one `aybiza run`."""

from collections.abc import Callable
from typing import Any

from aybiza.actors.node import client
from tests.actors.node.kit import LIMIT, RunningCommand, cookie, until


class Machine(RunningCommand):
    """`aybiza run` with the cluster's test main; `names` are its nodes once it is ready."""

    def __init__(
        self,
        name: str,
        *options: str,
        nodes: int = 1,
        join: "Machine | None" = None,
        address: str = "127.0.0.1",
        main: str = "member",
        **environment: str,
    ) -> None:
        self.address = address
        self.names = [f"{name}-{i + 1}" for i in range(nodes)] if nodes > 1 else [name]
        joined = [] if join is None else ["--join", f"{join.address}:{join.port}"]
        super().__init__(
            "",
            *("--node-main", f"cluster_mains:{main}", "--name", name, "--nodes", str(nodes)),
            *("--bind", address),
            *joined,
            *options,
            **environment,
        )

    def ask(self, node: str, /, **request: Any) -> Any:
        """What a node of this machine answers."""
        return client.ask_node(
            self.port, request, LIMIT, cookie=cookie(), address=self.address, node=node
        )

    def pid(self, node: str) -> int:
        """The process of a node."""
        for each in client.list_nodes(self.port, LIMIT, cookie=cookie(), address=self.address):
            if each["node"] == node and each["phase"] == "up":
                return int(each["pid"])
        raise AssertionError(f"{node} is not up")

    def nodes(self, node: str) -> list[str]:
        """The other nodes that this one can reach."""
        found: list[str] = self.ask(node, op="nodes")["nodes"]
        return found

    def sees(self, node: str, *others: str) -> None:
        """Wait until the node reaches these and no others."""
        until(quietly(lambda: self.nodes(node) == sorted(others)), f"{node} sees {others}")

    def seen(self, node: str, *kinds: str) -> list[list[Any]]:
        """[wall clock, kind, what] of what the node's witness has seen, of these kinds."""
        found: list[list[Any]] = self.ask(node, op="seen")["seen"]
        return [event for event in found if not kinds or event[1] in kinds]


def quietly(condition: Callable[[], Any]) -> Callable[[], Any]:
    """A condition that does not hold while the node cannot be asked."""

    def ask() -> Any:
        try:
            return condition()
        except client.NodeError:
            return False

    return ask
