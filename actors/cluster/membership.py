"""`Membership`: which nodes there are and which of them can be reached. Pure.

Every node talks to every other: it knocks at those that it has heard of until they answer, sends
each a heartbeat every `BEAT_SECONDS`, and holds a peer for down that is silent (`Link`), whose
listener refuses a connection, or whose keeper has seen it end. There is no leader, so none can be
lost. Who is not reached is knocked at for `FORGET_SECONDS` more.

A name belongs to one node. A second one that knocks under it is refused by all who know the first;
of two that meet after a partition the one that has started first keeps the name, and the
other is told (`NameTaken`) and has to end. A new start on the same machine takes its
predecessor's place at once, as the keeper there knows that it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from aybiza.actors.cluster.link import Link, Parcel
from aybiza.actors.runtime.errors import PROGRAM_ENDS

BEAT_SECONDS = 0.5
KNOCK_SECONDS = (0.0, 0.2, 0.3, 0.5, 0.5, 1.0, 2.0)
"""Waits before the first, second, … knock; the last holds for all further ones."""
FORGET_SECONDS = 600.0

Address: TypeAlias = tuple[str, int]
"""Where a node listens: IPv4 address and port."""


class Card(NamedTuple):
    """Who a node is. `incarnation` is the time of its start in milliseconds; `machine` its keeper's
    name, that of the keeper's admin."""

    name: str
    incarnation: int
    machine: str
    address: Address


class Letter(NamedTuple):
    """From node to node: who sends it, the incarnation that it is meant for (0: any)."""

    card: Card
    to: int
    parcel: Parcel


class Refusal(NamedTuple):
    """From node to node: your name belongs to this one."""

    owner: Card


class Farewell(NamedTuple):
    """From node to node: this one ends."""

    card: Card


class Post(NamedTuple):
    """Send this."""

    address: Address
    message: Letter | Refusal | Farewell


class Up(NamedTuple):
    """The node can be reached."""

    card: Card


class Down(NamedTuple):
    """The node cannot be reached any more."""

    card: Card
    reason: str


class Delivered(NamedTuple):
    """These items have come from the node, in order."""

    card: Card
    items: tuple[bytes, ...]


class NameTaken(NamedTuple):
    """Our name belongs to another node, which has had it for longer."""

    owner: Card


Event: TypeAlias = Post | Up | Down | Delivered | NameTaken


class Peer:
    """Another node, as this one sees it."""

    def __init__(self, card: Card, now: float) -> None:
        self.card = card
        # Later peers of the same node get higher epochs: what was said to an earlier one is old.
        self.link = Link(now, epoch=1 + int(now * 1000))
        self.since = now
        self.last_heard: float | None = None
        self.knocks = 0
        self.next_at = now


class Membership:
    """See the module. All times are monotonic seconds; events come in the order of their causes."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self._peers: dict[str, Peer] = {}
        self._last_tick: float | None = None

    def up(self) -> list[Card]:
        """The nodes that can be reached."""
        return [peer.card for peer in self._peers.values() if peer.link.open]

    def known(self) -> Iterable[Peer]:
        """All nodes that were heard of, but this one."""
        return self._peers.values()

    def peer(self, name: str) -> Peer | None:
        """The node of this name, if it can be reached."""
        peer = self._peers.get(name)
        return peer if peer is not None and peer.link.open else None

    def meet(self, now: float, card: Card) -> Iterator[Event]:
        """Somebody has named this node."""
        if card.name == self.card.name:
            return
        peer = self._peers.get(card.name)
        if peer is None or (not peer.link.open and card.incarnation > peer.card.incarnation):
            self._peers[card.name] = Peer(card, now)
            yield from self._knock(now, self._peers[card.name])

    def receive(self, now: float, message: Letter | Refusal | Farewell) -> Iterator[Event]:
        """A message of another node has come in."""
        match message:
            case Letter():
                yield from self._receive(now, message)
            case Refusal(owner):
                yield from self._contest(owner)
            case Farewell(card):
                yield from self.gone(card, "it has ended in order")

    def _receive(self, now: float, letter: Letter) -> Iterator[Event]:
        card = letter.card
        if card.name == self.card.name:
            if card.incarnation != self.card.incarnation:
                yield from self._contest(card)
            return
        if letter.to not in (0, self.card.incarnation):
            return
        peer = self._peers.get(card.name)
        if peer is not None and card.incarnation != peer.card.incarnation:
            own = card.machine == peer.card.machine
            # A late letter of a predecessor; or, when nobody answers under the present number, the
            # successor on a machine whose clock was put back.
            if own and card.incarnation < peer.card.incarnation and peer.link.open:
                return
            if card.machine != peer.card.machine and peer.link.open:
                yield Post(card.address, Refusal(peer.card))
                return
            yield from self.gone(peer.card, "it has started anew")
            peer = None
        if peer is None:
            peer = self._peers[card.name] = Peer(card, now)
        taken = peer.link.take(now, letter.parcel)
        peer.last_heard = now
        if taken.closed is not None:
            yield Down(card, taken.closed)
        if taken.opened:
            peer.since = now
            peer.knocks = 0
            yield Up(card)
        if not peer.link.open or taken.opened:
            # The answer lets the peer open its end without waiting for the next heartbeat.
            yield self._beat(now, peer)
        if taken.items:
            yield Delivered(card, tuple(taken.items))
        yield from self._flush(now, peer)

    def _contest(self, other: Card) -> Iterator[Event]:
        if (other.incarnation, other.machine) < (self.card.incarnation, self.card.machine):
            yield NameTaken(other)
        else:
            yield Post(other.address, Refusal(self.card))

    def gone(self, card: Card, reason: str) -> Iterator[Event]:
        """This node is known to have ended."""
        peer = self._peers.get(card.name)
        if peer is not None and peer.card.incarnation == card.incarnation:
            del self._peers[card.name]
            if peer.link.open:
                yield Down(peer.card, reason)

    def unreachable(self, now: float, address: Address, reason: str) -> Iterator[Event]:
        """Nothing listens any more where a node did."""
        for peer in list(self._peers.values()):
            if peer.card.address == address and peer.link.open:
                yield from self._close(now, peer, reason)

    def put(self, name: str, item: bytes, *, reserve: bool = False) -> bool:
        """Queue an item for a node; False if it cannot be reached, or too much waits for it."""
        peer = self._peers.get(name)
        return peer is not None and peer.link.put(item, reserve=reserve)

    def begin(self, name: str, preface: Iterator[bytes]) -> None:
        """What a node that has just come up gets ahead of all that is put for it."""
        peer = self.peer(name)
        if peer is not None:
            peer.link.begin(preface)

    def has_room(self, name: str) -> bool:
        """Whether a node can be sent more, or cannot be reached."""
        peer = self.peer(name)
        return peer is None or peer.link.has_room(0)

    def flush(self, now: float) -> Iterator[Event]:
        """Send what was put."""
        for peer in list(self._peers.values()):
            yield from self._flush(now, peer)

    @property
    def more(self) -> bool:
        """Whether `flush` has more to send at once."""
        return any(peer.link.more for peer in self._peers.values())

    def _flush(self, now: float, peer: Peer) -> Iterator[Event]:
        try:
            for parcel in peer.link.outgoing():
                yield self._post(peer, parcel)
        except PROGRAM_ENDS:
            raise
        except BaseException as error:
            yield from self._close(now, peer, f"what it has to know cannot be sent: {error!r}")

    def drop(self, now: float, name: str, reason: str) -> Iterator[Event]:
        """Give the connection to a node up; a new one will be made."""
        peer = self._peers.get(name)
        if peer is not None and peer.link.open:
            yield from self._close(now, peer, reason)

    def tick(self, now: float) -> Iterator[Event]:
        """Time has passed; comes several times in `BEAT_SECONDS`."""
        # Who was held up itself (a stopped process) must not blame the others for that time.
        pause = 0.0 if self._last_tick is None else now - self._last_tick
        self._last_tick = now
        for peer in list(self._peers.values()):
            if pause > BEAT_SECONDS:
                peer.link.forgive(now, pause)
            reason = peer.link.tick(now)
            if reason is not None:
                peer.since = now
                yield Down(peer.card, reason)
            if now < peer.next_at:
                continue
            if peer.link.open:
                yield self._beat(now, peer)
            elif now - max(peer.since, peer.last_heard or peer.since) > FORGET_SECONDS:
                del self._peers[peer.card.name]
            else:
                yield from self._knock(now, peer)

    def leave(self, reason: str = "this node ends") -> Iterator[Event]:
        """This node ends: tell the others, and give all connections up."""
        for peer in self._peers.values():
            if peer.link.open:
                yield Post(peer.card.address, Farewell(self.card))
                peer.link.close()
                yield Down(peer.card, reason)

    def _close(self, now: float, peer: Peer, reason: str) -> Iterator[Event]:
        peer.link.close()
        peer.since = now
        peer.knocks = 0
        yield Down(peer.card, reason)
        yield from self._knock(now, peer)

    def _knock(self, now: float, peer: Peer) -> Iterator[Event]:
        peer.knocks += 1
        wait = KNOCK_SECONDS[min(peer.knocks, len(KNOCK_SECONDS) - 1)]
        yield self._post(peer, peer.link.beat())
        peer.next_at = now + wait

    def _beat(self, now: float, peer: Peer) -> Post:
        peer.next_at = now + BEAT_SECONDS
        return self._post(peer, peer.link.beat())

    def _post(self, peer: Peer, parcel: Parcel) -> Post:
        return Post(peer.card.address, Letter(self.card, peer.card.incarnation, parcel))
