"""What a caller does on the telephone, step by step.

    says("What are your hours?"), interrupts("Wait!"), mumbles(), presses("42"), beeps(200),
    breaks_off(), stays(), hangs_up()

A step begins when the agent has spoken since the step before and has been quiet for `quiet_ms`; or,
with `after_ms`, so long after the step before; or, to break in, when so much of the agent has been
heard. `when` is a pattern for what must have been heard. Callers speak text, at 25 characters a
second, so what is said and heard is an exact string.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from aybiza.emulators import textaudio
from aybiza.emulators.phone.audio import SILENCE_CODES, Utterance
from aybiza.emulators.phone.script import Script, parse
from aybiza.speech.mulaw import SAMPLE_RATE, encode

BYTES_PER_CHAR: Final = 320
TIMEOUT_S: Final = 90.0
QUIET_MS: Final = 700.0

# What stands in a script for a sound of which the recogniser makes no words.
NOISE: Final = "(noise)"
_NOISE_BYTES: Final = 4000
TONE: Final = "(tone)"
_TONE_SECONDS: Final = 0.4
_TONE_HERTZ: Final = 1_000
_TONE_LOUD: Final = 1_500.0
"""Soft enough that none of its codes are a letter's."""

Step = dict[str, Any]


def says(
    words: str, *, quiet_ms: float = QUIET_MS, after_ms: float | None = None, when: str = r"\S"
) -> Step:
    """The caller says `words`."""
    return {"text": words, **_moment(quiet_ms, after_ms, when)}


def interrupts(words: str, after_ms: float = 800) -> Step:
    """The caller breaks in when so much of the agent's speech has been heard."""
    return {"text": words, "when_agent_speaking_ms": after_ms}


def mumbles(after_ms: float | None = None, *, into_ms: float | None = None) -> Step:
    """A sound without words; `into_ms`: into so much of the agent's speech."""
    if into_ms is not None:
        return {"text": NOISE, "when_agent_speaking_ms": into_ms}
    return {"text": NOISE, **_moment(QUIET_MS, after_ms, r"\S")}


def beeps(after_ms: float) -> Step:
    """The tone of an answering machine."""
    return {"text": TONE, "after_ms": after_ms}


def presses(
    keys: str, *, quiet_ms: float = QUIET_MS, after_ms: float | None = None, when: str = r"\S"
) -> Step:
    """The caller presses keys."""
    return {"dtmf": keys, **_moment(quiet_ms, after_ms, when)}


def breaks_off(after_ms: float = 500) -> Step:
    """The stream's connection breaks so long after the step before; the caller stays."""
    return {"drop": True, "after_ms": after_ms}


def hangs_up(
    *, quiet_ms: float = QUIET_MS, after_ms: float | None = None, when: str = r"\S"
) -> Step:
    """The caller hangs up."""
    return {"hangup": True, **_moment(quiet_ms, after_ms, when)}


def stays() -> Step:
    """The caller stays until the agent hangs up."""
    return {"wait_close": True, "timeout_s": 600}


def script_of(steps: Sequence[Step], limit_s: float = 900.0) -> Script:
    """The script of these steps."""
    told = [{"timeout_s": TIMEOUT_S, **step} for step in steps]
    script = parse({"steps": told, "limit_s": limit_s}, Path("caller"), "text")
    spoken = (
        replace(step, utterance=_utterance(step.text)) if step.act == "speak" else step
        for step in script.steps
    )
    return replace(script, steps=tuple(spoken))


def _moment(quiet_ms: float, after_ms: float | None, when: str) -> Step:
    if after_ms is not None:
        return {"after_ms": after_ms}
    return {"after_quiet_ms": quiet_ms, "expect": when}


def _utterance(text: str) -> Utterance:
    if text == TONE:
        at = np.arange(round(_TONE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
        wave = _TONE_LOUD * np.sin(2 * np.pi * _TONE_HERTZ * at)
        return Utterance.of(encode(wave.astype(np.int16)), SILENCE_CODES)
    noise = text == NOISE
    audio = bytes([0x55]) * _NOISE_BYTES if noise else textaudio.encode(text + " ", BYTES_PER_CHAR)
    return Utterance.of(audio, SILENCE_CODES)
