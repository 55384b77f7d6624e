"""The steps of an answer: what goes out, and when."""

from __future__ import annotations

import random
from typing import Any

import pytest

from aybiza.emulators.bedrock import exchange as steps_of
from aybiza.emulators.bedrock.exchange import (
    Answer,
    Corrupt,
    End,
    Event,
    HalfAndClose,
    Head,
    Reset,
    Step,
    StreamError,
    StreamException,
    Wait,
    stream_steps,
    whole_steps,
)
from aybiza.emulators.bedrock.faults import IN_STREAM, Fault, Pace
from aybiza.emulators.bedrock.reply import say

USAGE = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
REPLY = say("One sentence of ten words is enough for some deltas. " * 6)


def made(fault: Fault | None = None, pace: Pace | None = None) -> list[Step]:
    return list(stream_steps(REPLY, USAGE, pace or Pace(), random.Random(1), fault))


def deltas(steps: list[Step]) -> list[Step]:
    return [step for step in steps if isinstance(step.action, Event) and step.action.event.is_delta]


def test_a_stream_runs_from_its_head_to_its_end_in_time() -> None:
    steps = made(pace=Pace(first_token_ms=300, per_delta_ms=40, header_ms=10))
    assert steps[0] == Step(0.01, Head())
    assert isinstance(steps[-1].action, End)
    times = [step.at for step in deltas(steps)]
    assert times == pytest.approx([0.3 + 0.04 * n for n in range(len(times))])
    last = steps[-2].action
    assert isinstance(last, Event) and last.event.type == "metadata"
    assert last.event.payload["metrics"]["latencyMs"] == round(times[-1] * 1000)


def test_a_whole_answer_comes_when_the_last_delta_would() -> None:
    pace = Pace(first_token_ms=300, per_delta_ms=40)
    (step,) = whole_steps(REPLY, USAGE, pace, random.Random(1))
    assert step.at == pytest.approx(made(pace=pace)[-1].at)
    assert isinstance(step.action, Answer) and step.action.status == 200


ENDS: list[tuple[str, type[Any]]] = [
    ("stream_exception", StreamException),
    ("stream_error", StreamError),
    ("fin", HalfAndClose),
    ("rst", Reset),
    ("silent_end", End),
]


@pytest.mark.parametrize(("kind", "action"), ENDS)
@pytest.mark.parametrize("after", [0, 3, 10_000])
def test_a_fault_ends_the_stream_after_its_deltas(kind: str, action: type[Any], after: int) -> None:
    steps = made(Fault(kind, after=after))
    assert len(deltas(steps)) == min(after, len(deltas(made())))
    struck = next(step for step in steps[1:] if not isinstance(step.action, Event))
    assert isinstance(struck.action, action)
    assert not any(
        isinstance(step.action, Event) and step.action.event.type == "messageStop" for step in steps
    )


def test_a_stream_goes_on_after_a_stall_a_bad_checksum_and_a_trickle() -> None:
    whole = [step.action for step in made()]
    stalled = [step.action for step in made(Fault("stall", after=2, seconds=1.5))]
    assert [action for action in stalled if action != Wait(1.5)] == whole
    corrupt = made(Fault("bad_crc", after=2))
    assert sum(isinstance(step.action, Corrupt) for step in corrupt) == 1
    assert len(corrupt) == len(whole)
    slow = deltas(made(Fault("trickle", after=2, seconds=0.5)))
    assert [step.at for step in slow[:4]] == pytest.approx([0.0, 0.0, 0.5, 1.0])


def test_every_fault_in_the_stream_is_carried_out() -> None:
    elsewhere = {"trickle", "garbage_tool_json"}
    assert set(IN_STREAM) - elsewhere == set(steps_of._STRIKES)
