"""How many events a stream may bring that are no audio."""

from __future__ import annotations

import pytest

from aybiza.gateway.carriers.codec import (
    MULAW_8000_MONO,
    Connected,
    Ignored,
    Mark,
    ProtocolError,
    Start,
    Unknown,
)
from aybiza.gateway.carriers.frames import A_SECOND, BEFORE_START, UNKNOWN, Frames


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_before_start_come_a_few_events_and_then_none() -> None:
    frames = Frames(Clock())
    for _ in range(BEFORE_START):
        frames.count(Connected(), started=False)
    frames.count(Start("s", "c", "", (), MULAW_8000_MONO, {}), started=False)
    with pytest.raises(ProtocolError, match="1008 more than 8 events before start"):
        frames.count(Unknown("x"), started=False)


def test_events_that_nobody_knows_are_passed_over_for_a_while() -> None:
    clock = Clock()
    frames = Frames(clock)
    for _ in range(UNKNOWN):
        clock.now += 1.0
        frames.count(Unknown("x"), started=True)
    with pytest.raises(ProtocolError, match="nobody knows"):
        frames.count(Unknown("y"), started=True)


def test_marks_come_at_a_rate_and_audio_of_the_other_track_at_any() -> None:
    clock = Clock()
    frames = Frames(clock)
    for _ in range(3):
        for _ in range(A_SECOND):
            frames.count(Mark("m"), started=True)
            frames.count(Ignored("media", "outbound"), started=True)
        clock.now += 1.0
    for _ in range(A_SECOND):
        frames.count(Mark("m"), started=True)
    with pytest.raises(ProtocolError, match="in a second"):
        frames.count(Mark("m"), started=True)
