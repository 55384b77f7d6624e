"""Random plans are plans, the same for the same numbers, and of every sort."""

from typing import Any

from aybiza.faults.plan import Plan, parse
from aybiza.faults.random_plans import ACTORS, MESSAGES, drawn, plan_of
from aybiza.faults.trial import tried


def test_the_same_numbers_give_the_same_plan_and_it_can_be_written() -> None:
    for number in range(60):
        plan = plan_of(7, number)
        assert plan == plan_of(7, number)
        assert parse(plan.text()).text() == plan.text()


def test_all_sorts_of_faults_and_callers_come_up() -> None:
    plans = [plan_of(1, number) for number in range(300)]
    kinds = {fault.kind.group for plan in plans for fault in plan.faults}
    others = {"openai", "elevenlabs"}
    assert kinds == {"process", "listen", "flux", "speak", "bedrock", "line", "node", *others}
    acts = {key for plan in plans for step in plan.steps for key in step}
    assert {"say", "interrupt", "mumble", "press", "break_off", "stay", "hang_up"} <= acts
    assert any(not plan.faults for plan in plans)


def test_no_fault_is_drawn_that_is_not_told_of_and_nearly_all_that_are_told_of_are_drawn() -> None:
    plans = [plan_of(2, number) for number in range(3000)]
    seen = {fault.what for plan in plans for fault in plan.faults}
    assert seen <= drawn() and len(drawn() - seen) < len(drawn()) / 20


def test_what_is_struck_is_there_in_a_call_and_is_told_what_it_is_struck_by() -> None:
    look: Any = {"tool": "look_up", "input": {"what": "river"}, "say": ""}
    steps: list[dict[str, Any]] = [
        {"say": "Where is it?", "quiet_ms": 700},
        {"hang_up": True, "quiet_ms": 1000},
    ]
    call = Plan(steps=steps, answers={"Where is it?": [look, "It is there. You see it."]})
    happened = tried(call, messages=True).happened
    there = {one.who.partition("#")[0] for one in happened if one.kind == "start"}
    assert set(ACTORS) - there == set()
    told = {(one.to.partition("#")[0], _name(one.what)) for one in happened if one.kind == "send"}
    struck = {(actor, message) for actor, known in MESSAGES.items() for message in known}
    assert struck - told == set()


def _name(message: str) -> str:
    return message.removeprefix("call ").removeprefix("cast ").partition("(")[0]
