"""An HTTP answer's body, read no further than a limit of decoded bytes.

Contract: `read(response, limit)` decodes what comes as it comes and never holds more than `limit`
bytes of it, whatever the compression. gzip and deflate are taken (`ACCEPTED`); connections are left
to the caller. The path of a call: each piece is at most what the transport hands over, and is
decoded up to the limit only.
Errors: `TooMuch` beyond the limit; `ValueError` for an encoding not asked for or broken.
Source: RFC 9110 section 8.4; RFC 1950 to 1952.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import httpx

ACCEPTED: Final = "gzip, deflate"
MOST_MEMBERS: Final = 16
"""Of one answer: each may be empty, and is dear to begin."""
_EITHER: Final = zlib.MAX_WBITS | 32


class TooMuch(Exception):
    """The body is longer than the limit."""


async def read(response: httpx.Response, limit: int) -> bytes:
    """The decoded body; see the module."""
    if response.is_stream_consumed:  # a transport of its own has it whole
        if len(response.content) > limit:
            raise TooMuch
        return response.content
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise ValueError(f"an answer in the encoding {encoding[:40]!r} was not asked for")
    decoder = None if encoding in ("identity", "") else Decoder(limit)
    parts: list[bytes] = []
    size = 0
    async for raw in response.aiter_raw():
        part = raw if decoder is None else decoder.decode(raw)
        size += len(part)
        if size > limit:
            raise TooMuch
        parts.append(part)
    return b"".join(parts)


class Decoder:
    """gzip and zlib, up to a limit of bytes."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._members = 1
        self._inner: Any = zlib.decompressobj(_EITHER)

    def decode(self, raw: bytes) -> bytes:
        """What these bytes add; at most one byte beyond the limit. Raises ValueError, TooMuch."""
        parts: list[bytes] = []
        while raw:
            if self._inner.eof:  # another member follows
                self._members += 1
                if self._members > MOST_MEMBERS:
                    raise ValueError("a compressed answer has too many parts")
                self._inner = zlib.decompressobj(_EITHER)
            try:
                part = self._inner.decompress(raw, self._left + 1)
            except zlib.error:
                raise ValueError("a compressed answer is broken") from None
            self._left -= len(part)
            if self._left < 0:
                raise TooMuch
            parts.append(part)
            raw = self._inner.unconsumed_tail or self._inner.unused_data
        return b"".join(parts)
