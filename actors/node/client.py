"""Ask a running node something from another process, such as a command-line tool.

The client joins the node's actor system through its admin port and leaves it again; it never
starts one. The calls block, for at most the time they are given and some tenths of a second to
join: not for use on an event loop.

Errors: NodeNotRunning (nothing, or no node, listens on the port), NodeTimeout (no reply in time),
NodeRefused (the node answered with an error), NodeUnknown (a name of no node that is kept there).
Each message is for people.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from aybiza.actors.node.binding import (
    LOOPBACK,
    bind_listeners,
    keeping_address,
)  # first: see there

# isort: split
from thespian.actors import ActorSystem, ActorSystemException
from thespian.system import systemBase
from thespian.system.multiprocTCPBase import ActorSystemBase
from thespian.system.transport.TCPTransport import ExternalTransportCopy, TCPTransport

from aybiza.actors.node.guard import guard_frames
from aybiza.actors.node.messages import ControlReply, ControlRequest, ListNodes, StopNode
from aybiza.actors.node.node_keeper import GLOBAL_NAME, NodeKeeper

JOIN_LIMIT = timedelta(seconds=2)
"""What the admin may take to say who it is and where the keeper is."""
REPLY_MARGIN = 0.5
"""Seconds that a node's own reply (that it took too long) may come after the time limit."""


class NodeError(Exception):
    """A node could not be asked, or did not answer."""


class NodeNotRunning(NodeError):
    """No node listens on the port."""


class NodeTimeout(NodeError):
    """The node has not answered in time."""


class NodeRefused(NodeError):
    """The node has answered with an error, which is the message."""


class NodeUnknown(NodeRefused):
    """No node of the name that was asked for is kept there; the message names those that are."""


def ask_node(
    port: int,
    request: Mapping[str, Any],
    timeout: float = 5.0,
    *,
    cookie: bytes,
    address: str = LOOPBACK,
    node: str | None = None,
) -> dict[str, Any]:
    """The reply of a node on `port` to `request` (both JSON data), within `timeout` seconds.

    `node` names one of the machine's nodes; None: the first that is up.
    """
    return _ask(port, ControlRequest(dict(request), timeout, node), timeout, cookie, address)


@contextmanager
def asking(
    port: int, timeout: float, *, cookie: bytes, address: str = LOOPBACK, node: str | None = None
) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """What asks a node as `ask_node` does, many times, for less: it joins the system once."""
    with joined(port, cookie=cookie, address=address) as (system, keeper):

        def ask(request: dict[str, Any]) -> dict[str, Any]:
            return _reply(system, keeper, ControlRequest(request, timeout, node), port, timeout)

        yield ask


def list_nodes(
    port: int, timeout: float = 5.0, *, cookie: bytes, address: str = LOOPBACK
) -> list[dict[str, Any]]:
    """The nodes that are kept on `port`, whether they are up or not."""
    nodes: list[dict[str, Any]] = _ask(port, ListNodes(), timeout, cookie, address)["nodes"]
    return nodes


def nodes_up(
    port: int, timeout: float = 5.0, *, cookie: bytes, address: str = LOOPBACK
) -> list[str]:
    """The machine's nodes that are up, in their order."""
    kept = list_nodes(port, timeout, cookie=cookie, address=address)
    return [each["node"] for each in kept if each["phase"] == "up"]


def nodes_with(
    port: int, process: str, timeout: float = 5.0, *, cookie: bytes, address: str = LOOPBACK
) -> list[str]:
    """The machine's nodes that are up and have a process of this name; the only one that is up
    is not asked."""
    up = nodes_up(port, timeout, cookie=cookie, address=address)
    if len(up) == 1:
        return up
    request = {"op": "find", "process": process}
    found = []
    for node in up:
        # A node of another kind need not know the question.
        with suppress(NodeRefused):
            answer = ask_node(port, request, timeout, cookie=cookie, address=address, node=node)
            if answer.get("found") is not None:
                found.append(node)
    return found


def _ask(port: int, request: Any, timeout: float, cookie: bytes, address: str) -> dict[str, Any]:
    with joined(port, cookie=cookie, address=address) as (system, keeper):
        return _reply(system, keeper, request, port, timeout)


def _reply(system: Any, keeper: Any, request: Any, port: int, timeout: float) -> dict[str, Any]:
    reply = system.ask(keeper, request, timeout + REPLY_MARGIN)
    if not isinstance(reply, ControlReply):
        raise NodeTimeout(f"the node on port {port} has not answered within {timeout:g} s")
    if reply.error is not None:
        raise (NodeUnknown if reply.unknown else NodeRefused)(reply.error)
    answer: dict[str, Any] = json.loads(reply.reply)
    return answer


def stop_node(
    port: int,
    timeout: float = 10.0,
    *,
    cookie: bytes,
    address: str = LOOPBACK,
    node: str | None = None,
) -> list[str]:
    """End all nodes on `port` in order, with all that keeps them; return when the port is free.

    With `node` this one only, unless it is the last, and it is not started again; return when it
    is over. Returns the names of the nodes that go on.
    """
    others: list[str] = []
    with joined(port, cookie=cookie, address=address) as (system, keeper):
        until = time.monotonic() + timeout
        if node is None:
            system.tell(keeper, StopNode())
        else:
            others = _reply(system, keeper, StopNode(node), port, timeout)["others"]
            while others and not _is_over(system, keeper, node, port, timeout):
                _not_too_late(port, until, timeout)
    while not others and _listens(port, keeping_address(address)):
        _not_too_late(port, until, timeout)
    return others


def _is_over(system: Any, keeper: Any, node: str, port: int, timeout: float) -> bool:
    kept = _reply(system, keeper, ListNodes(), port, timeout)["nodes"]
    (row,) = [each for each in kept if each["node"] == node]
    if "failure" in row:
        raise NodeRefused(f"the node {node} did not stop in order: {row['failure']}")
    return bool(row["phase"] == "over")


def _not_too_late(port: int, until: float, timeout: float) -> None:
    if time.monotonic() > until:
        raise NodeTimeout(f"the node on port {port} has not stopped within {timeout:g} s")
    time.sleep(0.05)


class _ClientTransport(TCPTransport):  # type: ignore[misc]
    """A transport that closes its sockets; Thespian's leaves them to the garbage collector."""

    def external_transport_clone(self) -> Any:
        return _ClientTransport(ExternalTransportCopy(), self._adminAddr, self.txOnly, False)

    def close(self) -> None:
        own = [vars(self).get("socket"), *vars(self).get("_openSockets", {}).values()]
        sending = vars(self).get("_transmitIntents", {}).values()
        own += [getattr(intent, "socket", None) for intent in sending]
        super().close()
        for each in own:
            if each is not None:
                each.close()


class _JoinedSystem(ActorSystemBase):  # type: ignore[misc]
    """The client's end of a system that runs already."""

    transportType = _ClientTransport

    def _startAdmin(self, *_arguments: Any) -> None:
        raise NodeNotRunning("no actor system runs there")

    def _verifyAdminRunning(self) -> bool:
        if not super()._verifyAdminRunning():
            raise NodeNotRunning("what listens there is not a node, or it is shutting down")
        return True


@contextmanager
def joined(port: int, *, cookie: bytes, address: str = LOOPBACK) -> Iterator[tuple[Any, Any]]:
    """The Thespian ActorSystem of the node on `port`, and its NodeKeeper's ActorAddress."""
    address = keeping_address(address)
    bind_listeners(address)
    guard_frames(cookie, quiet=True)
    systemBase.MAX_ADMIN_STATUS_REQ_DELAY = JOIN_LIMIT
    systemBase.MAX_CHILD_ACTOR_CREATE_DELAY = JOIN_LIMIT
    systemBase.MAX_TELL_PERIOD = JOIN_LIMIT
    try:
        if not _listens(port, address):
            raise NodeNotRunning("nothing listens there")
        base = _JoinedSystem(SimpleNamespace(capabilities={"Admin Port": port}))
        with closing(base.transport):
            system = ActorSystem(base, transientUnique=True)
            # A name that is taken yields its owner; NodeKeeper lets no other system create one.
            yield system, system.createActor(NodeKeeper, globalName=GLOBAL_NAME)
    except (NodeNotRunning, ActorSystemException) as error:
        raise NodeNotRunning(f"no node runs on port {port} of {address}: {error}") from error


def _listens(port: int, address: str) -> bool:
    try:
        with socket.create_connection((address, port), timeout=JOIN_LIMIT.total_seconds()):
            return True
    except OSError:
        return False
