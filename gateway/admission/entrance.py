"""The entrance: what happens to a connection of either door before its request is read.

`Entrance` stands in front of an asyncio protocol. It takes the connection into the waiting room,
secures it if the node speaks TLS, and only then lets the protocol itself have it, so that a TLS
handshake that is not finished counts like a header that is not. `HttpConnection` and
`MediaConnection` are the two doors' protocols with it.

A connection is in the waiting room while it owes something: a TLS handshake, a request with its
body, on the media door a `start`; on the HTTP door also while it does not read what it has asked
for. There requests are read some at a time (`turnstile`), and of several that are sent at once
only the first is answered. Headers of more than `MAX_HEADER_BYTES` end it, and so do parts that are
small and many (`request_parser`, `flow`).

Errors: none; what is no HTTP and no TLS is counted and its connection closed.
Source: asyncio, "Transports and Protocols"; uvicorn, h11_impl; websockets, asyncio server.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Event

from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.flow import EARLY_BYTES, Flow
from aybiza.gateway.admission.handshakes import handshake
from aybiza.gateway.admission.policy import HTTP, MEDIA
from aybiza.gateway.admission.request_parser import RequestParser
from aybiza.gateway.admission.rules import Knock
from aybiza.gateway.admission.waiting_room import Guest
from aybiza.speech.websocket import Together

MAX_HEADER_BYTES: Final = 16 * 1024

ACCEPT_BATCH: Final = 16
"""Connections that a server accepts in one step of the loop; calls go on in between."""

PIECE_BYTES: Final = 4096
EARLY_PIECE_BYTES: Final = 512
"""What of a media connection's bytes is read at a time, and what before its `start`: a piece of the
smallest frames is some hundreds, each of which costs as much as a large one."""
MOST_UNREAD: Final = 512 * 1024
"""What a connection of the HTTP door may send before it is its turn; a loop hands over half."""
EARLY_MESSAGES: Final = 256
"""Messages that may wait before `start`: five seconds of speech, for a loop that is late."""
WAITING_MESSAGES: Final = 2000
"""The same of a stream that has started."""

# An attack would fill the log with these; refusals count them.
_quiet = logging.getLogger("aybiza.gateway.http")
_quiet.setLevel(logging.ERROR)

_OWING: Final = (h11.IDLE, h11.SEND_BODY)
_UNANSWERED: Final = (h11.IDLE, h11.SEND_RESPONSE)
_MESSAGES: Final = frozenset((Opcode.TEXT, Opcode.BINARY))

if TYPE_CHECKING:
    _Base = asyncio.Protocol
else:
    _Base = object


class Entrance(_Base):
    """See the module; to be named before the protocol in a class's bases."""

    admission: Admission
    door: str

    _guest: Guest | None = None
    _raw: asyncio.Transport
    _address = ""
    _passed = False
    _gone = False
    _securing: asyncio.Task[None] | None = None
    _early: tuple[bytes, ...] = ()
    _unread = b""
    _ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        # Another loop's transports have asyncio's methods, not its classes.
        self._raw = raw = cast(asyncio.Transport, transport)
        self._address = str((raw.get_extra_info("peername") or ("",))[0])
        self.owes()
        if self.admission.tls is None:
            self._pass(raw)
        else:
            raw.pause_reading()
            self._securing = asyncio.get_running_loop().create_task(self._secure(raw))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._gone = True
        self.owes_nothing()
        if self._passed:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer, deciphered."""
        if self._passed:
            super().data_received(data)
        else:
            self._early += (data,)

    def eof_received(self) -> Any:
        """The peer sends nothing more; what it has sent has its turn first."""
        if self._unread:
            self._ended = True
            return True
        return super().eof_received() if self._passed else None

    def taken(self) -> bytes:
        """What waited for its turn, which has come; nothing of a peer who had to go meanwhile."""
        data, self._unread = self._unread, b""
        return b"" if self._gone or self._raw.is_closing() else data

    def end(self) -> None:
        """Let the peer's end come behind what it has sent."""
        if self._ended and not self._raw.is_closing() and not self.eof_received():
            self._raw.close()

    def owes(self) -> None:
        """The peer is to send something before it may stay."""
        if self._guest is None and not self._gone:
            self._guest = self.admission.room.enter(self.door, self._address, self._raw)

    def owes_nothing(self) -> None:
        """It has sent it."""
        if self._guest is not None:
            self.admission.room.leave(self._guest)
            self._guest = None

    def refuse(self, reason: str) -> None:
        """Count a refusal; the connection is about to end."""
        self.owes_nothing()
        self._gone = True
        self.admission.refused(self.door, reason, self._address)

    async def _secure(self, transport: asyncio.Transport) -> None:
        """The TLS handshake; who takes too long for it is turned out of the waiting room."""
        tls = self.admission.tls
        assert tls is not None
        # The waiting room comes first; this is for a connection that is not in there any more.
        limit = 2 * self.admission.room.seconds
        try:
            secured = await handshake(transport, self, tls, self.admission.handshakes, limit)
        except OSError:
            if not self._gone:
                self.refuse("tls")
            transport.abort()
            return
        if secured is not None and not self._gone:
            self._pass(secured)

    def _pass(self, transport: asyncio.Transport) -> None:
        self._passed = True
        super().connection_made(transport)
        early, self._early = self._early, ()
        for data in early:
            self.data_received(data)


class HttpConnection(Entrance, H11Protocol):
    """A connection of the HTTP door."""

    door = HTTP
    _upgraded = False

    def __init__(self, admission: Admission, **options: Any) -> None:
        super().__init__(**options)
        self.admission = admission
        self.logger = _quiet
        self.conn = RequestParser(MAX_HEADER_BYTES)

    def data_received(self, data: bytes) -> None:
        """Read, and see what the peer owes; in a later turn of the loop, if many send at once."""
        self._unread += data
        if len(self._unread) > MOST_UNREAD:
            self.refuse("flood")
            self._raw.abort()
        elif len(self._unread) == len(data) and self.admission.turnstile.passes(self._read):
            self._read()

    def _read(self) -> None:
        data = self.taken()
        if not data:
            return
        super().data_received(data)
        self.end()
        if self._passed:
            self._look()
            # Who sends on before the answer would have one turn after another: this is the last.
            if self.conn.their_state is h11.DONE and self.conn.trailing_data[0]:
                self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        """The next request may come."""
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        self.refuse("malformed")
        if self.cycle is not None:
            # Who is answering it is told that the peer is gone, or would be a second answer.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in _UNANSWERED:
            super().send_400_response(msg)
        else:
            # The request has its answer already, or has heard the beginning of it.
            self._raw.abort()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From now on another protocol has the connection, which has bounds of its own."""
        self._upgraded = True
        super().handle_websocket_upgrade(event)
        protocol = self.transport.get_protocol()
        assert isinstance(protocol, WebSocketsSansIOProtocol)
        if not protocol.handshake_initiated:
            # It has a body, or a line that is too long: websockets reads on and answers nothing.
            self.refuse("malformed")
            self._raw.abort()

    def pause_writing(self) -> None:
        """The peer does not read; the answer waits for it, and nobody else's clock runs."""
        super().pause_writing()
        self.owes()

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        self._look()

    def _look(self) -> None:
        # What is closed is so only when all of it has been read.
        unread = self.transport.is_closing() and self.transport.get_write_buffer_size() > 0
        owing = self.conn.their_state in _OWING or self.flow.write_paused or unread
        if owing and not self._upgraded:
            self.owes()
        else:
            self.owes_nothing()


class MediaConnection(Entrance, Together, ServerConnection):
    """A connection of the media door; it owes nothing from its stream's `start` on."""

    door = MEDIA

    def __init__(self, admission: Admission, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.admission = admission
        self._header_bytes = 0
        self._flow = Flow()
        self._odd = False
        self._answered = False
        self._behind = b""

    def knock(self, request: Request) -> Knock:
        """The handshake's request."""
        headers: dict[str, str] = {}
        for name, value in request.headers.raw_items():
            key = name.lower()
            headers[key] = f"{headers[key]},{value}" if key in headers else value
        secure = self.admission.tls is not None
        path = request.path.partition("?")[0]
        return Knock(self._address, secure, request.path, path, headers)

    def data_received(self, data: bytes) -> None:
        """Read; a handshake has its bound and its turn, and what comes behind it has a bound."""
        if self._gone or self._raw.is_closing():
            return
        if self._answered:
            self._take(data)
        elif self.request is not None:
            self._wait(data)
        elif not self._passed:
            super().data_received(data)
        else:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self.refuse("too_large")
                self._raw.abort()
                return
            self._unread += data
            if len(self._unread) == len(data) and self.admission.turnstile.passes(self._knocked):
                self._knocked()

    def eof_received(self) -> Any:
        """The peer sends nothing more: without our answer no carrier ends its side."""
        if self.request is not None and not self._answered and not self._gone:
            self.refuse("malformed")
            self._raw.abort()
            return None
        return super().eof_received()

    def answered(self) -> None:
        """The handshake has been taken and answered: what has come behind it is read now.

        No client may send before, and who does is not to be read then: websockets fails on what
        breaks the protocol ahead of its own answer, with a traceback in the log.
        """
        self._answered = True
        data, self._behind = self._behind, b""
        self._take(data)

    def _wait(self, data: bytes) -> None:
        self._behind += data
        if len(self._behind) > EARLY_BYTES:
            self.refuse("flood")
            self._raw.abort()

    def _shaken(self, data: bytes) -> bytes:
        behind = super()._shaken(data)
        if self.request is None or self._answered:
            return behind
        self._wait(behind)
        return b""

    def _knocked(self) -> None:
        """Its turn to be read has come."""
        if data := self.taken():
            Together.data_received(self, data)
            if self.request is None and self.protocol.handshake_exc and not self._gone:
                self.refuse("malformed")
        self.end()

    def _take(self, data: bytes) -> None:
        started = self._guest is None
        if not self._flow.take(len(data), started=started):
            self.refuse("flood")
            self._raw.abort()
            return
        # websockets stops reading when messages wait, but not within what it was given at once.
        size = PIECE_BYTES if started else EARLY_PIECE_BYTES
        for at in range(0, len(data), size):
            Together.data_received(self, data[at : at + size])
            if self._too_many():
                self.refuse("flood")
                self._raw.abort()
                return

    def process_event(self, event: Event) -> None:
        """As websockets has it; what is no message, or a part of one, is counted."""
        if isinstance(event, Frame) and not (event.opcode in _MESSAGES and event.fin):
            self._odd = self._odd or not self._flow.odd(started=self._guest is None)
        super().process_event(event)

    def is_over(self) -> bool:
        """As `Together` has it; or more has come that is no message than may."""
        return self._odd or super().is_over()

    def _too_many(self) -> bool:
        """Whether more messages wait than may, or more came than may of what is none."""
        most = WAITING_MESSAGES if self._guest is None else EARLY_MESSAGES
        return not self._gone and (self._odd or len(self.recv_messages.frames) > most)
