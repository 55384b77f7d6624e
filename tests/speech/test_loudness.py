"""How loud the two sides of a line are to be heard, step by step."""

from __future__ import annotations

from aybiza.speech.line import Line
from aybiza.speech.loudness import STEP_BYTES, Loudness, peaks
from aybiza.speech.mulaw import SILENCE
from aybiza.speech.playout import Sentence
from tests.speech.test_line import Carrier

LOUD, QUIET = bytes([0x00]), bytes([SILENCE])


def test_the_newest_step_is_a_whole_one_and_the_first_may_be_short() -> None:
    assert peaks(b"") == []
    assert peaks(LOUD * 3 + QUIET * STEP_BYTES) == [99, 0]
    assert peaks(QUIET * STEP_BYTES + LOUD) == [0, 99]
    assert peaks(QUIET * (STEP_BYTES - 1) + LOUD + QUIET * STEP_BYTES) == [99, 0]


def test_what_is_said_is_told_when_it_is_to_be_heard_and_once() -> None:
    said = Loudness(10.0)
    said.agent(LOUD * 2 * STEP_BYTES, 10.1)
    assert said.take(10.1) == [0, 0]
    assert said.take(10.15) == [99]
    assert said.take(10.3) == [99, 0, 0]
    assert said.take(10.3) == []


def test_what_was_taken_back_is_told_never() -> None:
    said = Loudness(0.0)
    said.agent(LOUD * 8000, 0.0)
    said.cleared(0.1)
    assert said.take(0.2) == [99, 99, 0, 0]


def test_nothing_grows_where_nobody_takes_it() -> None:
    said = Loudness(0.0)
    for second in range(200):
        said.agent(LOUD * 8000, float(second))
    assert len(said._steps) == 1200
    assert len(said.take(500.0)) == 1200
    assert said._steps == {}


def test_a_line_puts_down_what_is_played_while_somebody_looks() -> None:
    line = Line("CA1", Carrier())
    line.play(Sentence(1, 1), LOUD * STEP_BYTES, 0.0)
    line.said = Loudness(0.05)
    line.play(Sentence(1, 1), LOUD * 8000, 0.05)
    line.clear(0.1)
    assert line.said.take(0.25) == [99, 0, 0, 0]
