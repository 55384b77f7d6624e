"""The speak client: text in pieces, audio and what comes with it, and clearing in the middle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from aybiza.emulators import textaudio
from aybiza.emulators.deepgram import DeepgramEmulator, Fault
from aybiza.emulators.deepgram.speak import Pace
from aybiza.speech.deepgram_socket import DeepgramClosed
from aybiza.speech.deepgram_speak import (
    TEXT_CHARACTERS,
    Audio,
    Cleared,
    Flushed,
    SpeakEvent,
    SpeakOptions,
    SpeakSession,
    SpeakWarning,
    decode,
    pieces,
)
from tests.speech.kit import LIMIT, client, nothing_left, saying, websocket_server, within

VOICE = SpeakOptions("aura-2-asteria-en")
FAST = Pace(times_real_time=1000.0)


@pytest.fixture
async def emulator() -> AsyncIterator[DeepgramEmulator]:
    async with DeepgramEmulator(pace=FAST) as emulator:
        yield emulator


async def opened(url: str) -> SpeakSession:
    return await within((await client(url)).speak(VOICE, "call", LIMIT))


async def take(session: SpeakSession, last: type[Any], count: int = 1) -> list[SpeakEvent]:
    """Events up to the `count`th `last`."""
    events: list[SpeakEvent] = []
    async with asyncio.timeout(LIMIT):
        async for event in session:
            events.append(event)
            count -= isinstance(event, last)
            if not count:
                break
    return events


def heard(events: list[SpeakEvent]) -> str:
    audio = b"".join(event.mulaw for event in events if isinstance(event, Audio))
    return textaudio.TextAudioDecoder().feed(audio)


async def test_texts_are_spoken_in_order_and_each_flush_is_counted(
    emulator: DeepgramEmulator,
) -> None:
    async with nothing_left():
        session = await opened(emulator.url)
        for text in ("One.", "Two."):
            await within(session.speak(text))
        await within(session.flush())
        await within(session.speak("Three."))
        await within(session.flush())
        events = await take(session, Flushed, 2)
        first = next(n for n, event in enumerate(events) if isinstance(event, Flushed))
        assert heard(events[:first]) == "One. Two. "
        assert heard(events[first:]) == "Three. "
        numbers = [event.sequence_id for event in events if isinstance(event, Flushed)]
        assert numbers == sorted(set(numbers))
        await session.close()


async def test_a_flush_without_text_is_answered(emulator: DeepgramEmulator) -> None:
    session = await opened(emulator.url)
    await within(session.speak("  \n "))
    await within(session.flush())
    (event,) = await take(session, Flushed)
    assert isinstance(event, Flushed)
    await session.close()


async def test_clearing_in_the_middle_of_audio_ends_it_and_the_next_text_is_whole() -> None:
    async with DeepgramEmulator(pace=Pace(times_real_time=20.0)) as emulator:
        session = await opened(emulator.url)
        await within(session.speak("This is long. " * 60))
        await within(session.flush())
        before = await take(session, Audio, 2)
        await within(session.clear())
        after = await take(session, Cleared)
        # What was under way still comes, but no more than that and no Flushed.
        assert [type(event) for event in after] in ([Audio, Cleared], [Audio, Audio, Cleared])
        assert len(heard(before + after)) < 400
        await within(session.speak("Short."))
        await within(session.flush())
        assert heard(await take(session, Flushed)) == "Short. "
        await session.close()


async def test_a_warning_is_an_event(emulator: DeepgramEmulator) -> None:
    session = await opened(emulator.url)
    for _ in range(21):
        await within(session.flush())
    events = await take(session, SpeakWarning)
    warning = events[-1]
    assert isinstance(warning, SpeakWarning)
    assert "20 flushes" in warning.description
    await session.close()


async def test_a_long_text_goes_in_pieces_that_deepgram_takes(emulator: DeepgramEmulator) -> None:
    session = await opened(emulator.url)
    text = "word " * 440
    await within(session.speak(text))
    await within(session.flush())
    assert heard(await take(session, Flushed)).split() == text.split()
    assert all(len(entry["text"]) <= TEXT_CHARACTERS for entry in emulator.journal.entries("speak"))
    await session.close()


async def test_a_stalled_socket_is_silent_and_can_be_closed(emulator: DeepgramEmulator) -> None:
    emulator.faults.add(Fault("speak", "stall"))
    async with nothing_left():
        session = await opened(emulator.url)
        await within(session.speak("Nobody hears this."))
        await within(session.flush())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                async for event in session:
                    raise AssertionError(event)
        await within(session.close())


async def test_an_abort_in_mid_utterance_is_a_closed_connection() -> None:
    async with DeepgramEmulator(pace=Pace(times_real_time=2.0)) as emulator, nothing_left():
        emulator.faults.add(Fault("speak", "abort", after=0.3))
        session = await opened(emulator.url)
        await within(session.speak("This is long. " * 60))
        await within(session.flush())
        with pytest.raises(DeepgramClosed):
            await take(session, Flushed)
        await session.close()


async def test_what_is_sent_is_what_deepgram_reads() -> None:
    got: list[dict[str, Any]] = []
    asked: list[dict[str, list[str]]] = []

    async def note(connection: ServerConnection) -> None:
        assert connection.request is not None
        parts = urlsplit(connection.request.path)
        assert parts.path == "/v1/speak"
        asked.append(parse_qs(parts.query))
        async for message in connection:
            got.append(json.loads(message))

    async with websocket_server(note) as url:
        session = await opened(url)
        await within(session.speak("Grüße 🙂 \ud800"))
        await within(session.flush())
        await within(session.clear())
        await session.close()
    assert [message["type"] for message in got] == ["Speak", "Flush", "Clear"]
    assert got[0]["text"].startswith("Grüße 🙂")
    assert asked == [
        {"model": ["aura-2-asteria-en"], "encoding": ["mulaw"], "sample_rate": ["8000"]}
    ]


async def test_messages_are_told_apart_by_their_type() -> None:
    messages: list[str | bytes] = [
        json.dumps({"type": "Metadata", "request_id": "x"}),
        b"\x01\x02",
        json.dumps({"type": "Cleared", "sequence_id": 4}),
        json.dumps({"type": "Error", "code": "C", "description": "D"}),
        json.dumps({"type": "Novelty"}),
        json.dumps({"type": "Flushed", "sequence_id": "five"}),
    ]
    async with websocket_server(saying(*messages)) as url:
        session = await opened(url)
        events = await take(session, Flushed)
        assert events == [Audio(b"\x01\x02"), Cleared(4), SpeakWarning("C", "D"), Flushed(0)]
        await session.close()


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"type": "Flushed", "sequence_id": 3}, Flushed(3)),
        ({"type": "Cleared"}, Cleared(0)),
        ({"type": "Warning"}, SpeakWarning("", "")),
        ({"type": "Warning", "code": 7, "description": None}, SpeakWarning("7", "")),
        ({"type": ["Flushed"]}, None),
        ({}, None),
    ],
)
def test_a_message_is_decoded(message: dict[str, Any], event: SpeakEvent | None) -> None:
    assert decode(message) == event


@given(st.text(alphabet=st.sampled_from("a \n.é🙂"), max_size=9000))
def test_pieces_hold_all_words_and_none_is_too_long(text: str) -> None:
    cut = pieces(text)
    assert all(0 < len(piece) <= TEXT_CHARACTERS for piece in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=30), max_size=900))
def test_words_are_not_cut(words: list[str]) -> None:
    assert " ".join(pieces(" ".join(words))).split() == words
