"""`Connections`: this node's connections to all others: what comes in, goes out, and goes wrong.

The pure parts (`Membership`, its `Link`s) say what every event leads to; the `Exchange` carries it
out. What cannot be trusted (a signal that cannot be read, one that its table refuses, a message
that the carrier will not take) ends that one connection, and both ends are told. What goes wrong
with no other node to blame is this node's own fault: it takes its leave of the cluster and
`failed` is told, for a node that is half alive is worse than one that ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import structlog

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.carrier import Carrier, Gone, Unreachable, Welcome
from aybiza.actors.cluster.exchange import Exchange
from aybiza.actors.cluster.membership import (
    Card,
    Delivered,
    Down,
    Event,
    Farewell,
    Letter,
    Membership,
    NameTaken,
    Post,
    Refusal,
    Up,
)
from aybiza.actors.runtime.errors import RemoteBusy
from aybiza.actors.runtime.telemetry import REMOTE_QUEUE_FULL
from aybiza.actors.runtime.vm import VM

ALARM_SECONDS = 10.0
"""Between two lines in the log of the same thing about the same node."""
UNIT_BYTES = 100
"""So many bytes of items are as much work as an item."""

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """Who is told what happens on the connections."""

    def node_up(self, card: Card) -> Iterator[bytes]:
        """A node can be reached; returns what it gets ahead of everything else."""

    def node_down(self, card: Card, reason: str) -> None:
        """A node cannot be reached any more."""

    def welcomed(self, machine: str) -> None:
        """A machine has told its nodes."""

    def take(self, node: str, item: bytes) -> None:
        """An item has come from a node; what this raises ends the connection."""

    def name_taken(self, owner: Card) -> None:
        """Our name belongs to another node."""

    def failed(self, error: BaseException) -> None:
        """This node's own part has failed and has taken its leave."""


class Connections:
    """See the module. `members` knows the nodes."""

    def __init__(self, vm: VM, carrier: Carrier, members: Membership, listener: Listener) -> None:
        self.members = members
        self._vm = vm
        self._carrier = carrier
        self._listener = listener
        self._exchange = Exchange(vm.loop, self._take, self._perform, self._blame)
        self._flushing = False
        self._failed = False
        self._alarms: dict[tuple[str, str], float] = {}

    def statistics(self) -> dict[str, int]:
        """Items that are held for other nodes, events that wait for their turn."""
        held = sum(peer.link.held for peer in self.members.known())
        return {"held": held, "waiting": self._exchange.waiting}

    def receive(self, message: Any) -> None:
        """A message of the carrier, or `"tick"`."""
        self._exchange.event(message)

    def meet(self, card: Card) -> None:
        """Another node has named this one."""
        self._exchange.effects(list(self.members.meet(self._vm.now(), card)))

    def put(self, node: str, item: bytes, *, reserve: bool) -> bool:
        """Send an item; False if the node is down.

        Where there is no room for it, `RemoteBusy` is raised; or with `reserve`, for what must not
        be left out, the connection is given up. It only puts: whoever calls it may be in the midst
        of something.
        """
        if self.members.put(node, item, reserve=reserve):
            self._flush_soon()
            return True
        if self.members.peer(node) is None:
            return False
        if self._due("remote_queue_full", node):
            log.warning("remote_queue_full", node=node)
            self._vm.telemetry.execute(REMOTE_QUEUE_FULL, metadata={"node": node})
        if not reserve:
            raise RemoteBusy(node)
        self._give_up(node, "too many messages wait for it")
        return False

    def busy(self) -> str | None:
        """A node for which no more can be put now."""
        up = (card.name for card in self.members.up())
        return next((name for name in up if not self.members.has_room(name)), None)

    def leave(self, reason: str) -> None:
        """Tell the other nodes, and all here who rely on one; nothing is taken after that."""
        self._exchange.effects(list(self.members.leave(reason)))
        self._exchange.finish()

    def fail(self, error: BaseException) -> None:
        """This node's own part has failed."""
        if self._failed:
            return
        self._failed = True
        text = signals.described(error)
        log.critical("cluster_failed", error=text, exc_info=error)
        self.leave(f"the cluster's part of this node has failed: {text}")
        self._listener.failed(error)

    def _take(self, event: Any) -> list[Event]:
        now = self._vm.now()
        match event:
            case Letter() | Refusal() | Farewell():
                effects = list(self.members.receive(now, event))
                if self.members.more:
                    self._flush_soon()
                return effects
            case Welcome(machine, cards):
                self._listener.welcomed(machine)
                return [each for card in cards for each in self.members.meet(now, card)]
            case Unreachable(address):
                return list(self.members.unreachable(now, address, "nothing listens there"))
            case Gone(card):
                return list(self.members.gone(card, "its process has ended"))
            case "tick":
                return list(self.members.tick(now))
            case "flush":
                self._flushing = False
                effects = list(self.members.flush(now))
                if self.members.more:
                    self._flush_soon()
                return effects
        return []

    def _perform(self, effect: Event) -> int:
        match effect:
            case Post(address, message):
                self._carrier.post(address, message)
            case Up(card):
                self.members.begin(card.name, self._listener.node_up(card))
                self._flush_soon()
            case Down(card, reason):
                self._listener.node_down(card, reason)
            case Delivered(card, items):
                for item in items:
                    # One of them may have cost the connection, and with it those behind it.
                    if self.members.peer(card.name) is None:
                        break
                    self._listener.take(card.name, item)
                return len(items) + sum(map(len, items)) // UNIT_BYTES
            case NameTaken(owner):
                self._listener.name_taken(owner)
        return 1

    def _blame(self, cause: Any, error: BaseException) -> None:
        node = self._source(cause)
        if node is None:
            self.fail(error)
            return
        if self._due("connection_failed", node):
            trace = None if isinstance(error, signals.ProtocolError) else error
            log.error(
                "connection_failed", node=node, error=signals.described(error), exc_info=trace
            )
        self._give_up(node, signals.described(error))

    def _source(self, cause: Any) -> str | None:
        """The node that an event or effect is of; None if it is this one's own."""
        match cause:
            case (
                Letter(card=Card(name=name))
                | Farewell(Card(name=name))
                | Up(Card(name=name))
                | Delivered(Card(name=name))
            ):
                return str(name)
            case Post(address):
                known = self.members.known()
                return next((p.card.name for p in known if p.card.address == address), "")
            case Letter() | Farewell() | Refusal() | Welcome() | Unreachable() | Gone():
                return ""  # nobody's: it is left out
        return None

    def _give_up(self, node: str, reason: str) -> None:
        self._exchange.effects(list(self.members.drop(self._vm.now(), node, reason)))

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._exchange.event("flush")

    def _due(self, alarm: str, node: str) -> bool:
        """Whether an alarm may be logged again."""
        now = self._vm.now()
        due = now >= self._alarms.get((alarm, node), now)
        if due:
            self._alarms[alarm, node] = now + ALARM_SECONDS
        return due
