"""Deepgram in memory: the client that calls use, and the emulator behind it, without a socket.

`MemoryDeepgram` is a `Deepgram` whose connections are pipes to a `DeepgramEmulator`, so handshake,
messages, limits and faults are those of the wire. Speech takes the time that people need for it.

Errors: those of `aybiza.speech.deepgram_socket`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from deepgram.core.api_error import ApiError
from deepgram.listen.v1.socket_client import AsyncV1SocketClient as ListenSocket
from deepgram.speak.v1.socket_client import AsyncV1SocketClient as SpeakSocket

from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.engine import ScriptedEngine
from aybiza.emulators.deepgram.speak import Pace
from aybiza.emulators.textaudio import encode
from aybiza.faults.pipe import Request, pipe
from aybiza.speech.deepgram import Deepgram

BYTES_PER_CHAR = 480
"""Sixteen characters a second, as people speak."""

Note = Callable[..., None]


class Voice(ScriptedEngine):
    """Speaks text as audio of its length."""

    def __init__(self, bytes_per_char: int = BYTES_PER_CHAR) -> None:
        self._bytes_per_char = bytes_per_char

    async def synthesise(self, text: str, voice: str) -> bytes:
        return encode(text, self._bytes_per_char) if text.strip() else b""


class MemoryEmulator(DeepgramEmulator):
    """The emulator; `note` is told of each connection and of how it ended."""

    def __init__(self, note: Note, pace: Pace | None = None) -> None:
        super().__init__(pace=pace or Pace(first_ms=120.0, times_real_time=8.0))
        self._engine = Voice()
        self._note = note
        self.tasks: set[asyncio.Task[None]] = set()
        self.opened: list[tuple[float, str, str]] = []
        """Handshakes: when, at which door, for which call."""

    @asynccontextmanager
    async def connect(
        self, door: str, socket: Any, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncIterator[Any]:
        """As the SDK's `connect`; `socket` is the SDK's class."""
        loop = asyncio.get_running_loop()
        session = headers.get("x-deepgram-session-id", "")
        self.opened.append((loop.time(), door, session))
        path = f"/v1/{door}?{urlencode(query, doseq=True)}"
        told = {"authorization": "Token key", **headers}
        refusal = self._before(None, Request(path, told))  # type: ignore[arg-type]
        if refusal is not None:
            self._note("refused", door=door, status=refusal.status_code)
            raise ApiError(status_code=refusal.status_code, headers=dict(refusal.headers))
        client, server = pipe(path, told)
        task = loop.create_task(self._carry(server))  # type: ignore[arg-type]
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        self._note("connected", door=door)
        try:
            yield socket(websocket=client)
        finally:
            await client.close()
            self._note("disconnected", door=door)

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
            listen=SimpleNamespace(v1=SimpleNamespace(connect=self._listen)),
            speak=SimpleNamespace(v1=SimpleNamespace(connect=self._speak)),
        )

    def _built(self) -> Any:
        return self._doors

    def _listen(self, *, request_options: Mapping[str, Any], **query: Any) -> Any:
        headers = request_options["additional_headers"]
        return self._emulator.connect("listen", ListenSocket, query, headers)

    def _speak(self, *, request_options: Mapping[str, Any], **query: Any) -> Any:
        headers = request_options["additional_headers"]
        return self._emulator.connect("speak", SpeakSocket, query, headers)
