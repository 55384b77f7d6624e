"""Deepgram in memory: the client's own sessions over the emulator, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from aybiza.emulators.deepgram.faults import Fault
from aybiza.emulators.textaudio import TextAudioDecoder, encode
from aybiza.faults.deepgram import BYTES_PER_CHAR, MemoryDeepgram, MemoryEmulator
from aybiza.faults.virtual import ambient
from aybiza.speech.deepgram_listen import ListenOptions, Transcript
from aybiza.speech.deepgram_socket import DeepgramClosed, DeepgramRefused
from aybiza.speech.deepgram_speak import Audio, Flushed, SpeakOptions

T = TypeVar("T")
VOICE = SpeakOptions("aura-2-asteria-en")


def virtual(main: Coroutine[Any, Any, T]) -> T:
    with ambient() as loop:
        return loop.run_until_complete(main)


def emulator() -> MemoryEmulator:
    return MemoryEmulator(lambda *_, **__: None)


def test_what_is_spoken_comes_back_as_audio_of_its_length() -> None:
    async def main() -> tuple[str, int]:
        session = await MemoryDeepgram(emulator()).speak(VOICE, "CA1", 5.0)
        await session.speak("Hello there.")
        await session.flush()
        audio = b""
        async for event in session:
            if isinstance(event, Flushed):
                break
            assert isinstance(event, Audio)
            audio += event.mulaw
        await session.close()
        return TextAudioDecoder().feed(audio), len(audio)

    text, length = virtual(main())
    assert text.strip() == "Hello there."
    assert length >= len("Hello there.") * BYTES_PER_CHAR


def test_what_is_said_comes_back_as_words() -> None:
    async def main() -> list[str]:
        session = await MemoryDeepgram(emulator()).listen(ListenOptions(), "CA1", 5.0)
        await session.send_audio(encode("Good morning.") + b"\xff" * 8000)
        heard = []
        async for event in session:
            if isinstance(event, Transcript) and event.speech_final:
                heard.append(event.text)
                break
        await session.close()
        return heard

    assert virtual(main()) == ["Good morning."]


def test_a_refused_handshake_says_why() -> None:
    async def main() -> None:
        provider = emulator()
        provider.faults.add(Fault("listen", "refuse", code=429))
        await MemoryDeepgram(provider).listen(ListenOptions(), "CA1", 5.0)

    with pytest.raises(DeepgramRefused) as caught:
        virtual(main())
    assert caught.value.status == 429


def test_a_fault_of_an_open_socket_reaches_the_client_at_its_time() -> None:
    async def main() -> float:
        provider = emulator()
        provider.faults.add(Fault("speak", "close", code=1011, after=2.0))
        session = await MemoryDeepgram(provider).speak(VOICE, "CA1", 5.0)
        with pytest.raises(DeepgramClosed):
            async for _ in session:
                pass
        await session.close()
        return asyncio.get_running_loop().time()

    assert virtual(main()) == pytest.approx(2.0, abs=0.1)


def test_every_handshake_is_kept_with_its_door_and_call() -> None:
    async def main() -> list[tuple[float, str, str]]:
        provider = emulator()
        client = MemoryDeepgram(provider)
        for session in (
            await client.listen(ListenOptions(), "CA1", 5.0),
            await client.speak(VOICE, "CA2", 5.0),
        ):
            await session.close()
        await provider.stop()
        assert not provider.tasks
        return provider.opened

    assert [told[1:] for told in virtual(main())] == [("listen", "CA1"), ("speak", "CA2")]
