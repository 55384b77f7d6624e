"""The network of another carrier between a telephone and a node.

    async with Bridge(TelnyxWire, node_url) as bridge:
        async with Phone(url=bridge.url, script="booking") as phone:
            report = await phone.run()

The telephone speaks Twilio's messages to the bridge; the bridge speaks the carrier's to the node,
as the carrier's `Wire` has them: over a websocket, or over TCP for an address without a scheme.
What plays when, and which marks return, is the business of the telephone's playback buffer. The way
in which the node ends a stream is the way in which the telephone sees it end.

Errors: a node that cannot be reached ends the telephone's stream with 1011 and the reason.
"""

import asyncio
import binascii
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Protocol, Self

from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from aybiza.emulators.phone.messages import AgentError, AgentMessage, Audio, Clear, MarkSet

Frame = str | bytes

OPEN_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 2.0
CLOSE_NORMAL: Final = 1000
CLOSE_INTERNAL_ERROR: Final = 1011
ABNORMAL: Final = 1006
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
READ_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class HangUp:
    """The agent's side has ended the call."""


class Wire(Protocol):
    """One stream as a carrier writes and reads it, without I/O; made anew for each stream.

    `read` is strict: what the carrier would not take is an `AgentError`.
    """

    subprotocol: str | None

    def start(self, call_id: str, parameters: Mapping[str, str]) -> Sequence[Frame]:
        """The stream begins."""

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """The caller's next 20 ms."""

    def dtmf(self, digit: str) -> Sequence[Frame]:
        """A key pressed."""

    def mark(self, name: str) -> Sequence[Frame]:
        """A mark comes back."""

    def stop(self) -> Sequence[Frame]:
        """The stream ends."""

    def read(self, frame: Frame) -> Sequence[AgentMessage | HangUp]:
        """What the agent wants."""


class Line(Protocol):
    """A connection to the node."""

    async def send(self, frame: Frame) -> None:
        """Send a frame."""

    def __aiter__(self) -> AsyncIterator[Frame]:
        """The frames that come, to the end."""

    async def end(self, *, abruptly: bool) -> None:
        """End it, as a caller who hangs up or as a broken network."""

    @property
    def ended(self) -> tuple[int, str]:
        """The websocket's close code and reason with which it ended."""


class Bridge:
    """See the module. `errors`: what the agent sent that the carrier would not have taken;
    `hung_up`: the agent has ended a call by a message of the carrier's.
    """

    def __init__(self, wire: Callable[[], Wire], address: str) -> None:
        """`address`: of the node's websocket, or host:port."""
        self._wire = wire
        self._address = address
        self._server: Server | None = None
        self.url = ""
        self.errors: list[str] = []
        self.hung_up = False

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._handle, "127.0.0.1", 0, compression=None, ping_interval=None
        )
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"ws://{host}:{port}/media"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _handle(self, phone: ServerConnection) -> None:
        wire = self._wire()
        try:
            line = await _open(self._address, wire.subprotocol)
        except (OSError, WebSocketException, TimeoutError) as error:
            await phone.close(CLOSE_INTERNAL_ERROR, f"no way to the node: {error}"[:120])
            return
        stream = _Stream(phone, line, wire, self)
        up = asyncio.create_task(stream.up())
        try:
            await stream.down()
            code, reason = line.ended
            if code == ABNORMAL:
                phone.transport.abort()
            else:
                await phone.close(code, reason)
        finally:
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)
            await line.end(abruptly=True)


class _Stream:
    """One stream: both directions between the telephone and the node."""

    def __init__(self, phone: ServerConnection, line: Line, wire: Wire, bridge: Bridge) -> None:
        self._phone = phone
        self._line = line
        self._wire = wire
        self._bridge = bridge
        self._sid = ""

    async def up(self) -> None:
        """The caller's side to the node, to the end of the telephone's stream."""
        abruptly = False
        try:
            async for text in self._phone:
                for frame in self._translated(json.loads(text)):
                    await self._line.send(frame)
        except ConnectionClosed:
            abruptly = self._phone.close_code in (None, ABNORMAL)
        await self._line.end(abruptly=abruptly)

    async def down(self) -> None:
        """What the agent sends to the telephone, to the end of the node's connection."""
        async for frame in self._line:
            try:
                messages = self._wire.read(frame)
            except AgentError as error:
                self._bridge.errors.append(str(error))
                continue
            for message in messages:
                if isinstance(message, HangUp):
                    self._bridge.hung_up = True
                    continue
                try:
                    await self._phone.send(self._twilio(message))
                except ConnectionClosed:
                    return

    def _translated(self, message: Mapping[str, Any]) -> Sequence[Frame]:
        wire = self._wire
        match message:
            case {"event": "start", "streamSid": str(sid), "start": dict(start)}:
                self._sid = sid
                return wire.start(start["callSid"], start["customParameters"])
            case {"event": "media", "media": {"payload": str(payload)}}:
                return wire.media(binascii.a2b_base64(payload))
            case {"event": "dtmf", "dtmf": {"digit": str(digit)}}:
                return wire.dtmf(digit)
            case {"event": "mark", "mark": {"name": str(name)}}:
                return wire.mark(name)
            case {"event": "stop"}:
                return wire.stop()
        return ()

    def _twilio(self, message: AgentMessage) -> str:
        body: dict[str, Any] = {"streamSid": self._sid}
        match message:
            case Audio(mulaw):
                payload = binascii.b2a_base64(mulaw, newline=False).decode()
                body |= {"event": "media", "media": {"payload": payload}}
            case MarkSet(name):
                body |= {"event": "mark", "mark": {"name": name}}
            case Clear():
                body |= {"event": "clear"}
        return json.dumps(body)


async def _open(address: str, subprotocol: str | None) -> Line:
    async with asyncio.timeout(OPEN_SECONDS):
        if "://" in address:
            return await _WebsocketLine.open(address, subprotocol)
        host, _, port = address.rpartition(":")
        return _TcpLine(*await asyncio.open_connection(host, int(port)))


class _WebsocketLine:
    """A websocket to the node."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    @classmethod
    async def open(cls, url: str, subprotocol: str | None) -> Self:
        return cls(
            await connect(
                url,
                subprotocols=[Subprotocol(subprotocol)] if subprotocol else None,
                compression=None,
                proxy=None,
                ping_interval=None,
                close_timeout=CLOSE_SECONDS,
                max_size=MAX_MESSAGE_BYTES,
            )
        )

    async def send(self, frame: Frame) -> None:
        await self._socket.send(frame)

    async def __aiter__(self) -> AsyncIterator[Frame]:
        try:
            while True:
                yield await self._socket.recv()
        except ConnectionClosed:
            return

    async def end(self, *, abruptly: bool) -> None:
        if abruptly:
            self._socket.transport.abort()
        else:
            await self._socket.close()

    @property
    def ended(self) -> tuple[int, str]:
        return self._socket.close_code or ABNORMAL, self._socket.close_reason or ""


class _TcpLine:
    """A TCP connection to the node; its frames are what came, in any pieces."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._broken = False

    async def send(self, frame: Frame) -> None:
        assert isinstance(frame, bytes)
        self._writer.write(frame)
        await self._writer.drain()

    async def __aiter__(self) -> AsyncIterator[Frame]:
        try:
            while data := await self._reader.read(READ_BYTES):
                yield data
        except OSError:
            self._broken = True

    async def end(self, *, abruptly: bool) -> None:
        if abruptly:
            self._writer.transport.abort()
        else:
            self._writer.close()

    @property
    def ended(self) -> tuple[int, str]:
        return (ABNORMAL, "") if self._broken else (CLOSE_NORMAL, "")
