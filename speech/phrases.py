"""Fixed phrases kept as audio, so that they are heard when no voice can be had. No I/O.

    phrases = Phrases()
    phrases.keep(voice, text, mulaw)
    phrases.get(voice, text)          the audio, or None

A phrase is kept for its voice and text. The store is bounded: of `PHRASES` those that were kept or
used last stay, and one is of `PHRASE_BYTES` at most; a longer one is not kept. `file_name` and
`packed`, `unpacked` are how one is written down; what is damaged unpacks to None.

Errors: none.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

# Of some 3 seconds each: 6 MB at most are usual, 60 the worst.
PHRASES = 250
PHRASE_BYTES = 30 * 8000


class Phrase(NamedTuple):
    """What is said, and in which voice."""

    voice: str
    text: str


class Phrases:
    """See the module."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Phrase, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Phrase]:
        return iter(list(self._kept))

    def get(self, voice: str, text: str) -> bytes | None:
        """The audio of the text, mu-law."""
        phrase = Phrase(voice, text)
        audio = self._kept.get(phrase)
        if audio is not None:
            self._kept.move_to_end(phrase)
        return audio

    def keep(self, voice: str, text: str, mulaw: bytes) -> bool:
        """Keep the audio of the text; False if it is too long, or nothing."""
        if not 0 < len(mulaw) <= PHRASE_BYTES:
            return False
        self._kept[Phrase(voice, text)] = mulaw
        self._kept.move_to_end(Phrase(voice, text))
        while len(self._kept) > PHRASES:
            self._kept.popitem(last=False)
        return True


def file_name(phrase: Phrase) -> str:
    """The name of the phrase's file."""
    return hashlib.sha256("\0".join(phrase).encode()).hexdigest()[:32] + ".mulaw"


def packed(phrase: Phrase, mulaw: bytes) -> bytes:
    """The phrase as its file has it: a line of JSON that says what it is, then the audio."""
    head = {"voice": phrase.voice, "text": phrase.text, "crc": zlib.crc32(mulaw)}
    return json.dumps(head).encode() + b"\n" + mulaw


def unpacked(data: bytes) -> tuple[Phrase, bytes] | None:
    """The phrase and its audio; None if the file is damaged or something else."""
    head, _, mulaw = data.partition(b"\n")
    try:
        told = json.loads(head)
        phrase = Phrase(str(told["voice"]), str(told["text"]))
        return (phrase, mulaw) if told["crc"] == zlib.crc32(mulaw) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
