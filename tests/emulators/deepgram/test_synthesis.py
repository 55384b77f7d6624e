"""Text to telephone audio, with each of the two voices that a machine may have."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import sys
import time
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.deepgram import synthesis
from aybiza.emulators.deepgram.engine import BLOCK_BYTES, SynthesisError
from aybiza.emulators.deepgram.synthesis import Synthesiser, mulaw_of_wav, plain
from aybiza.speech import mulaw
from tests.speech.kit import nothing_left, within

SENTENCE = "Thank you for calling Lakeside Clinic. How can I help you today?"
ODD = ["-h", "-o /tmp/x", "--version", "-voice list", "file.txt", "a\0b", "é", "naïve – café…",
       "<b>3 > 2 & 1</b>", "[[h@loU]]", "$(touch x) `id`", "\x1b[31mred", "1" * 300]  # fmt: skip

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")


@pytest.fixture(params=[pytest.param("flite", marks=needs_flite), "espeak"])
def synthesiser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Synthesiser:
    if request.param == "espeak":
        hide_flite(monkeypatch)
    return Synthesiser()


def hide_flite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")


def wav(samples: Sequence[int], rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.array(samples, dtype={1: "u1", 2: "<i2"}[width]).tobytes())
    return out.getvalue()


async def test_a_sentence_is_speech_in_whole_blocks(synthesiser: Synthesiser) -> None:
    async with nothing_left():
        audio = await within(synthesiser.speak(SENTENCE))
    assert len(audio) % BLOCK_BYTES == 0
    assert 2.0 < len(audio) / mulaw.SAMPLE_RATE < 8.0
    samples = mulaw.decode(audio).astype(float)
    assert samples.std() > 500
    # Speech has most of its power below 1500 Hz, noise has not.
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / mulaw.SAMPLE_RATE)
    assert power[hertz < 1500].sum() > 0.6 * power.sum()


async def test_the_same_text_is_the_same_audio_whatever_was_spoken_between(
    synthesiser: Synthesiser,
) -> None:
    first = await within(synthesiser.speak(SENTENCE))
    again = await within(
        asyncio.gather(*(synthesiser.speak(t) for t in ("Something else.", SENTENCE, SENTENCE)))
    )
    assert again[1:] == [first, first]
    assert again[0] != first


async def test_a_longer_text_is_longer_audio(synthesiser: Synthesiser) -> None:
    short = await within(synthesiser.speak("One."))
    assert len(await within(synthesiser.speak("One. " * 20))) > 5 * len(short)


@pytest.mark.parametrize("text", ["", " ", "\n", ".", "?!...", "🙂", "你好", "\0", "-"])
async def test_a_text_without_a_word_has_no_audio(text: str, synthesiser: Synthesiser) -> None:
    assert await within(synthesiser.speak(text)) == b""


async def test_odd_texts_are_spoken_and_nothing_else_happens(
    synthesiser: Synthesiser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ODD:
        assert len(await within(synthesiser.speak(text))) > 800, text
    assert os.listdir(tmp_path) == []


async def test_a_very_long_text_is_spoken(synthesiser: Synthesiser) -> None:
    text = "This is one of the sentences of a text that is very long. " * 34
    assert len(await within(synthesiser.speak(text))) > 60 * mulaw.SAMPLE_RATE


def test_without_any_voice_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    hide_flite(monkeypatch)
    monkeypatch.setattr(synthesis, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match="neither flite nor espeakng_loader"):
        Synthesiser()


def running(monkeypatch: pytest.MonkeyPatch, code: str) -> Synthesiser:
    """A synthesiser whose voice is a Python program."""
    synthesiser = Synthesiser()
    monkeypatch.setattr(synthesiser, "_command", lambda text: (sys.executable, "-c", code))
    return synthesiser


async def test_a_voice_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "SPEAK_SECONDS", 0.2)
    hanging = running(monkeypatch, "import time; time.sleep(60)")
    async with nothing_left():
        with pytest.raises(SynthesisError, match=r"within 0\.2 s"):
            await within(hanging.speak("Hello."))


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("raise SystemExit('no such voice')", "code 1: no such voice"),
        ("import os; os.abort()", "code -6: no message"),
        ("pass", "no WAV file"),
        ("print('RIFFxxxxWAVE')", "no WAV file"),
    ],
)
async def test_a_voice_that_fails_is_an_error_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, code: str, complaint: str
) -> None:
    async with nothing_left():
        with pytest.raises(SynthesisError, match=complaint):
            await within(running(monkeypatch, code).speak("Hello."))


async def test_giving_up_a_text_ends_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = running(monkeypatch, "import time; time.sleep(60)")
    async with nothing_left():
        began = time.monotonic()
        for wait in (0.0, 0.05):
            speaking = asyncio.create_task(slow.speak("Hello."))
            await asyncio.sleep(wait)
            speaking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await within(speaking)
        assert time.monotonic() - began < 10


async def test_only_some_voices_run_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "AT_A_TIME", 2)
    running_now, most = 0, 0
    synthesiser = Synthesiser()

    async def run(command: tuple[str, ...]) -> bytes:
        nonlocal running_now, most
        running_now += 1
        most = max(most, running_now)
        await asyncio.sleep(0.01)
        running_now -= 1
        return wav([0] * 320)

    monkeypatch.setattr(synthesiser, "_run", run)
    await within(asyncio.gather(*(synthesiser.speak("Hello.") for _ in range(8))))
    assert most == 2


@given(st.text())
def test_what_the_voices_get_is_a_line_of_ascii_with_a_word_or_nothing(text: str) -> None:
    readable = plain(text)
    assert readable.isascii()
    assert readable == "" or readable.isprintable()
    assert readable == " ".join(readable.split())
    assert readable == "" or any(c.isalnum() for c in readable)


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("It\u2019s \u201cfine\u201d \u2013 really\u2026", 'It\'s "fine" - really...'),
        ("Zoë Müller, café", "Zoe Muller, cafe"),
        ("one\ttwo\r\nthree\0four", "one two three four"),
        ("\u00bd price", "1 2 price"),
    ],
)
def test_what_voices_cannot_read_is_written_as_they_can(text: str, readable: str) -> None:
    assert plain(text) == readable


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_and_number_of_channels_becomes_the_lines(rate: int, channels: int) -> None:
    times = np.arange(rate) / rate
    tone = np.rint(8000 * np.sin(2 * np.pi * 440 * times)).astype(int)
    audio = mulaw_of_wav(wav(np.repeat(tone, channels).tolist(), rate, channels))
    assert len(audio) == mulaw.SAMPLE_RATE
    power = np.abs(np.fft.rfft(mulaw.decode(audio).astype(float)))
    assert power.argmax() == 440


def test_channels_are_averaged() -> None:
    audio = mulaw_of_wav(wav([4000, -4000] * 3200, 8000, 2))
    assert not mulaw.decode(audio).any()


@pytest.mark.parametrize(
    "data",
    [b"", b"RIFF", b"junk" * 20, wav([0] * 100, 4000), wav([128] * 100, 8000, 1, 1)],
)
def test_what_is_no_such_wav_file_is_an_error(data: bytes) -> None:
    with pytest.raises(SynthesisError):
        mulaw_of_wav(data)


def test_a_wav_file_that_ends_early_is_used_as_far_as_it_goes() -> None:
    whole = wav([1000] * 3200, 8000)
    assert 0 < len(mulaw_of_wav(whole[: len(whole) // 2])) < 3200
