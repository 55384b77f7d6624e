"""Whole connections of strangers: bytes as a socket brings them, in pieces and with their end.

Nothing may be raised, nothing told to the loop as a fault or to the log as an error. Who has sent
what is no request, or half of one, is in the waiting room, hung up on, or answered.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable
from random import Random
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.server import ServerState
from websockets.server import ServerProtocol

from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.entrance import MAX_HEADER_BYTES, HttpConnection, MediaConnection
from aybiza.gateway.admission.refusals import Refusals
from aybiza.gateway.http_server import _Socket
from tests.fuzz.decoder import Decoder
from tests.fuzz.mutate import broken_bytes

_SHAKE: Final = (
    b"Host: phone\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
_CHUNKS: Final = b"3\r\na=b\r\n0\r\nA: b\r\n\r\n"
_FRAMES: Final = (
    bytes((0x81, 0x82, 0, 0, 0, 0)) + b"{}" + bytes((0x89, 0x80, 0, 0, 0, 0)),
    bytes((0x01, 0x80, 0, 0, 0, 0, 0x80, 0x80, 0, 0, 0, 0)),
    bytes((0x88, 0x82, 0, 0, 0, 0)) + b"\x03\xe8",
    bytes((0x82, 0xFF, *(1).to_bytes(8), 0, 0, 0, 0)) + b"x",
)
_GOOD: Final = [
    b"GET /healthz HTTP/1.1\r\nHost: phone\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: phone\r\nContent-Length: 4\r\n\r\na=b&",
    b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + _CHUNKS,
    b"GET /socket HTTP/1.1\r\n" + _SHAKE + b"\r\n",
    b"GET /media HTTP/1.1\r\n" + _SHAKE + b"Sec-WebSocket-Protocol: a\r\n\r\n",
    *(b"GET /media HTTP/1.1\r\n" + _SHAKE + b"\r\n" + frames for frames in _FRAMES),
]


_LOGS: Final = ("uvicorn.error", "websockets.server", "asyncio", "aybiza.gateway.http")


class _Transport(asyncio.Transport):
    """Takes all that is written; its end is told in a later turn, as a socket's is."""

    def __init__(self) -> None:
        super().__init__({"peername": ("203.0.113.9", 5000), "sockname": ("127.0.0.1", 3000)})
        self.protocol: Any = None
        self.closing = False

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_protocol(self) -> Any:
        return self.protocol

    def write(self, data: Any) -> None: ...

    def write_eof(self) -> None: ...

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close


class _Server:
    """What a media connection needs of its server."""

    def __init__(self) -> None:
        self.handler_tasks: set[Any] = set()

    def is_serving(self) -> bool:
        return True

    async def handler(self, connection: MediaConnection) -> None:
        async def asked(_: Any, request: Any) -> Any:
            await asyncio.sleep(0)
            return None if request.path == "/media" else connection.respond(404, "Nothing.\n")

        try:
            await connection.handshake(asked, None, None)
            connection.answered()
        except Exception:
            # As websockets' own: the handshake has failed, which is the peer's matter.
            connection.transport.abort()


async def _nothing(_: Any) -> PlainTextResponse:
    return PlainTextResponse("ok\n")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


class _Faults(logging.Handler):
    """What is told as an error, by whomever."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


def _connections(made: Callable[[Admission], Any]) -> Decoder:
    loop, faults, refusals = asyncio.new_event_loop(), _Faults(), Refusals(timer=lambda: 0.0)
    loop.set_exception_handler(lambda _, context: faults.told.append(str(context)))
    for name in _LOGS:
        logging.getLogger(name).addHandler(faults)

    def make(random: Random) -> tuple[list[bytes], bool]:
        data = broken_bytes(random, random.choice(_GOOD), [*_GOOD, *_FRAMES])
        cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice((0, 0, 1, 2))))
        places = zip([0, *cuts], [*cuts, len(data)], strict=True)
        return [data[at:end] for at, end in places if end > at], random.random() < 0.4

    async def live(pieces: list[bytes], ends: bool) -> None:
        admission, transport = Admission(refusals=refusals), _Transport()
        transport.protocol = connection = made(admission)
        connection.connection_made(transport)
        for piece in pieces:
            if not transport.closing:
                transport.protocol.data_received(piece)
            await asyncio.sleep(0)
        if ends and not transport.closing and not transport.protocol.eof_received():
            transport.close()
        for _ in range(6):
            await asyncio.sleep(0)
        transport.close()
        for _ in range(6):
            await asyncio.sleep(0)
        assert len(admission.room) == 0
        if admission.room._timer is not None:
            admission.room._timer.cancel()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def decode(given: tuple[list[bytes], bool]) -> None:
        loop.run_until_complete(live(*given))
        told, faults.told = faults.told, []
        assert not told, told

    def end() -> None:
        loop.close()
        for name in _LOGS:
            logging.getLogger(name).removeHandler(faults)

    decoder = Decoder(make, decode)
    weakref.finalize(decoder, end)
    return decoder


def _http() -> Decoder:
    routes = [Route("/healthz", _nothing), WebSocketRoute("/socket", _socket)]
    config = uvicorn.Config(
        Starlette(routes=routes),
        lifespan="off",
        ws=_Socket,
        http="h11",
        log_config=None,
        access_log=False,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
    )
    config.load()

    def made(admission: Admission) -> HttpConnection:
        loop = asyncio.get_running_loop()
        return HttpConnection(
            admission, config=config, server_state=ServerState(), app_state={}, _loop=loop
        )

    return _connections(made)


def _media() -> Decoder:
    def made(admission: Admission) -> MediaConnection:
        return MediaConnection(admission, ServerProtocol(), _Server(), ping_interval=None)

    return _connections(made)


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {"http_bytes": _http, "media_bytes": _media}
