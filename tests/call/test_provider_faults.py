"""Deepgram and Bedrock fail in the midst of calls: the caller hears everything, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.journal import FAULT, Ended
from aybiza.dialogue.turn_policy import MORE_FILLERS
from aybiza.emulators.bedrock import Fault, use
from aybiza.emulators.bedrock.faults import BEFORE_STREAM, HTTP_ERRORS, IN_STREAM, STREAM_EXCEPTIONS
from aybiza.emulators.deepgram import Fault as SpeechFault
from aybiza.faults.desk import AGENT, Answers, Desk
from aybiza.faults.testing import Caller, Node, hangs_up, says, stays
from tests.call.quick import GREETING, PACE, heard

ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him. "
    "He rowed to the shore to fetch another one."
)
LOOK = "Will you look something up?"
FOUND = "I have found it for you."
MORE = "Is there more to tell?"
END = "No, that was all there is."

ANSWERS: Answers = {ASK: [STORY], LOOK: [use("look_up", {}), FOUND], MORE: [END]}
BROKEN: Answers = {LOOK: [use("break_down", {}), FOUND], ASK: [use("look_up", {}), FOUND]}


@pytest.fixture
def aybiza_answers() -> Answers:
    return ANSWERS


@pytest.fixture
def aybiza_world() -> dict[str, Any]:
    return {**PACE, "delta_ms": 40}


# Seconds of a socket's life: the caller asks from 1.2 to 2.2, the answer is spoken from 2.9 on.
SPEECH_FAULTS = {
    "listen refused": [SpeechFault("listen", "refuse", 429)],
    "listen refused often": [SpeechFault("listen", "refuse", 503)] * 3,
    "listen closed": [SpeechFault("listen", "close", 1011, after=1.8)],
    "listen aborted": [SpeechFault("listen", "abort", after=1.8)],
    "listen stalls": [SpeechFault("listen", "stall", after=0.5)],
    "listen tells something new": [SpeechFault("listen", "unknown", after=0.3)],
    "speak refused": [SpeechFault("speak", "refuse", 401)],
    "speak refused often": [SpeechFault("speak", "refuse", 503)] * 3,
    "speak closed": [SpeechFault("speak", "close", 1011, after=0.15)],
    "speak closed in an answer": [SpeechFault("speak", "close", 1011, after=3.2)],
    "speak aborted": [SpeechFault("speak", "abort", after=0.15)],
    "speak aborted in an answer": [SpeechFault("speak", "abort", after=3.2)],
    "speak stalls": [SpeechFault("speak", "stall", after=0.1)],
    "speak stalls in an answer": [SpeechFault("speak", "stall", after=3.0)],
    "speak tells something new": [SpeechFault("speak", "unknown", after=0.2)],
    "listen and speak aborted": [
        SpeechFault("speak", "abort", after=1.8),
        SpeechFault("listen", "abort", after=1.8),
    ],
}


@pytest.mark.parametrize("faults", SPEECH_FAULTS.values(), ids=SPEECH_FAULTS)
def test_faults_of_deepgram_are_not_heard(
    node: Node, call: Caller, faults: list[SpeechFault]
) -> None:
    for fault in faults:
        node.world.deepgram.faults.add(fault)
    placed = call(
        says(ASK, when=r"today\?"), says(MORE, when=r"another one\."), hangs_up(when="there is")
    )
    assert placed.report.ok, placed.report.failure
    # A pause may stand in the midst of a word.
    whole = without_fillers(heard(placed)).replace(" ", "")
    assert whole == f"{GREETING} {STORY} {END}".replace(" ", "")
    assert placed.told() == [("user", ASK), ("assistant", STORY), ("user", MORE)]
    assert not node.world.deepgram.faults.waiting(), "the fault has struck"


# Every fault that Bedrock is known to have, in the midst of a call: name, question, fault. What the
# caller hears of it is nothing: the whole answer, each sentence once.
BEFORE_THE_STREAM: dict[str, tuple[str, Fault]] = {
    **{code: (ASK, Fault("http_error", code)) for code in sorted(HTTP_ERRORS)},
    "throttled twice": (ASK, Fault("http_error", "ThrottlingException", times=2)),
    "late header": (ASK, Fault("slow_header", seconds=15.0)),
    "no answer": (ASK, Fault("no_answer")),
}
IN_THE_STREAM: dict[str, tuple[str, Fault]] = {
    **{
        f"{code} at once": (ASK, Fault("stream_exception", code))
        for code in sorted(STREAM_EXCEPTIONS)
    },
    "exception in mid-answer": (ASK, Fault("stream_exception", after=5)),
    "unknown error in mid-answer": (ASK, Fault("stream_error", after=3)),
    "cut in mid-sentence": (ASK, Fault("fin", after=2)),
    "cut between sentences": (ASK, Fault("fin", after=4)),
    "reset": (ASK, Fault("rst", after=5)),
    "stalls at once": (ASK, Fault("stall")),
    "stalls in mid-answer": (ASK, Fault("stall", after=5)),
    "silent at once": (ASK, Fault("silent_end")),
    "ends without an end": (ASK, Fault("silent_end", after=5)),
    "trickles": (ASK, Fault("trickle", after=2, seconds=0.1)),
    "unknown event": (ASK, Fault("unknown_event", after=2)),
    "bad checksum": (ASK, Fault("bad_crc", after=4)),
    "tool input that is no JSON": (LOOK, Fault("garbage_tool_json")),
}
SPOKEN = {ASK: STORY, LOOK: FOUND}


def without_fillers(words: str) -> str:
    """What was heard but for what is said where a model or a voice takes its time."""
    for filler in (AGENT.filler, *MORE_FILLERS):
        words = words.replace(filler, "")
    return " ".join(words.split())


def test_the_table_has_every_fault_of_bedrock() -> None:
    faults = [fault for _, fault in (BEFORE_THE_STREAM | IN_THE_STREAM).values()]
    assert {fault.kind for fault in faults} == {*BEFORE_STREAM, *IN_STREAM}
    assert {fault.code for fault in faults} >= {*HTTP_ERRORS, *STREAM_EXCEPTIONS}


@pytest.mark.parametrize("name", BEFORE_THE_STREAM | IN_THE_STREAM)
def test_every_fault_of_bedrock_ends_in_the_whole_answer_spoken_once(
    node: Node, call: Caller, name: str
) -> None:
    question, fault = (BEFORE_THE_STREAM | IN_THE_STREAM)[name]
    spoken = SPOKEN[question]
    node.world.bedrock.faults.add(fault)
    placed = call(
        says(question, when=r"\?\s*$"),
        says(MORE, when=rf"{spoken[-12:-1]}\.\s*$"),
        hangs_up(when="there is"),
    )
    assert placed.report.ok, placed.report.failure
    assert without_fillers(heard(placed)) == f"{GREETING} {spoken} {END}"
    words = [line for line in placed.told() if line[0] in ("user", "assistant")]
    assert words == [("user", question), ("assistant", spoken), ("user", MORE)]
    assert len(node.world.bedrock.faults) == 0, "the fault has struck"
    assert not node.world.asked.streams


# What is said once the model is given up: a stalled stream costs all of the turn's time.
APOLOGIES = {
    "refused": (AGENT.error, Fault("http_error", "AccessDeniedException", times=None)),
    "throttled for good": (AGENT.error, Fault("http_error", "ThrottlingException", times=None)),
    "stalls for good": (AGENT.late, Fault("stall", times=None)),
    "no answer for good": (AGENT.error, Fault("no_answer", times=None)),
}


@pytest.mark.parametrize("name", APOLOGIES)
def test_a_model_that_cannot_be_had_is_apologised_for(node: Node, call: Caller, name: str) -> None:
    apology, fault = APOLOGIES[name]
    node.world.bedrock.faults.add(fault)
    after = rf"{apology[-8:-1]}\?"
    placed = call.placed(
        says(ASK, when=r"today\?\s*$"), says(MORE, when=after), hangs_up(when="there is")
    )
    call.until(lambda: apology[:12] in placed.heard)
    node.world.bedrock.faults.clear()
    for breaker in [label for label in node.world.labels() if label == "CircuitBreakerActor"]:
        node.kill(breaker)
    assert call.over(placed).ok, placed.report.failure
    assert without_fillers(heard(placed)) == f"{GREETING} {apology} {END}"


@pytest.mark.parametrize("aybiza_answers", [BROKEN])
@pytest.mark.parametrize("aybiza_toolbox", [Desk(seconds=3600.0)])
@pytest.mark.parametrize("question", [LOOK, ASK], ids=["fails", "hangs"])
def test_a_tool_that_fails_or_hangs_is_told_to_the_model(
    call: Caller, aybiza_toolbox: Desk, question: str
) -> None:
    placed = call(says(question, when=r"\?\s*$"), hangs_up(when="for you"))
    assert placed.report.ok, placed.report.failure
    assert [line for line in placed.told() if line[0] == "result"] == [("result", "error")]
    assert not aybiza_toolbox.running


def test_a_caller_who_cannot_be_spoken_to_is_let_go(node: Node, call: Caller) -> None:
    node.world.deepgram.faults.add(SpeechFault("speak", "refuse", 503, times=None))
    placed = call(stays())
    assert [stream.close_reason for stream in placed.report.streams] == ["fault"] * 2
    assert placed.journal[-1] == Ended(FAULT)
