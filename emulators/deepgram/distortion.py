"""What a recogniser that misbehaves says in place of what it should say. Pure.

`through` takes each message of a listen v1 socket on its way out and gives back what comes instead:
the same, another, several, or nothing for now. What comes later comes from `wake` when `due`.

Source: reports of users of streaming recognition: words that never become final, finals that come
late or twice, an UtteranceEnd older than the newest words, `last_word_end: -1`.
"""

from __future__ import annotations

import copy
import heapq
from typing import Any

from aybiza.emulators.deepgram.faults import Strike
from aybiza.emulators.deepgram.session import earliest

Message = dict[str, Any]


class Distortion:
    """See the module; `strike` says what goes wrong."""

    def __init__(self, strike: Strike) -> None:
        self._strike = strike
        self._number = 0
        self._later: list[tuple[float, int, Message]] = []
        # Words that stay interim until a Finalize.
        self._withheld: list[Message] = []
        # The end of the last word that became final.
        self._final_end: float | None = None
        self._repeated: Message | None = None
        self._every = 0.0
        self._repeats_at: float | None = None

    @property
    def due(self) -> float | None:
        return earliest(self._later[0][0] if self._later else None, self._repeats_at)

    def through(self, now: float, message: Message) -> list[Message]:
        """What comes at once in place of `message`."""
        if message["type"] == "UtteranceEnd":
            return self._utterance_end(message)
        if message["type"] != "Results":
            return [message]
        text = _text(message)
        low = self._strike("low_confidence", text) if text else None
        if low is not None:
            message = _with_confidence(message, low.value)
        if not message["is_final"]:
            return self._interim(now, message, text)
        return self._final(now, message, text)

    def wake(self, now: float) -> list[Message]:
        """What comes now of what was put off."""
        out: list[Message] = []
        while self._later and self._later[0][0] <= now:
            out.append(heapq.heappop(self._later)[2])
        if self._repeats_at is not None and now >= self._repeats_at:
            assert self._repeated is not None
            self._repeats_at += self._every
            self._repeated = {
                **self._repeated,
                "duration": round(self._repeated["duration"] + self._every, 3),
            }
            out.append(self._repeated)
        return out

    def _utterance_end(self, message: Message) -> list[Message]:
        if self._strike("no_utterance_end", ""):
            return []
        if self._strike("unknown_word_end", ""):
            return [{**message, "last_word_end": -1}]
        return [message]

    def _interim(self, now: float, message: Message, text: str) -> list[Message]:
        if not text:
            return [] if self._repeats_at is not None else [message]
        if self._repeated is None or _text(self._repeated) != text:
            self._repeats_at = None
        again = self._strike("repeat_interim", text)
        if again is not None:
            self._repeated, self._every = message, max(again.seconds, 0.05)
            self._repeats_at = now + self._every
        end = _word_end(message)
        older = self._final_end
        newer = older is not None and end is not None and older < end
        if newer and self._strike("stale_utterance_end", ""):
            stale = {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": older}
            return [message, stale]
        return [message]

    def _final(self, now: float, message: Message, text: str) -> list[Message]:
        if message.get("from_finalize"):
            self._repeats_at = None
            withheld, self._withheld = self._withheld, []
            return [_joined([*withheld, message]) if withheld else message]
        if text and self._strike("no_final", text):
            self._withheld.append(message)
            return self._interim(now, {**message, "is_final": False, "speech_final": False}, text)
        if text:
            self._repeats_at = None
            self._final_end = _word_end(message)
        late = self._strike("late_final", text) if text else None
        if late is not None:
            self._number += 1
            heapq.heappush(self._later, (now + late.seconds, self._number, message))
            return []
        if text and self._strike("double_final", text):
            return [message, copy.deepcopy(message)]
        return [message]


def _text(message: Message) -> str:
    text: str = message["channel"]["alternatives"][0]["transcript"]
    return text


def _word_end(message: Message) -> float | None:
    words = message["channel"]["alternatives"][0]["words"]
    return words[-1]["end"] if words else None


def _with_confidence(message: Message, value: float) -> Message:
    changed = copy.deepcopy(message)
    best = changed["channel"]["alternatives"][0]
    best["confidence"] = value
    for word in best["words"]:
        word["confidence"] = value
    return changed


def _joined(messages: list[Message]) -> Message:
    """Several results as the last of them, from where the first began."""
    changed = copy.deepcopy(messages[-1])
    end = changed["start"] + changed["duration"]
    changed["start"] = messages[0]["start"]
    changed["duration"] = round(end - changed["start"], 3)
    best = changed["channel"]["alternatives"][0]
    parts = [message["channel"]["alternatives"][0] for message in messages]
    best["transcript"] = " ".join(part["transcript"] for part in parts if part["transcript"])
    best["words"] = [word for part in parts for word in part["words"]]
    best["confidence"] = max(part["confidence"] for part in parts)
    return changed
