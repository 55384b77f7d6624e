"""Shrinking keeps what breaks and leaves out the rest."""

from aybiza.faults.fault import Fault
from aybiza.faults.plan import Plan
from aybiza.faults.shrink import shrunk

BIG = Plan(
    steps=[{"say": "One?"}, {"say": "Two?"}, {"mumble": 300}, {"hang_up": True}],
    answers={"One?": ["A first. A second."], "Two?": ["B."]},
    faults=[
        Fault("kill", "SpeakerActor", at=3.4171, times=3),
        Fault("kill", "CallActor", after="SentenceHeard", nth=4, delay=0.37),
    ],
    thinks_ms=900.0,
)


def test_only_what_is_needed_is_left() -> None:
    def breaks(plan: Plan) -> bool:
        return any(fault.where == "SpeakerActor" for fault in plan.faults)

    small = shrunk(BIG, breaks)
    assert small.faults == [Fault("kill", "SpeakerActor", at=3.0)]
    assert small.steps == [{"hang_up": True}]
    assert small.answers == {} and small.thinks_ms == 400.0


def test_what_breaks_only_as_it_is_stays_as_it_is() -> None:
    assert shrunk(BIG, lambda plan: plan == BIG) == BIG


def test_no_more_trials_are_made_than_allowed() -> None:
    tried: list[Plan] = []

    def breaks(plan: Plan) -> bool:
        tried.append(plan)
        return False

    shrunk(BIG, breaks, most=3)
    assert len(tried) == 3
