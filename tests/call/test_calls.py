"""A call from end to end: what the caller hears, what the model is told, what is left behind."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors import names
from aybiza.config.agents import Agent
from aybiza.dialogue.journal import Ended, Interrupted
from aybiza.emulators.bedrock import use
from aybiza.emulators.phone.webhook import Hangup, read_twiml
from aybiza.faults.desk import AGENT, Answers, agent
from aybiza.faults.telephone import HTTP_URL, post
from aybiza.faults.testing import (
    Caller,
    Node,
    assert_no_orphans,
    hangs_up,
    interrupts,
    mumbles,
    presses,
    says,
    stays,
)
from tests.call.quick import GREETING, PACE, heard

ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him. "
    "He rowed to the shore to fetch another one."
)
CHANGE = "Stop, what does it cost?"
COST = "It costs ten dollars, goodbye."
LEAVE = "That is all, thank you."
LAST = "Thank you for calling us today. Have a very nice day."
WORDS = ("one two three four five six seven eight nine ten " * 8).strip() + "."
QUIET = {
    "greeting": "Hello there.",
    "silence_prompt": "Are you there?",
    "closing": "Goodbye then.",
    "silence_timeout_s": 1.0,
}

ANSWERS: Answers = {
    ASK: [STORY],
    CHANGE: [COST],
    LEAVE: [use("end_call", {}), LAST],
    "1 2 #": ["You pressed one and two."],
}
ASKS = says(ASK, when=r"today\?\s*$")
LEAVES = hangs_up(when=r"another one\.\s*$")


@pytest.fixture
def aybiza_answers() -> Answers:
    return ANSWERS


@pytest.fixture
def aybiza_world() -> dict[str, Any]:
    return PACE


def test_the_greeting_comes_first_and_sentences_in_their_order(call: Caller) -> None:
    placed = call(ASKS, LEAVES)
    report = placed.report
    assert report.ok, report.failure
    assert heard(placed) == f"{GREETING} {STORY}"
    assert placed.told() == [("user", ASK)]
    assert report.marks_set == report.marks_returned == 5


@pytest.mark.parametrize("aybiza_agent", [agent(greeting=WORDS)], ids=["long"])
def test_a_call_does_not_notice_the_crashes_of_another(node: Node, call: Caller) -> None:
    parts = (names.call, names.speaker, names.transcriber)
    steps = (hangs_up(when=r"ten\.\s*$"),)
    calm, crashing = call.placed(*steps), call.placed(*steps)
    call.until(lambda: calm.is_speaking(0, 1) and crashing.is_speaking(0, 1))
    before = [node.vm.whereis(part(calm.call_id)) for part in parts]
    for part in parts:
        node.crash(part(crashing.call_id))
    node.kill(names.session(crashing.call_id))
    call.until(lambda: bool(crashing.state))
    assert [node.vm.whereis(part(calm.call_id)) for part in parts] == before
    assert None not in before
    report = call.over(calm)
    assert call.over(crashing).ok
    assert heard(calm) == heard(crashing) == WORDS
    assert (report.gaps, report.clears, len(report.streams)) == ([], 0, 1)


def test_a_caller_who_breaks_in_is_listened_to_at_once(node: Node, call: Caller) -> None:
    placed = call.placed(ASKS, interrupts(CHANGE, 300), hangs_up(when=r"goodbye\.\s*$"))
    call.until(lambda: any(isinstance(entry, Interrupted) for entry in placed.journal))
    first = placed.requests()[0]
    call.until(lambda: first.outcome == "cancelled", within=0.5)
    assert not node.world.asked.streams
    report = call.over(placed)
    assert report.ok, report.failure
    assert report.clears == 1
    words = heard(placed).removeprefix(GREETING).strip().removesuffix(COST).strip()
    assert STORY.startswith(words) and words != STORY
    told = placed.told()
    assert (told[0], told[2]) == (("user", ASK), ("user", CHANGE))
    said = told[1][1].removesuffix(" …")
    assert STORY.startswith(said)
    # A word lasts 20 ms.
    assert abs(len(said.split()) - len(words.split())) <= 5, (said, words)


def test_a_noise_does_not_disturb_the_agent(call: Caller) -> None:
    placed = call(ASKS, mumbles(into_ms=300), LEAVES)
    assert placed.report.ok, placed.report.failure
    assert placed.report.clears == 0
    assert heard(placed) == f"{GREETING} {STORY}"
    assert len(placed.requests()) == 1


def test_the_agents_goodbye_ends_the_call_when_it_has_been_heard(call: Caller) -> None:
    placed = call(says(LEAVE, when=r"\?\s*$"), stays())
    report = placed.report
    assert report.ok, report.failure
    assert heard(placed) == f"{GREETING} {LAST}"
    assert [(s.close_code, s.close_reason) for s in report.streams] == [(1000, "goodbye")]
    assert placed.journal[-1] == Ended("goodbye")


def test_keys_are_words_of_the_caller(call: Caller) -> None:
    placed = call(presses("12#"), hangs_up(when=r"two\.\s*$"))
    assert placed.report.ok, placed.report.failure
    assert placed.told() == [("user", "1 2 #")]


def test_a_call_that_has_ended_is_hung_up_when_it_comes_back(node: Node, call: Caller) -> None:
    placed = call(hangs_up())
    assert_no_orphans()
    form = {"CallSid": placed.call_id, "From": "+15550100001"}
    url = f"{HTTP_URL}/incoming?again=1"
    status, body = node.time.run(post(node.world._application, url, form))
    assert (status, read_twiml(body, url)) == (200, [Hangup()])


@pytest.mark.parametrize("aybiza_agent", [agent(**QUIET)], ids=["a second"])
def test_silence_is_asked_about_and_then_ends_the_call(call: Caller, aybiza_agent: Agent) -> None:
    placed = call(stays())
    assert placed.report.ok, placed.report.failure
    assert heard(placed) == "Hello there. Are you there? Goodbye then."
    assert placed.report.streams[0].close_reason == "silence"


@pytest.mark.parametrize("aybiza_agent", [agent(max_duration_s=20.0)], ids=["short"])
def test_the_longest_call_ends_with_the_closing_words(call: Caller, aybiza_agent: Agent) -> None:
    placed = call(stays())
    assert placed.report.ok, placed.report.failure
    assert heard(placed) == f"{GREETING} {AGENT.closing}"
    assert placed.report.streams[0].close_reason == "duration"
    assert 20_000 < placed.report.duration_ms < 22_000


def test_a_memory_that_cannot_be_written_does_not_end_the_call(node: Node, call: Caller) -> None:
    node.world.store.full = True
    placed = call.placed(ASKS, LEAVES)
    call.until(lambda: placed.is_speaking(1, 1))
    node.kill(names.call(placed.call_id))
    node.kill(names.MEMORY)
    assert call.over(placed).ok
    assert heard(placed) == f"{GREETING} {STORY}"
    node.world.store.full = False
