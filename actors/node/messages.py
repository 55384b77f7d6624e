"""What the processes of a node say to each other through Thespian.

Four parties: the command (`aybiza run`, outside the actor system), the NodeKeeper, the NodeActor,
and a client (any other command that joins the system from outside). Everything here is plain data;
an incarnation is the number of a node's start, counted by its keeper from 1, so that a message of
a dead process is told from one of its successor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aybiza.actors.node.binding  # noqa: F401 - first: see there

# isort: split
from thespian.actors import ActorSystemMessage

from aybiza.actors.cluster.membership import Card

CarrierName = Literal["stream", "thespian"]


@dataclass(frozen=True)
class OwnCertificate:
    """The operator's files, PEM: what a node shows, its key, who must have signed the others'."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True)
class Limits:
    """The keeper's time limits and restart intensity; all times in seconds.

    The node may end `max_restarts` times within `max_seconds` and be started again; once more, and
    the keeper gives up. `backoff` is the wait before the first, second, … restart of that period;
    its last entry holds for all further ones.
    """

    start: float = 20.0
    silence: float = 5.0
    stop: float = 3.0
    max_restarts: int = 5
    max_seconds: float = 30.0
    backoff: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class NodePlan:
    """A node that is to be kept: its name and what its environment has beside the keeper's.

    `renews`: it ends in order by itself, and is then started again.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    renews: bool = False


@dataclass(frozen=True)
class KeepNodes:
    """Command to keeper: keep these nodes alive; each runs `main` ("module:function").

    `machine` is the name of this actor system among those of the cluster (`address:port`), `seeds`
    the ones that the nodes join: host and port. `carrier` is what carries between nodes, `own` the
    operator's certificate for it. At `shared`, host and port by a name, all of the nodes listen.
    """

    main: str
    limits: Limits
    nodes: tuple[NodePlan, ...]
    machine: str
    seeds: tuple[tuple[str, int], ...] = ()
    carrier: CarrierName = "stream"
    own: OwnCertificate | None = None
    shared: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class StopNode:
    """Command or client to keeper, keeper to node: end in order.

    `node` names one of the machine's nodes, which is not started again; the others go on. None:
    all of them. A client that names one gets a ControlReply.
    """

    node: str | None = None


@dataclass(frozen=True)
class NodeUp:
    """Keeper to command: the node serves; `info` is what its main declared with `ready`."""

    incarnation: int
    pid: int
    info: Mapping[str, str]
    node: str = ""


@dataclass(frozen=True)
class NodeDown:
    """Keeper to command: the node has ended and is started again in `restart_in` seconds."""

    incarnation: int
    pid: int
    reason: str
    restart_in: float
    node: str = ""


@dataclass(frozen=True)
class NodeGivenUp:
    """Keeper to command: the node is down for good."""

    reason: str
    node: str = ""
    misnamed: bool = False
    """Whether there is no such main: what was asked for is wrong, and nothing has failed."""


@dataclass(frozen=True)
class NodeStopped:
    """Keeper to command: all nodes ended as asked; `failure` is what was not in order, if any."""

    failure: str | None


@dataclass(frozen=True)
class NodeLeft:
    """Keeper to command: this one has ended as asked, the others go on."""

    node: str
    failure: str | None


@dataclass(frozen=True)
class CarryNode:
    """Keeper to node, its first message: run `main` on the loop.

    `started` is the time of this start in milliseconds, later than that of every one before.
    `shared` has the descriptors, inherited from the keeper, of the sockets that all nodes of the
    machine listen at.
    """

    incarnation: int
    main: str
    plan: NodePlan = NodePlan("")
    started: int = 0
    machine: str = ""
    seeds: tuple[tuple[str, int], ...] = ()
    carrier: CarrierName = "stream"
    own: OwnCertificate | None = None
    shared: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class NodeReady:
    """Node to keeper: the start has come to its end, the doors are open."""

    incarnation: int
    info: Mapping[str, str]
    node: str = ""


@dataclass(frozen=True)
class Heartbeat:
    """Node to keeper: the loop turns."""

    incarnation: int
    node: str = ""


@dataclass(frozen=True)
class NodeDraining:
    """Node to keeper, keeper to command: told to end, it needs up to `seconds` for its calls."""

    incarnation: int
    seconds: float
    node: str = ""


@dataclass(frozen=True)
class NodeEnded:
    """Node to keeper: main has returned (`reason` is None) or failed.

    The process waits for ReleaseNode.
    """

    incarnation: int
    reason: str | None
    node: str = ""


@dataclass(frozen=True)
class ReleaseNode:
    """Keeper to node: your reason is noted, end the process."""


@dataclass(frozen=True)
class ControlRequest:
    """Client to keeper, and on to the node: answer `request` within `limit` seconds.

    `node` names one of the machine's nodes; None: the first that is up.
    """

    request: Mapping[str, Any]
    limit: float
    node: str | None = None


@dataclass(frozen=True)
class ListNodes:
    """Client to keeper: what is kept here? Answered by a ControlReply with JSON data."""


@dataclass(frozen=True)
class FindNode:
    """Any Thespian program to the keeper: the NodeActor of this name, None: the first.

    Answered by NodeAddress.
    """

    name: str | None = None


@dataclass(frozen=True)
class NodeAddress:
    """Keeper to any Thespian program: the NodeActor's ActorAddress, None if it is not up."""

    address: Any


class Hello(ActorSystemMessage):  # type: ignore[misc]
    """Node to its own keeper, and to the admins of other machines: who is there? (`Welcome`)"""

    def __init__(self, card: Card) -> None:
        self.card = card


@dataclass(frozen=True)
class ForwardedHello:
    """Admin to keeper: the Hello of this node of another machine."""

    card: Card
    sender: Any


@dataclass(frozen=True)
class Mail:
    """Node to node: what has been posted to it, in its order."""

    messages: tuple[Any, ...]


@dataclass(frozen=True)
class ForwardedRequest:
    """Keeper to node: a client's request, with the client's address (a Thespian ActorAddress)."""

    request: ControlRequest
    client: Any


@dataclass(frozen=True)
class ControlReply:
    """Node or keeper to client: the reply as JSON, or what went wrong."""

    reply: str = "null"
    error: str | None = None
    unknown: bool = False
    """Whether the error is that no node of the name that was asked for is kept."""
