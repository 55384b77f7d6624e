"""HTTP answers as they come, and not packed: a few kilobytes of gzip are hundreds of megabytes.

    client = httpx.AsyncClient(headers=PLAIN)
    async with client.stream("POST", url) as response:
        async for piece in pieces(response): …

`httpx` unpacks a piece as a whole, on the loop, before anybody can count its bytes. So services are
asked to pack nothing, and one that does all the same is not read. What tools ask of web services
may be packed: `aybiza.dialogue.tools.http_body` unpacks it byte by byte.

Errors: `httpx.DecodingError`, an `httpx.HTTPError`, from iterating.
Source: RFC 9110, section 12.5.3.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

import httpx

PLAIN: Final = {"accept-encoding": "identity"}


async def pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body of a streamed answer; see the module."""
    _check(response)
    if response.is_stream_consumed:  # a transport of its own has it whole
        yield response.content
        return
    async for piece in response.aiter_raw():
        yield piece


def beginning(response: httpx.Response, most: int) -> bytes:
    """The first bytes of a streamed answer, for threads."""
    _check(response)
    body = bytearray()
    for piece in _plain(response):
        body += piece
        if len(body) >= most:
            break
    return bytes(body[:most])


def _plain(response: httpx.Response) -> Iterator[bytes]:
    return iter((response.content,)) if response.is_stream_consumed else response.iter_raw()


def _check(response: httpx.Response) -> None:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        said = f"an answer is packed ({encoding[:20]!r}), which nobody has asked for"
        raise httpx.DecodingError(said)
