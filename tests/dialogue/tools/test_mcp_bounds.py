"""How much a server may say, and when it is started again."""

import pytest

from aybiza.dialogue.tools.mcp_bounds import (
    LONGEST_PAUSE,
    WINDOW_BYTES,
    WINDOW_MESSAGES,
    WINDOW_SECONDS,
    Flood,
    Meter,
    pause,
)


@pytest.mark.parametrize(("size", "count"), [(1, WINDOW_MESSAGES), (WINDOW_BYTES // 4, 4)])
def test_so_much_in_a_window_and_no_more(size: int, count: int) -> None:
    meter = Meter()
    for _ in range(count):
        meter.took(100.0, size)
    with pytest.raises(Flood):
        meter.took(100.0 + WINDOW_SECONDS / 2, size)
    meter.took(100.0 + WINDOW_SECONDS, size)


def test_the_pause_grows_to_a_bound_and_begins_anew_behind_a_steady_life() -> None:
    ends, pauses = 0, []
    for _ in range(10):
        ends, seconds = pause(ends, 1.0)
        pauses.append(seconds)
    assert pauses == sorted(pauses) and pauses[-1] == LONGEST_PAUSE
    assert pause(ends, 1_000.0) == (1, pauses[0])
