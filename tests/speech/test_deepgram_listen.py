"""The listen client: what it asks for, what it sends, what it makes of what comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from aybiza.emulators import textaudio
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.speech import mulaw
from aybiza.speech.deepgram_listen import (
    ListenEvent,
    ListenOptions,
    ListenSession,
    SpeechStarted,
    Transcript,
    UtteranceEnd,
    decode,
)
from aybiza.speech.deepgram_socket import DeepgramClosed
from tests.speech.kit import LIMIT, client, nothing_left, saying, websocket_server, within

OPTIONS = ListenOptions(endpointing_ms=300, utterance_end_ms=1000)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
async def emulator() -> AsyncIterator[DeepgramEmulator]:
    async with DeepgramEmulator() as emulator:
        yield emulator


async def opened(url: str, options: ListenOptions = OPTIONS) -> ListenSession:
    return await within((await client(url)).listen(options, "call", LIMIT))


async def take(session: ListenSession, last: type[Any]) -> list[ListenEvent]:
    """Events up to the first `last`, interims without words left out."""
    events: list[ListenEvent] = []
    async with asyncio.timeout(LIMIT):
        async for event in session:
            if isinstance(event, Transcript) and not event.text and not event.is_final:
                continue
            events.append(event)
            if isinstance(event, last):
                break
    return events


def finals(events: list[ListenEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Transcript) and event.is_final]


async def test_speech_comes_back_as_onset_interims_a_final_and_the_end(
    emulator: DeepgramEmulator,
) -> None:
    async with nothing_left():
        session = await opened(emulator.url)
        words = "I would like an appointment on Tuesday, please. " * 3
        audio = mulaw.silence(0.5) + textaudio.encode(words) + mulaw.silence(1.5)
        for start in range(0, len(audio), 777):
            await within(session.send_audio(audio[start : start + 777]))
        started, *transcripts, ended = await take(session, UtteranceEnd)
        assert started == SpeechStarted(0.5)
        *interims, final = transcripts
        assert isinstance(final, Transcript)
        assert (final.text, final.is_final, final.speech_final) == (words.strip(), True, True)
        assert final.start == 0.0
        assert final.end == pytest.approx(0.5 + len(words) * 0.004 + 0.3, abs=0.04)
        assert interims
        for interim in interims:
            assert isinstance(interim, Transcript)
            assert not interim.is_final
            assert words.startswith(interim.text)
        assert isinstance(ended, UtteranceEnd)
        assert ended.last_word_end == pytest.approx(0.5 + len(words) * 0.004, abs=0.04)
        await session.close()


async def test_finalize_has_everything_transcribed_now(emulator: DeepgramEmulator) -> None:
    session = await opened(emulator.url)
    # Whole blocks: what is left of one waits for the rest.
    await within(session.send_audio(textaudio.encode("No pause.!")))
    await within(session.finalize())
    async with asyncio.timeout(LIMIT):
        async for event in session:
            if isinstance(event, Transcript) and event.is_final:
                assert (event.text, event.from_finalize) == ("No pause.!", True)
                break
    await session.close()


async def test_keep_alive_keeps_a_silent_socket_open() -> None:
    async with DeepgramEmulator(silence_seconds=0.4) as emulator:
        session = await opened(emulator.url)
        for _ in range(5):
            await asyncio.sleep(0.15)
            await within(session.keep_alive())
        with pytest.raises(DeepgramClosed, match="1011 NET-0001"):
            await take(session, UtteranceEnd)
        await session.close()


async def test_an_empty_piece_is_never_sent() -> None:
    got: list[Any] = []

    async def note(connection: ServerConnection) -> None:
        async for message in connection:
            got.append(message)

    async with websocket_server(note) as url:
        session = await opened(url)
        for piece in (b"", b"\xff", bytearray(b"\x01"), b""):
            await within(session.send_audio(bytes(piece)))
        await within(session.keep_alive())
        await within(session.finalize())
        await session.close()
    assert got[:2] == [b"\xff", b"\x01"]
    assert [json.loads(text)["type"] for text in got[2:]] == ["KeepAlive", "Finalize"]


async def test_a_connection_asks_for_what_the_options_say() -> None:
    asked: list[dict[str, list[str]]] = []

    async def note(connection: ServerConnection) -> None:
        assert connection.request is not None
        parts = urlsplit(connection.request.path)
        assert parts.path == "/v1/listen"
        asked.append(parse_qs(parts.query))

    options = ListenOptions("nova-2", "en-GB", ["Lakeside Clinic", "X & Y"], 250, 1500)
    async with websocket_server(note) as url:
        await (await opened(url, options)).close()
        await (await opened(url, ListenOptions())).close()
    assert asked[0] == {
        "model": ["nova-2"],
        "language": ["en-GB"],
        "keywords": ["Lakeside Clinic", "X & Y"],
        "endpointing": ["250"],
        "utterance_end_ms": ["1500"],
        "encoding": ["mulaw"],
        "sample_rate": ["8000"],
        "channels": ["1"],
        "interim_results": ["true"],
        "vad_events": ["true"],
        "smart_format": ["true"],
    }
    assert not {"keyterm", "keywords"} & set(asked[1])
    assert ListenOptions(keyterms=["Lakeside"]).parameters()["keyterm"] == ["Lakeside"]


async def test_an_error_is_told_in_the_log_and_a_message_may_come_as_bytes() -> None:
    error = {"type": "Error", "variant": "X", "description": "told", "code": "DATA-1"}
    onset = {"type": "SpeechStarted", "timestamp": 2}
    messages: list[str | bytes] = [json.dumps(error), b"\xffbinary", json.dumps(onset).encode()]
    async with websocket_server(saying(*messages)) as url:
        session = await opened(url)
        with structlog.testing.capture_logs() as logs:
            assert await take(session, SpeechStarted) == [SpeechStarted(2.0)]
        assert logs == [
            {
                "event": "deepgram_listen_error",
                "log_level": "warning",
                "variant": "X",
                "description": "told",
                "code": "DATA-1",
            }
        ]
        await session.close()


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"type": "SpeechStarted", "channel": [0, 1], "timestamp": 1.5}, SpeechStarted(1.5)),
        ({"type": "SpeechStarted"}, SpeechStarted(0.0)),
        ({"type": "UtteranceEnd", "last_word_end": 3.25}, UtteranceEnd(3.25)),
        ({"type": "Metadata", "duration": 3}, None),
        ({"type": "Results"}, None),
        ({"type": "Results", "channel": {"alternatives": []}}, None),
        ({"type": "Results", "channel": {"alternatives": ["x"]}}, None),
        ({"type": "Results", "channel": {"alternatives": {"0": {}}}}, None),
        ({"type": "TurnInfo"}, None),
        ({"type": ["Results"]}, None),
        ({}, None),
        (
            {"type": "Results", "channel": {"alternatives": [{"transcript": None}]}},
            Transcript("", False, False, False, 0.0, 0.0, 0.0),
        ),
        (
            {
                "type": "Results",
                "start": 1,
                "duration": 0.5,
                "is_final": True,
                "speech_final": False,
                "from_finalize": True,
                "channel": {"alternatives": [{"transcript": "hi", "confidence": 0.5}, {}]},
            },
            Transcript("hi", True, False, True, 1.0, 1.5, 0.5),
        ),
        (
            {
                "type": "Results",
                "start": float("nan"),
                "duration": float("inf"),
                "channel": {"alternatives": [{"confidence": "high"}]},
            },
            Transcript("", False, False, False, 0.0, 0.0, 0.0),
        ),
    ],
)
def test_a_message_is_decoded(message: dict[str, Any], event: ListenEvent | None) -> None:
    assert decode(message) == event


@given(
    st.sampled_from(["Results", "SpeechStarted", "UtteranceEnd", "Error"]),
    st.dictionaries(
        st.sampled_from(["start", "duration", "channel", "timestamp", "last_word_end"]), json_values
    ),
    json_values,
)
def test_no_message_makes_the_decoder_fail(
    kind: str, more: dict[str, Any], alternatives: Any
) -> None:
    decode({**more, "type": kind})
    event = decode({**more, "type": kind, "channel": {"alternatives": alternatives}})
    if isinstance(event, Transcript):
        # What the times of words are reckoned with.
        int(event.end * 8000)
