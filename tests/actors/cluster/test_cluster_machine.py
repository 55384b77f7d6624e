"""Whatever happens to a cluster, everybody is told once, in order, and nothing is left over.

The first test finds the shortest way to a fault, if there is one; the second goes further, as far
as is enough for a fault that is planted in a third. More by
`python -m tests.chaos.machine --seed 1 --steps 1000000`.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from aybiza.actors.cluster.signals import ExitSignal
from aybiza.actors.cluster.ties import Ties
from aybiza.actors.runtime import NOPROC, Pid
from tests.actors.cluster.deeds import CHOICES, step
from tests.actors.cluster.ledger import Broken
from tests.actors.cluster.world import World
from tests.chaos.machine import play

NUMBERS = st.integers(0, 11)
RUNS = 25
LENGTH = 120


class ClusterMachine(RuleBasedStateMachine):
    """Does one thing after another to a `World`."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(1)

    @rule(op=st.sampled_from(CHOICES), a=NUMBERS, b=NUMBERS, c=NUMBERS)
    def deed(self, op: str, a: int, b: int, c: int) -> None:
        step(self.world, op, a, b, c)

    @rule()
    def settle(self) -> None:
        self.world.settle()

    def teardown(self) -> None:
        try:
            self.world.finish()
        finally:
            self.world.close()


@pytest.mark.timeout(300)
def test_everybody_is_told_once_whatever_happens_to_the_cluster() -> None:
    run_state_machine_as_test(
        ClusterMachine,
        settings=settings(
            max_examples=8,
            stateful_step_count=50,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(300)
def test_three_thousand_deeds_break_nothing() -> None:
    told = 0
    for seed in range(RUNS):
        try:
            told += play(seed, LENGTH).ledger.told.total()
        except Broken as broken:
            pytest.fail(f"seed {seed}: {broken}")
    assert told > 4_500


def test_a_link_that_forgets_that_it_was_undone_is_found_by_these_deeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def linked_by(self: Ties, node: str, source: Pid, target: Pid) -> None:
        if (process := self._find(target)) is None:
            self._say(node, ExitSignal(target, source, NOPROC, True))
        else:
            self._links.setdefault(target.serial, {})[source] = process

    monkeypatch.setattr(Ties, "linked_by", linked_by)
    with pytest.raises(Broken, match="half a link"):
        # None of the first twenty meets it.
        for seed in range(20, RUNS):
            play(seed, LENGTH)
