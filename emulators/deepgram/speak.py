"""The speak v1 side: text in, audio out, in order.

Text waits until a `Flush` has it synthesised; audio goes out faster than real time in pieces of
irregular size, then `Flushed`. `Clear` drops what waits and what is under way, then `Cleared`. The 21st
flush within a minute is answered by a warning and ignored, as is a text over 2000 characters.

Source: Deepgram, speak v1, websocket messages and limits.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from emulators.deepgram.engine import Engine

TEXT_CHARACTERS = 2000
FLUSHES = 20
WINDOW_SECONDS = 60.0
PIECE_BYTES = (320, 2400)
QUEUE_LIMIT = 1000

Send = Callable[[bytes | str], Awaitable[None]]


@dataclass(slots=True)
class Pace:
    """`first_ms`: from a flush to its first audio; `times_real_time`: how fast audio goes out."""

    first_ms: float = 0.0
    times_real_time: float = 10.0


class Speaking:
    """One speak socket; `send` puts a message on it, `note` tells the journal."""

    def __init__(
        self, engine: Engine, voice: str, pace: Pace, send: Send, note: Callable[..., None]
    ) -> None:
        self._engine = engine
        self._voice = voice
        self._pace = pace
        self._send = send
        self._note = note
        self._random = random.Random(voice)
        self._text: list[str] = []
        self._flushes: deque[float] = deque()
        self._sequence = 0
        self._work: asyncio.Queue[str] = asyncio.Queue(QUEUE_LIMIT)
        self._worker: asyncio.Task[None] | None = None

    async def message(self, raw: str | bytes) -> bool:
        """Deal with a message of the client; False when it asks for the end."""
        try:
            message = json.loads(raw)
        except ValueError:
            await self._warn("DATA-0000", "the message is not JSON")
            return True
        match message:
            case {"type": "Speak", "text": str(text)}:
                self._note("speak", text=text)
                if len(text) > TEXT_CHARACTERS:
                    await self._warn("413", f"a text has at most {TEXT_CHARACTERS} characters")
                else:
                    self._text.append(text)
            case {"type": "Flush"}:
                await self._flush()
            case {"type": "Clear"}:
                await self._clear()
            case {"type": "Close"}:
                await self._work.join()
                return False
            case _:
                await self._warn("DATA-0000", "the message has an unknown type")
        return True

    async def close(self) -> None:
        """The socket is gone."""
        if self._worker:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    async def _flush(self) -> None:
        now = time.monotonic()
        while self._flushes and now - self._flushes[0] >= WINDOW_SECONDS:
            self._flushes.popleft()
        if len(self._flushes) >= FLUSHES:
            await self._warn("FLUSH_LIMIT", f"more than {FLUSHES} flushes in a minute are ignored")
            return
        self._flushes.append(now)
        text, self._text = " ".join(self._text), []
        await self._work.put(text)
        if self._worker is None:
            self._worker = asyncio.create_task(self._run())

    async def _clear(self) -> None:
        await self.close()
        self._worker = None
        self._work = asyncio.Queue(QUEUE_LIMIT)
        self._text.clear()
        self._sequence += 1
        await self._json({"type": "Cleared", "sequence_id": self._sequence})

    async def _run(self) -> None:
        while True:
            text = await self._work.get()
            await asyncio.sleep(self._pace.first_ms / 1000.0)
            first = True
            async for audio in self._engine.synthesise(text, self._voice) if text else _nothing():
                start = 0
                while start < len(audio):
                    end = start + self._random.randint(*PIECE_BYTES)
                    if first:
                        first = False
                        self._note("first_audio", told_ms=self._pace.first_ms)
                    await self._send(audio[start:end])
                    seconds = len(audio[start:end]) / 8000 / self._pace.times_real_time
                    await asyncio.sleep(seconds)
                    start = end
            self._sequence += 1
            await self._json({"type": "Flushed", "sequence_id": self._sequence})
            self._work.task_done()

    async def _warn(self, code: str, description: str) -> None:
        await self._json({"type": "Warning", "code": code, "description": description})

    async def _json(self, message: dict[str, Any]) -> None:
        await self._send(json.dumps(message))


async def _nothing() -> Any:
    for piece in ():
        yield piece
