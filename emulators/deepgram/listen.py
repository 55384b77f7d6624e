"""The listen v1 side: audio in, Deepgram's messages out.

`Listening` decides from blocks of 20 ms what Deepgram would say, in the time of the audio, whatever
the pace at which it arrives: SpeechStarted at the onset, an interim result every 250 ms of speech,
a final one with `speech_final` after `endpointing` ms of silence, a final one without it in long
speech, UtteranceEnd `utterance_end_ms` after the last word, an empty interim about every second of
silence and an empty final one when the silence is long.

Errors: `ValueError` for parameters of a connection that are not accepted.
Source: Deepgram, listen v1, streaming responses and endpointing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aybiza.emulators.deepgram.engine import BLOCK_BYTES, BLOCK_MS, Recogniser
from aybiza.emulators.deepgram.identity import EMULATED, Identity
from aybiza.emulators.deepgram.spoken_words import timed_words
from aybiza.emulators.deepgram.tongues import Tongues
from aybiza.speech import mulaw

INTERIM_MS = 250
EMPTY_MS = 1000
# Silence is settled after so long.
SILENT_SEGMENT_MS = 5000
# Long speech is settled at the next pause between words, or at last without any.
SEGMENT_MS = 8000
LONGEST_SEGMENT_MS = 16_000

DEFAULT_ENDPOINTING_MS = 10
# Without endpointing a pause of this length still settles what was said.
SETTLED_MS = 1000
_MOST_DIGITS = 5

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a connection asks for; `endpointing_ms` is None when it wants none, `tongues` where it
    names the one language."""

    endpointing_ms: int | None = DEFAULT_ENDPOINTING_MS
    utterance_end_ms: int | None = None
    interim_results: bool = False
    vad_events: bool = False
    tongues: Tongues | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], hints: Sequence[str] = ()) -> Parameters:
        """Those in the query of a connection's URL; `hints`: its languages that are expected."""
        interim_results = _flag(query, "interim_results")
        ends = query.get("utterance_end_ms")
        if ends is not None and not interim_results:
            raise ValueError("utterance_end_ms needs interim_results=true")
        return cls(
            endpointing_ms=_endpointing(query.get("endpointing", "true")),
            utterance_end_ms=None if ends is None else _milliseconds("utterance_end_ms", ends),
            interim_results=interim_results,
            vad_events=_flag(query, "vad_events"),
            tongues=Tongues.of(query, hints),
        )


class Listening:
    """One listen socket. All times are milliseconds of its audio."""

    def __init__(
        self, recogniser: Recogniser, parameters: Parameters, identity: Identity = EMULATED
    ) -> None:
        self._recogniser = recogniser
        self._identity = identity
        self._parameters = parameters
        self._left = b""
        self._now = 0
        # Where the segment begins that is not final yet.
        self._segment = 0
        self._last_result = 0
        # Since when there is speech, but for pauses.
        self._onset: int | None = None
        self._last_speech = 0
        # Words were heard and no UtteranceEnd has followed them.
        self._words_open = False

    @property
    def seconds(self) -> float:
        """How much audio has come."""
        return self._now / 1000

    async def audio(self, mulaw: bytes) -> list[Message]:
        """What is said to the next audio."""
        data = self._left + mulaw
        whole = len(data) - len(data) % BLOCK_BYTES
        self._left = data[whole:]
        messages: list[Message] = []
        start = self._pass_over(data, 0, whole)
        while start < whole:
            messages += await self._block(data[start : start + BLOCK_BYTES])
            start += BLOCK_BYTES
            start += self._pass_over(data, start, whole)
        return messages

    def _pass_over(self, data: bytes, start: int, end: int) -> int:
        """Go on by the silence in which nothing is due; how many bytes of it there are."""
        if self._onset is not None or self._words_open:
            return 0
        due = self._segment + SILENT_SEGMENT_MS
        if self._parameters.interim_results:
            due = min(due, self._last_result + EMPTY_MS)
        blocks = max(0, min((end - start) // BLOCK_BYTES, (due - self._now - 1) // BLOCK_MS))
        silence = data[start : start + blocks * BLOCK_BYTES]
        if not silence or not self._recogniser.passes_over(silence):
            return 0
        self._now += blocks * BLOCK_MS
        return len(silence)

    async def finalize(self) -> list[Message]:
        """What is said to `Finalize`: everything so far, final."""
        text = await self._recogniser.finish()
        result = self._result(text, final=True, speech_final=True, from_finalize=True)
        if self._last_speech < self._now:
            self._onset = None
        return [result]

    async def end(self) -> list[Message]:
        """What is said to `CloseStream`: the same, with what is left of a block."""
        rest = bytes([mulaw.SILENCE]) * (-len(self._left) % BLOCK_BYTES)
        return [*await self.audio(rest), *await self.finalize()]

    async def _block(self, block: bytes) -> list[Message]:
        speech = await self._recogniser.feed(block)
        before, self._now = self._now, self._now + BLOCK_MS
        messages: list[Message] = []
        if speech:
            if self._onset is None:
                self._onset = before
                if self._parameters.vad_events:
                    messages.append(_event("SpeechStarted", timestamp=before / 1000))
            self._last_speech = self._now
        result = await (self._in_silence() if self._onset is None else self._in_speech())
        if result:
            messages.append(result)
        ends = self._parameters.utterance_end_ms
        if self._words_open and ends is not None and self._now - self._last_speech >= ends:
            self._words_open = False
            messages.append(_event("UtteranceEnd", last_word_end=self._last_speech / 1000))
        return messages

    async def _in_silence(self) -> Message | None:
        if self._now - self._segment >= SILENT_SEGMENT_MS:
            return self._result("", final=True, speech_final=True)
        if self._parameters.interim_results and self._now - self._last_result >= EMPTY_MS:
            return self._result("")
        return None

    async def _in_speech(self) -> Message | None:
        assert self._onset is not None
        endpointing, pause = self._parameters.endpointing_ms, self._now - self._last_speech
        if pause >= (SETTLED_MS if endpointing is None else endpointing) and pause > 0:
            text = await self._recogniser.finish()
            result = self._result(text, final=True, speech_final=endpointing is not None)
            self._onset = None
            return result
        length = self._now - max(self._segment, self._onset)
        if length >= LONGEST_SEGMENT_MS or (length >= SEGMENT_MS and pause > 0):
            return self._result(await self._recogniser.finish(), final=True)
        if self._parameters.interim_results and self._now - self._last_result >= INTERIM_MS:
            return self._result(await self._recogniser.partial())
        return None

    def _result(
        self,
        text: str,
        *,
        final: bool = False,
        speech_final: bool = False,
        from_finalize: bool = False,
    ) -> Message:
        start, self._last_result = self._segment, self._now
        spoken_from = start if self._onset is None else max(start, self._onset)
        words = timed_words(text, spoken_from, max(self._last_speech, spoken_from))
        if final:
            self._segment = self._now
        if text:
            self._words_open = True
        best = {"transcript": text, "confidence": 0.99 if text else 0.0, "words": words}
        if self._parameters.tongues is not None:
            best |= self._parameters.tongues.heard(text, words)
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": (self._now - start) / 1000,
            "start": start / 1000,
            "is_final": final,
            "speech_final": speech_final,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [best]},
            "metadata": self._identity.result_metadata(),
        }


def _event(kind: str, **more: float) -> Message:
    return {"type": kind, "channel": [0, 1], **more}


def _endpointing(value: str) -> int | None:
    switches = {"true": DEFAULT_ENDPOINTING_MS, "false": None}
    return switches[value] if value in switches else _milliseconds("endpointing", value)


def _milliseconds(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise ValueError(f"{name} is a number of milliseconds, not {value[:20]!r}")
    return int(value)


def _flag(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "false")
    if value not in ("true", "false"):
        raise ValueError(f"{name} is true or false, not {value!r}")
    return value == "true"
