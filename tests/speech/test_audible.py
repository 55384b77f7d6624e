"""The end of a voice, found in the sound."""

from __future__ import annotations

import pytest

from aybiza.speech.audible import last_audible
from aybiza.speech.mulaw import SILENCE, silence

LOUD = bytes([0x20])
# An amplitude of 8: what a quiet line sounds like.
HISS = bytes([0xFE])


def sound(ms: int) -> bytes:
    return LOUD * (8 * ms)


@pytest.mark.parametrize("around", [silence(0.4), HISS * 3200])
def test_the_last_sound_is_found(around: bytes) -> None:
    audio = around + sound(200) + around
    assert last_audible(audio) == 3200 + 1600


def test_where_there_is_no_sound_there_is_no_end_of_it() -> None:
    assert last_audible(silence(1.0)) is None
    assert last_audible(b"") is None
    assert last_audible(silence(1.0), 4000) is None


@pytest.mark.parametrize("word_end", [4000, 4700, 4800, 5600])
def test_the_voice_ends_where_it_can_be_heard_to_end_not_where_the_word_is_thought_to(
    word_end: int,
) -> None:
    audio = silence(0.4) + sound(200) + silence(0.4)
    assert last_audible(audio, word_end) == 4800


def test_a_later_sound_that_is_apart_is_no_part_of_the_word() -> None:
    audio = silence(0.4) + sound(200) + silence(0.4) + sound(100)
    assert last_audible(audio, 4700) == 4800


def test_what_is_left_of_a_block_counts() -> None:
    audio = bytes([SILENCE]) * 160 + LOUD * 50
    assert last_audible(audio) == 210
