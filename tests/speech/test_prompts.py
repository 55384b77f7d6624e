"""Prompts: recordings and tones as the line carries them; what cannot be heard is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from aybiza.config.agents import Agent
from aybiza.config.menus import Prompt
from aybiza.emulators.phone.audio import write_wav
from aybiza.speech import mulaw
from aybiza.speech.prompts import COLUMNS, PAD, ROWS, load_prompts, tones
from aybiza.speech.wav import AudioError


def agent(**prompt: str) -> Agent:
    return Agent(name="D", greeting="Hi.", prompts={"a": Prompt(text="Hi.", **prompt)})


def level(pcm: NDArray[np.float64], hertz: int) -> float:
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(pcm)) / mulaw.SAMPLE_RATE)
    return float(2 * abs(np.mean(pcm * turns)))


@pytest.mark.parametrize("key", "0123456789*#ABCD")
def test_each_key_is_its_two_tones_and_no_other(key: str) -> None:
    pcm = mulaw.decode(tones(key))[:800].astype(np.float64)
    (row,) = (ROWS[index] for index, keys in enumerate(PAD) if key in keys)
    (column,) = (COLUMNS[keys.index(key)] for keys in PAD if key in keys)
    levels = {hertz: level(pcm, hertz) for hertz in (*ROWS, *COLUMNS)}
    assert {hertz for hertz, of in levels.items() if of > 4_000} == {row, column}
    assert np.abs(pcm).max() < 2**15


def test_keys_come_one_after_the_other_and_a_comma_waits() -> None:
    assert len(tones("12")) == 2 * len(tones("1")) == 3_200
    assert tones(",") == mulaw.silence(0.5)


def test_a_recording_is_ready_for_the_line(tmp_path: Path) -> None:
    tone = (8_000 * np.sin(np.arange(1_600) / 3)).astype(np.int16)
    write_wav(tmp_path / "hi.wav", [tone])
    (audio,) = load_prompts(agent(file=str(tmp_path / "hi.wav"))).values()
    assert audio == mulaw.encode(tone)
    assert load_prompts(agent(tones="1")) == {"Hi.": tones("1")}


def test_what_cannot_be_heard_is_named(tmp_path: Path) -> None:
    write_wav(tmp_path / "still.wav", [np.zeros(800, np.int16)])
    write_wav(tmp_path / "long.wav", [np.ones(121 * 8_000, np.int16)])
    for name, why in (("none", "No such file"), ("still", "no sound"), ("long", "longer than")):
        with pytest.raises(AudioError, match=rf"prompts\.a: .*{name}\.wav: .*{why}"):
            load_prompts(agent(file=str(tmp_path / f"{name}.wav")))
