"""Deepgram's two sockets and a line, as the speech actors see them, for tests in virtual time.

async with place() as there:
    there.deepgram.does = lambda socket: socket.say(…)
    await there.hear(2.0, WORDS)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from aybiza.actors.call.call_context import CallContext
from aybiza.actors.runtime import VM
from aybiza.config.agents import Agent
from aybiza.config.prices import ServicePrices
from aybiza.dialogue.events import Heard
from aybiza.emulators.textaudio import encode
from aybiza.speech.deepgram_socket import DeepgramClosed
from aybiza.speech.deepgram_speak import pieces
from aybiza.speech.line import Line
from aybiza.speech.mulaw import silence
from tests.call.kit import AGENT

FRAME_BYTES = 160


@dataclass
class Socket:
    """An open socket: what was sent on it, and what it is to say."""

    opened: float
    options: Any
    sent: list[tuple[str, Any]] = field(default_factory=list)
    audio: int = 0
    """Bytes that were sent."""
    on: Callable[[Socket, str, Any], Any] = lambda *_: None
    takes: bool = True
    closed: bool = False

    def __post_init__(self) -> None:
        self._events: asyncio.Queue[Any] = asyncio.Queue()

    def say(self, *events: Any) -> None:
        for event in events:
            self._events.put_nowait(event)

    def end(self, code: int = 1011, reason: str = "") -> None:
        """Close it from the far end."""
        self.closed = True
        self._events.put_nowait(DeepgramClosed(code, reason))

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            event = await self._events.get()
            if isinstance(event, Exception):
                raise event
            yield event

    async def close(self) -> None:
        self.closed = True

    async def _send(self, kind: str, what: Any = None) -> None:
        if not self.takes:
            await asyncio.sleep(3600)
        if self.closed:
            raise DeepgramClosed(1006, "gone")
        self.sent.append((kind, what))
        self.on(self, kind, what)

    async def send_audio(self, mulaw: bytes) -> None:
        self.audio += len(mulaw)
        await self._send("audio", mulaw)

    def offer(self, mulaw: bytes) -> bool:
        if not self.takes or self.closed:
            return False
        self.audio += len(mulaw)
        self.sent.append(("audio", mulaw))
        self.on(self, "audio", mulaw)
        return True

    async def keep_alive(self) -> None:
        await self._send("keep_alive")

    async def finalize(self) -> None:
        await self._send("finalize")

    async def speak(self, text: str) -> None:
        for piece in pieces(text):
            await self._send("speak", piece)

    async def flush(self) -> None:
        await self._send("flush")

    async def clear(self) -> None:
        await self._send("clear")

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.sent if kind != "audio"]


@dataclass
class Deepgram:
    """Opens sockets; `does` is called with each, and may raise instead of letting it open."""

    sockets: list[Socket] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    does: Callable[[Socket], Any] = lambda _: None

    async def _open(self, options: Any, timeout: float) -> Socket:
        now = asyncio.get_running_loop().time()
        self.asked.append(now)
        socket = Socket(now, options)
        outcome = self.does(socket)
        if asyncio.iscoroutine(outcome):
            async with asyncio.timeout(timeout):
                await outcome
        socket.opened = asyncio.get_running_loop().time()
        self.sockets.append(socket)
        return socket

    async def listen(self, options: Any, call_id: str, timeout: float) -> Any:
        return await self._open(options, timeout)

    async def turns(self, options: Any, call_id: str, timeout: float) -> Any:
        return await self._open(options, timeout)

    async def speak(self, options: Any, call_id: str, timeout: float) -> Any:
        return await self._open(options, timeout)


class Telephone:
    """Plays what it is sent, and gives the marks back when all before them has been played."""

    def __init__(self) -> None:
        self.line: Line | None = None
        self.played = bytearray()
        self.heard_at: list[tuple[float, int]] = []
        self._until = 0.0

    def media(self, mulaw: bytes) -> None:
        now = asyncio.get_running_loop().time()
        self._until = max(self._until, now) + len(mulaw) / 8000
        self.played += mulaw
        self.heard_at.append((now, len(mulaw)))

    def mark(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        # A little apart, so that they come back in their order.
        self._until = max(self._until, loop.time()) + 1e-6
        loop.call_at(self._until, self._back, name)

    def _back(self, name: str) -> None:
        assert self.line is not None
        sentence = self.line.ledger.marked(name)
        if sentence is not None:
            self.line.post(Heard(*sentence))

    def clear(self) -> None:
        self._until = asyncio.get_running_loop().time()

    def first_audio(self, since: float) -> float:
        """Seconds from `since` to the first audio after it."""
        return next(at for at, _ in self.heard_at if at >= since) - since


@dataclass
class Place:
    vm: VM
    line: Line
    deepgram: Deepgram
    context: CallContext
    telephone: Telephone

    @property
    def now(self) -> float:
        return self.vm.now()

    def events(self) -> list[Any]:
        """What has been posted to the line so far."""
        return [posted.event for posted in self.line.inbox._events]

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events()]

    async def hear(self, seconds: float, audio: bytes = b"") -> None:
        """The caller's line for so long: `audio`, then silence, in frames of 20 ms."""
        whole = (audio + silence(seconds))[: round(seconds * 8000)]
        for start in range(0, len(whole), FRAME_BYTES):
            await asyncio.sleep(0.02)
            self.line.hear(whole[start : start + FRAME_BYTES])
        # What the last frame leads to is done, too.
        await asyncio.sleep(0.001)


def voice(seconds: float) -> bytes:
    """So much of a caller's voice."""
    return encode("x" * round(seconds * 250))


class Means(SimpleNamespace):
    """What of a call's context the speech actors look at."""

    @property
    def speaking(self) -> Agent:
        spoken: Agent = self.agent.speaking(self.line.language)
        return spoken

    def speaker_of(self, voice: str) -> Any:
        return self.deepgram


@asynccontextmanager
async def place(agent: Agent = AGENT, **more: Any) -> AsyncIterator[Place]:
    """A VM, a line and a Deepgram."""
    telephone = Telephone()
    deepgram = Deepgram()
    money = {"tenant": "", "carrier": "", "prices": ServicePrices(), "audio": {}}
    async with VM() as vm:
        telephone.line = line = Line("CA1", telephone, clock=vm.now)
        told = {"call_id": "CA1", "line": line, "agent": agent, "deepgram": deepgram}
        context = Means(**{**money, **told, **more})
        yield Place(vm, line, deepgram, cast(CallContext, context), telephone)
