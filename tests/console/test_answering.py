"""Who answers on a route: limits of the node where the agent has none, tools of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.config.routes import Route
from aybiza.config.settings import load
from aybiza.console.answering import answering
from aybiza.dialogue.tools.catalogue import load_tools
from aybiza.faults.desk import agent
from tests.gateway.kit import POLICY

TOOLS = '[transfer.sales]\nnumber = "+14155550100"\ndescription = "orders"\n'


def test_two_agents_share_no_consent_and_no_book(tmp_path: Path) -> None:
    path = tmp_path / "tools.toml"
    path.write_text(TOOLS)
    tools = load_tools(path, region="us-east-1", environment={})
    both = [
        answering(
            Route(name, agent(name=name, tools=("transfer_call", "book_appointment")), "T"),
            load({}),
            POLICY,
            tools,
        )
        for name in ("one", "two")
    ]
    first, second = (who.toolbox for who in both)
    assert first is not second
    names = [spec["toolSpec"]["name"] for spec in first.specs()]
    assert names == ["transfer_call", "book_appointment"]
    assert both[0].destinations == {"sales": "+14155550100"}
    assert (both[0].agent.max_duration_s, both[0].route) == (3600.0, "one")


def test_a_tool_that_there_is_not_is_named_with_its_agent() -> None:
    with pytest.raises(ValueError, match="Desk: tools: no such tool: fly"):
        answering(Route("r", agent(tools=("fly",)), "T"), load({}), POLICY, None)


def test_an_agent_is_answered_by_its_own_model_and_rule() -> None:
    last = POLICY.ids[-1]
    own = agent(model=last, model_rule="configured")
    who = answering(Route("r", own, "T"), load({}), POLICY, None)
    assert (who.policy.models[0].id, who.policy.rule) == (last, "configured")
    with pytest.raises(ValueError, match="Desk: model: there is no 'gpt'"):
        answering(Route("r", agent(model="gpt"), "T"), load({}), POLICY, None)
