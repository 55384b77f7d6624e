"""What a caller does on the telephone, step by step; `kit` places calls with such steps.

A step begins when its words `after` were heard and it has been quiet for `quiet_ms`, or, to break
in, when the agent has spoken for `after_ms`. Callers speak text (`aybiza.emulators.textaudio`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aybiza.emulators.phone.audio import SILENCE_CODES, Utterance
from aybiza.emulators.phone.script import Script, parse

# What stands in a script for a sound, of which the recogniser makes no words.
NOISE = "(noise)"
NOISE_AUDIO = bytes([0x55]) * 1600

Step = dict[str, Any]


def text(words: str, *, after: str = r"\S", quiet_ms: float = 100, **more: Any) -> Step:
    """The caller says `words` once `after` was heard and it has been quiet for a while."""
    return {"text": words, "expect": after, "after_quiet_ms": quiet_ms, **more}


def interrupt(words: str, after_ms: float = 300) -> Step:
    """The caller breaks in when the agent has spoken for so long."""
    return {"text": words, "when_agent_speaking_ms": after_ms}


def hang_up(after: str = r"\S", quiet_ms: float = 100, **more: Any) -> Step:
    """The caller hangs up once `after` was heard."""
    return {"hangup": True, "expect": after, "after_quiet_ms": quiet_ms, **more}


def noise(after_ms: float = 300) -> Step:
    """A sound without words comes from the caller when the agent has spoken for so long."""
    return {"text": NOISE, "when_agent_speaking_ms": after_ms}


def stay() -> Step:
    """The caller stays until the agent hangs up."""
    return {"wait_close": True}


def script_of(steps: Sequence[Step], limit_s: float = 200) -> Script:
    """The script of these steps."""
    sound = Utterance.of(NOISE_AUDIO, SILENCE_CODES)
    script = parse({"steps": list(steps), "limit_s": limit_s}, Path("kit"), "text")
    made = (replace(s, utterance=sound) if s.text == NOISE else s for s in script.steps)
    return replace(script, steps=tuple(made))
