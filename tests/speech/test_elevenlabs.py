"""ElevenLabs' voices: over a socket once, else in virtual time."""

from __future__ import annotations

import asyncio
import doctest
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from aybiza.emulators.deepgram.engine import ScriptedEngine
from aybiza.emulators.deepgram.speak import Pace
from aybiza.emulators.elevenlabs.service import ElevenLabs as Service
from aybiza.emulators.streamed.faults import Fault
from aybiza.emulators.streamed.server import StreamedServer
from aybiza.emulators.textaudio import encode
from aybiza.faults.deepgram import BYTES_PER_CHAR, Voice
from aybiza.faults.memory_http import MemoryHttp
from aybiza.faults.virtual import ambient
from aybiza.speech import elevenlabs
from aybiza.speech.deepgram_speak import Audio, Cleared, Flushed, SpeakOptions
from aybiza.speech.elevenlabs import ElevenLabs, ElevenLabsSession, code_of
from aybiza.speech.errors import SpeechClosed, SpeechRefused
from tests.cases import each

VOICE = SpeakOptions("elevenlabs:JBFqnCBsd6RMkjVDRZzb")


async def said(session: ElevenLabsSession, *texts: str) -> tuple[bytes, list[Any]]:
    """Have texts said in one; the audio, and what came beside it."""
    for text in texts:
        await session.speak(text)
    await session.flush()
    audio, others = b"", []
    async for event in session:
        if isinstance(event, Audio):
            audio += event.mulaw
        else:
            others.append(event)
            break
    return audio, others


async def test_over_a_socket_sentences_are_said_on_one_connection() -> None:
    async with StreamedServer(Service(ScriptedEngine())) as server:
        client = ElevenLabs(server.url, "key", pool_size=2)
        await client.warm()
        session = await client.speak(VOICE, "CA1", 5.0)
        for number in (1, 2):
            audio, others = await said(session, "Good morning.", "Welcome. ")
            assert audio and others == [Flushed(number)]
        await session.close()
        assert server.accepted == 1
        await client.aclose()


def in_virtual_time(act: Callable[[Service, ElevenLabs], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        service = Service(Voice(), pace=Pace(100.0, 4.0))
        line = MemoryHttp(service)
        client = ElevenLabs(api_key="key", transport=line)
        try:
            return await act(service, client)
        finally:
            await client.aclose()
            await asyncio.sleep(1)
            assert not line.open

    with ambient(0) as loop, asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(run())


def test_texts_of_a_flush_are_one_request_for_the_voice_and_its_model() -> None:
    async def act(service: Service, client: ElevenLabs) -> None:
        session = await client.speak(VOICE, "CA1", 5.0)
        audio, _ = await said(session, "One.", " Two. ")
        (asked,) = service.said
        assert asked == ("JBFqnCBsd6RMkjVDRZzb", "eleven_flash_v2_5", "One. Two.")
        assert audio == encode("One. Two. ", BYTES_PER_CHAR)
        other = await client.speak(SpeakOptions(f"{VOICE.model}/eleven_v3"), "CA1", 5.0)
        await said(other, "Three.")
        assert service.said[-1].model == "eleven_v3"
        assert (await said(session, " "))[0] == b""

    in_virtual_time(act)


def test_what_is_cleared_is_given_up_and_what_follows_is_said() -> None:
    async def act(service: Service, client: ElevenLabs) -> None:
        session = await client.speak(VOICE, "CA1", 5.0)
        await session.speak("A long sentence that nobody wants to hear to its end any more.")
        await session.flush()
        async for event in session:
            if isinstance(event, Audio):
                break
        await session.clear()
        audio, others = await said(session, "Go on.")
        assert not audio and others == [Cleared(1)]
        rest = [event async for event in _until_flushed(session)]
        assert rest and isinstance(rest[-1], Flushed)
        assert service.said[-1].text == "Go on."
        await session.close()

    in_virtual_time(act)


async def _until_flushed(session: ElevenLabsSession) -> Any:
    async for event in session:
        yield event
        if isinstance(event, Flushed):
            return


@each(
    (
        (Fault("refuse", code=401), SpeechRefused, "check ELEVENLABS_API_KEY"),
        (Fault("refuse", code=429), SpeechRefused, "busy"),
        (Fault("refuse", code=500), SpeechRefused, "status 500"),
        (Fault("refuse", code=422), SpeechClosed, "status 422"),
        (Fault("cut", into=2), SpeechClosed, "broke off"),
        (Fault("hang_up"), SpeechClosed, "broke off"),
        (Fault("slow", seconds=60), SpeechClosed, "not said within 30 s"),
    )
)
def test_a_fault_is_an_error_that_tells_no_words(
    fault: Fault, kind: type[Exception], told: str
) -> None:
    async def act(service: Service, client: ElevenLabs) -> None:
        service.faults.add(fault)
        session = await client.speak(VOICE, "CA1", 5.0)
        with pytest.raises(kind) as raised:
            await said(session, "A secret.")
        assert told in str(raised.value) and "secret" not in str(raised.value)
        await session.close()

    in_virtual_time(act)


async def test_a_page_in_the_place_of_audio_is_not_played() -> None:
    def page(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html="<html>Please log in.</html>")

    client = ElevenLabs(api_key="key", transport=httpx.MockTransport(page))
    session = await client.speak(VOICE, "CA1", 5.0)
    with pytest.raises(SpeechRefused, match="text/html in place of audio"):
        await said(session, "Good morning.")
    await session.close()
    await client.aclose()


async def test_a_service_that_asks_to_be_left_alone_is_heard() -> None:
    def busy(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"Retry-After": "7"})

    client = ElevenLabs(api_key="key", transport=httpx.MockTransport(busy))
    session = await client.speak(VOICE, "CA1", 5.0)
    with pytest.raises(SpeechRefused) as raised:
        await said(session, "Good morning.")
    assert raised.value.wait == 7.0
    await session.close()
    await client.aclose()


def test_an_account_without_credit_refuses() -> None:
    async def act(service: Service, client: ElevenLabs) -> None:
        service.credit = 3
        session = await client.speak(VOICE, "CA1", 5.0)
        with pytest.raises(SpeechRefused, match="no credit left"):
            await said(session, "Good morning.")

    in_virtual_time(act)


@each(((b"", ""), (b"[]", ""), (b'{"detail": "x"}', ""), (b'{"detail": {"status": 1}}', "")))
def test_an_answer_that_is_no_error_of_theirs_has_no_code(body: bytes, code: str) -> None:
    assert code_of(body) == code


def test_the_examples_hold() -> None:
    assert doctest.testmod(elevenlabs).failed == 0
