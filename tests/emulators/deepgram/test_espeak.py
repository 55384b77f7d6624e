"""espeak-ng in a process of its own."""

from __future__ import annotations

import io
import subprocess
import sys
import wave

import numpy as np
import pytest

from aybiza.emulators.deepgram.synthesis import ESPEAK

SENTENCE = "Thank you for calling. How can I help you?"


def spoken(text: str) -> bytes:
    command = [sys.executable, "-P", str(ESPEAK), text]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout


def test_a_sentence_is_a_wav_file_with_sound_of_its_length() -> None:
    with wave.open(io.BytesIO(spoken(SENTENCE))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        seconds = file.getnframes() / file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    assert 1.5 < seconds < 5.0
    assert samples.astype(float).std() > 500


def test_the_same_text_is_the_same_audio() -> None:
    assert spoken(SENTENCE) == spoken(SENTENCE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "-h",
        "--",
        "Grüße, 你好 🙂",
        "<speak>hi</speak>",
        "[[x]]",
        "\x01\x7f",
        "a" * 1999,
    ],
)
def test_no_text_makes_it_fail(text: str) -> None:
    assert spoken(text)[:4] == b"RIFF"
