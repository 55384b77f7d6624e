"""The listen v1 side: audio in, Deepgram's messages out.

`Listening` decides from blocks of 20 ms what Deepgram would say, in the time of the audio, whatever
the pace at which it arrives: SpeechStarted at the onset, an interim result every 250 ms of speech,
a final one with `speech_final` after `endpointing` ms of silence, a final one without it in long
speech, UtteranceEnd `utterance_end_ms` after the last word, an empty interim about every second
of silence.

Source: Deepgram, listen v1, streaming responses and endpointing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.deepgram.engine import BLOCK_BYTES, BLOCK_SECONDS, Recogniser

INTERIM_SECONDS = 0.25
EMPTY_SECONDS = 1.0
SEGMENT_SECONDS = 8.0

Message = dict[str, Any]


class Listening:
    """One listen socket. `options` are the query parameters of its connection."""

    def __init__(self, recogniser: Recogniser, options: Mapping[str, str]) -> None:
        self._recogniser = recogniser
        self._endpointing = _milliseconds(options.get("endpointing"), 10)
        self._utterance_end = _milliseconds(options.get("utterance_end_ms"), 0)
        self._interims = options.get("interim_results") == "true"
        self._vad_events = options.get("vad_events") == "true"
        self._left = b""
        self._now = 0.0
        self._segment = 0.0
        self._last_result = 0.0
        self._speech_at: float | None = None
        self._last_speech = 0.0
        self._utterance_open = False

    @property
    def seconds(self) -> float:
        """How much audio has come."""
        return self._now

    async def audio(self, mulaw: bytes) -> list[Message]:
        """What is said to the next audio."""
        data = self._left + mulaw
        whole = len(data) - len(data) % BLOCK_BYTES
        self._left = data[whole:]
        messages: list[Message] = []
        for start in range(0, whole, BLOCK_BYTES):
            messages += await self._block(data[start : start + BLOCK_BYTES])
        return messages

    async def finalize(self) -> list[Message]:
        """What is said to `Finalize`: everything so far, final."""
        text = await self._recogniser.finish()
        self._speech_at = None
        return [self._result(text, final=True, speech_final=True, from_finalize=True)]

    async def _block(self, block: bytes) -> list[Message]:
        speech = await self._recogniser.feed(block)
        before, self._now = self._now, self._now + BLOCK_SECONDS
        messages: list[Message] = []
        if speech:
            if self._speech_at is None:
                self._speech_at = before
                self._utterance_open = True
                if self._vad_events:
                    started = {"type": "SpeechStarted", "channel": [0, 1]}
                    messages.append({**started, "timestamp": round(before, 3)})
            self._last_speech = self._now
        if self._speech_at is not None:
            messages += await self._in_speech()
        elif self._interims and self._now - self._last_result >= EMPTY_SECONDS:
            messages.append(self._result("", final=False))
        gap = self._now - self._last_speech
        if self._utterance_open and self._utterance_end and gap >= self._utterance_end:
            self._utterance_open = False
            ended = {"type": "UtteranceEnd", "channel": [0, 1]}
            messages.append({**ended, "last_word_end": round(self._last_speech, 3)})
        return messages

    async def _in_speech(self) -> list[Message]:
        if self._now - self._last_speech >= self._endpointing:
            self._speech_at = None
            text = await self._recogniser.finish()
            return [self._result(text, final=True, speech_final=True)]
        if self._now - self._segment >= SEGMENT_SECONDS and self._last_speech < self._now:
            # Long speech is settled piece by piece, where a word has just ended.
            return [self._result(await self._recogniser.finish(), final=True)]
        if self._interims and self._now - self._last_result >= INTERIM_SECONDS:
            return [self._result(await self._recogniser.partial(), final=False)]
        return []

    def _result(
        self, text: str, *, final: bool, speech_final: bool = False, from_finalize: bool = False
    ) -> Message:
        start, self._last_result = self._segment, self._now
        if final:
            self._segment = self._now
        spoken = text.split()
        step = (self._now - start) / max(len(spoken), 1)
        words = [
            {
                "word": word.strip(".,!?").lower(),
                "start": round(start + index * step, 3),
                "end": round(start + (index + 1) * step, 3),
                "confidence": 0.99,
                "punctuated_word": word,
            }
            for index, word in enumerate(spoken)
        ]
        best = {"transcript": text, "confidence": 0.99 if text else 0.0, "words": words}
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": round(self._now - start, 3),
            "start": round(start, 3),
            "is_final": final,
            "speech_final": speech_final,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [best]},
            "metadata": {
                "request_id": "emulated",
                "model_info": {"name": "emulated", "version": "1", "arch": "emulated"},
                "model_uuid": "emulated",
            },
        }


def _milliseconds(value: str | None, default: int) -> float:
    return (int(value) if value and value.isdigit() else default) / 1000.0
