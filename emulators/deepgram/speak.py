"""The speak v1 side: text in, audio out, in order.

Text waits until a `Flush` has it synthesised; audio goes out faster than real time in pieces of
irregular size, then `Flushed`. `Clear` drops what waits and what is under way: the next piece of
it still comes, then `Cleared`. `Close` ends at once. The 21st flush within a minute is answered by
a warning and ignored, as is a text over 2000 characters; more than 2400 characters within a minute
end the socket, as does its 60th minute.

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
from typing import Any, NamedTuple

import structlog
from websockets.exceptions import ConnectionClosed

from aybiza.emulators.deepgram.engine import Engine, SynthesisError

TEXT_CHARACTERS = 2000
CHARACTERS = 2400
FLUSHES = 20
WINDOW_SECONDS = 60.0
LIFETIME_SECONDS = 3600.0
PIECE_BYTES = (320, 2400)
QUEUE_LIMIT = 1000

log = structlog.get_logger(__name__)

Send = Callable[[bytes | str], Awaitable[None]]
End = Callable[[int, str], Awaitable[None]]


@dataclass(slots=True)
class Pace:
    """`first_ms`: from a flush to its first audio; `times_real_time`: how fast audio goes out."""

    first_ms: float = 0.0
    times_real_time: float = 10.0


class Closing(NamedTuple):
    """How the socket ends: a close code and the reason."""

    code: int
    reason: str


class _Window:
    """What was spent within the last minute."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._spent: deque[tuple[float, int]] = deque()

    def spend(self, amount: int, now: float) -> bool:
        """Whether the minute's limit still allows for `amount`, which then is spent."""
        while self._spent and now - self._spent[0][0] >= WINDOW_SECONDS:
            self._spent.popleft()
        if sum(spent for _, spent in self._spent) + amount > self._limit:
            return False
        self._spent.append((now, amount))
        return True


class Speaking:
    """One speak socket; `send` puts a message on it, `end` closes it, `note` tells the journal."""

    def __init__(
        self,
        engine: Engine,
        voice: str,
        pace: Pace,
        send: Send,
        end: End,
        note: Callable[..., None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._voice = voice
        self._pace = pace
        self._send = send
        self._end = end
        self._note = note
        self._clock = clock
        self._random = random.Random(voice)
        self._texts: list[str] = []
        self._flushes = _Window(FLUSHES)
        self._characters = _Window(CHARACTERS)
        self._sequence = 0
        self._work: asyncio.Queue[list[str]] = asyncio.Queue(QUEUE_LIMIT)
        self._worker: asyncio.Task[None] | None = None
        # The piece that goes out next, and will even if what it belongs to is cleared.
        self._in_flight = b""

    async def message(self, raw: str | bytes) -> Closing | None:
        """Deal with a message of the client; how the socket ends if it does."""
        try:
            message = json.loads(raw)
        except (ValueError, RecursionError):
            await self._warn("DATA-0000", "the message is not JSON")
            return None
        match message:
            case {"type": "Speak", "text": str(text)}:
                return await self._speak(text)
            case {"type": "Flush"}:
                await self._flush()
            case {"type": "Clear"}:
                await self._clear()
            case {"type": "Close"}:
                return Closing(1000, "")
            case _:
                await self._warn("DATA-0000", "the message is not understood")
        return None

    async def close(self) -> None:
        """The socket is gone."""
        worker, self._worker = self._worker, None
        if worker:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    async def _speak(self, text: str) -> Closing | None:
        self._note("speak", text=text)
        if len(text) > TEXT_CHARACTERS:
            await self._warn("413", f"a text has at most {TEXT_CHARACTERS} characters")
        elif not self._characters.spend(len(text), self._clock()):
            return Closing(1008, f"DATA-0001: more than {CHARACTERS} characters in a minute")
        else:
            self._texts.append(text)
        return None

    async def _flush(self) -> None:
        if not self._flushes.spend(1, self._clock()):
            await self._warn("FLUSH_LIMIT", f"more than {FLUSHES} flushes in a minute are ignored")
            return
        texts, self._texts = self._texts, []
        await self._work.put(texts)
        if self._worker is None:
            self._worker = asyncio.create_task(self._run())

    async def _clear(self) -> None:
        await self.close()
        self._work = asyncio.Queue(QUEUE_LIMIT)
        self._texts.clear()
        in_flight, self._in_flight = self._in_flight, b""
        if in_flight:
            await self._send(in_flight)
        await self._told("Cleared")

    async def _run(self) -> None:
        try:
            while True:
                texts = await self._work.get()
                await asyncio.sleep(self._pace.first_ms / 1000.0)
                first = True
                for text in texts:
                    # One by one: a text sounds the same whatever was flushed together with it.
                    audio = await self._engine.synthesise(text, self._voice)
                    if audio and first:
                        first = False
                        self._note("first_audio", told_ms=self._pace.first_ms)
                    await self._play(audio)
                await self._told("Flushed")
        except ConnectionClosed:
            return
        except Exception as error:
            foreseen = isinstance(error, SynthesisError)
            log.warning("text_not_spoken", reason=str(error), exc_info=not foreseen)
            await self._end(1011, "NET-0000: the text could not be spoken")

    async def _play(self, audio: bytes) -> None:
        pieces = self._pieces(audio)
        for piece, following in zip(pieces, [*pieces[1:], b""], strict=True):
            self._in_flight = following
            await self._send(piece)
            await asyncio.sleep(len(piece) / 8000 / self._pace.times_real_time)

    def _pieces(self, audio: bytes) -> list[bytes]:
        cut = []
        while audio:
            size = self._random.randint(*PIECE_BYTES)
            cut.append(audio[:size])
            audio = audio[size:]
        return cut

    async def _warn(self, code: str, description: str) -> None:
        await self._json({"type": "Warning", "code": code, "description": description})

    async def _told(self, kind: str) -> None:
        self._sequence += 1
        await self._json({"type": kind, "sequence_id": self._sequence})

    async def _json(self, message: dict[str, Any]) -> None:
        await self._send(json.dumps(message))
