"""Aimed plans come to each pair of a fault and a phase, and the fault strikes in that phase."""

from __future__ import annotations

import random

from aybiza.faults.plan import parse
from aybiza.faults.random_aims import EVERY, PHASES, aim, aimed
from aybiza.faults.random_plans import drawn, plan_of
from aybiza.faults.trial import tried


def test_a_seed_aims_at_all_pairs_of_kinds_and_phases_once_before_any_comes_again() -> None:
    most = len(drawn()) * len(PHASES)
    aims = [aim(3, EVERY * number, drawn()) for number in range(most)]
    assert set(aims) == {(kind, phase) for kind in drawn() for phase in PHASES}
    assert aim(3, EVERY * most, drawn()) == aims[0]
    assert aim(4, 0, drawn()) != aims[0] or aim(4, EVERY, drawn()) != aims[1]
    assert aim(3, 1, drawn()) is None


def test_every_pair_gives_a_plan_that_can_be_written_and_read_back() -> None:
    drew = plan_of(7, 1)
    for kind in sorted(drawn()):
        for phase in PHASES:
            plan = aimed(random.Random(f"{kind} {phase}"), drew, kind, phase)
            assert plan.faults[0].what == kind and plan.faults[0].state == f"phase={phase}"
            assert parse(plan.text()).text() == plan.text()


def test_what_is_aimed_at_a_rare_phase_strikes_in_it() -> None:
    for kind, phase in (("kill", "closing"), ("speak.abort", "interrupted"), ("exit", "eager")):
        plan = aimed(random.Random(1), plan_of(7, 1), kind, phase)
        met = [(strike.fault.what, strike.phase) for strike in tried(plan).strikes]
        assert (kind, phase) in met, plan
