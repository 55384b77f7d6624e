"""The decisions of static supervisors, carried out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.runtime import KILLED, NORMAL, SHUTDOWN, Pid, Shutdown
from aybiza.supervisors import RESTARTING, ChildSpec, SupervisorError
from aybiza.supervisors.intensity import Intensity
from aybiza.supervisors.plan import Verdict
from aybiza.supervisors.strategy import Strategy
from tests.supervisors.hand import Hand, spec

GO_ON, SHUT_DOWN = Verdict.GO_ON, Verdict.SHUT_DOWN


class Tree:
    """Children a, b, c … under one strategy, started."""

    def __init__(
        self,
        strategy: str,
        *specs: ChildSpec,
        auto_shutdown: Any = "never",
        max_restarts: int = 100,
        outcomes: dict[str, list[Any]] | None = None,
    ) -> None:
        self.hand = Hand()
        self.hand.outcomes = dict(outcomes or {})
        self.children = Strategy(
            specs, strategy, Intensity(max_restarts, 5), auto_shutdown, self.hand.alive
        )
        self.failed = self.hand.carry_out(self.children.start_all())
        self.after_start = self.hand.told()

    def exit(self, id: str, reason: Any = "boom") -> Verdict:
        """The child's process ends."""
        return self.hand.carry_out(self.children.child_exited(self.hand.pids[id], reason, 0.0))

    def retry(self, id: str) -> Verdict:
        return self.hand.carry_out(self.children.retry(id, 0.0))

    def told(self) -> list[str]:
        return self.hand.told()

    def listed(self) -> list[tuple[Any, Any]]:
        return [(info.id, info.pid) for info in self.children.which_children()]


def abc(strategy: str, **outcomes: list[Any]) -> Tree:
    return Tree(strategy, spec("a"), spec("b"), spec("c"), outcomes=outcomes)


class TestStartAll:
    def test_starts_in_order(self) -> None:
        assert abc("one_for_one").after_start == ["start a", "start b", "start c"]

    def test_ends_what_runs_when_one_fails(self) -> None:
        tree = abc("one_for_one", c=["no"])
        assert tree.failed == ("failed_to_start_child", "c", "no")
        assert tree.after_start == ["start a", "start b", "start c", "stop b", "stop a"]

    def test_goes_on_after_an_ignored_child_and_keeps_its_spec(self) -> None:
        tree = abc("one_for_one", b=["ignore"])
        assert tree.listed() == [
            ("c", tree.hand.pids["c"]),
            ("b", None),
            ("a", tree.hand.pids["a"]),
        ]

    def test_drops_an_ignored_temporary_child(self) -> None:
        tree = Tree("one_for_one", spec("a", restart="temporary"), outcomes={"a": ["ignore"]})
        assert tree.listed() == []


class TestChildExited:
    @pytest.mark.parametrize(
        ("strategy", "told"),
        [
            ("one_for_one", ["start b"]),
            ("rest_for_one", ["stop c", "start b", "start c"]),
            ("one_for_all", ["stop c", "stop a", "start a", "start b", "start c"]),
        ],
    )
    def test_restarts_what_the_strategy_covers(self, strategy: str, told: list[str]) -> None:
        tree = abc(strategy)
        assert tree.exit("b") is GO_ON
        assert tree.told() == told

    @pytest.mark.parametrize("reason", [NORMAL, SHUTDOWN, Shutdown("x"), "boom", KILLED])
    @pytest.mark.parametrize("restart", ["permanent", "transient", "temporary"])
    def test_depends_on_restart_type_and_reason(self, restart: Any, reason: Any) -> None:
        tree = Tree("one_for_one", spec("a", restart=restart))
        tree.exit("a", reason)
        orderly = reason in (NORMAL, SHUTDOWN, Shutdown("x"))
        restarted = restart == "permanent" or (restart == "transient" and not orderly)
        assert tree.told() == (["start a"] if restarted else [])
        assert (tree.listed() == []) is (restart == "temporary")

    @pytest.mark.parametrize(
        ("restart", "reason", "reported"),
        [
            ("permanent", NORMAL, True),
            ("transient", NORMAL, False),
            ("transient", "boom", True),
            ("temporary", SHUTDOWN, False),
            ("temporary", "boom", True),
        ],
    )
    def test_is_reported_unless_the_child_has_done_its_work(
        self, restart: Any, reason: Any, reported: bool
    ) -> None:
        tree = Tree("one_for_one", spec("a", restart=restart))
        tree.exit("a", reason)
        assert tree.hand.reports() == ([("child_terminated", reason)] if reported else [])

    def test_of_a_stranger_is_nothing(self) -> None:
        tree = abc("one_for_all")
        plan = tree.children.child_exited(Pid("elsewhere", 1), "boom", 0.0)
        assert tree.hand.carry_out(plan) is GO_ON
        assert tree.told() == []

    def test_takes_temporary_bystanders_away_for_good(self) -> None:
        tree = Tree("one_for_all", spec("a"), spec("t", restart="temporary"))
        tree.exit("a")
        assert tree.told() == ["stop t", "start a"]
        assert [id for id, _ in tree.listed()] == ["a"]

    def test_revives_a_bystander_that_was_terminated(self) -> None:
        tree = abc("one_for_all")
        tree.hand.carry_out(tree.children.terminate_child("a"))
        tree.told()
        tree.exit("b")
        assert tree.told() == ["stop c", "start a", "start b", "start c"]

    def test_shuts_down_at_one_restart_too_many(self) -> None:
        tree = Tree("one_for_one", spec("a"), spec("b"), max_restarts=1)
        assert tree.exit("a") is GO_ON
        assert tree.exit("b") is SHUT_DOWN
        assert ("shutdown", "reached_max_restart_intensity") in tree.hand.reports()
        tree.hand.carry_out(tree.children.stop_all())
        assert tree.told() == ["stop a"]


class TestRetry:
    def test_follows_a_start_that_failed(self) -> None:
        tree = abc("one_for_one", b=["ok", "no", "no"])
        tree.exit("b")
        assert tree.told() == ["start b", "retry b"]
        assert tree.listed()[1] == ("b", RESTARTING)
        assert tree.retry("b") is GO_ON
        assert tree.told() == ["start b", "retry b"]
        assert tree.retry("b") is GO_ON
        assert tree.told() == ["start b"]

    def test_under_rest_for_one_goes_on_where_it_failed(self) -> None:
        tree = abc("rest_for_one", b=["ok", "no"])
        tree.exit("a")
        assert tree.told() == ["stop c", "stop b", "start a", "start b", "retry b"]
        tree.retry("b")
        assert tree.told() == ["start b", "start c"]

    def test_under_one_for_all_begins_anew(self) -> None:
        tree = abc("one_for_all", b=["ok", "no"])
        tree.exit("c")
        assert tree.told() == ["stop b", "stop a", "start a", "start b", "retry b"]
        tree.retry("b")
        assert tree.told() == ["stop a", "start a", "start b", "start c"]

    def test_counts_as_a_restart(self) -> None:
        tree = Tree(
            "one_for_one", spec("a"), max_restarts=2, outcomes={"a": ["ok", "no", "no", "no"]}
        )
        assert [tree.exit("a"), tree.retry("a"), tree.retry("a")] == [GO_ON, GO_ON, SHUT_DOWN]

    def test_is_nothing_when_a_sibling_has_brought_the_child_back(self) -> None:
        tree = abc("one_for_all", b=["ok", "no"])
        tree.exit("b")
        assert tree.told()[-1] == "retry b"
        tree.exit("a")
        tree.told()
        assert tree.retry("b") is GO_ON
        assert tree.told() == []

    def test_is_nothing_after_the_child_was_terminated(self) -> None:
        tree = abc("one_for_one", b=["ok", "no"])
        tree.exit("b")
        tree.hand.carry_out(tree.children.terminate_child("b"))
        tree.told()
        assert tree.retry("b") is GO_ON
        assert tree.told() == []


class TestAutoShutdown:
    SIGNIFICANT = (
        spec("a", restart="transient", significant=True),
        spec("b", restart="temporary", significant=True),
        spec("c"),
    )

    def test_any_significant_child_that_ends_is_enough(self) -> None:
        tree = Tree("one_for_one", *self.SIGNIFICANT, auto_shutdown="any_significant")
        assert tree.exit("c", NORMAL) is GO_ON
        assert tree.exit("a", "boom") is GO_ON
        assert tree.exit("b", "boom") is SHUT_DOWN

    def test_all_significant_waits_for_the_last(self) -> None:
        tree = Tree("one_for_one", *self.SIGNIFICANT, auto_shutdown="all_significant")
        assert tree.exit("b", NORMAL) is GO_ON
        assert tree.exit("a", NORMAL) is SHUT_DOWN

    def test_all_significant_counts_a_terminated_child_as_gone(self) -> None:
        tree = Tree("one_for_one", *self.SIGNIFICANT, auto_shutdown="all_significant")
        tree.hand.carry_out(tree.children.terminate_child("a"))
        assert tree.exit("b", NORMAL) is SHUT_DOWN

    def test_all_significant_counts_a_child_in_restart_as_running(self) -> None:
        tree = Tree(
            "one_for_one",
            *self.SIGNIFICANT,
            auto_shutdown="all_significant",
            outcomes={"a": ["ok", "no"]},
        )
        tree.exit("a", "boom")
        assert tree.exit("b", NORMAL) is GO_ON


class TestStartChild:
    def test_adds_behind_the_others(self) -> None:
        tree = Tree("one_for_one", spec("a"))
        pid = tree.hand.carry_out(tree.children.start_child(spec("b")))
        assert tree.listed() == [("b", pid), ("a", tree.hand.pids["a"])]

    def test_refuses_an_id_that_is_taken(self) -> None:
        tree = Tree("one_for_one", spec("a"))
        with pytest.raises(SupervisorError) as caught:
            tree.hand.carry_out(tree.children.start_child(spec("a")))
        assert caught.value.term == ("already_started", tree.hand.pids["a"])
        tree.hand.carry_out(tree.children.terminate_child("a"))
        with pytest.raises(SupervisorError) as caught:
            tree.hand.carry_out(tree.children.start_child(spec("a")))
        assert caught.value.term == "already_present"

    def test_gives_the_reason_and_the_spec_of_a_child_that_fails(self) -> None:
        tree = Tree("one_for_one", outcomes={"b": ["no"]})
        with pytest.raises(SupervisorError) as caught:
            tree.hand.carry_out(tree.children.start_child(spec("b")))
        assert caught.value.term == ("no", spec("b"))
        assert tree.listed() == []

    @pytest.mark.parametrize(("restart", "kept"), [("transient", 1), ("temporary", 0)])
    def test_keeps_the_spec_of_an_ignored_child_unless_temporary(
        self, restart: Any, kept: int
    ) -> None:
        tree = Tree("one_for_one", outcomes={"b": ["ignore"]})
        plan = tree.children.start_child(spec("b", restart=restart))
        assert tree.hand.carry_out(plan) is None
        assert len(tree.listed()) == kept


class TestRestartAndDeleteChild:
    def test_refuse_a_child_that_runs_is_restarting_or_unknown(self) -> None:
        tree = abc("one_for_one", b=["ok", "no"])
        tree.exit("b")
        for id, term in [("a", "running"), ("b", "restarting"), ("x", "not_found")]:
            with pytest.raises(SupervisorError) as caught:
                tree.hand.carry_out(tree.children.restart_child(id))
            assert caught.value.term == term
            with pytest.raises(SupervisorError) as caught:
                tree.children.delete_child(id)
            assert caught.value.term == term

    def test_a_restarted_child_keeps_its_place_a_deleted_and_added_one_does_not(self) -> None:
        tree = abc("one_for_one")
        for id in ("a", "b"):
            tree.hand.carry_out(tree.children.terminate_child(id))
        tree.hand.carry_out(tree.children.restart_child("a"))
        tree.children.delete_child("b")
        tree.hand.carry_out(tree.children.start_child(spec("b")))
        assert [id for id, _ in tree.listed()] == ["b", "c", "a"]

    def test_a_restart_that_fails_gives_the_bare_reason(self) -> None:
        tree = Tree("one_for_one", spec("a"), outcomes={"a": ["ok", "no"]})
        tree.hand.carry_out(tree.children.terminate_child("a"))
        with pytest.raises(SupervisorError) as caught:
            tree.hand.carry_out(tree.children.restart_child("a"))
        assert caught.value.term == "no"


class TestCountChildren:
    def test_counts_the_living_as_active(self) -> None:
        tree = Tree("one_for_one", spec("a"), spec("s", type="supervisor"), spec("b"))
        tree.hand.carry_out(tree.children.terminate_child("b"))
        tree.hand.dead.add(tree.hand.pids["a"])
        assert tree.children.count_children() == (3, 1, 1, 2)
