"""The speaker: wherever it dies and whatever Deepgram does, no character is lost or said twice."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors import names
from aybiza.dialogue.journal import Ended
from aybiza.emulators.bedrock.scripted import long
from aybiza.emulators.deepgram.faults import Door, Fault
from aybiza.faults.desk import Answers, agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.testing import (
    Caller,
    Faults,
    Node,
    assert_no_orphans,
    hangs_up,
    interrupts,
    says,
    stays,
)
from aybiza.speech.playout import Sentence
from tests.call.quick import GREETING, PACE, heard

ASK = "Tell me all about it, please."
NUMBERS = long(20)({}).text
CHANGE = "Stop, please."
ANSWERS: Answers = {ASK: [NUMBERS], CHANGE: ["I have stopped."]}

# Lasts 1.6 s, of which the carrier is sent some 50 ms at a time.
WORDS = ("one two three four five six seven eight nine ten " * 8).strip() + "."
TALKER = pytest.mark.parametrize("aybiza_agent", [agent(greeting=WORDS)], ids=["talks"])
NUMBERING = says(ASK, when=r"today\?"), hangs_up(when="twenty")


@pytest.fixture
def aybiza_answers() -> Answers:
    return ANSWERS


@pytest.fixture
def aybiza_world() -> dict[str, Any]:
    return {**PACE, "thinks_ms": 50, "delta_ms": 5, "voice_speed": 4}


def until_sent(node: Node, call: Caller, placed: PlacedCall, sentence: Sentence, sent: int) -> None:
    """Let the call go on until more than so many bytes of the sentence are out."""

    def is_there() -> bool:
        line = node.world.lines.get(placed.call_id)
        return bool(line and line.ledger.bytes_sent(sentence) > sent)

    call.until(is_there)


@TALKER
@pytest.mark.parametrize("part", range(9))
def test_a_speaker_killed_anywhere_in_a_sentence_goes_on_where_it_was(
    node: Node, call: Caller, part: int
) -> None:
    placed = call.placed(hangs_up(when=r"ten\.\s*$"))
    until_sent(node, call, placed, Sentence(0, 1), len(WORDS) * 32 * part // 9)
    (node.kill if part % 2 else node.crash)(names.speaker(placed.call_id))
    assert call.over(placed).ok
    assert heard(placed) == WORDS


@TALKER
def test_a_speaker_killed_again_and_again_loses_nothing(node: Node, call: Caller) -> None:
    placed = call.placed(hangs_up(when=r"ten\.\s*$"))
    for part in range(4):
        until_sent(node, call, placed, Sentence(0, 1), len(WORDS) * 32 * (part + 1) // 6)
        node.kill(names.speaker(placed.call_id))
    assert call.over(placed).ok
    assert heard(placed) == WORDS


@pytest.mark.parametrize(
    ("sentence", "sent"),
    [(1, 0), (2, 1000), (2, 3000), (2, 7000)],
    ids=["its own", "in the go", "later in the go", "late in the go"],
)
@pytest.mark.parametrize("aybiza_world", [{**PACE, "thinks_ms": 50, "delta_ms": 5}], ids=["slow"])
def test_sentences_that_were_spoken_in_one_go_are_taken_up_too(
    node: Node, call: Caller, sentence: int, sent: int
) -> None:
    """Behind its first sentence an answer is synthesised in one go, named by the first of it."""
    placed = call.placed(*NUMBERING)
    until_sent(node, call, placed, Sentence(1, sentence), sent)
    node.kill(names.speaker(placed.call_id))
    assert call.over(placed).ok
    assert heard(placed) == f"{GREETING} {NUMBERS}"
    assert "FLUSH_LIMIT" not in str(node.world.deepgram.service.journal.entries())


@TALKER
def test_a_speaker_that_dies_as_it_is_silenced_stays_silent(node: Node, call: Caller) -> None:
    placed = call.placed(
        says(ASK, when=r"ten\.\s*$"), interrupts(CHANGE, 200), hangs_up(when="stopped")
    )
    call.until(lambda: placed.report.clears > 0)
    node.kill(names.speaker(placed.call_id))
    assert call.over(placed).ok
    said = heard(placed).removeprefix(WORDS).removesuffix("I have stopped.").strip()
    assert NUMBERS.startswith(said)


@pytest.mark.parametrize("aybiza_agent", [agent(bridge=WORDS)], ids=["long bridge"])
@pytest.mark.parametrize("victim", ["speaker", "call", "session"])
def test_the_bridge_is_said_whole_whoever_dies_meanwhile(
    node: Node, call: Caller, victim: str
) -> None:
    placed = call.placed(*NUMBERING)
    call.until(lambda: placed.is_speaking(1, 1) or placed.has_heard(1, 1))
    assert placed.phone.line is not None
    placed.phone.line.transport.abort()
    call.until(lambda: "one two" in placed.heard)
    node.kill(placed.pid(victim))
    assert call.over(placed).ok
    before, bridge, after = heard(placed).partition(f"{WORDS} ")
    assert bridge, heard(placed)
    assert f"{GREETING} {NUMBERS}".startswith(before.strip())
    assert NUMBERS.endswith(after)


def test_a_mark_that_does_not_come_back_holds_nobody_up(
    node: Node, call: Caller, faults: Faults
) -> None:
    faults("line.no_marks", seconds=60.0, at=0.05)
    placed = call.placed(hangs_up(quiet_ms=9000))
    call.until(lambda: placed.state.get("phase") == "listening")
    assert call.over(placed).ok
    assert not [told for told in node.world.trace.of("send") if told.what.startswith("Mark(")]


def test_a_deepgram_that_never_answers_keeps_nobody(node: Node, call: Caller) -> None:
    doors: tuple[Door, ...] = ("listen", "speak")
    for door in doors:
        node.world.deepgram.faults.add(Fault(door, "stall", after=0.0, times=None))
    placed = call.placed(stays())
    session = names.session(placed.call_id)
    call.until(lambda: node.vm.alive(session))
    placed.phone.stay_away()
    node.kill(session)
    call.over(placed)
    assert [stream.close_code for stream in placed.report.streams] == [1011]
    assert_no_orphans()
    assert placed.journal[-1] == Ended("fault")
