"""The clock that a test holds."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from aybiza.faults.virtual import ambient
from aybiza.faults.virtual_time import VirtualTime
from aybiza.faults.world_loop import LOOK_SECONDS


@pytest.fixture
def clock() -> Iterator[VirtualTime]:
    with ambient(0) as loop, asyncio.Runner(loop_factory=lambda: loop) as runner:
        yield VirtualTime(loop, runner)


def test_hours_pass_at_once(clock: VirtualTime) -> None:
    clock.pass_by(7200)
    assert clock.now == 7200
    assert time.monotonic() >= 7200


def test_a_condition_is_waited_for_and_the_clock_stands_where_it_was_seen_to_hold(
    clock: VirtualTime,
) -> None:
    assert clock.until(lambda: clock.now >= 2.5, within=10)
    assert clock.now == pytest.approx(2.5, abs=LOOK_SECONDS)


def test_a_condition_that_never_holds_is_waited_for_as_long_as_said(clock: VirtualTime) -> None:
    assert not clock.until(lambda: False, within=3)
    assert clock.now == pytest.approx(3)


def test_what_is_async_is_run_to_its_result(clock: VirtualTime) -> None:
    assert clock.run(asyncio.sleep(60, "done")) == "done"
