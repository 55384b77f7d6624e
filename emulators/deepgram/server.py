"""DeepgramEmulator: the port in front of `service`.

    async with DeepgramEmulator(engine="scripted") as deepgram:
        print(deepgram.url)        # ws://127.0.0.1:40124, for /v1/listen and /v1/speak

What is accepted and what is said is decided in `service`; here are the sockets. Handshake refusals
carry `dg-error`. Faults, journal and pace: in process by the attributes of these names, over HTTP
as `control` tells.

Errors: `OSError` for a port that is taken; `ImportError` for an engine that is not installed.
Source: Deepgram, listen v1 and speak v1.
"""

from __future__ import annotations

from typing import Literal, Self, get_args
from urllib.parse import parse_qsl

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from aybiza.emulators import web_pages
from aybiza.emulators.deepgram.any_method import AnyMethod, method_and_body
from aybiza.emulators.deepgram.carry import Gone, carry
from aybiza.emulators.deepgram.control import PREFIX, control, response
from aybiza.emulators.deepgram.engine import Engine, ScriptedEngine
from aybiza.emulators.deepgram.faults import Faults
from aybiza.emulators.deepgram.journal import Journal
from aybiza.emulators.deepgram.listen_session import SILENCE_SECONDS
from aybiza.emulators.deepgram.service import Deepgram, Limits, Refusal
from aybiza.emulators.deepgram.speak import IDLE_SECONDS, LIFETIME_SECONDS, Pace

EngineName = Literal["scripted", "acoustic"]
# A client that does not answer a close is cut off after so long.
CLOSE_SECONDS = 1.0
MESSAGE_BYTES = 1 << 20


class DeepgramEmulator:
    """See the module.

    `silence_seconds`: without audio or KeepAlive a listen socket is closed after so long.
    `idle_seconds`: without a message a speak socket is. `lifetime_seconds`: so long a speak socket
    lives at most.
    """

    def __init__(
        self,
        engine: EngineName = "scripted",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        pace: Pace | None = None,
        silence_seconds: float = SILENCE_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        lifetime_seconds: float = LIFETIME_SECONDS,
    ) -> None:
        limits = Limits(silence_seconds, idle_seconds, lifetime_seconds)
        self.service = Deepgram(_engine(engine), pace=pace, limits=limits)
        self.url = ""
        self._host = host
        self._port = port
        self._server: Server | None = None

    @property
    def faults(self) -> Faults:
        return self.service.faults

    @property
    def journal(self) -> Journal:
        return self.service.journal

    @property
    def pace(self) -> Pace:
        return self.service.pace

    async def __aenter__(self) -> Self:
        try:
            await self.service.engine.start()
            self._server = await serve(
                self._carry,
                self._host,
                self._port,
                process_request=self._before,
                create_connection=AnyMethod,
                max_size=MESSAGE_BYTES,
                ping_interval=None,
                close_timeout=CLOSE_SECONDS,
            )
        except BaseException:
            await self.service.engine.stop()
            raise
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"ws://{self._host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        # Before the sockets have ended, so that none of them waits for an answer of the engine.
        await self.service.engine.stop()
        await self._server.wait_closed()

    def _before(self, connection: ServerConnection, request: Request) -> Response | None:
        path, _, query = request.path.partition("?")
        headers = _lower(request)
        method, body = method_and_body(headers)
        if path.startswith(PREFIX):
            refused = web_pages.refusal(headers)
            if refused is not None:
                return response(403, {"error": refused})
            return response(*control(method, path, dict(parse_qsl(query)), body, self.service))
        if method != "GET":
            return response(405, {"err_msg": f"{method} is not for {path}"})
        refusal = self.service.handshake(request.path, headers)
        return None if refusal is None else _refused(refusal)

    async def _carry(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        path, headers = connection.request.path, _lower(connection.request)
        session = self.service.session(path, headers)
        self.service.connected(path, headers, "connected")
        try:
            await carry(session, _Websocket(connection), self.service.engine, self.service.clock)
        finally:
            self.service.connected(path, headers, "disconnected")


class _Websocket:
    """A connection of the websockets library as a `Wire`."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise Gone from error

    async def send(self, data: str | bytes) -> None:
        try:
            await self._connection.send(data)
        except ConnectionClosed as error:
            raise Gone from error

    async def close(self, code: int, reason: str) -> None:
        await self._connection.close(code, reason)

    def abort(self) -> None:
        self._connection.transport.abort()


def _engine(name: EngineName) -> Engine:
    if name == "scripted":
        return ScriptedEngine()
    if name in get_args(EngineName):
        from aybiza.emulators.deepgram.acoustic import AcousticEngine

        return AcousticEngine()
    raise ValueError(f"the engine is one of {', '.join(get_args(EngineName))}, not {name!r}")


def _lower(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.raw_items()}


def _refused(refusal: Refusal) -> Response:
    # A header is one line of ASCII, whatever the query held.
    error = refusal.error
    return response(refusal.status, {"err_msg": error}, {"dg-error": ascii(error)[1:-1]})
