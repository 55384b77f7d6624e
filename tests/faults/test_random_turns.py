"""Random calls come to all that a call can come to."""

from aybiza.faults.random_plans import plan_of


def test_calls_come_to_more_than_questions_and_answers() -> None:
    plans = [plan_of(1, number) for number in range(300)]
    tools = {
        reply["tool"]
        for plan in plans
        for given in plan.answers.values()
        for reply in given
        if isinstance(reply, dict) and "tool" in reply
    }
    assert tools == {"look_up", "break_down", "book", "transfer", "end_call"}
    set_of_agents = {name for plan in plans for name in plan.agent}
    assert {"max_duration_s", "hours", "keys_masked", "transfer_numbers"} <= set_of_agents
    outcomes = {party["outcome"] for plan in plans for party in plan.parties.values()}
    assert {"completed", "busy", "no-answer"} <= outcomes
    assert any(plan.guardrail for plan in plans)
    assert any("interrupt" in plan.steps[0] for plan in plans), "who speaks into the greeting"
