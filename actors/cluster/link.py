"""`Link`: one node's end of its connection to another, over a carrier that may lose, repeat and
reorder. Pure: parcels and the time in, parcels and what they mean out.

A connection is one pair of epochs: each end chooses its own, a higher one whenever it has given
the connection up, and repeats the other's in every parcel. An end is connected as soon as the
other has repeated its present epoch. Within a connection items arrive in their order, each once,
none left out; when that cannot be kept up (a parcel does not come within `GAP_SECONDS`, the peer is
silent, the peer has given up), the connection ends, and what was in it is gone for good: parcels of
an earlier pair of epochs are not taken. This is what Erlang's distribution promises.

    closed ── the peer repeats our epoch ──> open ── silence, a gap, the peer's new epoch ──> closed

What is put for a peer counts until the peer has acknowledged it: the bounds are of all that is held
for it, here and under way. A connection may begin with a preface of any length, which is made piece
by piece as the peer takes it in; what is put meanwhile comes behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

SILENCE_SECONDS = 1.6
"""A peer that is not heard of for so long is down."""
GAP_SECONDS = 1.2
"""A missing parcel is waited for so long."""
WINDOW = 64
"""Parcels with items that may be under way without an acknowledgement."""
ACK_AFTER = 16
"""Parcels with items after which an acknowledgement is sent by itself."""
ACK_SHARE = 1 / 8
"""… or so much of what the peer may hold for us."""
BATCH_ITEMS = 250
BATCH_BYTES = 1024 * 1024
"""What one parcel holds at most, but for a single longer item."""
PREFACE_PARCELS = 2
"""Parcels of a preface that are made at once."""
QUEUE_ITEMS = 20_000
QUEUE_BYTES = 64 * 1024 * 1024
"""What may be held for one peer; more is refused to its sender."""


class Parcel(NamedTuple):
    """What one node sends another: its state of the connection, and items.

    `number` counts the parcels with items in a connection, from 1; 0 has none. `last` is the number
    of the last one sent, `ack` that of the last one received in order.
    """

    epoch: int
    echo: int
    number: int
    last: int
    ack: int
    items: tuple[bytes, ...] = ()


class Taken(NamedTuple):
    """What a parcel has brought: `closed` a connection and why, `opened` one, delivered items."""

    closed: str | None
    opened: bool
    items: Sequence[bytes]


class Link:
    """See the module. `epoch` is the first one of this end; times are monotonic seconds."""

    def __init__(self, now: float, epoch: int = 1) -> None:
        self.epoch = epoch
        self.peer_epoch = 0
        self.open = False
        self.heard = now
        self._begin()

    def _begin(self) -> None:
        self._queue: deque[bytes] = deque()
        self._preface: Iterator[bytes] | None = None
        self._under_way: deque[tuple[int, int, int]] = deque()
        self.held = 0
        self.held_bytes = 0
        self._sent = 0
        self._acknowledged = 0
        self._received = 0
        self._owed = self._owed_items = self._owed_bytes = 0
        self._early: dict[int, tuple[bytes, ...]] = {}
        self._gap_since: float | None = None

    @property
    def queued(self) -> int:
        """Items that wait to be sent; `held` are these and those under way."""
        return len(self._queue)

    @property
    def more(self) -> bool:
        """Whether `outgoing` has more to send at once."""
        return self._preface is not None and self._window_open()

    def begin(self, preface: Iterator[bytes]) -> None:
        """Send these items ahead of all others; for a connection that has just been opened."""
        self._preface = preface

    def has_room(self, length: int, share: float = 0.9) -> bool:
        """Whether an item of this length can be put; a single one is never too long."""
        return self.open and (
            self.held < QUEUE_ITEMS * share
            and (not self.held or self.held_bytes + length <= QUEUE_BYTES * share)
        )

    def put(self, item: bytes, *, reserve: bool = False) -> bool:
        """Queue an item; False if there is no room for it, or no connection.

        `reserve` makes use of the room that is kept for what must not be refused.
        """
        if not self.has_room(len(item), 1.0 if reserve else 0.9):
            return False
        self._queue.append(item)
        self.held += 1
        self.held_bytes += len(item)
        return True

    def outgoing(self) -> Iterator[Parcel]:
        """The parcels that may be sent now; raises what making the preface raises."""
        for _ in range(PREFACE_PARCELS):
            if self._preface is None or not self._window_open():
                break
            piece = next(self._preface, None)
            if piece is None:
                self._preface = None
            else:
                self.held += 1
                self.held_bytes += len(piece)
                yield self._send((piece,))
        while self._preface is None and self._queue and self._window_open():
            items = [self._queue.popleft()]
            size = len(items[0])
            while (
                self._queue
                and len(items) < BATCH_ITEMS
                and size + len(self._queue[0]) <= BATCH_BYTES
            ):
                items.append(self._queue.popleft())
                size += len(items[-1])
            yield self._send(tuple(items))
        if (
            self._owed >= ACK_AFTER
            or self._owed_items >= QUEUE_ITEMS * ACK_SHARE
            or self._owed_bytes >= QUEUE_BYTES * ACK_SHARE
        ):
            yield self.beat()

    def _window_open(self) -> bool:
        return self._sent - self._acknowledged < WINDOW

    def _send(self, items: tuple[bytes, ...]) -> Parcel:
        self._sent += 1
        self._under_way.append((self._sent, len(items), sum(map(len, items))))
        return self._parcel(self._sent, items)

    def beat(self) -> Parcel:
        """A parcel without items: a heartbeat, an acknowledgement, a knock at the door."""
        return self._parcel(0, ())

    def _parcel(self, number: int, items: tuple[bytes, ...]) -> Parcel:
        self._owed = self._owed_items = self._owed_bytes = 0
        return Parcel(self.epoch, self.peer_epoch, number, self._sent, self._received, items)

    def take(self, now: float, parcel: Parcel) -> Taken:
        """A parcel has come in."""
        if parcel.epoch < self.peer_epoch:
            return Taken(None, False, ())
        self.heard = now
        closed: str | None = None
        if parcel.epoch > self.peer_epoch:
            if self.open:
                closed = "the peer has given the connection up"
                self.close()
            self.peer_epoch = parcel.epoch
        if parcel.echo != self.epoch:
            return Taken(closed, False, ())
        opened = not self.open
        self.open = True
        self._acknowledge(min(parcel.ack, self._sent))
        items = self._accept(parcel)
        self._watch_gap(now, parcel.last)
        return Taken(closed, opened, items)

    def _acknowledge(self, number: int) -> None:
        self._acknowledged = max(self._acknowledged, number)
        while self._under_way and self._under_way[0][0] <= self._acknowledged:
            _, items, size = self._under_way.popleft()
            self.held -= items
            self.held_bytes -= size

    def _accept(self, parcel: Parcel) -> Sequence[bytes]:
        if parcel.number <= self._received or parcel.number > self._received + 2 * WINDOW:
            return ()
        self._early[parcel.number] = parcel.items
        items: list[bytes] = []
        while (following := self._early.pop(self._received + 1, None)) is not None:
            self._received += 1
            self._owed += 1
            self._owed_items += len(following)
            self._owed_bytes += sum(map(len, following))
            self._gap_since = None
            items.extend(following)
        return items

    def _watch_gap(self, now: float, last: int) -> None:
        if last > self._received or self._early:
            if self._gap_since is None:
                self._gap_since = now
        else:
            self._gap_since = None

    def tick(self, now: float) -> str | None:
        """Time has passed; why the connection is closed now, if it is."""
        if not self.open:
            return None
        if now - self.heard > SILENCE_SECONDS:
            return self.close("silent")
        if self._gap_since is not None and now - self._gap_since > GAP_SECONDS:
            return self.close("a message did not arrive")
        return None

    def forgive(self, now: float, pause: float) -> None:
        """Do not count the last `pause` seconds, in which this end was held up itself."""
        self.heard = min(now, self.heard + pause)
        if self._gap_since is not None:
            self._gap_since = min(now, self._gap_since + pause)

    def close(self, reason: str = "") -> str:
        """Give the connection up; its items are gone, on both sides."""
        if self.open:
            self.open = False
            self.epoch += 1
        self._begin()
        return reason
