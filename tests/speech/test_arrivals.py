"""Jitter and loss are told by when frames come and by their stamps."""

from __future__ import annotations

import pytest

from aybiza.speech.arrivals import Arrivals

FRAME = 160


def took(*frames: tuple[float, int]) -> Arrivals:
    """Frames by when they came, in ms, and by their stamps."""
    arrivals = Arrivals()
    for at_ms, stamp in frames:
        arrivals.took(1.0 + at_ms / 1000, stamp, FRAME)
    return arrivals


def test_frames_in_step_have_no_jitter_and_no_loss() -> None:
    told = took(*((20.0 * n, 20 * n) for n in range(50)))
    assert (told.frames, round(told.jitter_ms, 6), told.lost) == (49, 0.0, 0.0)


def test_the_jitter_is_how_far_arrivals_are_from_their_stamps() -> None:
    told = took(*((20.0 * n + 5 * (n % 2), 20 * n) for n in range(50)))
    assert told.jitter_ms == pytest.approx(5.0)


def test_what_is_missing_between_stamps_is_lost_unless_it_is_a_silence() -> None:
    told = took((0, 0), (20, 20), (60, 60), (80, 80))
    assert told.lost == pytest.approx(0.2)
    assert took((0, 0), (20, 20), (5_000, 5_000), (5_020, 5_020)).lost == 0.0


def test_without_stamps_nothing_is_told_and_a_stamp_that_goes_back_begins_anew() -> None:
    told = took((0, 0), (30, 0), (50, 0))
    assert (told.frames, told.jitter_ms, told.lost) == (0, 0.0, 0.0)
    assert took((0, 5_000), (20, 0), (40, 20)).frames == 1
    assert Arrivals().lost == 0.0
