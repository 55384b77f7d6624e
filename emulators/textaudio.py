"""Text as telephone audio: exact speech for tests, in both directions.

Each byte of the UTF-8 text becomes `bytes_per_char` mu-law codes: a sync code, then its two nibbles
in turn. None of these codes is silence, silence may stand anywhere, and a stream may be cut
anywhere. A character counts as heard when its sync code and both nibbles have come; what is left of
it later is passed over, so a sentence that is taken up in its midst is heard once.
"""

from __future__ import annotations

import codecs

BYTES_PER_CHAR = 32
SILENCE_CODES = frozenset((0xFF, 0x7F))

_SYNC = 0x10
_HIGH = 0x20
_LOW = 0x30
_SMALLEST = 3


def encode(text: str, bytes_per_char: int = BYTES_PER_CHAR) -> bytes:
    """The audio of `text`; at 8000 codes a second a character lasts 4 ms by default."""
    if bytes_per_char < _SMALLEST:
        raise ValueError(f"a character takes at least {_SMALLEST} codes, not {bytes_per_char}")
    out = bytearray()
    for byte in text.encode("utf-8", "replace"):
        pair = bytes((_HIGH | byte >> 4, _LOW | byte & 0x0F))
        body = pair * ((bytes_per_char - 1) // 2 + 1)
        out.append(_SYNC)
        out += body[: bytes_per_char - 1]
    return bytes(out)


class TextAudioDecoder:
    """Reads text out of a stream of mu-law codes."""

    def __init__(self) -> None:
        self._high: int | None = None
        self._synced = False
        self._text = codecs.getincrementaldecoder("utf-8")("ignore")

    def feed(self, mulaw: bytes) -> str:
        """The characters that `mulaw` completes."""
        out = bytearray()
        at, end = 0, len(mulaw)
        while at < end:
            if not self._synced:
                # Nothing before the next sync code counts.
                at = mulaw.find(_SYNC, at)
                if at < 0:
                    break
                self._synced, self._high = True, None
                at += 1
                continue
            code = mulaw[at]
            at += 1
            kind = code & 0xF0
            if code == _SYNC:
                self._high = None
            elif code in SILENCE_CODES:
                continue
            elif kind == _HIGH and self._high is None:
                self._high = code & 0x0F
            elif kind == _LOW and self._high is not None:
                out.append(self._high << 4 | code & 0x0F)
                self._synced, self._high = False, None
            else:
                self._synced, self._high = False, None
        return self._text.decode(bytes(out))
