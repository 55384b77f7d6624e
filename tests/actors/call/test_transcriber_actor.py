"""The transcriber: wherever it dies, every word of the caller is understood once."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors import names
from aybiza.dialogue.journal import FAULT, CallerSegment, CallerTurn, Ended
from aybiza.emulators.deepgram import Fault
from aybiza.faults.desk import Answers
from aybiza.faults.testing import Caller, Faults, Node, assert_restarted, hangs_up, says, stays
from tests.call.quick import PACE

WORDS = ("I would like to tell you something that takes me quite a while to say " * 3).strip() + "."
ANSWERS: Answers = {WORDS: ["I have understood."]}
STEPS = says(WORDS, when=r"today\?\s*$"), hangs_up(when="understood")


@pytest.fixture
def aybiza_answers() -> Answers:
    return ANSWERS


@pytest.fixture
def aybiza_world() -> dict[str, Any]:
    return PACE


@pytest.mark.parametrize("part", range(8))
def test_a_transcriber_killed_anywhere_in_an_utterance_loses_no_word(
    node: Node, call: Caller, part: int
) -> None:
    lasts_ms = 40.0 * len(WORDS)
    placed = call.placed(*STEPS)
    call.until(lambda: placed.is_talking(for_ms=lasts_ms * part / 8))
    (node.kill if part % 2 else node.crash)(names.transcriber(placed.call_id))
    assert call.over(placed).ok
    assert placed.told() == [("user", WORDS)]
    segments = [e.text for e in placed.journal if isinstance(e, CallerSegment)]
    assert " ".join(segments) == WORDS


def test_a_transcriber_killed_in_the_pause_behind_the_words_says_nothing_twice(
    node: Node, call: Caller
) -> None:
    placed = call.placed(*STEPS)
    call.until(lambda: any(isinstance(entry, CallerSegment) for entry in placed.journal))
    for _ in range(3):
        assert_restarted(node.kill(names.transcriber(placed.call_id)))
    assert call.over(placed).ok
    turns = [entry for entry in placed.journal if isinstance(entry, CallerTurn)]
    assert turns == [CallerTurn(1, WORDS)]


def test_a_recogniser_that_gives_up_for_good_lets_the_caller_go(node: Node, call: Caller) -> None:
    node.world.deepgram.faults.add(Fault("listen", "refuse", 503, times=None))
    placed = call(stays())
    assert [stream.close_reason for stream in placed.report.streams] == ["fault"]
    assert placed.journal[-1] == Ended(FAULT)
    down = [told.what for told in node.world.trace.of("log") if "transcriber_down" in told.what]
    assert down and "503" in down[0]
    assert not [told for told in node.world.trace.of("exit") if "crash" in told.what]


def test_a_silent_carrier_keeps_its_socket(node: Node, call: Caller, faults: Faults) -> None:
    """Deepgram closes a socket that says nothing for ten seconds."""
    faults("line.mute", seconds=40.0, at=1.0)
    call.placed(stays())
    node.time.pass_by(35.0)
    doors = [told.what for told in node.world.trace.of("door") if told.what.startswith("door=")]
    told = [told.who for told in node.world.trace.of("door")]
    assert told.count("connected") == 2, doors
    assert "disconnected" not in told
