"""The scripted engine: what is said is what is heard, byte by byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators import textaudio
from aybiza.emulators.deepgram.engine import BLOCK_BYTES, ScriptedEngine
from aybiza.speech import mulaw

SILENT_BLOCK = mulaw.silence(0.02)

texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


async def feed(recogniser: object, audio: bytes) -> list[bool]:
    padded = audio + mulaw.silence(0.02)[: -len(audio) % BLOCK_BYTES]
    blocks = [padded[at : at + BLOCK_BYTES] for at in range(0, len(padded), BLOCK_BYTES)]
    return [await recogniser.feed(block) for block in blocks]  # type: ignore[attr-defined]


@given(st.lists(texts, min_size=1, max_size=3))
async def test_each_utterance_is_the_text_since_the_last(said: list[str]) -> None:
    recogniser = ScriptedEngine().recogniser()
    for text in said:
        assert all(await feed(recogniser, textaudio.encode(text)))
        assert await recogniser.partial() == text
        assert await recogniser.finish() == text
        assert await recogniser.partial() == ""
    await recogniser.close()


async def test_silence_is_no_speech_and_noise_is_speech_without_words() -> None:
    recogniser = ScriptedEngine().recogniser()
    assert await feed(recogniser, SILENT_BLOCK) == [False]
    assert await feed(recogniser, b"\x7f" * BLOCK_BYTES) == [False]
    assert await feed(recogniser, SILENT_BLOCK[:-1] + b"\x00") == [True]
    assert await recogniser.finish() == ""


@given(texts)
async def test_the_same_text_is_the_same_audio(text: str) -> None:
    engine = ScriptedEngine()
    first = await engine.synthesise(text, "aura-asteria-en")
    assert first == await ScriptedEngine().synthesise(text, "aura-asteria-en")
    assert textaudio.TextAudioDecoder().feed(first) == text + " "


async def test_a_text_without_a_word_has_no_audio() -> None:
    assert await ScriptedEngine().synthesise(" \n", "aura-asteria-en") == b""
