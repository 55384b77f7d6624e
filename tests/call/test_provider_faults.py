"""Deepgram and Bedrock fail in the midst of calls: the caller hears everything, nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.call import answer_tools, speaker_actor, transcriber_actor
from aybiza.emulators.bedrock import Fault, use
from aybiza.emulators.bedrock.faults import BEFORE_STREAM, HTTP_ERRORS, IN_STREAM, STREAM_EXCEPTIONS
from aybiza.emulators.deepgram import Fault as SpeechFault
from aybiza.speech.reconnect import Limits
from tests.call.caller import LIMIT
from tests.call.kit import AGENT, GREETING, Answers, side_by_side, world
from tests.call.steps import hang_up, stay, text

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
PACE: dict[str, Any] = {"thinks_ms": 50, "delta_ms": 40, "voice_speed": 2}


SPEECH_FAULTS = {
    "listen refused": [SpeechFault("listen", "refuse", 429)],
    "listen refused often": [SpeechFault("listen", "refuse", 503)] * 3,
    "listen closed": [SpeechFault("listen", "close", 1011, after=0.8)],
    "listen aborted": [SpeechFault("listen", "abort", after=0.8)],
    "listen stalls": [SpeechFault("listen", "stall", after=0.5)],
    "listen tells something new": [SpeechFault("listen", "unknown", after=0.3)],
    "speak refused": [SpeechFault("speak", "refuse", 401)],
    "speak refused often": [SpeechFault("speak", "refuse", 503)] * 3,
    "speak closed": [SpeechFault("speak", "close", 1011, after=0.15)],
    "speak closed in an answer": [SpeechFault("speak", "close", 1011, after=1.6)],
    "speak aborted": [SpeechFault("speak", "abort", after=0.15)],
    "speak aborted in an answer": [SpeechFault("speak", "abort", after=1.6)],
    "speak stalls": [SpeechFault("speak", "stall", after=0.1)],
    "speak stalls in an answer": [SpeechFault("speak", "stall", after=1.5)],
    "speak tells something new": [SpeechFault("speak", "unknown", after=0.2)],
    "listen and speak aborted": [
        SpeechFault("speak", "abort", after=0.8),
        SpeechFault("listen", "abort", after=0.8),
    ],
}


async def test_faults_of_deepgram_are_not_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaker_actor, "LIMITS", Limits(stall=0.5))
    monkeypatch.setattr(transcriber_actor, "LIMITS", Limits(stall=0.5))

    async def call(name: str) -> None:
        async with world(tmp_path / name, answers=ANSWERS, **PACE) as place:
            for fault in SPEECH_FAULTS[name]:
                place.deepgram.faults.add(fault)
            steps = (
                text(ASK, after=r"\?\s*$"),
                text(MORE, after=r"another one\."),
                hang_up("there is"),
            )
            async with place.call(*steps, direct=True) as call:
                report = await call.over()
                assert report.ok, call.summary()
                assert call.heard == f"{GREETING} {STORY} {END} ", call.summary()
                assert call.told() == [("user", ASK), ("assistant", STORY), ("user", MORE)]

    await side_by_side(call, SPEECH_FAULTS)


# Every fault that Bedrock is known to have, in the midst of a call: name, question, fault. What the
# caller hears of it is nothing: the whole answer, each sentence once.
BEFORE_THE_STREAM: dict[str, tuple[str, Fault]] = {
    **{code: (ASK, Fault("http_error", code)) for code in HTTP_ERRORS},
    "throttled twice": (ASK, Fault("http_error", "ThrottlingException", times=2)),
    "late header": (ASK, Fault("slow_header", seconds=LIMIT)),
    "no answer": (ASK, Fault("no_answer")),
}
IN_THE_STREAM: dict[str, tuple[str, Fault]] = {
    **{f"{code} at once": (ASK, Fault("stream_exception", code)) for code in STREAM_EXCEPTIONS},
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


def test_the_table_has_every_fault_of_bedrock() -> None:
    faults = [fault for _, fault in (BEFORE_THE_STREAM | IN_THE_STREAM).values()]
    assert {fault.kind for fault in faults} == {*BEFORE_STREAM, *IN_STREAM}
    assert {fault.code for fault in faults} >= {*HTTP_ERRORS, *STREAM_EXCEPTIONS}


@pytest.mark.parametrize("table", [BEFORE_THE_STREAM, IN_THE_STREAM], ids=["before", "in"])
async def test_every_fault_of_bedrock_ends_in_the_whole_answer_spoken_once(
    tmp_path: Path, table: dict[str, tuple[str, Fault]]
) -> None:
    async def call(name: str) -> None:
        question, fault = table[name]
        spoken = SPOKEN[question]
        variables: dict[str, Any] = {"BEDROCK_REQUEST_TIMEOUT": "300"}
        async with world(tmp_path / name, answers=ANSWERS, **PACE, **variables) as place:
            place.bedrock.faults.add(fault)
            after = rf"{spoken[-12:-1]}\.\s*$"
            steps = text(question, after=r"\?\s*$"), text(MORE, after=after), hang_up("there is")
            async with place.call(*steps, direct=True) as call:
                report = await call.over()
                assert report.ok, call.summary()
                assert call.heard == f"{GREETING} {spoken} {END} ", call.summary()
                words = [line for line in call.told() if line[0] in ("user", "assistant")]
                assert words == [("user", question), ("assistant", spoken), ("user", MORE)]
                assert len(place.bedrock.faults) == 0, "the fault has struck"
            assert place.node._bedrock.statistics().busy == 0

    await side_by_side(call, table)


APOLOGIES = {
    "refused": {"kind": "http_error", "code": "AccessDeniedException"},
    "throttled for good": {"kind": "http_error", "code": "ThrottlingException"},
    "stalls for good": {"kind": "stall"},
    "no answer for good": {"kind": "no_answer"},
}


async def test_a_model_that_cannot_be_had_is_apologised_for(tmp_path: Path) -> None:
    async def call(name: str) -> None:
        variables: dict[str, Any] = {
            "BEDROCK_REQUEST_TIMEOUT": "200",
            "AYBIZA_TURN_DEADLINE_MS": "1500",
        }
        async with world(tmp_path / name, answers=ANSWERS, **PACE, **variables) as place:
            steps = text(ASK, after=r"\?\s*$"), text(MORE, after=r"again\?"), hang_up("there is")
            async with place.call(*steps, direct=True) as call:
                fault = Fault(**APOLOGIES[name], times=None)  # type: ignore[arg-type]
                place.bedrock.faults.add(fault)
                await call.until(lambda: AGENT.error[:5] in call.heard)
                place.bedrock.faults.clear()
                place.kill_breakers()
                report = await call.over()
                assert report.ok, call.summary()
                # Where the model takes its time over it, the filler comes before.
                heard = call.heard.replace(f"{AGENT.filler} ", "", 1)
                assert heard == f"{GREETING} {AGENT.error} {END} ", call.summary()

    await side_by_side(call, APOLOGIES)


async def test_a_tool_that_fails_or_hangs_is_told_to_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_tools, "TOOL_SECONDS", 0.3)
    broken: Answers = {LOOK: [use("break_down", {}), FOUND], ASK: [use("look_up", {}), FOUND]}
    async with world(tmp_path, answers=broken, **PACE) as place:
        place.desk.seconds = None
        for question in (LOOK, ASK):
            async with place.call(text(question, after=r"\?\s*$"), hang_up("for you")) as call:
                report = await call.over()
                assert report.ok, call.summary()
                assert [line for line in call.told() if line[0] == "result"] == [
                    ("result", "error")
                ]
        assert not place.desk.running


async def test_a_caller_who_cannot_be_spoken_to_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaker_actor, "LIMITS", Limits(stall=0.3, words=0.2, end=0.5))
    async with world(tmp_path, answers=ANSWERS, **PACE) as place:
        for _ in range(20):
            place.deepgram.faults.add(SpeechFault("speak", "refuse", 503))
        async with place.call(stay(), direct=True) as call:
            report = await call.over()
        assert [stream.close_reason for stream in report.streams] == ["fault"]
