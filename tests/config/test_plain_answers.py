"""Answers are read as they come, and packed ones not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from aybiza.config.plain_answers import PLAIN, beginning, pieces


class Streamed(httpx.AsyncByteStream, httpx.SyncByteStream):
    """Three pieces."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def __iter__(self) -> Iterator[bytes]:
        yield from (b"ab", b"cd", b"ef")


async def test_what_comes_is_read_as_it_comes() -> None:
    assert [piece async for piece in pieces(httpx.Response(200, stream=Streamed()))] == [
        *(b"ab", b"cd", b"ef")
    ]
    assert [piece async for piece in pieces(httpx.Response(200, content=b"abc"))] == [b"abc"]


def test_no_more_is_read_than_is_asked_for() -> None:
    assert beginning(httpx.Response(200, stream=Streamed()), 3) == b"abc"
    assert beginning(httpx.Response(200, content=b"abc"), 2) == b"ab"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "x"])
async def test_what_is_packed_is_not_read(encoding: str) -> None:
    assert PLAIN == {"accept-encoding": "identity"}
    packed = httpx.Response(200, headers={"content-encoding": encoding}, stream=Streamed())
    with pytest.raises(httpx.DecodingError, match="nobody has asked for"):
        beginning(packed, 9)
    with pytest.raises(httpx.DecodingError):
        async for _ in pieces(packed):
            pass
