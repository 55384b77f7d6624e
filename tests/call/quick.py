"""Calls in virtual time that take little of it: a voice and a caller's ear that are fast.

`PACE` is for the fixture `aybiza_world`. A letter of the agent lasts 4 ms, and its sentences come
one by one; `heard` is all that a caller has heard, on one line.
"""

from __future__ import annotations

from typing import Any, Final

from aybiza.faults.desk import AGENT
from aybiza.faults.placed_call import PlacedCall

GREETING: Final = AGENT.greeting

PACE: Final[dict[str, Any]] = {
    "thinks_ms": 120,
    "delta_ms": 160,
    "voice_speed": 2,
    "char_bytes": 32,
}


def heard(call: PlacedCall) -> str:
    """All that the caller has heard so far."""
    return " ".join(call.heard.split())
