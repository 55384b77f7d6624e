"""Random plans are plans, the same for the same numbers, and of every sort."""

from aybiza.faults.plan import parse
from aybiza.faults.random_plans import plan_of


def test_the_same_numbers_give_the_same_plan_and_it_can_be_written() -> None:
    for number in range(60):
        plan = plan_of(7, number)
        assert plan == plan_of(7, number)
        assert parse(plan.text()).text() == plan.text()


def test_all_sorts_of_faults_and_callers_come_up() -> None:
    plans = [plan_of(1, number) for number in range(300)]
    kinds = {fault.kind.group for plan in plans for fault in plan.faults}
    assert kinds == {"process", "listen", "flux", "speak", "bedrock", "line", "node"}
    acts = {key for plan in plans for step in plan.steps for key in step}
    assert {"say", "interrupt", "mumble", "press", "break_off", "stay", "hang_up"} <= acts
    assert any(not plan.faults for plan in plans)
