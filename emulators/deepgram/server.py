"""DeepgramEmulator: the server.

    async with DeepgramEmulator(engine="scripted") as deepgram:
        print(deepgram.url)        # ws://127.0.0.1:40124, for /v1/listen and /v1/speak

Any API key is accepted, none or an empty one is refused with 401. Handshake refusals carry `dg-error`.
Faults and the journal: in process by `faults` and `journal`, over HTTP on the same port by

    GET /_emulator/journal                                     the journal as JSON
    GET /_emulator/fault?door=speak&kind=close&code=1011&after=0.5
    GET /_emulator/pace?first_ms=100&times_real_time=10

Source: Deepgram, listen v1 and speak v1.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Literal, Self, get_args
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from emulators.deepgram.engine import Engine, ScriptedEngine
from emulators.deepgram.faults import KINDS, Door, Fault, Faults, Journal
from emulators.deepgram.listen import Listening
from emulators.deepgram.speak import Pace, Speaking

EngineName = Literal["scripted", "acoustic"]
DOORS: dict[str, Door] = {"/v1/listen": "listen", "/v1/speak": "speak"}
SILENCE_SECONDS = 10.0
ENCODINGS = ("mulaw",)


class DeepgramEmulator:
    """See the module. `silence_seconds`: without audio or KeepAlive a listen socket is closed."""

    def __init__(
        self,
        engine: EngineName = "scripted",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        pace: Pace | None = None,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self.pace = pace or Pace()
        self.url = ""
        self._engine = _engine(engine)
        self._host = host
        self._port = port
        self._silence = silence_seconds
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        await self._engine.start()
        try:
            self._server = await serve(
                self._carry,
                self._host,
                self._port,
                process_request=self._before,
                max_size=1 << 20,
                ping_interval=None,
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
        await self._server.wait_closed()
        await self._engine.stop()

    def _before(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        options = dict(parse_qsl(parts.query))
        if parts.path.startswith("/_emulator/"):
            return _control(self, parts.path, options)
        door = DOORS.get(parts.path)
        if door is None:
            return _refusal(404, "no such endpoint")
        if not _authorised(request.headers):
            return _refusal(401, "INVALID_AUTH")
        if options.get("encoding", "mulaw") not in ENCODINGS:
            return _refusal(400, f"unsupported encoding {options['encoding']}")
        fault = self.faults.take(door, refusing=True)
        if fault is not None:
            return _refusal(fault.code, "refused on demand")
        return None

    async def _carry(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        parts = urlsplit(connection.request.path)
        session = connection.request.headers.get("x-deepgram-session-id", "")
        door = DOORS[parts.path]
        options = dict(parse_qsl(parts.query))
        socket = _Socket(connection, self.faults.take(door, refusing=False))
        self.journal.note(session, "connected", door=door)

        def note(what: str, **more: Any) -> None:
            self.journal.note(session, what, **more)

        try:
            if door == "listen":
                await self._listen(socket, options, note)
            else:
                await self._speak(socket, options, note)
        except ConnectionClosed:
            pass
        finally:
            await socket.end()
            note("disconnected", door=door)

    async def _listen(
        self, socket: _Socket, options: dict[str, str], note: Callable[..., None]
    ) -> None:
        recogniser = self._engine.recogniser()
        listening = Listening(recogniser, options)
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
                        if answer.get("is_final"):
                            text = answer["channel"]["alternatives"][0]["transcript"]
                            note("final", text=text, speech_final=answer["speech_final"])
                        elif answer["type"] == "SpeechStarted":
                            note("speech_started")
                        await socket.send(json.dumps(answer))
                elif not await _told(socket, listening, message):
                    return
        finally:
            await recogniser.close()

    async def _speak(
        self, socket: _Socket, options: dict[str, str], note: Callable[..., None]
    ) -> None:
        voice = options.get("model", "aura-asteria-en")
        await socket.send(json.dumps({"type": "Metadata", "request_id": "emulated"}))
        speaking = Speaking(self._engine, voice, self.pace, socket.send, note)
        try:
            async for message in socket.connection:
                if not await speaking.message(message):
                    await socket.connection.close()
                    return
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
                    await self.connection.send(json.dumps({"type": "Novelty", "value": 1}))


async def _told(socket: _Socket, listening: Listening, message: str) -> bool:
    """Deal with a text message on a listen socket; False when the socket has ended."""
    try:
        told = json.loads(message)
    except ValueError:
        told = None
    match told:
        case {"type": "KeepAlive"}:
            return True
        case {"type": "Finalize"}:
            for answer in await listening.finalize():
                await socket.send(json.dumps(answer))
            return True
        case {"type": "CloseStream"}:
            for answer in await listening.finalize():
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
        from emulators.deepgram.acoustic import AcousticEngine

        return AcousticEngine()
    raise ValueError(f"the engine is one of {', '.join(get_args(EngineName))}, not {name!r}")


def _metadata(seconds: float) -> str:
    told = {"type": "Metadata", "transaction_key": "deprecated", "request_id": "emulated"}
    return json.dumps({**told, "duration": round(seconds, 3), "channels": 1})


def _authorised(headers: Headers) -> bool:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return scheme.lower() in ("token", "bearer") and bool(key.strip())


def _refusal(status: int, error: str) -> Response:
    return _response(status, {"err_msg": error}, {"dg-error": error})


def _response(status: int, body: Any, more: dict[str, str] | None = None) -> Response:
    encoded = json.dumps(body).encode()
    headers = Headers({"content-type": "application/json", "content-length": str(len(encoded))})
    headers.update(more or {})
    return Response(status, HTTPStatus(status).phrase, headers, encoded)


def _control(emulator: DeepgramEmulator, path: str, options: dict[str, str]) -> Response:
    match path:
        case "/_emulator/journal":
            return _response(200, emulator.journal.entries(options.get("what")))
        case "/_emulator/fault":
            door, kind = options.get("door"), options.get("kind")
            if door not in DOORS.values() or kind not in KINDS:
                return _response(400, "door is listen or speak, kind one of " + ", ".join(KINDS))
            code, after = int(options.get("code", 1011)), float(options.get("after", 0))
            emulator.faults.add(Fault(door, kind, code, after))  # type: ignore[arg-type]
            return _response(200, "ok")
        case "/_emulator/pace":
            emulator.pace.first_ms = float(options.get("first_ms", emulator.pace.first_ms))
            emulator.pace.times_real_time = float(
                options.get("times_real_time", emulator.pace.times_real_time)
            )
            return _response(200, "ok")
    return _response(404, "no such control")
