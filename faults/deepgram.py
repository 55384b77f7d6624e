"""Deepgram in memory: the client that calls use, and the emulator behind it, without a socket.

`MemoryDeepgram` is a `Deepgram` whose connections are pipes to the emulator's service: handshake,
messages, limits and faults are those of the wire. Speech takes the time that people need for it.

Errors: those of `aybiza.speech.deepgram_socket`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from deepgram.listen.v1.socket_client import AsyncV1SocketClient as ListenSocket
from deepgram.listen.v2.socket_client import AsyncV2SocketClient as FluxSocket
from deepgram.speak.v1.socket_client import AsyncV1SocketClient as SpeakSocket
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response

from aybiza.emulators.deepgram.engine import ScriptedEngine
from aybiza.emulators.deepgram.faults import Faults
from aybiza.emulators.deepgram.service import PATHS, Limits
from aybiza.emulators.deepgram.service import Deepgram as Service
from aybiza.emulators.deepgram.session import Abort, Action, Close, Send, Session, Synthesise
from aybiza.emulators.deepgram.speak import Pace
from aybiza.emulators.textaudio import encode
from aybiza.faults.pipe import End, pipe
from aybiza.speech.deepgram import Deepgram

BYTES_PER_CHAR = 480
"""Sixteen characters a second, as people speak."""

PIECE_BYTES = (800, 6400)
"""Of a voice's audio: a call is cheaper in fewer pieces, and no client may count on their size."""

HANDSHAKE_SECONDS = 0.03
TODAY = "2026-01-05T10:00:00.000Z"

_PATHS: dict[str, str] = {door: path for path, door in PATHS.items()}

Note = Callable[..., None]


class Voice(ScriptedEngine):
    """Speaks text as audio of its length."""

    def __init__(self, bytes_per_char: int = BYTES_PER_CHAR) -> None:
        self.bytes_per_char = bytes_per_char

    async def synthesise(self, text: str, voice: str) -> bytes:
        return encode(text, self.bytes_per_char) if text.strip() else b""


class MemoryEmulator:
    """The service without a port; `note` is told of each connection and of how it ended."""

    def __init__(
        self, note: Note, pace: Pace | None = None, char_bytes: int = BYTES_PER_CHAR
    ) -> None:
        loop = asyncio.get_running_loop()
        pace = pace or Pace(first_ms=120.0, times_real_time=8.0)
        limits = Limits(piece_bytes=PIECE_BYTES)
        voice, clock = Voice(char_bytes), loop.time
        self.service = Service(voice, pace=pace, limits=limits, clock=clock, today=lambda: TODAY)
        self._note = note
        self.tasks: set[asyncio.Task[None]] = set()
        self.ends: list[tuple[str, str, End]] = []
        """The service's ends of open sockets, each with its door and its call."""
        self.opened: list[tuple[float, str, str]] = []
        """Handshakes: when, at which door, for which call."""

    def forget(self) -> None:
        """Forget the sockets and sessions that were."""
        self.service.journal.clear()
        self.ends.clear()
        self.opened.clear()

    @property
    def faults(self) -> Faults:
        """The faults that wait."""
        return self.service.faults

    @asynccontextmanager
    async def connect(
        self, door: str, socket: Any, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncIterator[Any]:
        """As the SDK's `connect`; `socket` is the SDK's class."""
        loop = asyncio.get_running_loop()
        session = headers.get("x-deepgram-session-id", "")
        self.opened.append((loop.time(), door, session))
        await asyncio.sleep(HANDSHAKE_SECONDS)
        path = f"{_PATHS[door]}?{urlencode(query, doseq=True)}"
        told = {"authorization": "Token key", **headers}
        refusal = self.service.handshake(path, told)
        if refusal is not None:
            self._note("refused", door=door, status=refusal.status)
            raise InvalidStatus(Response(refusal.status, "", Headers({"dg-error": refusal.error})))
        client, server = pipe(path, told)
        task = loop.create_task(self._carry(self.service.session(path, told), server))
        self.tasks.add(task)
        end = (door, session, server)
        self.ends.append(end)
        task.add_done_callback(self.tasks.discard)
        self._note("connected", door=door)
        try:
            yield socket(websocket=client)
        finally:
            await client.close()
            self.ends.remove(end)
            self._note("disconnected", door=door)

    async def _carry(self, session: Session, end: End) -> None:
        """As `aybiza.emulators.deepgram.carry`, for a voice that needs no time."""
        clock = self.service.clock
        try:
            going = await self._do(session, session.opened(clock()), end)
            while going:
                actions = await self._next(session, end)
                due, now = session.due, clock()
                if due is not None and now >= due:
                    actions = [*actions, *session.wake(now)]
                going = await self._do(session, actions, end)
        except ConnectionClosed:
            pass
        finally:
            await session.gone()

    async def _next(self, session: Session, end: End) -> list[Action]:
        message = await end.recv_until(session.due)
        if message is None:
            return []
        return await session.received(self.service.clock(), message)

    async def _do(self, session: Session, actions: list[Action], end: End) -> bool:
        waiting = deque(actions)
        while waiting:
            match waiting.popleft():
                case Send(data):
                    await end.send(data)
                case Synthesise(ticket, text, voice):
                    audio = await self.service.engine.synthesise(text, voice)
                    waiting += session.synthesised(self.service.clock(), ticket, audio)
                case Close(code, reason):
                    await end.close(code, reason)
                    return False
                case Abort():
                    end.transport.abort()
                    return False
        return True

    async def stop(self) -> None:
        """End what is left."""
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class MemoryDeepgram(Deepgram):
    """See the module."""

    def __init__(self, emulator: MemoryEmulator) -> None:
        super().__init__(url=None, api_key="key")
        self._emulator = emulator
        self._doors: Any = SimpleNamespace(
            listen=SimpleNamespace(
                v1=SimpleNamespace(connect=self._listen), v2=SimpleNamespace(connect=self._turns)
            ),
            speak=SimpleNamespace(v1=SimpleNamespace(connect=self._speak)),
        )

    def _built(self) -> Any:
        return self._doors

    def _listen(self, *, request_options: Mapping[str, Any], **query: Any) -> Any:
        headers = request_options["additional_headers"]
        return self._emulator.connect("listen", ListenSocket, query, headers)

    def _turns(self, *, request_options: Mapping[str, Any], **query: Any) -> Any:
        headers = request_options["additional_headers"]
        return self._emulator.connect("flux", FluxSocket, query, headers)

    def _speak(self, *, request_options: Mapping[str, Any], **query: Any) -> Any:
        headers = request_options["additional_headers"]
        return self._emulator.connect("speak", SpeakSocket, query, headers)
