"""Paces, faults and their queue."""

import random
from dataclasses import fields
from typing import Any

import pytest

from aybiza.emulators.bedrock.faults import IN_STREAM, KINDS, Fault, FaultQueue, Pace

STREAM = "converse-stream"


def take(queue: FaultQueue, model: str = "m", operation: str = STREAM, **call: str) -> str | None:
    fault = queue.take(model, operation, call)
    return fault.kind if fault else None


def test_a_fault_strikes_once() -> None:
    queue = FaultQueue()
    queue.add(Fault("fin"))
    assert [take(queue), take(queue)] == ["fin", None]
    assert len(queue) == 0


def test_faults_strike_in_the_order_in_which_they_were_added() -> None:
    queue = FaultQueue()
    queue.add(Fault("fin"), Fault("rst"))
    assert [take(queue), take(queue)] == ["fin", "rst"]


def test_a_fault_may_strike_several_times_or_always() -> None:
    queue = FaultQueue()
    queue.add(Fault("fin", times=2), Fault("rst", times=None))
    assert [take(queue) for _ in range(5)] == ["fin", "fin", "rst", "rst", "rst"]


def test_a_fault_may_let_requests_pass_first() -> None:
    queue = FaultQueue()
    queue.add(Fault("fin", skip=2))
    assert [take(queue) for _ in range(4)] == [None, None, "fin", None]


def test_a_fault_waits_for_its_model() -> None:
    queue = FaultQueue()
    queue.add(Fault("fin", model="*haiku*"))
    assert take(queue, "us.anthropic.claude-sonnet-4-6") is None
    assert take(queue, "us.anthropic.claude-haiku-5-5") == "fin"


def test_a_fault_waits_for_its_call() -> None:
    queue = FaultQueue()
    queue.add(Fault("fin", call="CA2"))
    assert take(queue) is None
    assert take(queue, call="CA1") is None
    assert take(queue, call="CA2") == "fin"


def test_a_fault_waits_for_its_operation() -> None:
    queue = FaultQueue()
    queue.add(Fault("http_error", operation="converse"))
    assert take(queue) is None
    assert take(queue, operation="converse") == "http_error"


@pytest.mark.parametrize("kind", sorted(IN_STREAM))
def test_a_fault_of_streams_does_not_strike_an_answer_without_one(kind: str) -> None:
    queue = FaultQueue()
    queue.add(Fault(kind))
    assert take(queue, operation="converse") is None
    assert len(queue) == 1


def test_garbage_for_a_tool_waits_for_a_reply_that_uses_one() -> None:
    queue = FaultQueue()
    queue.add(Fault("garbage_tool_json"))
    assert queue.take("m", STREAM, {}, uses_tool=False) is None
    assert queue.take("m", STREAM, {}, uses_tool=True) is not None


def test_the_queue_can_be_looked_at_and_cleared() -> None:
    queue = FaultQueue()
    queue.add(Fault("fin"), Fault("rst"))
    assert [fault.kind for fault in queue.waiting()] == ["fin", "rst"]
    queue.clear()
    assert queue.waiting() == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_can_be_had_by_its_name_alone(kind: str) -> None:
    fault = Fault.from_json({"kind": kind})
    assert Fault.from_json(fault.as_json()) == fault


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({}, "needs a kind"),
        ({"kind": "flood"}, "fault.kind is 'flood'"),
        ({"kind": "fin", "afterr": 1}, "unknown 'afterr'"),
        ({"kind": "fin", "after": -1}, "fault.after is -1"),
        ({"kind": "fin", "after": "2"}, "fault.after is '2'"),
        ({"kind": "fin", "times": 0}, "fault.times is 0"),
        ({"kind": "fin", "skip": True}, "fault.skip is True"),
        ({"kind": "stall", "seconds": -1}, "fault.seconds is -1"),
        ({"kind": "http_error", "code": "Nope"}, "fault.code is 'Nope'"),
        ({"kind": "stream_exception", "code": "ThrottlingException"}, "fault.code is"),
        ({"kind": "fin", "model": 5}, "fault.model is 5"),
        ("fin", "a JSON object is needed"),
        ({"kind": "stal"}, "did you mean stall"),
        ({"kind": "fin", "afterr": 1}, "did you mean after"),
        ({"kind": "stop", "code": "max_token"}, "did you mean max_tokens"),
    ],
)
def test_a_fault_without_sense_is_refused_with_what_is_allowed(members: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Fault.from_json(members)


@pytest.mark.parametrize(
    "members",
    [
        {"first_token_ms": -1},
        {"per_delta_ms": "40"},
        {"jitter": 1.5},
        {"header_ms": float("inf")},
        {"first_token_ms": float("nan")},
        {"speed": 1},
        [],
    ],
)
def test_a_pace_without_sense_is_refused(members: Any) -> None:
    with pytest.raises(ValueError, match="pace"):
        Pace.from_json(members)


def test_jitter_stays_within_its_share() -> None:
    pace, chance = Pace(jitter=0.5), random.Random(1)
    delays = [pace.seconds(100, chance) for _ in range(200)]
    assert 0.05 <= min(delays) < 0.07
    assert 0.13 < max(delays) <= 0.15


def test_without_jitter_a_delay_is_what_it_says() -> None:
    assert Pace().seconds(250, random.Random(1)) == 0.25


def test_every_kind_has_its_parameters_and_a_meaning() -> None:
    members = {field.name for field in fields(Fault)}
    for kind in KINDS.values():
        assert set(kind.parameters) <= members
        assert kind.meaning


def test_a_fault_in_the_answer_strikes_with_and_without_a_stream() -> None:
    queue = FaultQueue()
    queue.add(Fault("stop", times=2))
    assert [take(queue), take(queue, operation="converse")] == ["stop", "stop"]


def test_an_empty_message_waits_for_a_tools_result() -> None:
    queue = FaultQueue()
    queue.add(Fault("empty_message"))
    assert take(queue) is None
    assert queue.take("m", STREAM, {}, has_result=True) is not None
