"""The speak v1 side: text in, audio out, in order. Pure: a `Session`, see `session`.

Text waits until a `Flush` has it synthesised; the texts of one flush are joined exactly as they
were sent, so a blank between sentences is the client's business. Audio goes out faster than real
time in pieces of irregular size, then `Flushed`. `Clear` drops what waits and what is under way:
the next piece of it still comes, then `Cleared`. `Close` ends at once. The 21st flush within a
minute is answered by a warning and ignored, as is a text over 2000 characters; more than 2400
characters within a minute end the socket, as do its 60th minute and `idle_seconds` without a
message.

Source: Deepgram, speak v1, websocket messages and limits.
"""

from __future__ import annotations

import json
import random
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from aybiza.emulators.deepgram.faults import Strike, never
from aybiza.emulators.deepgram.identity import Identity
from aybiza.emulators.deepgram.session import Action, Close, Note, Send, Synthesise, earliest, said

TEXT_CHARACTERS = 2000
CHARACTERS = 2400
FLUSHES = 20
WINDOW_SECONDS = 60.0
LIFETIME_SECONDS = 3600.0
IDLE_SECONDS = 3600.0
PIECE_BYTES = (320, 2400)
SAMPLES_A_SECOND = 8000

# Where one sentence ends and the next begins: there a voice can be asked for the first one alone,
# and it sounds the same whatever follows.
_SENTENCES = re.compile(r"(?<=[.!?\u2026\u3002\uff01\uff1f\u0964])\s+(?=\S)")


@dataclass(slots=True)
class Pace:
    """`first_ms`: from a flush to its first audio; `times_real_time`: how fast audio goes out."""

    first_ms: float = 0.0
    times_real_time: float = 10.0


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


@dataclass(slots=True)
class _Flush:
    """One flush on its way: the sentences that are left to be synthesised.

    `first_ms`: from its turn to its first audio; None: it is never answered. `told`: how often
    `Flushed` is told behind it. `pause`: seconds for which nothing comes in its midst. `early`:
    `Flushed` comes so many seconds ahead of its last audio.
    """

    sentences: deque[str]
    first_ms: float | None
    told: int = 1
    heard: bool = False
    begun: bool = False
    pause: float = 0.0
    early: float = 0.0


class Speaking:
    """One speak socket. `pace` is looked at anew for each piece, so it can be changed meanwhile;
    a piece has `piece_bytes`, at least and at most."""

    def __init__(
        self,
        identity: Identity,
        pace: Pace,
        note: Note,
        strike: Strike = never,
        *,
        lifetime_seconds: float = LIFETIME_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        piece_bytes: tuple[int, int] = PIECE_BYTES,
    ) -> None:
        self._identity = identity
        self._pace = pace
        self._note = note
        self._strike = strike
        self._lifetime = lifetime_seconds
        self._idle = idle_seconds
        self._piece_bytes = piece_bytes
        self._random = random.Random(identity.model)
        self._texts: list[str] = []
        self._flushes = _Window(FLUSHES)
        self._characters = _Window(CHARACTERS)
        self._sequence = 0
        self._ticket = 0
        self._asked: int | None = None
        self._work: deque[_Flush] = deque()
        # The pieces of the sentence that is going out; the first of them is in flight, and will
        # arrive even if what it belongs to is cleared.
        self._pieces: deque[bytes] = deque()
        self._next: float | None = None
        self._ends = self._idle_ends = 0.0

    @property
    def due(self) -> float | None:
        return earliest(self._ends, self._idle_ends, self._next)

    def opened(self, now: float) -> list[Action]:
        self._ends = now + self._lifetime
        self._idle_ends = now + self._idle
        return [said(self._identity.speak_metadata())]

    async def received(self, now: float, message: str | bytes) -> list[Action]:
        return self.message(now, message)

    def message(self, now: float, raw: str | bytes) -> list[Action]:
        """What is done about a message of the client."""
        self._idle_ends = now + self._idle
        try:
            message = json.loads(raw)
        except (ValueError, RecursionError):
            return [_warning("DATA-0000", "the message is not JSON")]
        match message:
            case {"type": "Speak", "text": str(text)}:
                return self._speak(now, text)
            case {"type": "Flush"}:
                return self._flush(now)
            case {"type": "Clear"}:
                return self._clear()
            case {"type": "Close"}:
                return [Close(1000)]
        return [_warning("DATA-0000", "the message is not understood")]

    def wake(self, now: float) -> list[Action]:
        """One piece of audio, the next sentence, or the end of the socket's life."""
        if now >= self._ends:
            return [Close(1011, "NET-0003: the connection has reached its longest life")]
        if now >= self._idle_ends:
            return [Close(1011, "NET-0001: nothing was received in time")]
        if self._next is None or now < self._next:
            return []
        if not self._pieces:
            return self._go_on(now)
        if (held := self._held(now)) is not None:
            return held
        piece = self._pieces.popleft()
        self._next = now + len(piece) / SAMPLES_A_SECOND / self._pace.times_real_time
        return [Send(piece), *self._ask_ahead()]

    def _held(self, now: float) -> list[Action] | None:
        """What is done in place of sending the next piece: there is a pause ahead of it."""
        flush, is_last = self._work[0], len(self._pieces) == 1 and self._asked is None
        if flush.early and is_last and not flush.sentences:
            self._next, flush.early, flush.told = now + flush.early, 0.0, 0
            return [self._told("Flushed")]
        if flush.pause and flush.begun:
            self._next, flush.pause = now + flush.pause, 0.0
            return []
        flush.begun = True
        return None

    def synthesised(self, now: float, ticket: int, audio: bytes | None) -> list[Action]:
        if ticket != self._asked:
            return []
        self._asked = None
        if audio is None:
            return [Close(1011, "NET-0000: the text could not be spoken")]
        flush = self._work[0]
        if audio and not flush.heard:
            flush.heard = True
            self._note("first_audio", told_ms=flush.first_ms)
        self._pieces += self._cut(audio)
        if self._next is not None:
            return []
        self._next = now
        return self.wake(now)

    async def gone(self) -> None:
        self._work.clear()
        self._pieces.clear()
        self._next = self._asked = None

    def _speak(self, now: float, text: str) -> list[Action]:
        self._note("speak", text=text)
        if len(text) > TEXT_CHARACTERS:
            return [_warning("413", f"a text has at most {TEXT_CHARACTERS} characters")]
        refused = self._strike("refuse_text", text)
        if refused is not None:
            return [Close(refused.code, "DATA-0001: the text is refused on demand")]
        if not self._characters.spend(len(text), now):
            return [Close(1008, f"DATA-0001: more than {CHARACTERS} characters in a minute")]
        self._texts.append(text)
        return []

    def _flush(self, now: float) -> list[Action]:
        if not self._flushes.spend(1, now):
            told = f"more than {FLUSHES} flushes in a minute are ignored"
            return [_warning("FLUSH_LIMIT", told)]
        joined = "".join(self._texts)
        self._texts.clear()
        self._note("flush", text=joined)
        self._work.append(self._made(joined))
        return self._begin(now) if len(self._work) == 1 else []

    def _made(self, joined: str) -> _Flush:
        """The flush of a text, with what goes wrong with it."""
        said: list[str] = []
        skipped: list[str] = []
        for part in sentences(joined):
            (skipped if self._strike("skip_text", part) else said).append(part)
        for part in skipped:
            self._note("skipped", text=part, alone=not said)
        slow = self._strike("slow", joined)
        first_ms: float | None = self._pace.first_ms + (slow.seconds * 1000.0 if slow else 0.0)
        if self._strike("never_say", joined):
            first_ms = None
        told = 0 if self._strike("no_flushed", joined) else 1
        told += self._strike("double_flushed", joined) is not None
        pause, early = self._strike("pause", joined), self._strike("early_flushed", joined)
        return _Flush(
            deque(said),
            first_ms,
            told,
            pause=pause.seconds if pause else 0.0,
            early=early.seconds if early else 0.0,
        )

    def _clear(self) -> list[Action]:
        self._texts.clear()
        self._work.clear()
        in_flight: list[Action] = [Send(self._pieces[0])] if self._pieces else []
        self._pieces.clear()
        self._next = self._asked = None
        return in_flight if self._strike("no_cleared", "") else [*in_flight, self._told("Cleared")]

    def _begin(self, now: float) -> list[Action]:
        """The first flush of those that wait is taken up."""
        first_ms = self._work[0].first_ms
        self._next = None if first_ms is None else now + first_ms / 1000.0
        return self._go_on(now) if first_ms == 0 else []

    def _go_on(self, now: float) -> list[Action]:
        """All audio so far is out: the next sentence is waited for, or `Flushed` is told."""
        flush = self._work[0]
        if self._asked is not None or flush.sentences:
            self._next = None
            return self._ask_ahead()
        self._work.popleft()
        self._next = None
        told: list[Action] = [self._told("Flushed") for _ in range(flush.told)]
        return [*told, *(self._begin(now) if self._work else [])]

    def _ask_ahead(self) -> list[Action]:
        """The next sentence is asked for before the audio of the last one has run out."""
        flush = self._work[0]
        if self._asked is not None or len(self._pieces) > 1 or not flush.sentences:
            return []
        self._ticket += 1
        self._asked = self._ticket
        return [Synthesise(self._ticket, flush.sentences.popleft(), self._identity.model)]

    def _cut(self, audio: bytes) -> deque[bytes]:
        pieces: deque[bytes] = deque()
        while audio:
            size = self._random.randint(*self._piece_bytes)
            pieces.append(audio[:size])
            audio = audio[size:]
        return pieces

    def _told(self, kind: str) -> Send:
        self._sequence += 1
        return said({"type": kind, "sequence_id": self._sequence})


def sentences(text: str) -> list[str]:
    """The sentences of `text`, each with the blanks behind it; joined they are the text."""
    found, start = [], 0
    for gap in _SENTENCES.finditer(text):
        found.append(text[start : gap.end()])
        start = gap.end()
    return [*found, text[start:]] if text[start:].strip() else found


def _warning(code: str, description: str) -> Send:
    message: dict[str, Any] = {"type": "Warning", "code": code, "description": description}
    return said(message)
