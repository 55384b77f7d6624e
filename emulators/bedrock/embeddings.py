"""Titan's text embeddings, as far as whoever compares them can tell: InvokeModel without sockets.

    embeddings = Embeddings()
    status, answer, error = embeddings.answer(model_id, body)

What a text means is here which words it has: a word is a direction, words of `SAME` are one, and
those of `EMPTY` are none. So questions with the same words in another order, or with words of the
same row, are near, and all others are far. `seconds` and `error` make it slow and have it refuse.

Contract: what the service refuses is refused with its error; the same text gives the same vector.
Errors: none are raised.
Source: Bedrock, "Amazon Titan Embeddings Text": request and response of V2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any, Final

import numpy as np

MODELS: Final = ("amazon.titan-embed-text-v2:0",)
DIMENSIONS: Final = (256, 512, 1024)
MOST_CHARACTERS: Final = 50_000

SAME: Final[Sequence[frozenset[str]]] = tuple(
    frozenset(row.split())
    for row in (
        "open opening hours opened close closing",
        "cost costs price prices much expensive pay charge",
        "located address where find location",
        "appointment appointments booking book",
        "parking park car",
    )
)
EMPTY: Final = frozenset(
    (
        *("a", "an", "the", "is", "are", "do", "does", "you", "your", "to", "of", "in", "at"),
        *("on", "it", "what", "when", "how", "me", "i", "can", "there", "for", "and", "please"),
    )
)
_WORD: Final = re.compile(r"\w+")
_ALLOWED: Final = {"inputText", "dimensions", "normalize", "embeddingTypes"}

Answer = tuple[int, dict[str, Any], str]


@dataclass(slots=True)
class Embeddings:
    """See the module. asked: the texts, oldest first."""

    seconds: float = 0.0
    error: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, model_id: str, body: bytes) -> Answer:
        """HTTP status, body and error code for an InvokeModel."""
        if model_id not in MODELS:
            return _refused(f"The provided model identifier is invalid: {model_id}")
        try:
            asked = json.loads(body)
        except ValueError:
            return _refused("Malformed input request, please reformat your input and try again.")
        if problem := _problem(asked):
            return _refused(f"Malformed input request: {problem}, please reformat your input")
        text = asked["inputText"]
        self.asked.append(text)
        if self.error:
            status = 429 if self.error == "ThrottlingException" else 500
            return status, {"message": "as a test has it"}, self.error
        vector = _vector(text, asked.get("dimensions", 1024))
        if asked.get("normalize", True):
            vector = vector / np.linalg.norm(vector)
        values = [round(float(value), 8) for value in vector]
        told = {"embedding": values, "embeddingsByType": {"float": values}}
        return 200, {**told, "inputTextTokenCount": len(_WORD.findall(text))}, ""


def _refused(message: str) -> Answer:
    return 400, {"message": message}, "ValidationException"


def _problem(asked: Any) -> str:
    if not isinstance(asked, Mapping) or set(asked) - _ALLOWED:
        return "extraneous key is not permitted"
    text = asked.get("inputText")
    if not isinstance(text, str) or not 0 < len(text) <= MOST_CHARACTERS:
        return f"inputText: 1 to {MOST_CHARACTERS} characters"
    if asked.get("dimensions", 1024) not in DIMENSIONS:
        return f"dimensions: one of {DIMENSIONS}"
    if not isinstance(asked.get("normalize", True), bool):
        return "normalize: a boolean"
    return ""


def _vector(text: str, dimensions: int) -> Any:
    words = [word for word in _WORD.findall(text.casefold()) if word not in EMPTY]
    # In the order of the words, sums differ in their last digits.
    return sum(_direction(_meaning(word), dimensions) for word in sorted(set(words) or {""}))


def _meaning(word: str) -> str:
    return next((min(row) for row in SAME if word in row), word)


@cache
def _direction(word: str, dimensions: int) -> Any:
    seed = int.from_bytes(sha256(word.encode()).digest()[:8])
    return np.random.default_rng(seed).standard_normal(dimensions)
