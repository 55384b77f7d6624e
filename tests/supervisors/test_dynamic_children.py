"""The decisions of dynamic supervisors, carried out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.runtime import NORMAL, Pid
from aybiza.supervisors import INFINITY, RESTARTING, SupervisorError
from aybiza.supervisors.dynamic_children import DynamicChildren
from aybiza.supervisors.intensity import Intensity
from aybiza.supervisors.plan import Verdict
from tests.supervisors.hand import Hand, spec


class Many:
    """Such a supervisor, and what is done to it."""

    def __init__(self, max_children: Any = INFINITY, max_restarts: int = 2) -> None:
        self.hand = Hand()
        self.children = DynamicChildren(Intensity(max_restarts, 5), max_children)

    def start(self, id: str = "a", **fields: Any) -> Any:
        return self.hand.carry_out(self.children.start_child(spec(id, **fields)))

    def exit(self, pid: Pid, reason: Any = "boom") -> Verdict:
        return self.hand.carry_out(self.children.child_exited(pid, reason, 0.0))

    def retry(self, pid: Pid) -> Verdict:
        return self.hand.carry_out(self.children.retry(pid, 0.0))

    def pids(self) -> list[Any]:
        return [info.pid for info in self.children.which_children()]


class TestStartChild:
    def test_does_not_mind_the_same_id_twice(self) -> None:
        many = Many()
        assert many.pids() == [] and [many.start(), many.start()] == many.pids()

    def test_stops_at_max_children_and_counts_those_in_restart(self) -> None:
        many = Many(max_children=1)
        pid = many.start()
        many.hand.outcomes["a"] = ["no"]
        many.exit(pid)
        assert many.pids() == [RESTARTING]
        with pytest.raises(SupervisorError) as caught:
            many.start("b")
        assert caught.value.term == "max_children"

    def test_gives_the_bare_reason_of_a_start_that_fails(self) -> None:
        many = Many()
        many.hand.outcomes["a"] = ["no"]
        with pytest.raises(SupervisorError) as caught:
            many.start()
        assert caught.value.term == "no"

    def test_an_ignored_child_is_none(self) -> None:
        many = Many()
        many.hand.outcomes["a"] = ["ignore"]
        assert many.start() is None
        assert many.children.count_children() == (0, 0, 0, 0)


class TestChildExited:
    @pytest.mark.parametrize(
        ("restart", "reason", "lives"),
        [
            ("permanent", NORMAL, True),
            ("transient", NORMAL, False),
            ("transient", "boom", True),
            ("temporary", "boom", False),
        ],
    )
    def test_depends_on_restart_type_and_reason(
        self, restart: Any, reason: Any, lives: bool
    ) -> None:
        many = Many()
        old = many.start(restart=restart)
        many.exit(old, reason)
        assert len(many.pids()) == lives
        assert old not in many.pids()

    def test_an_ignored_restart_removes_the_child(self) -> None:
        many = Many()
        pid = many.start()
        many.hand.outcomes["a"] = ["ignore"]
        many.exit(pid)
        assert many.pids() == []

    def test_shuts_down_at_one_restart_too_many(self) -> None:
        many = Many(max_restarts=0)
        assert many.exit(many.start()) is Verdict.SHUT_DOWN


class TestRetry:
    def test_follows_a_start_that_failed_and_counts(self) -> None:
        many = Many()
        pid = many.start()
        many.hand.outcomes["a"] = ["no", "no"]
        assert many.exit(pid) is Verdict.GO_ON
        assert many.children.count_children() == (1, 0, 0, 1)
        assert many.retry(pid) is Verdict.GO_ON
        assert many.retry(pid) is Verdict.SHUT_DOWN

    def test_is_nothing_after_the_child_was_terminated(self) -> None:
        many = Many()
        pid = many.start()
        many.hand.outcomes["a"] = ["no"]
        many.exit(pid)
        many.hand.told()
        many.hand.carry_out(many.children.terminate_child(pid))
        assert many.retry(pid) is Verdict.GO_ON
        assert many.hand.told() == []


class TestTerminateChild:
    def test_does_not_know_what_is_no_child(self) -> None:
        many = Many()
        with pytest.raises(SupervisorError) as caught:
            many.hand.carry_out(many.children.terminate_child(Pid("elsewhere", 1)))
        assert caught.value.term == "not_found"


def test_all_children_are_stopped_at_once() -> None:
    many = Many()
    many.start("a")
    many.start("b", type="supervisor")
    assert many.children.count_children() == (2, 2, 1, 1)
    many.hand.told()
    many.hand.carry_out(many.children.stop_all())
    assert many.hand.told() == ["stop a b"]


@pytest.mark.parametrize("limit", [-1, 1.5, "many", True])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(SupervisorError) as caught:
        DynamicChildren(Intensity(1, 1), limit)
    assert caught.value.term == ("invalid_max_children", limit)
