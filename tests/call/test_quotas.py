"""A quota that is reached in the middle of a call: what the caller hears."""

from __future__ import annotations

import pytest

from aybiza.actors.measures import costs
from aybiza.claude.ledger import Quotas
from aybiza.config.agents import Agent
from aybiza.faults.desk import Answers, agent
from aybiza.faults.testing import Caller, Node, assert_heard, says, stays

OVER = "The budget of this call is spent. Goodbye."


@pytest.fixture
def aybiza_answers() -> Answers:
    return {"Hello.": ["Good day."]}


@pytest.fixture
def aybiza_agent() -> Agent:
    return agent(over_quota=OVER)


def test_a_call_over_its_quota_ends_in_words_of_its_own(
    node: Node, call: Caller, aybiza_agent: Agent
) -> None:
    # More than the greeting costs, and less than an answer does.
    costs.open_ledger(node.vm, Quotas(call=2_000, action="refuse"))
    placed = call(says("Hello."), says("And now?", when="Good day"), stays())
    assert_heard(["Good day.", OVER])
    assert aybiza_agent.busy not in placed.heard
