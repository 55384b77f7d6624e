"""A trial tells all that can be judged, and the same each time."""

from aybiza.dialogue.journal import Ended
from aybiza.faults.plan import Plan
from aybiza.faults.trial import tried

PLAN = Plan(
    answers={"Hello.": ["Good morning to you."]},
    steps=[{"say": "Hello."}, {"hang_up": True}],
)


def test_a_call_in_which_nothing_breaks_breaks_nothing() -> None:
    outcome = tried(PLAN)
    assert outcome.broken == [] and outcome.left == [] and outcome.over
    assert outcome.entries[-1][1] == Ended("hangup")
    assert [door for _, door, _ in outcome.opened] == ["listen", "speak", "bedrock"]
    assert outcome.spent[0] == outcome.spent[1] > 0
    assert " -> " not in outcome.trace


def test_two_trials_of_a_plan_have_the_same_trace() -> None:
    one = tried(PLAN, messages=True)
    assert one.trace == tried(PLAN, messages=True).trace
    assert len(one.trace) > 5000
