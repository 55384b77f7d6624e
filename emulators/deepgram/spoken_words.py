"""The words of a transcript with times, as if all of them took the same time. Pure.

Contract: times in are milliseconds, times out seconds; a word is lower case without punctuation,
`punctuated_word` is as it stands in the text.
Errors: none.
Source: Deepgram, `words` of listen v1 and listen v2.
"""

from __future__ import annotations

from typing import Any

CONFIDENCE = 0.99


def timed_words(text: str, start: int, end: int) -> list[dict[str, Any]]:
    """The words of `text`, spoken from `start` to `end`."""
    spoken = text.split()
    step = (end - start) / max(len(spoken), 1)
    return [
        {
            "word": word.strip(".,!?").lower(),
            "start": round(start + index * step) / 1000,
            "end": round(start + (index + 1) * step) / 1000,
            "confidence": CONFIDENCE,
            "punctuated_word": word,
        }
        for index, word in enumerate(spoken)
    ]
