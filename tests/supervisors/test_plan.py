"""The language of plans: what the end of a child means, and what is answered."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.runtime import KILLED, NORMAL, SHUTDOWN, Pid
from aybiza.supervisors.intensity import Intensity
from aybiza.supervisors.plan import (
    AFTER_EXIT,
    RESTARTING,
    ChildInfo,
    Started,
    SupervisorStatistics,
    ended_as_told,
    statistics_of,
)
from tests.supervisors.hand import spec


def test_every_restart_type_knows_what_follows_every_end() -> None:
    assert {key: tuple(after) for key, after in AFTER_EXIT.items()} == {
        ("permanent", True): (True, True),
        ("permanent", False): (True, True),
        ("transient", True): (False, False),
        ("transient", False): (True, True),
        ("temporary", True): (False, False),
        ("temporary", False): (False, True),
    }


def test_what_a_start_function_gave_besides_is_answered_with_the_pid() -> None:
    pid = Pid("n", 1)
    assert Started(pid).answer == pid
    assert Started(pid, "extra").answer == (pid, "extra")


@pytest.mark.parametrize(
    ("fields", "reason", "told"),
    [
        ({}, SHUTDOWN, True),
        ({}, NORMAL, False),
        ({"restart": "transient"}, NORMAL, True),
        ({"restart": "transient"}, "boom", False),
        ({}, KILLED, False),
        ({"shutdown": "brutal_kill"}, KILLED, True),
    ],
)
def test_a_child_told_to_stop_may_end_with_the_reason_it_was_given(
    fields: dict[str, Any], reason: Any, told: bool
) -> None:
    assert ended_as_told(spec("a", **fields), reason) is told


def test_children_are_counted_by_where_they_stand() -> None:
    pids: list[Pid | str | None] = [Pid("n", 1), RESTARTING, None, Pid("n", 2), RESTARTING]
    children = [ChildInfo(number, pid, "worker", ()) for number, pid in enumerate(pids)]
    intensity = Intensity(3, 5)
    intensity.allows(1.0)
    assert statistics_of(children, intensity, 2.0) == SupervisorStatistics(
        children=5,
        running=2,
        restarting=2,
        stopped=1,
        restarts=1,
        restarts_left=2,
        max_restarts=3,
        max_seconds=5,
    )
