"""DeepgramEmulator: the server.

    async with DeepgramEmulator(engine="scripted") as deepgram:
        print(deepgram.url)        # ws://127.0.0.1:40124, for /v1/listen and /v1/speak

Any API key is accepted, none or an empty one is refused with 401; audio is mu-law, 8000 Hz, and a
connection that asks for other is refused with 400. Handshake refusals carry `dg-error`. Faults,
journal and pace: in process by the attributes of these names, over HTTP as `control` tells.

Errors: `OSError` for a port that is taken; `ImportError` for an engine that is not installed.
Source: Deepgram, listen v1 and speak v1.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, Literal, Self, get_args
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from aybiza.emulators.deepgram.control import PREFIX, control, response
from aybiza.emulators.deepgram.engine import Engine, ScriptedEngine
from aybiza.emulators.deepgram.faults import Door, Fault, Faults, Journal
from aybiza.emulators.deepgram.listen import Listening, Parameters
from aybiza.emulators.deepgram.speak import LIFETIME_SECONDS, Pace, Speaking

EngineName = Literal["scripted", "acoustic"]
PATHS: dict[str, Door] = {"/v1/listen": "listen", "/v1/speak": "speak"}
SILENCE_SECONDS = 10.0
# A client that does not answer a close is cut off after so long.
CLOSE_SECONDS = 1.0
MESSAGE_BYTES = 1 << 20

# The only audio there is, and what Deepgram takes where a connection does not say.
_AUDIO = {"encoding": "mulaw", "sample_rate": "8000"}
_UNSAID: dict[Door, dict[str, str]] = {
    "listen": {},
    "speak": {"encoding": "linear16", "sample_rate": "8000"},
}

Note = Callable[..., None]


class DeepgramEmulator:
    """See the module.

    `silence_seconds`: without audio or KeepAlive a listen socket is closed after so long.
    `lifetime_seconds`: so long a speak socket lives at most.
    """

    def __init__(
        self,
        engine: EngineName = "scripted",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        pace: Pace | None = None,
        silence_seconds: float = SILENCE_SECONDS,
        lifetime_seconds: float = LIFETIME_SECONDS,
    ) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self.pace = pace or Pace()
        self.url = ""
        self._engine = _engine(engine)
        self._host = host
        self._port = port
        self._silence = silence_seconds
        self._lifetime = lifetime_seconds
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._engine.start()
            self._server = await serve(
                self._carry,
                self._host,
                self._port,
                process_request=self._before,
                max_size=MESSAGE_BYTES,
                ping_interval=None,
                close_timeout=CLOSE_SECONDS,
            )
        except BaseException:
            await self._engine.stop()
            raise
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"ws://{self._host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        # Before the sockets have ended, so that none of them waits for an answer of the engine.
        await self._engine.stop()
        await self._server.wait_closed()

    def _before(self, connection: ServerConnection, request: Request) -> Response | None:
        try:
            parts = urlsplit(request.path)
        except ValueError as error:
            return _refusal(400, str(error))
        query = dict(parse_qsl(parts.query))
        if parts.path.startswith(PREFIX):
            return control(parts.path, query, self.faults, self.journal, self.pace)
        door = PATHS.get(parts.path)
        if door is None:
            return _refusal(404, "no such endpoint")
        if not _authorised(request.headers):
            return _refusal(401, "INVALID_AUTH")
        try:
            _check(door, query)
        except ValueError as error:
            return _refusal(400, str(error))
        fault = self.faults.take(door, refusing=True)
        return _refusal(fault.code, "refused on demand") if fault else None

    async def _carry(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        parts = urlsplit(connection.request.path)
        session = connection.request.headers.get("x-deepgram-session-id", "")
        door = PATHS[parts.path]
        query = dict(parse_qsl(parts.query))
        socket = _Socket(connection, self.faults.take(door, refusing=False))
        self.journal.note(session, "connected", door=door)

        def note(what: str, **more: Any) -> None:
            self.journal.note(session, what, **more)

        try:
            await (self._listen if door == "listen" else self._speak)(socket, query, note)
        except ConnectionClosed:
            pass
        finally:
            await socket.end()
            note("disconnected", door=door)

    async def _listen(self, socket: _Socket, query: dict[str, str], note: Note) -> None:
        recogniser = self._engine.recogniser()
        listening = Listening(recogniser, Parameters.of(query))
        try:
            while True:
                try:
                    async with asyncio.timeout(self._silence):
                        message = await socket.connection.recv()
                except TimeoutError:
                    await socket.send(_metadata(listening.seconds))
                    await socket.connection.close(1011, "NET-0001: no audio was received in time")
                    return
                if isinstance(message, bytes):
                    for answer in await listening.audio(message):
                        _note(answer, note)
                        await socket.send(json.dumps(answer))
                elif not await _told(socket, listening, message):
                    return
        finally:
            await recogniser.close()

    async def _speak(self, socket: _Socket, query: dict[str, str], note: Note) -> None:
        voice = query.get("model", "aura-asteria-en")
        await socket.send(json.dumps({"type": "Metadata", "request_id": "emulated"}))
        close = socket.connection.close
        speaking = Speaking(self._engine, voice, self.pace, socket.send, close, note)
        try:
            async with asyncio.timeout(self._lifetime):
                async for message in socket.connection:
                    closing = await speaking.message(message)
                    if closing:
                        await speaking.close()
                        await close(*closing)
                        return
        except TimeoutError:
            await close(1011, "NET-0003: the connection has reached its longest life")
        finally:
            await speaking.close()


class _Socket:
    """A connection and the fault it has taken."""

    def __init__(self, connection: ServerConnection, fault: Fault | None) -> None:
        self.connection = connection
        self._stalled = False
        self._fault = asyncio.create_task(self._run(fault)) if fault else None

    async def send(self, message: bytes | str) -> None:
        if not self._stalled:
            await self.connection.send(message)

    async def end(self) -> None:
        if self._fault:
            self._fault.cancel()
            await asyncio.gather(self._fault, return_exceptions=True)

    async def _run(self, fault: Fault) -> None:
        await asyncio.sleep(fault.after)
        with contextlib.suppress(ConnectionClosed):
            match fault.kind:
                case "close":
                    await self.connection.close(fault.code, "closed on demand")
                case "abort":
                    self.connection.transport.abort()
                case "stall":
                    self._stalled = True
                case "unknown":
                    await self.send(json.dumps({"type": "Novelty", "value": 1}))
                case "malformed":
                    await self.send('{"type": "Results", "channel":')


async def _told(socket: _Socket, listening: Listening, message: str) -> bool:
    """Deal with a text message on a listen socket; False when the socket has ended."""
    try:
        told = json.loads(message)
    except (ValueError, RecursionError):
        told = None
    match told:
        case {"type": "KeepAlive"}:
            return True
        case {"type": "Finalize"}:
            for answer in await listening.finalize():
                await socket.send(json.dumps(answer))
            return True
        case {"type": "CloseStream"}:
            for answer in await listening.end():
                await socket.send(json.dumps(answer))
            await socket.send(_metadata(listening.seconds))
            await socket.connection.close()
            return False
    await socket.connection.close(1008, "DATA-0000: the message is not understood")
    return False


def _engine(name: EngineName) -> Engine:
    if name == "scripted":
        return ScriptedEngine()
    if name in get_args(EngineName):
        from aybiza.emulators.deepgram.acoustic import AcousticEngine

        return AcousticEngine()
    raise ValueError(f"the engine is one of {', '.join(get_args(EngineName))}, not {name!r}")


def _check(door: Door, query: dict[str, str]) -> None:
    """Raise `ValueError` for a connection that Deepgram, or this emulator, would not take."""
    for name, only in _AUDIO.items():
        value = query.get(name, _UNSAID[door].get(name))
        if value != only:
            raise ValueError(f"{name} is {only} here, not {value!r}")
    if door == "listen":
        Parameters.of(query)


def _note(answer: dict[str, Any], note: Note) -> None:
    if answer.get("is_final"):
        text = answer["channel"]["alternatives"][0]["transcript"]
        note("final", text=text, speech_final=answer["speech_final"])
    elif answer["type"] == "SpeechStarted":
        note("speech_started")


def _metadata(seconds: float) -> str:
    told = {"type": "Metadata", "transaction_key": "deprecated", "request_id": "emulated"}
    return json.dumps({**told, "duration": seconds, "channels": 1})


def _authorised(headers: Headers) -> bool:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return scheme.lower() in ("token", "bearer") and bool(key.strip())


def _refusal(status: int, error: str) -> Response:
    # A header is one line of ASCII, whatever the query held.
    return response(status, {"err_msg": error}, {"dg-error": ascii(error)[1:-1]})
