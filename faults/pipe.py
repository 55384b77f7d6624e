"""A websocket in memory: two ends, each with what websockets' connections have.

    client, server = pipe()
    await client.send("hello"); await server.recv()

Messages arrive in their order and at once. A peer that does not read makes `send` wait when
`WINDOW` messages are under way. `close` gives the other end the code; `transport.abort` cuts both
ends without a word. Errors: `ConnectionClosed`, as websockets raises it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK
from websockets.frames import Close

Message = bytes | str

WINDOW = 64
_ORDERLY = (1000, 1001)


class Request:
    """The handshake: a path with its query, and headers as a server gets them."""

    def __init__(self, path: str, headers: Mapping[str, str]) -> None:
        self.path = path
        self.headers = Headers(headers)


class Transport:
    """What is under an end."""

    def __init__(self, end: End) -> None:
        self._end = end

    def abort(self) -> None:
        """Cut the connection at once, for both ends."""
        self._end._cut()

    close = abort

    def is_closing(self) -> bool:
        return self._end.closed


class End:
    """One end; see the module. `request` is the handshake that led to it."""

    def __init__(self, request: Request | None = None) -> None:
        self.request = request
        self.transport = Transport(self)
        self.peer: End = self
        self.closed = False
        self.reading = True
        self.mute = False
        self.window = WINDOW
        self._inbox: deque[Message] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._room: deque[asyncio.Future[None]] = deque()
        self._received: Close | None = None
        self._sent: Close | None = None
        self._received_first = False

    @property
    def close_code(self) -> int | None:
        """As websockets: the code the other end gave, 1006 for none, None while open."""
        if not self.closed:
            return None
        return self._received.code if self._received else 1006

    @property
    def close_reason(self) -> str:
        """What the other end said of it."""
        return self._received.reason if self._received else ""

    async def send(self, message: Message) -> None:
        """Send a message; waits while the other end has too much unread."""
        if self.closed:
            raise self._end()
        if self.mute:
            return
        inbox = self.peer._inbox
        inbox.append(message)
        self.peer._wake()
        while len(inbox) > self.peer.window and not self.closed:
            room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._room.append(room)
            # Bounded by whoever sends.
            await room
        if self.closed and inbox:
            raise self._end()

    def takes(self, message: Message) -> bool:
        """Send a message without waiting; False, and nothing is sent, if `send` has to wait."""
        inbox = self.peer._inbox
        if self.closed or len(inbox) >= self.peer.window:
            return False
        if not self.mute:
            inbox.append(message)
            self.peer._wake()
        return True

    async def recv_until(self, when: float | None) -> Message | None:
        """The next message; None if there is none at `when`, in seconds of the loop."""
        if when is None or (self._inbox and self.reading):
            return await self.recv()
        timer = asyncio.get_running_loop().call_at(when, self._wake)
        try:
            await self._wait()
        finally:
            timer.cancel()
        return await self.recv() if self.closed or (self._inbox and self.reading) else None

    async def recv(self) -> Message:
        """The next message."""
        while not (self._inbox and self.reading):
            if self.closed:
                raise self._end()
            await self._wait()
        message = self._inbox.popleft()
        room = self.peer._room
        if room and len(self._inbox) <= self.window:
            waiter = room.popleft()
            if not waiter.done():
                waiter.set_result(None)
        return message

    async def __aiter__(self) -> AsyncIterator[Message]:
        try:
            while True:
                yield await self.recv()
        except ConnectionClosedOK:
            return

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order; idempotent."""
        self.end(code, reason)

    def end(self, code: int = 1000, reason: str = "") -> None:
        """As `close`, at once."""
        if self.closed:
            return
        close = Close(code, reason)
        self._sent = self._received = close
        peer = self.peer
        peer._received, peer._sent, peer._received_first = close, close, True
        self._over()
        peer._over()

    def hush(self) -> None:
        """Send nothing from now on, and take what comes: a peer that has stalled."""
        self.mute = True

    def hold(self, on: bool = True) -> None:
        """Stop to take messages, and let none be under way, or go on: a peer that does not read."""
        self.reading = not on
        self.window = 0 if on else WINDOW
        self._wake()

    def _cut(self) -> None:
        if not self.closed:
            self._over()
            self.peer._over()

    def _over(self) -> None:
        self.closed = True
        self._wake()
        for room in (*self._room, *self.peer._room):
            if not room.done():
                room.set_result(None)
        self._room.clear()

    async def _wait(self) -> None:
        """Until something happens; bounded by whoever receives."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _end(self) -> ConnectionClosed:
        received, sent = self._received, self._sent
        first = self._received_first if received and sent else None
        orderly = received is not None and received.code in _ORDERLY
        kind: Any = ConnectionClosedOK if orderly else ConnectionClosedError
        return kind(received, sent, first)  # type: ignore[no-any-return]


def pipe(path: str = "/", headers: Mapping[str, str] | None = None) -> tuple[End, End]:
    """The client's and the server's end of a new connection."""
    client, server = End(), End(Request(path, headers or {}))
    client.peer, server.peer = server, client
    return client, server
