"""Bodies of answers, compressed or not, up to a limit."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.dialogue.tools import http_body
from aybiza.dialogue.tools.http_body import Decoder, TooMuch

LIMIT = 256 * 1024


def response(data: bytes, encoding: str | None, piece: int = 1000) -> httpx.Response:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), piece):
            yield data[start : start + piece]

    headers = {"content-encoding": encoding} if encoding else {}
    return httpx.Response(200, headers=headers, content=pieces())


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"hello" * 9, None),
        (b"hello" * 9, "identity"),
        (gzip.compress(b"hello" * 9), "gzip"),
        (gzip.compress(b"hello" * 5) + gzip.compress(b"hello" * 4), "gzip"),
        (zlib.compress(b"hello" * 9), "deflate"),
    ],
    ids=["plain", "identity", "gzip", "two gzips", "deflate"],
)
@pytest.mark.parametrize("piece", [1, 1000])
async def test_a_body_is_decoded_in_any_pieces(
    data: bytes, encoding: str | None, piece: int
) -> None:
    assert await http_body.read(response(data, encoding, piece), LIMIT) == b"hello" * 9


async def test_a_bomb_is_given_up_before_it_takes_memory() -> None:
    bomb = gzip.compress(bytes(60_000_000), 9)
    assert len(bomb) < 60_000
    tracemalloc.start()
    try:
        with pytest.raises(TooMuch):
            await http_body.read(response(bomb, "gzip", len(bomb)), LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_parts_that_hold_nothing_are_not_begun_without_end() -> None:
    decoder = Decoder(1_000)
    assert decoder.decode(gzip.compress(b"") * 15 + gzip.compress(b"said")) == b"said"
    with pytest.raises(ValueError, match="too many parts"):
        decoder.decode(gzip.compress(b"") * 3_000)


async def test_a_plain_body_beyond_the_limit_is_given_up() -> None:
    assert len(await http_body.read(response(bytes(LIMIT), None), LIMIT)) == LIMIT
    with pytest.raises(TooMuch):
        await http_body.read(response(bytes(LIMIT + 1), None), LIMIT)


@pytest.mark.parametrize(
    ("data", "encoding"), [(b"x", "br"), (b"x", "gzip, gzip"), (b"no gzip at all", "gzip")]
)
async def test_what_was_not_asked_for_or_is_broken_is_an_error(data: bytes, encoding: str) -> None:
    with pytest.raises(ValueError, match=r"not asked for|broken"):
        await http_body.read(response(data, encoding), LIMIT)


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError, TooMuch):
        assert len(Decoder(1000).decode(data)) <= 1000
