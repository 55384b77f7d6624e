"""The client of a process, with the real SDK."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.speech import deepgram
from aybiza.speech.deepgram import Deepgram
from aybiza.speech.deepgram_listen import ListenOptions
from aybiza.speech.deepgram_speak import SpeakOptions
from tests.speech.kit import LIMIT, client, nothing_left, tcp_server, until, within


async def test_both_doors_open_with_the_calls_name() -> None:
    async with DeepgramEmulator() as emulator, nothing_left():
        warm = await client(emulator.url)
        listen = await within(warm.listen(ListenOptions(), "CA1", LIMIT))
        speak = await within(warm.speak(SpeakOptions("aura-2-asteria-en"), "CA1", LIMIT))
        await within(asyncio.gather(listen.close(), speak.close()))
        await until(lambda: len(emulator.journal.entries("disconnected")) == 2)
        assert [
            (entry["session"], entry["door"]) for entry in emulator.journal.entries("connected")
        ] == [("CA1", "listen"), ("CA1", "speak")]


async def test_a_client_that_was_not_warmed_opens_all_the_same() -> None:
    async with DeepgramEmulator() as emulator:
        session = await within(
            Deepgram(url=emulator.url + "/", api_key="key").listen(ListenOptions(), "CA1", LIMIT)
        )
        await session.close()


async def test_a_name_that_is_no_header_cannot_add_one() -> None:
    heads: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))

    async with tcp_server(note) as url:
        warm = await client(url)
        with pytest.raises(Exception, match="handshake"):
            await within(warm.listen(ListenOptions(), "CA1\r\nX-Evil: é", LIMIT))
    assert b"x-deepgram-session-id: CA1%0D%0AX-Evil%3A%20%C3%A9\r\n" in heads[0]


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("ws://127.0.0.1:9/", "http://127.0.0.1:9"),
        ("wss://speech.example", "https://speech.example"),
        ("ws://wss.example:1", "http://wss.example:1"),
    ],
)
def test_a_url_leads_both_ways_to_the_same_server(url: str, base: str) -> None:
    environment: Any = Deepgram(url=url, api_key="k")._build()._client_wrapper.get_environment()
    assert environment.base == base
    assert environment.production == url.rstrip("/")


def test_without_a_url_it_is_deepgram() -> None:
    environment: Any = Deepgram(url=None, api_key="k")._build()._client_wrapper.get_environment()
    assert environment.production == "wss://api.deepgram.com"


async def test_an_sdk_that_does_not_fit_is_told_before_the_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Renamed:
        def __init__(self, *, websocket: Any) -> None:
            self.connection = websocket

    monkeypatch.setattr(deepgram, "SpeakSocket", Renamed)
    with pytest.raises(ImportError, match=r"does not fit.*constraints\.txt"):
        await within(Deepgram(url=None, api_key="k").warm())
