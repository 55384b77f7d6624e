"""`StreamCarrier`: one TLS stream to each node that is spoken to, on the loop.

A stream carries in one direction; the other node has its own to us. It is made when something is
posted to an address, and what is posted meanwhile waits, up to `MAX_WAITING_BYTES`. A stream that
cannot be made, or breaks, loses what is on it: the connection (`aybiza.actors.cluster.link`) has to
be begun anew, and is told so by `Unreachable` when the other end has refused or ended it. Thespian
still carries what is for the keeper, for machines on loopback, and for programs (`NodeCarrier`).

Between two turns of the loop `SLICE_BYTES` are sealed for one stream, so that no long message holds
the loop up. A stream that takes nothing for `STALLED_SECONDS` is given up, as is one whose network
acknowledges nothing for so long.

Contract: for the loop's thread; `open` before anything is posted, `close` last of all.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import structlog

from aybiza.actors.cluster.carrier import Unreachable, Welcome
from aybiza.actors.cluster.membership import Address, Card
from aybiza.actors.node.binding import is_loopback
from aybiza.actors.node.carrier import NodeCarrier
from aybiza.actors.node.channel import ChannelFailed, Secrets
from aybiza.actors.node.messages import Hello
from aybiza.actors.node.stream_door import StreamDoor
from aybiza.actors.node.wire import Message, Writer

BACKLOG: Final = 512
CONNECT_SECONDS: Final = 3.0
"""What the connection and the handshake may take."""
STALLED_SECONDS: Final = 3.0
MAX_WAITING_BYTES: Final = 96 * 1024 * 1024
"""What may wait for one node; the connection's window keeps it below."""
SLICE_BYTES: Final = 256 * 1024
LINGER_SECONDS: Final = 5.0
"""A stream that is for one question ends so long after it."""
IDLE_SECONDS: Final = 60.0
CLOSE_SECONDS: Final = 0.5
SWEEP_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


def listening(machine: str) -> list[socket.socket]:
    """The sockets on which a node of this machine (`address:port`) listens: its own, first, and for
    a machine that others can reach, the machine's, which its nodes share. Raises OSError."""
    host, _, port = machine.rpartition(":")
    doors = [socket.create_server((host, 0), backlog=BACKLOG)]
    if not is_loopback(host):
        doors.append(socket.create_server((host, int(port)), backlog=BACKLOG, reuse_port=True))
    return doors


class StreamCarrier(NodeCarrier):
    """See the module."""

    def __init__(
        self,
        card: Card,
        seeds: Sequence[Address],
        put: Callable[[Any], None],
        secrets: Secrets,
        doors: Sequence[socket.socket] = (),
    ) -> None:
        """`doors` listen already; `put` takes what Thespian is to carry."""
        super().__init__(card, seeds, put)
        self._secrets = secrets
        self._listening = doors
        self._door: StreamDoor | None = None
        self._streams: dict[Address, _Outgoing] = {}
        self._questions: set[_Outgoing] = set()
        self._kept_here = Welcome(card.machine, (card,))
        self._sweeping: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Begin to listen."""
        self._door = StreamDoor(self._secrets, self._take)
        self._door.listen(self._listening)
        self._sweep()

    async def close(self) -> None:
        """End all streams; what is still to be written gets a moment."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        streams = [*self._streams.values(), *self._questions]
        for stream in streams:
            stream.finish()
        if streams:
            await asyncio.wait([stream.ended for stream in streams], timeout=CLOSE_SECONDS)
        for stream in streams:
            stream.end()
        if self._door is not None:
            self._door.close()

    def receive(self, message: Any, sender: Any) -> None:
        """From the actor: of the keeper, and of programs."""
        if isinstance(message, Welcome) and message.machine == self.card.machine and message.cards:
            self._kept_here = message
        super().receive(message, sender)

    def post(self, address: Address, message: Any) -> None:
        """Send a message to a node."""
        stream = self._streams.get(address)
        if stream is None:
            stream = self._streams[address] = _Outgoing(address, self._secrets, self._lost)
        stream.post(message)

    def hello(self, machines: Sequence[Address]) -> None:
        """Ask our keeper and those of the machines on loopback by Thespian, the nodes of others
        directly."""
        super().hello([each for each in machines if is_loopback(each[0])])
        for address in machines:
            if not is_loopback(address[0]):
                # A stream of its own: of the nodes that share the port, each gets some of them.
                question = _Outgoing(address, self._secrets, self._asked)
                self._questions.add(question)
                question.post(Hello(self.card))

    def _take(self, message: Message) -> None:
        if isinstance(message, Hello):
            self.post(message.card.address, self._kept_here)
            return
        super().receive(message, None)

    def _lost(self, stream: _Outgoing, refused: bool) -> None:
        if self._streams.get(stream.address) is stream:
            del self._streams[stream.address]
        if refused:
            super().receive(Unreachable(stream.address), None)

    def _asked(self, stream: _Outgoing, refused: bool) -> None:
        self._questions.discard(stream)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for stream in [*self._streams.values()]:
            if stream.stalled(now) or stream.idle_since < now - IDLE_SECONDS:
                stream.end()
        for question in [*self._questions]:
            if question.idle_since < now - LINGER_SECONDS:
                question.end()
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep)


class _Outgoing(asyncio.Protocol):
    """The stream to one address. `lost(stream, refused)` is told once, when it has ended."""

    def __init__(
        self, address: Address, secrets: Secrets, lost: Callable[[_Outgoing, bool], None]
    ) -> None:
        self.address = address
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.idle_since = loop.time()
        self._loop = loop
        self._knock, self._channel = secrets.knock(), secrets.dial()
        self._lost = lost
        self._writer = Writer()
        self._waiting: deque[memoryview] = deque()
        self._shaken: asyncio.Future[None] = loop.create_future()
        self._waiting_bytes = 0
        self._transport: asyncio.Transport | None = None
        self._made = False
        self._paused_at: float | None = None
        self._pumping = False
        self._finishing = False
        self._task = loop.create_task(self._connect(), name="cluster-stream")

    def post(self, message: Message) -> None:
        """Send a message, or keep it until the stream is there."""
        frame = self._writer.written(message)
        self.idle_since = self._loop.time()
        at_once = not self._waiting and self._paused_at is None and len(frame) <= SLICE_BYTES
        if at_once and self._channel.open and self._transport is not None:
            self._channel.seal(frame)
            self._transport.write(self._channel.take())
            return
        if self._waiting_bytes + len(frame) > MAX_WAITING_BYTES:
            log.error("stream_given_up", address=self.address, waiting=self._waiting_bytes)
            self.end()
            return
        self._waiting.append(memoryview(frame))
        self._waiting_bytes += len(frame)
        self._pump_soon()

    def stalled(self, now: float) -> bool:
        """Whether the other end has taken nothing for too long."""
        return self._paused_at is not None and now - self._paused_at > STALLED_SECONDS

    def finish(self) -> None:
        """End when all has been written."""
        self._finishing = True
        if not self._waiting and self._transport is not None:
            self._transport.close()

    def end(self, *, refused: bool = False) -> None:
        """End now."""
        self._task.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._over(refused)

    async def _connect(self) -> None:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            limit = int(STALLED_SECONDS * 1000)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit)
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._loop.sock_connect(connection, self.address)
                await self._loop.create_connection(lambda: self, sock=connection)
                await self._shaken
        except ConnectionRefusedError:
            self._over(refused=True)
        except (OSError, TimeoutError, ValueError, OverflowError):
            # The last two: what a card has told is no address.
            self.end()
        finally:
            # From then on it is the transport's to close.
            if not self._made:
                connection.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._made = True
        self._transport = made = cast(asyncio.Transport, transport)
        made.set_write_buffer_limits(high=2 * SLICE_BYTES, low=SLICE_BYTES)
        self._channel.feed(b"")
        made.write(self._knock + self._channel.take())

    def data_received(self, data: bytes) -> None:
        shaken = self._channel.open
        try:
            self._channel.feed(data)
        except ChannelFailed as fault:
            log.warning("stream_broken", address=self.address, why=str(fault))
            self.end()
            return
        if not shaken and self._channel.open and self._transport is not None:
            self._transport.write(self._channel.take())
            if not self._shaken.done():
                self._shaken.set_result(None)
            self._pump()

    def pause_writing(self) -> None:
        self._paused_at = self._loop.time()

    def resume_writing(self) -> None:
        self._paused_at = None
        self._pump_soon()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        # Who ends a stream that was whole has ended, or will not have us.
        self._over(refused=self._channel.open and not self._finishing)

    def _pump_soon(self) -> None:
        if not self._pumping and self._channel.open:
            self._pumping = True
            self._loop.call_soon(self._pumped)

    def _pumped(self) -> None:
        self._pumping = False
        self._pump()

    def _pump(self) -> None:
        sealed = 0
        while self._waiting and self._paused_at is None and self._transport is not None:
            if sealed >= SLICE_BYTES:
                self._pump_soon()
                return
            frame = self._waiting.popleft()
            piece = frame[:SLICE_BYTES]
            if len(frame) > SLICE_BYTES:
                self._waiting.appendleft(frame[SLICE_BYTES:])
            self._waiting_bytes -= len(piece)
            sealed += len(piece)
            self._channel.seal(piece)
            self._transport.write(self._channel.take())
        if self._finishing and not self._waiting and self._transport is not None:
            self._transport.close()

    def _over(self, refused: bool) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
            self._waiting.clear()
            self._task.cancel()
            self._lost(self, refused)
