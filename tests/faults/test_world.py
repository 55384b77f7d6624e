"""A whole node in virtual time: a call as it should be, the same in every run, and nothing left."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from aybiza.emulators.bedrock import use
from aybiza.faults.caller import Step, breaks_off, hangs_up, interrupts, mumbles, presses, says
from aybiza.faults.desk import agent
from aybiza.faults.world import World, in_world
from tests.slowness import slowness

ANSWERS = {
    "What are your hours?": [
        "We are open from nine to five on weekdays. On Saturdays we close at noon."
    ],
    "Is there a room?": [use("look_up", {"what": "a room"}, "Let me see."), "Yes, there is."],
}
LONG_CALL = [
    says("What are your hours?"),
    interrupts("Wait, on Sunday?"),
    says("Is there a room?"),
    mumbles(after_ms=3000),
    presses("42#", after_ms=4000),
    says("Still here.", quiet_ms=1500),
    hangs_up(),
]

PROGRAM = """
import logging, structlog
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
from tests.faults.test_world import trace_of
print(trace_of({seed}), end="")
"""


def trace_of(seed: int) -> str:
    """The whole trace of a long call, with all messages."""

    async def talk(world: World) -> str:
        async with world.call(*LONG_CALL) as call:
            await call.over()
        return world.trace.text()

    return in_world(talk, seed=seed, answers=ANSWERS, messages=True)


def heard(*steps: Step, **options: Any) -> str:
    async def talk(world: World) -> str:
        async with world.call(*steps) as call:
            report = await call.over()
            assert report.ok, report.failure
        return call.heard

    return in_world(talk, answers=ANSWERS, **options)


def test_a_caller_is_greeted_answered_and_let_go() -> None:
    text = heard(says("What are your hours?"), hangs_up())
    assert text.startswith("Welcome to the front desk, how can I help you today?")
    assert "We are open from nine to five on weekdays." in text
    assert "On Saturdays we close at noon." in text


def test_a_tool_is_used_on_the_way_to_an_answer() -> None:
    text = heard(says("Is there a room?"), hangs_up(when="there is"))
    assert "Let me see." in text and "Yes, there is." in text


def test_a_caller_whose_stream_breaks_comes_back_by_the_redirect() -> None:
    async def talk(world: World) -> str:
        async with world.call(
            says("What are your hours?"), breaks_off(3000), says("Thanks."), hangs_up()
        ) as call:
            report = await call.over()
            assert report.ok, report.failure
            assert len(report.streams) == 2
        return call.heard

    assert "Sorry, we were cut off." in in_world(talk, answers=ANSWERS)


def test_the_agent_of_the_world_is_the_one_that_is_given() -> None:
    text = heard(hangs_up(), agent=agent(greeting="Hello from Vienna."))
    assert text.strip() == "Hello from Vienna."


@pytest.mark.parametrize("frames", [1, 5, 10])
def test_frames_that_travel_together_carry_the_same_call(frames: int) -> None:
    alone = heard(says("What are your hours?"), hangs_up())
    assert heard(says("What are your hours?"), hangs_up(), frames=frames) == alone


def test_what_a_guardrail_has_blocked_does_not_block_what_follows() -> None:
    answers = {"Do you sell dynamite?": ["Yes."], **ANSWERS}

    async def talk(world: World) -> str:
        steps = [says("Do you sell dynamite?"), says("Is there a room?"), hangs_up()]
        async with world.call(*steps) as call:
            await call.over()
        return call.heard

    text = in_world(talk, answers=answers, guardrail=["dynamite"])
    assert "Sorry, the model cannot answer this question." in text and "Yes.\n" not in text
    assert "Yes, there is." in text


def test_nothing_is_left_when_the_call_is_over() -> None:
    async def talk(world: World) -> tuple[list[str], list[str]]:
        async with world.call(*LONG_CALL) as call:
            await call.over()
        await world.until(lambda: world.labels() == world.idle)
        return world.labels(), world.idle

    threads = threading.active_count()
    labels, idle = in_world(talk, answers=ANSWERS)
    assert labels == idle
    assert threading.active_count() == threads


def test_the_same_seed_gives_the_same_trace() -> None:
    assert trace_of(1) == trace_of(1)


def test_another_process_with_other_hashes_gives_the_same_trace_byte_for_byte() -> None:
    # Those of this process are drawn by chance when it starts, if nobody has said which.
    hashes = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(seed=5)],
        env={**os.environ, "PYTHONHASHSEED": hashes, "TZ": "Asia/Tokyo", "PYTHONPATH": "."},
        capture_output=True,
        timeout=150,
        check=True,
    )
    ours = hashlib.sha256(trace_of(5).encode()).hexdigest()
    assert hashlib.sha256(done.stdout).hexdigest() == ours


def test_ten_minutes_of_a_call_take_less_than_two_seconds_of_work() -> None:
    async def talk(world: World) -> float:
        questions = [says(f"Question {n}?", quiet_ms=20_000) for n in range(27)]
        async with world.call(*questions, hangs_up()) as call:
            report = await call.over()
        assert report.ok, report.failure
        return report.duration_ms

    began = time.process_time()
    assert in_world(talk, frames=5) > 600_000
    # A second on a machine that does nothing else; what is shared does less in a second.
    assert time.process_time() - began < 2.0 * slowness()
