"""How what a caller says sounds, from -100 to 100, by VADER's lexicon of English.

    mood("This is terrible, I am very angry.")     -78
    warm()                                         before calls: the lexicon is loaded

It is a lexicon with rules for "not", "very" and the like: it knows no irony and no tone of voice.
The package is in the extra `analysis` and is loaded at the first use, which takes a quarter of a
second; a text full of its words takes a millisecond or more for a hundred characters. So this is
for threads, and looks at the last `MOST_PIECES` pieces of a text only.

Errors: `ImportError` without the package; `aybiza.config.analysis` has looked before.
Source: Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text", 2014; its package `vaderSentiment`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

PIECE_CHARACTERS: Final = 120
MOST_PIECES: Final = 4
UNHAPPY: Final = -40
"""From here on down a turn sounds unhappy."""

_ENDS: Final = re.compile(r"(?<=[.!?])\s+")


def mood(text: str) -> int:
    """See the module: the mean over its sentences; 0 where the lexicon has none of the words."""
    judged = [_judge().polarity_scores(piece)["compound"] for piece in _pieces(text)]
    told = [one for one in judged if one]
    return round(100 * sum(told) / len(told)) if told else 0


def warm() -> None:
    """See the module."""
    _judge()


def _pieces(text: str) -> list[str]:
    sentences = _ENDS.split(text.strip())
    pieces = [
        sentence[at : at + PIECE_CHARACTERS]
        for sentence in sentences
        for at in range(0, len(sentence), PIECE_CHARACTERS)
    ]
    return pieces[-MOST_PIECES:]


@cache
def _judge() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
