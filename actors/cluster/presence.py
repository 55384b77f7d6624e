"""`Presence`: which nodes are up for the processes of this one, and who hears of it.

A node is up when it has told all its names and groups, and down once. Whoever asked by
`VM.monitor_nodes` hears of both, in their order.
"""

from __future__ import annotations

from aybiza.actors.runtime.messages import NodeDown, NodeUp
from aybiza.actors.runtime.process import Process


class Presence:
    """See the module."""

    def __init__(self) -> None:
        self._reached: dict[str, None] = {}
        self._subscribers: dict[Process, None] = {}

    def __contains__(self, node: str) -> bool:
        return node in self._reached

    def nodes(self) -> list[str]:
        """`VM.nodes`."""
        return list(self._reached)

    def monitor_nodes(self, process: Process, on: bool) -> None:
        """`VM.monitor_nodes`."""
        if on:
            self._subscribers[process] = None
        else:
            self._subscribers.pop(process, None)

    def up(self, node: str) -> None:
        """All names and groups of a node are here: only now is it told that it is up."""
        if node not in self._reached:
            self._reached[node] = None
            self._tell(NodeUp(node))

    def down(self, node: str, reason: str) -> None:
        """A node cannot be reached any more."""
        if node in self._reached:
            del self._reached[node]
            self._tell(NodeDown(node, reason))

    def ended(self, process: Process) -> None:
        """A process of this node has ended."""
        self._subscribers.pop(process, None)

    def _tell(self, message: NodeUp | NodeDown) -> None:
        for process in list(self._subscribers):
            process.deliver(message)
