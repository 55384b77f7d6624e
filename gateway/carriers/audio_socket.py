"""AudioSocketServer: the door for Asterisk's AudioSocket, open if `AYBIZA_AUDIOSOCKET_PORT` is set.

A TCP connection is a call. It becomes a `MediaStream` like a carrier's websocket: `AudioSocket` has
the shape of one, with the pacer (`aybiza.gateway.carriers.pacer`) in place of a carrier's playback
buffer. The listening socket belongs to the node, so a restart of this server refuses nobody and
disturbs no call.

AudioSocket proves nothing about who connects. A node that asks for stream tokens takes calls from
the switches in `AYBIZA_SWITCHES` only (`aybiza.gateway.admission.admission`). Of connections that
have not yet been let in, `MAX_STRANGERS` are held; those of known switches have room of their own,
`MAX_OF_SWITCHES`, which no stranger takes.

Source: Asterisk, "AudioSocket" and "AudioSocket()".
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Final

import structlog
from websockets.exceptions import ConnectionClosedError

from aybiza.actors.runtime import Exit, GenServer, Stop, Task, is_orderly
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.flow import Flow
from aybiza.gateway.carriers.audio_socket_codec import (
    CLEAR,
    HANG_UP,
    MARK,
    AudioSocketCodec,
    Parser,
    message,
    seconds_of,
)
from aybiza.gateway.carriers.codec import Frame
from aybiza.gateway.carriers.pacer import Pacer
from aybiza.gateway.control.control import Control
from aybiza.gateway.leaving import Leaving, TransfersOf, to_nobody
from aybiza.gateway.listening import retire
from aybiza.gateway.media_server import carry
from aybiza.gateway.media_stream import ContextOf

DOOR: Final = "audiosocket"
MAX_STRANGERS: Final = 64
MAX_OF_SWITCHES: Final = 256
READ_BYTES: Final = 16 * 1024
WRITE_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 2.0

# Frames from Asterisk that wait for their reader: more than a second.
BACKLOG: Final = 64

# Audio that waits to be played; the speaker sends two seconds ahead.
MAX_AHEAD_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


class AudioSocket:
    """One connection of Asterisk's, in the shape of a websocket (`media_stream.Connection`).

    `run` reads and plays, and has to run for as long as the connection is used. It ends when the
    connection does, and so does the iteration.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        switch: bool = False,
        flooded: Callable[[], None] = lambda: None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._incoming: asyncio.Queue[Frame | None] = asyncio.Queue(BACKLOG)
        self._pacer = Pacer()
        self._given = asyncio.Event()
        self._closed = False
        self.known = False
        self.switch = switch
        self._flow = Flow()
        self._flooded = flooded

    def know(self) -> None:
        """The call has been let in."""
        self.known = True

    @property
    def transport(self) -> asyncio.WriteTransport:
        """The connection's transport."""
        return self._writer.transport

    async def run(self) -> None:
        """Read and play, to the end of the connection."""
        playing = self._loop.create_task(self._play())
        try:
            await self._read()
        except OSError as error:
            log.info("audio_socket_lost", reason=str(error))
        finally:
            self._closed = True
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            self.transport.abort()
            # Nobody may read any more: who waited for room here would wait for ever.
            if self._incoming.full():
                self._incoming.get_nowait()
            self._incoming.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Frame]:
        """What comes from Asterisk, and the marks that the pacer returns."""
        while (frame := await self._incoming.get()) is not None:
            yield frame

    async def send(self, frame: Frame, /) -> None:
        """Take audio, a mark or a clear."""
        if self._closed:
            raise ConnectionClosedError(None, None)
        if isinstance(frame, bytes):
            self._pacer.play(frame, seconds_of(frame))
        elif frame == CLEAR:
            await self._return(self._pacer.clear())
        else:
            self._pacer.mark(frame.removeprefix(MARK))
        self._given.set()
        if self._pacer.ahead > MAX_AHEAD_SECONDS:
            self.transport.abort()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Have Asterisk take the call out of AudioSocket, and close."""
        if not self._closed:
            self._closed = True
            self._writer.write(message(HANG_UP))
            self._writer.close()
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._writer.wait_closed()
            except (OSError, TimeoutError):
                self.transport.abort()

    async def _read(self) -> None:
        parser = Parser()
        while data := await self._reader.read(READ_BYTES):
            if not self._flow.take(len(data), started=self.known):
                self._flooded()
                return
            for frame in parser.feed(data):
                await self._incoming.put(frame)

    async def _play(self) -> None:
        """Send what is due, wait until something else is."""
        try:
            while True:
                self._given.clear()
                due = self._pacer.due(self._loop.time())
                self._writer.writelines(due.frames)
                async with asyncio.timeout(WRITE_SECONDS):
                    await self._writer.drain()
                await self._return(due.marks)
                when = self._pacer.next
                wait = None if when is None else max(0.0, when - self._loop.time())
                try:
                    async with asyncio.timeout(wait):
                        await self._given.wait()
                except TimeoutError:
                    continue
        except (OSError, TimeoutError):
            self.transport.abort()

    async def _return(self, marks: list[str]) -> None:
        for name in marks:
            await self._incoming.put(MARK + name)


class AudioSocketServer(GenServer):
    """See the module. `listening` is bound already; the server uses a duplicate of it."""

    traps_exits = True

    async def init(
        self,
        listening: socket.socket,
        context_of: ContextOf,
        admission: Admission | None = None,
        control: Control | None = None,
        transfers_of: TransfersOf = to_nobody,
    ) -> None:
        self._leaving = Leaving(control, transfers_of, asks=False)
        self._listening = listening
        self._context_of = context_of
        self._admission = admission or Admission()
        self._closing = False
        self._connections: set[AudioSocket] = set()
        ready: asyncio.Future[None] = self.vm.loop.create_future()
        self._listener = Task.start(self.vm, self._listen, ready)
        await ready

    async def handle_info(self, message: Any) -> None:
        match message:
            case Exit(pid, reason) if pid == self._listener.pid:
                raise Stop(reason)

    async def terminate(self, reason: Any) -> None:
        self._closing = is_orderly(reason)

    async def _listen(self, ready: asyncio.Future[None]) -> None:
        server: asyncio.Server | None = None
        try:
            server = await asyncio.start_server(self._carry, sock=self._listening.dup())
            ready.set_result(None)
            await asyncio.Event().wait()
        finally:
            if server is not None:
                if self._closing:
                    server.close()
                else:
                    retire(self.vm, server.sockets, server.close)
            elif not ready.done():
                ready.set_exception(RuntimeError("the AudioSocket server did not start"))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Have a MediaStream carry the connection, for as long as it lives."""
        address = writer.get_extra_info("peername")[0]
        switch = self._admission.is_switch(address)
        waiting = sum(not each.known and each.switch == switch for each in self._connections)
        if waiting >= (MAX_OF_SWITCHES if switch else MAX_STRANGERS):
            self._admission.refused(DOOR, "connections", address)
            writer.transport.abort()
            return
        flooded = partial(self._admission.refused, DOOR, "flood", address)
        connection = AudioSocket(reader, writer, switch=switch, flooded=flooded)
        self._connections.add(connection)
        running = self.vm.loop.create_task(connection.run())
        visit = self._admission.visit(address, connection.know, carrier=DOOR)
        try:
            codec, leaving = AudioSocketCodec(), self._leaving
            await carry(self.vm, connection, codec, self._context_of, visit.start, leaving)
        finally:
            visit.over()
            self._connections.discard(connection)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
