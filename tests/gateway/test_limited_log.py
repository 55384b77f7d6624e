"""Lines that strangers can cause are so many a minute, and the rest is counted."""

from __future__ import annotations

from structlog.testing import capture_logs

from aybiza.actors.runtime import VM
from aybiza.gateway.limited_log import LINES, SECONDS, TABLE, Limits, told


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_kind_has_its_lines_a_minute_and_says_how_many_more_there_were() -> None:
    clock = Clock()
    limits = Limits(clock)
    assert [limits.may("a") for _ in range(LINES)] == [0] * LINES
    assert [limits.may("a") for _ in range(5)] == [None] * 5
    assert limits.may("b") == 0
    clock.now += SECONDS
    assert [limits.may("a"), limits.may("a")] == [5, 0]


async def test_a_hundred_thousand_lines_are_a_minute_s() -> None:
    async with VM("here") as vm:
        with capture_logs() as lines:
            for number in range(10_000):
                told(vm, "refused", number=number)
            told(vm, "other", "info")
        assert [line["event"] for line in lines] == ["refused"] * LINES + ["other"]
        assert (lines[0]["log_level"], lines[-1]["log_level"]) == ("warning", "info")
        assert set(vm.tables[TABLE]._kinds) == {"refused", "other"}
