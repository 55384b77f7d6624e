"""The decisions of simple_one_for_one supervisors, carried out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.runtime import NORMAL, ExitError, Pid
from aybiza.actors.runtime.reasons import FUNCTION_CLAUSE
from aybiza.supervisors import RESTARTING, SupervisorError
from aybiza.supervisors.intensity import Intensity
from aybiza.supervisors.plan import Start, Verdict
from aybiza.supervisors.simple_one_for_one import SimpleOneForOne
from tests.supervisors.hand import Hand, spec

STRANGER = Pid("elsewhere", 1)


class Many:
    """Such a supervisor, and what is done to it."""

    def __init__(self, *, auto_shutdown: Any = "never", max_restarts: int = 2, **fields: Any):
        self.hand = Hand()
        self.children = SimpleOneForOne(
            spec("t", **fields), Intensity(max_restarts, 5), auto_shutdown, self.hand.alive
        )

    def start(self, *arguments: Any) -> Any:
        return self.hand.carry_out(self.children.start_child(arguments))

    def exit(self, pid: Pid, reason: Any = "boom") -> Verdict:
        return self.hand.carry_out(self.children.child_exited(pid, reason, 0.0))

    def pids(self) -> list[Any]:
        return [info.pid for info in self.children.which_children()]


class TestStartChild:
    def test_gives_the_template_the_arguments_and_gives_them_again_at_a_restart(self) -> None:
        many = Many()
        many.exit(many.start("x", 1))
        starts = [command for command in many.hand.commands if isinstance(command, Start)]
        assert [start.extra for start in starts] == [("x", 1), ("x", 1)]

    def test_gives_the_bare_reason_of_a_start_that_fails(self) -> None:
        many = Many()
        many.hand.outcomes["t"] = ["no"]
        with pytest.raises(SupervisorError) as caught:
            many.start()
        assert caught.value.term == "no"

    def test_wants_a_list_of_arguments(self) -> None:
        many = Many()
        with pytest.raises(SupervisorError) as caught:
            many.hand.carry_out(many.children.start_child(spec("a")))
        assert caught.value.term == ("badarg", spec("a"))

    def test_keeps_nothing_of_an_ignored_start(self) -> None:
        many = Many()
        many.hand.outcomes["t"] = ["ignore"]
        assert many.start() is None
        assert many.pids() == []


class TestChildExited:
    def test_a_finished_transient_child_leaves_nothing(self) -> None:
        many = Many(restart="transient")
        many.exit(many.start(), NORMAL)
        assert many.pids() == []

    def test_a_failed_restart_is_retried_and_counts(self) -> None:
        many = Many()
        pid = many.start()
        many.hand.outcomes["t"] = ["no", "no"]
        assert many.exit(pid) is Verdict.GO_ON
        assert many.pids() == [RESTARTING]
        assert many.children.count_children() == (1, 0, 0, 1)
        (key,) = many.children._arguments
        assert many.hand.carry_out(many.children.retry(key, 0.0)) is Verdict.GO_ON  # type: ignore[arg-type]
        assert many.hand.carry_out(many.children.retry(key, 0.0)) is Verdict.SHUT_DOWN  # type: ignore[arg-type]

    def test_an_ignored_restart_leaves_an_entry_that_spoils_the_end(self) -> None:
        many = Many()
        pid = many.start()
        many.hand.outcomes["t"] = ["ignore"]
        many.exit(pid)
        assert many.pids() == [None]
        assert many.children.count_children().active == 1
        with pytest.raises(ExitError) as caught:
            many.hand.carry_out(many.children.stop_all())
        assert caught.value.reason == FUNCTION_CLAUSE

    def test_all_significant_shuts_down_with_the_last(self) -> None:
        many = Many(auto_shutdown="all_significant", restart="transient", significant=True)
        first, second = many.start(), many.start()
        assert many.exit(first, NORMAL) is Verdict.GO_ON
        assert many.exit(second, NORMAL) is Verdict.SHUT_DOWN

    def test_of_a_stranger_is_nothing(self) -> None:
        assert Many().exit(STRANGER) is Verdict.GO_ON


class TestTerminateChild:
    def test_wants_a_pid(self) -> None:
        with pytest.raises(SupervisorError) as caught:
            many = Many()
            many.hand.carry_out(many.children.terminate_child("t"))
        assert caught.value.term == "simple_one_for_one"

    def test_does_not_know_a_living_stranger_and_minds_no_dead_one(self) -> None:
        many = Many()
        with pytest.raises(SupervisorError) as caught:
            many.hand.carry_out(many.children.terminate_child(STRANGER))
        assert caught.value.term == "not_found"
        many.hand.dead.add(STRANGER)
        many.hand.carry_out(many.children.terminate_child(STRANGER))

    def test_ends_a_child_and_calls_off_a_restart(self) -> None:
        many = Many()
        first, second = many.start(), many.start()
        many.hand.outcomes["t"] = ["no"]
        many.exit(first)
        many.hand.told()
        many.hand.carry_out(many.children.terminate_child(first))
        many.hand.carry_out(many.children.terminate_child(second))
        assert many.hand.told() == ["stop t"]
        assert many.pids() == []


class TestOthers:
    def test_restart_and_delete_are_refused(self) -> None:
        for refused in (Many().children.restart_child, Many().children.delete_child):
            with pytest.raises(SupervisorError) as caught:
                refused("t")
            assert caught.value.term == "simple_one_for_one"

    def test_the_spec_is_found_by_the_template_id_and_by_a_pid(self) -> None:
        many = Many()
        pid = many.start()
        assert many.children.get_childspec("t") == many.children.get_childspec(pid)
        for unknown in ("x", STRANGER):
            with pytest.raises(SupervisorError):
                many.children.get_childspec(unknown)

    def test_all_children_are_stopped_at_once(self) -> None:
        many = Many()
        many.start()
        many.start()
        many.hand.told()
        many.hand.carry_out(many.children.stop_all())
        assert many.hand.told() == ["stop t t"]
