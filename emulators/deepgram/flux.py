"""The listen v2 side (Flux): audio in, turns out. Pure: a `Session`, see `session`.

What comes is decided in the time of the audio, block by block of 20 ms. A turn begins with the
first word (`StartOfTurn`), goes on with an `Update` every 250 ms, and ends when the confidence that
it has ended reaches `eot_threshold` (`EndOfTurn`), or after `eot_timeout_ms` of silence. Where
`eager_eot_threshold` is set an `EagerEndOfTurn` may come before, which further speech takes back
(`TurnResumed`); what ends the turn is what the last eager end said. The confidence grows with the
pause, to certainty at `CERTAIN_MS`.

Errors: `ValueError` for parameters of a connection that are not accepted; what is not understood is
told as an `Error` and ends the socket.
Source: Deepgram, listen v2 (Flux): messages, state machine, parameters.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from aybiza.emulators.deepgram.engine import BLOCK_BYTES, BLOCK_MS, Recogniser
from aybiza.emulators.deepgram.faults import Strike, never
from aybiza.emulators.deepgram.identity import Identity
from aybiza.emulators.deepgram.listen_session import SILENCE_SECONDS
from aybiza.emulators.deepgram.session import Action, Close, Note, Send, earliest, said
from aybiza.emulators.deepgram.spoken_words import timed_words
from aybiza.emulators.deepgram.tongues import Tongues
from aybiza.speech import mulaw

UPDATE_MS = 250
START_MS = 80
CERTAIN_MS = 500
SPEAKING = 0.05
MODELS = ("flux-general-en", "flux-general-multi")

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a turn has ended: confidences from 0 to 1, and milliseconds of silence. `tongues`: the
    languages that are told apart, by the model that hears several."""

    eot_threshold: float = 0.7
    eager_eot_threshold: float | None = None
    eot_timeout_ms: int = 5000
    tongues: Tongues | None = None

    def __post_init__(self) -> None:
        _within("eot_threshold", self.eot_threshold, 0.5, 1.0)
        _within("eot_timeout_ms", self.eot_timeout_ms, 500, 60_000)
        if self.eager_eot_threshold is not None:
            _within("eager_eot_threshold", self.eager_eot_threshold, 0.3, 0.9)
            if self.eager_eot_threshold > self.eot_threshold:
                raise ValueError("eager_eot_threshold is at most eot_threshold")

    @classmethod
    def of(cls, query: Mapping[str, str], hints: Sequence[str] = ()) -> Thresholds:
        """Those in the query of a connection's URL; `hints`: its languages that are expected."""
        if query.get("model") not in MODELS:
            raise ValueError(f"model is one of {', '.join(MODELS)}, not {query.get('model')!r}")
        given: dict[str, Any] = {"tongues": Tongues.of_turns(query, hints)}
        for name, kind in (("eot_threshold", float), ("eager_eot_threshold", float),
                           ("eot_timeout_ms", int)):  # fmt: skip
            if name in query:
                try:
                    given[name] = kind(query[name])
                except ValueError:
                    raise ValueError(f"{name} is a number, not {query[name][:20]!r}") from None
        return cls(**given)


class Flux:
    """One listen v2 socket. Times within are milliseconds of its audio."""

    def __init__(
        self,
        recogniser: Recogniser,
        thresholds: Thresholds,
        identity: Identity,
        note: Note,
        strike: Strike = never,
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._recogniser = recogniser
        self._thresholds = thresholds
        self._identity = identity
        self._note = note
        self._strike = strike
        self._silence = silence_seconds
        self._closes_at = 0.0
        self._sequence = -1
        self._number = 0
        self._later: list[tuple[float, int, Message]] = []
        self._left = b""
        self._now = 0
        self._turn = 0
        self._turn_start = 0
        self._updated = 0
        # The turn that is open began here; None between turns.
        self._onset: int | None = None
        self._started = False
        self._last_speech = 0
        # What the last EagerEndOfTurn said, unless it was taken back.
        self._eager: str | None = None
        # No confidence above this, where it was told to stay low.
        self._ceiling = 1.0

    @property
    def due(self) -> float | None:
        return earliest(self._closes_at, self._later[0][0] if self._later else None)

    def opened(self, now: float) -> list[Action]:
        self._closes_at = now + self._silence
        return [self._told({"type": "Connected", "request_id": self._identity.request_id})]

    async def received(self, now: float, message: str | bytes) -> list[Action]:
        self._closes_at = now + self._silence
        if isinstance(message, bytes):
            return await self._audio(now, message)
        try:
            told = json.loads(message)
        except (ValueError, RecursionError):
            told = None
        match told:
            case {"type": "CloseStream"}:
                rest = bytes([mulaw.SILENCE]) * (-len(self._left) % BLOCK_BYTES)
                return [*await self._audio(now, rest), *await self._forced(now), Close(1000)]
            case {"type": "ForceEndTurn"}:
                return await self._forced(now)
            case {"type": "Configure"}:
                return [self._configured(told)]
        return self._fatal("UNPARSABLE_CLIENT_MESSAGE", "the message is not understood", 1008)

    def wake(self, now: float) -> list[Action]:
        if now >= self._closes_at:
            return self._fatal("NET-0001", "no audio was received in time", 1011)
        out: list[Action] = []
        while self._later and self._later[0][0] <= now:
            out.append(self._told(heapq.heappop(self._later)[2]))
        return out

    def synthesised(self, now: float, ticket: int, audio: bytes | None) -> list[Action]:
        return []

    async def gone(self) -> None:
        await self._recogniser.close()

    async def _audio(self, now: float, data: bytes) -> list[Action]:
        data = self._left + data
        whole = len(data) - len(data) % BLOCK_BYTES
        self._left = data[whole:]
        out: list[Action] = []
        for start in range(0, whole, BLOCK_BYTES):
            out += await self._block(now, data[start : start + BLOCK_BYTES])
        return out

    async def _block(self, now: float, block: bytes) -> list[Action]:
        speech = await self._recogniser.feed(block)
        before, self._now = self._now, self._now + BLOCK_MS
        out: list[Action] = []
        if speech:
            if self._onset is None:
                self._onset = before
            self._last_speech = self._now
            if self._eager is not None:
                out.append(self._turn_info("TurnResumed", await self._recogniser.partial()))
                self._eager = None
        if self._onset is not None:
            out += await self._in_turn(now)
        if self._now - self._updated >= UPDATE_MS:
            text = await self._recogniser.partial() if self._started else ""
            out.append(self._turn_info("Update", text))
        return out

    async def _in_turn(self, now: float) -> list[Action]:
        if not self._started:
            return await self._start()
        if self._now - self._last_speech >= self._thresholds.eot_timeout_ms:
            return await self._end(now, "timeout")
        confidence = self._confidence()
        if confidence >= self._thresholds.eot_threshold:
            return await self._end(now, "model")
        eager = self._thresholds.eager_eot_threshold
        if eager is None or confidence < eager or self._eager is not None:
            return []
        text = await self._recogniser.partial()
        if not text:
            return []
        self._eager = text
        out: list[Action] = [self._turn_info("EagerEndOfTurn", text)]
        if self._strike("resume", text):
            self._eager, self._last_speech = None, self._now
            out.append(self._turn_info("TurnResumed", text))
        return out

    async def _forced(self, now: float) -> list[Action]:
        """The turn ends by order, though it may only just have begun."""
        began: list[Action] = []
        text = await self._recogniser.partial()
        if text and not self._started:
            self._started = True
            began = [self._turn_info("StartOfTurn", text)]
        return [*began, *await self._end(now, "manual")]

    async def _start(self) -> list[Action]:
        """The turn begins with its first word; a sound without words is none."""
        assert self._onset is not None
        pause = self._now - self._last_speech
        if (self._now - self._onset) % START_MS and pause < CERTAIN_MS:
            return []
        text = await self._recogniser.partial()
        if not text:
            if pause >= CERTAIN_MS:
                self._onset = None
                await self._recogniser.finish()
            return []
        self._started = True
        low = self._strike("low_confidence", text)
        self._ceiling = 1.0 if low is None else low.value
        self._note("speech_started")
        return [self._turn_info("StartOfTurn", text)]

    async def _end(self, now: float, trigger: str) -> list[Action]:
        """The turn is over: what it said, and the next one may begin."""
        if not self._started:
            return []
        heard = await self._recogniser.finish()
        text = heard if self._eager is None else self._eager
        message = {**self._info("EndOfTurn", text), "trigger": trigger}
        self._onset, self._started, self._eager, self._ceiling = None, False, None, 1.0
        self._turn += 1
        self._turn_start = self._now
        self._note("end_of_turn", text=text, trigger=trigger)
        if self._strike("no_end_of_turn", text):
            return []
        late = self._strike("late_end_of_turn", text)
        if late is not None:
            self._number += 1
            heapq.heappush(self._later, (now + late.seconds, self._number, message))
            return []
        return [self._told(message)]

    def _confidence(self) -> float:
        pause = self._now - self._last_speech
        return min(self._ceiling, max(SPEAKING, min(1.0, pause / CERTAIN_MS)))

    def _turn_info(self, event: str, text: str) -> Send:
        self._updated = self._now
        return self._told(self._info(event, text))

    def _info(self, event: str, text: str) -> Message:
        begins = self._turn_start if self._onset is None else self._onset
        words = timed_words(text, begins, max(self._last_speech, begins))
        tongues = self._thresholds.tongues
        return {
            **(tongues.heard(text, words) if tongues is not None else {}),
            "type": "TurnInfo",
            "request_id": self._identity.request_id,
            "event": event,
            "turn_index": self._turn,
            "audio_window_start": self._turn_start / 1000,
            "audio_window_end": self._now / 1000,
            "transcript": text,
            "words": [
                {name: word[name] for name in ("word", "confidence", "start", "end")}
                for word in words
            ],
            "end_of_turn_confidence": round(self._confidence(), 3) if self._started else SPEAKING,
        }

    def _configured(self, told: Mapping[str, Any]) -> Send:
        given = told.get("thresholds", {})
        answer: Message = {"request_id": self._identity.request_id}
        try:
            if not isinstance(given, Mapping) or set(given) - set(self._limits()):
                raise ValueError(f"thresholds have {', '.join(self._limits())}")
            self._thresholds = replace(self._thresholds, **given)
        except (ValueError, TypeError) as error:
            failed = {"code": "INVALID_CONFIGURATION", "description": str(error)}
            return self._told({"type": "ConfigureFailure", **answer, **failed})
        thresholds = {k: v for k, v in self._limits().items() if v is not None}
        keyterms = told.get("keyterms", [])
        success = {"thresholds": thresholds, "keyterms": keyterms}
        return self._told({"type": "ConfigureSuccess", **answer, **success})

    def _limits(self) -> dict[str, float | None]:
        return {k: v for k, v in asdict(self._thresholds).items() if k != "tongues"}

    def _fatal(self, code: str, description: str, close: int) -> list[Action]:
        error = self._told({"type": "Error", "code": code, "description": description})
        return [error, Close(close, f"{code}: {description}")]

    def _told(self, message: Message) -> Send:
        self._sequence += 1
        return said({**message, "sequence_id": self._sequence})


def _within(name: str, value: object, least: float, most: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= float(str(value)) <= most:
        raise ValueError(f"{name} is a number from {least:g} to {most:g}, not {value!r:.40}")
