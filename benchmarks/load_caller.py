"""A caller that costs little: sends its frames, asks at its times, and stamps what comes back.

    caller = Caller(1, period=5.0)
    await caller.call("ws://127.0.0.1:8080/media", seconds=60.0)
    caller.turns            # one `Asked` a question

It plays what it is sent as a telephone does: a mark goes back when all audio before it has been
played. A gap is audio that comes after the telephone has had nothing to play in the midst of an
answer. Times are of the machine's monotonic clock, in seconds. The questions hold words of no
language that name call and turn, so that providers' stamps can be told apart by their texts.

Errors: what the websocket raises when the server refuses the call.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from aybiza.emulators.phone.messages import CONNECTED, StreamWriter, new_sid
from aybiza.emulators.textaudio import encode

FRAME_SECONDS: Final = 0.02
FRAME_BYTES: Final = 160
GAP_SECONDS: Final = 0.02
GREETING_SECONDS: Final = 4.0
CLOSE_SECONDS: Final = 2.0
QUESTION: Final = "Tell me about {} please."
INTERRUPTION: Final = "No wait a moment please."
_CONSONANTS: Final = "bdfgklmnprstvz"
_VOWELS: Final = "aeiou"
_QUIET: Final = base64.b64encode(b"\xff" * FRAME_BYTES).decode()


def words(number: int) -> str:
    """A word of no language for each number.

    >>> words(0), words(1), words(4_899)
    ('bababab', 'babebab', 'zuzubab')
    """
    letters = ""
    for _ in range(2):
        number, rest = divmod(number, len(_CONSONANTS) * len(_VOWELS))
        consonant, vowel = divmod(rest, len(_VOWELS))
        letters = _CONSONANTS[consonant] + _VOWELS[vowel] + letters
    return letters + "bab"


@dataclass(slots=True)
class Asked:
    """A question: the word in it, when its last sample left, and when its answer was heard."""

    word: str
    said_at: float
    first_audio_at: float | None = None
    gaps: int = 0
    broke_in_at: float | None = None
    """When the first sample left by which the caller broke into the answer."""
    cleared_at: float | None = None


@dataclass(slots=True)
class Caller:
    """One call; `number` makes its words its own. It hears the `greeting` for so many seconds, then
    asks every `period` seconds."""

    number: int
    period: float
    greeting: float = GREETING_SECONDS
    breaks_in: float | None = None
    """So many seconds of an answer are heard before the caller breaks into it; None: all of it."""
    voice: Callable[[str], Sequence[str]] = field(default_factory=lambda: _frames)
    """The frames, as `media.payload` carries them, of a question."""
    turns: list[Asked] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    """How much later than due each frame left."""
    failure: str = ""

    async def call(
        self,
        url: str,
        seconds: float,
        *,
        call_sid: str = "",
        account_sid: str = "",
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Call, ask for `seconds` after the greeting, hang up. `call_sid`, `account_sid` and
        `parameters`: those of the webhook and its TwiML that led here, if one did."""
        try:
            async with connect(
                url, compression=None, max_queue=None, close_timeout=CLOSE_SECONDS
            ) as socket:
                writer = StreamWriter(
                    new_sid("MZ"), call_sid or new_sid("CA"), account_sid or new_sid("AC")
                )
                await socket.send(CONNECTED)
                await socket.send(writer.start(parameters or {}))
                hearing = asyncio.create_task(self._hear(socket, writer))
                try:
                    await self._speak(socket, writer, seconds)
                    await socket.send(writer.stop())
                finally:
                    hearing.cancel()
                    await asyncio.gather(hearing, return_exceptions=True)
        except (OSError, ConnectionClosed, TimeoutError) as error:
            self.failure = f"{type(error).__name__}: {error}"

    async def _speak(self, socket: ClientConnection, writer: StreamWriter, seconds: float) -> None:
        clock = time.monotonic
        began = clock()
        asks_at = began + self.greeting
        ends_at = asks_at + seconds
        voice: list[str] = []
        for frame in range(round((ends_at - began) / FRAME_SECONDS)):
            due = began + frame * FRAME_SECONDS
            if (wait := due - clock()) > 0:
                await asyncio.sleep(wait)
            self.late.append(clock() - due)
            if not voice and due >= asks_at:
                asks_at += self.period
                word = words(self.number * 256 + len(self.turns))
                voice = list(self.voice(QUESTION.format(word)))
                self.turns.append(Asked(word, due + len(voice) * FRAME_SECONDS))
            if not voice and self._is_to_break_in(clock()):
                voice = list(self.voice(INTERRUPTION))
                self.turns[-1].broke_in_at = clock()
            await socket.send(writer.media(voice.pop(0) if voice else _QUIET))

    def _is_to_break_in(self, now: float) -> bool:
        turn = self.turns[-1] if self.turns else None
        if self.breaks_in is None or turn is None or turn.first_audio_at is None:
            return False
        return turn.broke_in_at is None and now >= turn.first_audio_at + self.breaks_in

    async def _hear(self, socket: ClientConnection, writer: StreamWriter) -> None:
        clock = time.monotonic
        loop = asyncio.get_running_loop()
        played_at = 0.0
        marks: set[asyncio.Task[None]] = set()

        async def give_back(name: str, at: float) -> None:
            await asyncio.sleep(max(0.0, at - clock()))
            with contextlib.suppress(ConnectionClosed):
                await socket.send(writer.mark(name))

        try:
            async for text in socket:
                message = json.loads(text)
                now = clock()
                match message["event"]:
                    case "media":
                        turn = self.turns[-1] if self.turns else None
                        if turn is not None and now < turn.said_at - FRAME_SECONDS:
                            pass  # It is of what came before: the question goes on.
                        elif turn is not None and turn.first_audio_at is None:
                            turn.first_audio_at = now
                        elif turn is not None and now - played_at > GAP_SECONDS:
                            # What comes after the answer was broken off is another one.
                            turn.gaps += turn.cleared_at is None
                        payload = message["media"]["payload"]
                        played_at = max(played_at, now) + len(payload) * 3 / 4 / 8000
                    case "mark":
                        task = loop.create_task(give_back(message["mark"]["name"], played_at))
                        marks.add(task)
                        task.add_done_callback(marks.discard)
                    case "clear":
                        played_at = now
                        if self.turns and self.turns[-1].broke_in_at is not None:
                            self.turns[-1].cleared_at = self.turns[-1].cleared_at or now
        except ConnectionClosed:
            self.failure = self.failure or "the server has closed the call"
        finally:
            for task in marks:
                task.cancel()
            await asyncio.gather(*marks, return_exceptions=True)


def _frames(text: str) -> list[str]:
    audio = encode(text)
    audio += b"\xff" * (-len(audio) % FRAME_BYTES)
    return [
        base64.b64encode(audio[at : at + FRAME_BYTES]).decode()
        for at in range(0, len(audio), FRAME_BYTES)
    ]
