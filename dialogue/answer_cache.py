"""Answers that were given before, for callers who begin with the same question.

They are heard at once, cost nothing, and are there when no model can be reached. Contract: an
answer is kept for `seconds` under who asked whom what: the agent, the tenant, and the words of the
caller, without case and punctuation. Kept are only answers that cannot be about somebody: to the
first words of a call, without tools, without digits in the question. At most `limit` of them, the
oldest go first. One that is kept with a vector of what its question means is also found by a
question that means the same (`near`), of the same agent and tenant, and with the same particulars.
Pure; the clock is handed in.
Errors: none.
Source: specification 001, "Caching Strategy"; 000, `use_cached_or_generic_response`.
"""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

SECONDS: Final = 300.0
LIMIT: Final = 1_000
_LONGEST_QUESTION: Final = 120
_UNSEEN: Final = "Cf"
_BETWEEN: Final = frozenset("PZC")
"""Categories of Unicode: punctuation, white space, controls. Marks are no such thing: the vowels of
many scripts are marks, and words without their vowels are other words."""

Key = tuple[str, str, str]
Vector = npt.NDArray[np.float32]
"""Of length 1, so that the product of two is how near their meanings are."""


class Meant(NamedTuple):
    """What a question means, and what it names."""

    vector: Vector
    particulars: frozenset[str]


class _Kept(NamedTuple):
    at: float
    sentences: tuple[str, ...]
    meant: Meant | None


@dataclass(slots=True)
class AnswerCache:
    """See the module."""

    seconds: float = SECONDS
    limit: int = LIMIT
    _kept: OrderedDict[Key, _Kept] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._kept)

    def keep(
        self, key: Key, sentences: Sequence[str], now: float, meant: Meant | None = None
    ) -> None:
        """Keep an answer's sentences."""
        if not sentences:
            return
        self._kept[key] = _Kept(now, tuple(sentences), meant)
        self._kept.move_to_end(key)
        if len(self._kept) > self.limit:
            self._kept.popitem(last=False)

    def find(self, key: Key, now: float) -> tuple[str, ...]:
        """The sentences of an answer that is not too old; empty if there is none."""
        kept = self._kept.get(key)
        if kept is None:
            return ()
        if now - kept.at > self.seconds:
            del self._kept[key]
            return ()
        return kept.sentences

    def near(self, key: Key, meant: Meant, threshold: float, now: float) -> tuple[str, ...]:
        """The sentences of the answer to the question that is nearest to this one, and at least as
        near as `threshold`; empty if there is none."""
        best: float = threshold
        found: tuple[str, ...] = ()
        for (agent, tenant, _), kept in self._kept.items():
            other = kept.meant
            if other is None or (agent, tenant) != key[:2] or now - kept.at > self.seconds:
                continue
            if other.particulars != meant.particulars or other.vector.shape != meant.vector.shape:
                continue
            nearness = float(meant.vector @ other.vector)
            if nearness >= best:
                best, found = nearness, kept.sentences
        return found


def generate_cache_key(agent: str, tenant: str, said: str, *, first_words: bool) -> Key | None:
    """What the answer to `said` is kept under; None where it must not be kept."""
    personal = any(letter.isdigit() for letter in said)
    if not first_words or personal or len(said) > _LONGEST_QUESTION:
        return None
    words = _words(said)
    return (agent, tenant, words) if words else None


def _words(said: str) -> str:
    """The words without case, punctuation, and the choices that Unicode leaves."""
    kept = []
    for letter in unicodedata.normalize("NFKC", said.casefold()):
        category = unicodedata.category(letter)
        if category != _UNSEEN:
            kept.append(" " if category[0] in _BETWEEN else letter)
    return " ".join("".join(kept).split())
