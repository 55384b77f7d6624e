"""`StreamDoor`: where a node listens to other nodes, on its loop.

Who comes has to knock (`aybiza.actors.node.channel`) before anything is made for him: until then
he is a socket in a bounded room and a few bytes in the kernel. Who has not knocked, and shaken
hands, within `ENTRY_SECONDS` goes; of more than `MAX_STRANGERS` the oldest goes. Who has knocked is
in a room of his own, of the same size: no flood of strangers drives a node out that shakes hands.
A knock is good once at each door, so a recorded one is a stranger's, and costs no handshake; the
last `KNOCKS_KEPT` are remembered. Not more than `ACCEPTED_AT_ONCE` are let in at one time, every
`ACCEPT_PAUSE` seconds under a flood, so that a flood costs the loop a bounded share.

Contract: for the loop's thread. `receive` gets the messages of those who have come in. Refusals are
counted (`aybiza.actors.node.refusals`) and logged once a minute.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, cast

import structlog

from aybiza.actors.node import refusals
from aybiza.actors.node.channel import KNOCK_BYTES, Channel, ChannelFailed, Secrets
from aybiza.actors.node.wire import Message, Reader, WireFault

MAX_STRANGERS: Final = 64
ENTRY_SECONDS: Final = 5.0
ACCEPTED_AT_ONCE: Final = 16
ACCEPT_PAUSE: Final = 0.01
SWEEP_SECONDS: Final = 0.5
KNOCKS_KEPT: Final = 20_000
"""2 MB; nodes knock when they begin to speak to each other, and once a minute at most."""
LOG_SECONDS: Final = 60.0
# A peer that has vanished without a word is noticed by its heartbeats; its socket, by these.
_ALIVE: Final = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))

log = structlog.get_logger(__name__)


class StreamDoor:
    """See the module."""

    def __init__(self, secrets: Secrets, receive: Callable[[Message], None]) -> None:
        self.receive = receive
        self.refused: Counter[str] = Counter()
        """Who was turned away, by reason."""
        self._secrets = secrets
        self._loop = asyncio.get_running_loop()
        self._doors: list[socket.socket] = []
        self._strangers: dict[socket.socket | Incoming, float] = {}
        self._guests: dict[socket.socket | Incoming, float] = {}
        self._heard: dict[bytes, None] = {}
        self._inside: set[Incoming] = set()
        self._entering: set[asyncio.Task[None]] = set()
        self._timers: dict[object, asyncio.TimerHandle] = {}
        self._logged = -math.inf

    def listen(self, doors: Sequence[socket.socket]) -> None:
        """Let people in by these listening sockets, which are closed with the door."""
        for door in doors:
            door.setblocking(False)
            self._doors.append(door)
            self._open(door)
        self._sweep()

    def close(self) -> None:
        """Let nobody in any more, and end all connections."""
        for timer in self._timers.values():
            timer.cancel()
        for door in self._doors:
            self._loop.remove_reader(door)
            door.close()
        self._doors.clear()
        for task in self._entering:
            task.cancel()
        for stranger in [*self._strangers, *self._guests]:
            self._turn_away(stranger)
        for incoming in list(self._inside):
            incoming.abort()

    def _open(self, door: socket.socket) -> None:
        self._loop.add_reader(door, self._accept, door)

    def _accept(self, door: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                stranger, _ = door.accept()
            except BlockingIOError:
                return
            except OSError as error:  # such as: no more descriptors
                self.refuse(f"accept: {os.strerror(error.errno or 0)}", counted="connections")
                break
            stranger.setblocking(False)
            self._admit(stranger, self._strangers)
            self._loop.add_reader(stranger, self._knocked, stranger)
        self._loop.remove_reader(door)
        self._timers[door] = self._loop.call_later(ACCEPT_PAUSE, self._open, door)

    def _admit(
        self, stranger: socket.socket | Incoming, room: dict[socket.socket | Incoming, float]
    ) -> None:
        room[stranger] = self._loop.time() + ENTRY_SECONDS
        if len(room) > MAX_STRANGERS:
            self.refuse("connections")
            self._turn_away(next(iter(room)))

    def _turn_away(self, stranger: socket.socket | Incoming) -> None:
        self._strangers.pop(stranger, None)
        self._guests.pop(stranger, None)
        if isinstance(stranger, Incoming):
            stranger.abort()
        else:
            self._loop.remove_reader(stranger)
            stranger.close()

    def _knocked(self, stranger: socket.socket) -> None:
        try:
            # It stays in the kernel until it is whole, so that nothing is kept for a stranger.
            knock = stranger.recv(KNOCK_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            knock = b""
        if knock and len(knock) < KNOCK_BYTES and self._may_be_more(stranger, len(knock)):
            return
        channel = None
        if len(knock) == KNOCK_BYTES and knock not in self._heard:
            channel = self._secrets.answer(knock)
        if channel is None:
            if knock:
                self.refuse("cookie")
            self._turn_away(stranger)
            return
        stranger.recv(KNOCK_BYTES)
        self._heard[knock] = None
        if len(self._heard) > KNOCKS_KEPT:
            del self._heard[next(iter(self._heard))]
        del self._strangers[stranger]
        self._loop.remove_reader(stranger)
        task = self._loop.create_task(self._enter(stranger, channel), name="cluster-entry")
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    def _may_be_more(self, stranger: socket.socket, held: int) -> bool:
        # A level-triggered loop would call again at once, for ever, for what it has seen already.
        self._loop.remove_reader(stranger)
        self._timers[stranger] = self._loop.call_later(0.05, self._look_again, stranger)
        return True

    def _look_again(self, stranger: socket.socket) -> None:
        self._timers.pop(stranger, None)
        if stranger in self._strangers:
            self._loop.add_reader(stranger, self._knocked, stranger)

    async def _enter(self, stranger: socket.socket, channel: Channel) -> None:
        stranger.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _ALIVE:
            stranger.setsockopt(socket.IPPROTO_TCP, option, value)
        try:
            await self._loop.connect_accepted_socket(lambda: Incoming(self, channel), stranger)
        except OSError:
            stranger.close()

    def entering(self, incoming: Incoming) -> None:
        """Somebody has knocked, and has to shake hands now."""
        self._inside.add(incoming)
        self._admit(incoming, self._guests)

    def known(self, incoming: Incoming) -> None:
        """Somebody has shaken hands."""
        self._guests.pop(incoming, None)

    def left(self, incoming: Incoming) -> None:
        """A connection has ended."""
        self._inside.discard(incoming)
        self._guests.pop(incoming, None)

    def refuse(self, reason: str, *, counted: str | None = None) -> None:
        """Count who is turned away, and say so once in a while."""
        self.refused[reason] += 1
        refusals.add(counted or reason)
        now = self._loop.time()
        if now - self._logged >= LOG_SECONDS:
            self._logged = now
            log.warning("streams_refused", pid=os.getpid(), counts=dict(self.refused))

    def _sweep(self) -> None:
        now = self._loop.time()
        for room in (self._strangers, self._guests):
            for stranger, until in list(room.items()):
                if until > now:
                    break
                self.refuse("slow")
                self._turn_away(stranger)
        self._timers[self] = self._loop.call_later(SWEEP_SECONDS, self._sweep)


class Incoming(asyncio.Protocol):
    """One connection of somebody who has knocked."""

    def __init__(self, door: StreamDoor, channel: Channel) -> None:
        self._door = door
        self._channel = channel
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None

    def abort(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._door.entering(self)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        shaken = self._channel.open
        try:
            said = self._channel.feed(data)
            if not shaken:
                if answer := self._channel.take():
                    self._transport.write(answer)
                if self._channel.open:
                    self._door.known(self)
            if said:
                for message in self._reader.read(said):
                    self._door.receive(message)
        except (ChannelFailed, WireFault) as fault:
            self._door.refuse("digest" if shaken else "cookie")
            log.info("stream_broken", why=str(fault))
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._door.left(self)
