"""What is heard of an agent's prompts: recordings and tones, ready for the line.

    load_prompts(agent)  the mu-law audio by the text that it stands for; reads files
    tones("12,3")        keys as they sound: 100 ms each, 100 ms apart

Contract: `load_prompts` is called before there are calls; nothing is read while one is carried.
Errors: `AudioError` names the prompt, the file, and what is wrong with it.
Source: ITU-T Q.23 (frequencies), Q.24 (times).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from aybiza.config.agents import Agent
from aybiza.config.menus import Prompt
from aybiza.speech import mulaw
from aybiza.speech.mulaw import SAMPLE_RATE
from aybiza.speech.wav import AudioError, read_wav

MOST_SECONDS: Final = 120
TONE_SECONDS: Final = 0.1
PAUSE_SECONDS: Final = 0.1
COMMA_SECONDS: Final = 0.5
LEVEL: Final = 8_000
"""The peak of each of the two tones: together 6 dB below full scale."""

ROWS: Final = (697, 770, 852, 941)
COLUMNS: Final = (1209, 1336, 1477, 1633)
PAD: Final = ("123A", "456B", "789C", "*0#D")


def load_prompts(agent: Agent) -> dict[str, bytes]:
    """See the module."""
    found: dict[str, bytes] = {}
    for name, prompt in agent.prompts.items():
        try:
            found[prompt.text] = _audio(prompt)
        except AudioError as error:
            raise AudioError(f"prompts.{name}: {error}") from None
    return found


def tones(keys: str) -> bytes:
    """See the module."""
    return b"".join(map(_sound, keys))


def _audio(prompt: Prompt) -> bytes:
    if prompt.tones:
        return tones(prompt.tones)
    samples = read_wav(Path(prompt.file), MOST_SECONDS)
    if not np.any(samples):
        raise AudioError(f"{prompt.file}: holds no sound")
    return mulaw.encode(samples)


def _sound(key: str) -> bytes:
    if key == ",":
        return mulaw.silence(COMMA_SECONDS)
    row = next(index for index, keys in enumerate(PAD) if key in keys)
    pair = ROWS[row], COLUMNS[PAD[row].index(key)]
    times = np.arange(round(TONE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    wave = sum(LEVEL * np.sin(2 * np.pi * hertz * times) for hertz in pair)
    return mulaw.encode(np.rint(wave).astype(np.int16)) + mulaw.silence(PAUSE_SECONDS)
