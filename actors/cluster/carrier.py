"""`Carrier`: how messages get from node to node, as the distribution sees it.

A carrier may lose, repeat and reorder; it must not block. In a node it is Thespian
(`aybiza.actors.node.carrier`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from aybiza.actors.cluster.membership import Address, Card


class Welcome(NamedTuple):
    """A keeper's answer to `hello`: the nodes that it keeps."""

    machine: str
    cards: tuple[Card, ...]


class Unreachable(NamedTuple):
    """Nothing listens at the address any more."""

    address: Address


class Gone(NamedTuple):
    """Our keeper has seen this node end."""

    card: Card


@dataclass(frozen=True)
class ToProcess:
    """From any Thespian program to a NodeActor: `request` for the process called `name`.

    `kind`: `call` (the sender gets a `ProcessReply` within `limit` seconds), `cast`, or `send`.
    """

    name: Any
    request: Any
    kind: str = "call"
    limit: float = 5.0


@dataclass(frozen=True)
class ProcessReply:
    """The answer to a `ToProcess`: `value`, or what went wrong, for people."""

    value: Any = None
    error: str | None = None


class Carrier(Protocol):
    """See the module."""

    @property
    def card(self) -> Card:
        """Who we are."""

    @property
    def seeds(self) -> Sequence[Address]:
        """The machines that are to be joined: where their actor systems listen."""

    def attach(self, receive: Callable[[Any, Any], None]) -> None:
        """Have `receive(message, sender)` called on the loop with all that comes in."""

    def post(self, address: Address, message: Any) -> None:
        """Send a message to a node."""

    def hello(self, machines: Sequence[Address]) -> None:
        """Ask our own keeper and those of these machines for their nodes (`Welcome`)."""

    def tell(self, actor: Any, message: Any) -> None:
        """Send a message to any Thespian ActorAddress."""

    def is_actor(self, dest: Any) -> bool:
        """Whether this is a Thespian ActorAddress."""
