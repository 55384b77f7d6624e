"""A trial tells all that can be judged, and the same each time."""

import os
from typing import Any

from aybiza.dialogue.journal import Ended
from aybiza.faults.desk import Desk
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


def test_descriptors_and_threads_that_a_call_leaves_are_told(monkeypatch: Any) -> None:
    opened: list[int] = []
    original = Desk.__init__

    def leaking(self: Desk, *given: Any) -> None:
        opened.append(os.open("/dev/null", os.O_RDONLY))
        original(self, *given)

    monkeypatch.setattr(Desk, "__init__", leaking)
    options = PLAN.options
    monkeypatch.setattr(Plan, "options", lambda plan: {**options(), "toolbox": None})
    outcome = tried(PLAN)
    for number in opened:
        os.close(number)
    assert "left: 1 more descriptors" in outcome.broken
