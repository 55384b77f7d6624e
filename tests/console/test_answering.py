"""Who answers on a route: limits of the node where the agent has none, tools of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.config.agents import load_agent
from aybiza.config.routes import Route
from aybiza.config.settings import load
from aybiza.console.answering import answering, placed_fault
from aybiza.dialogue.tools.tool_files import ToolFiles
from aybiza.faults.desk import agent
from tests.gateway.kit import POLICY

TOOLS = '[transfer.sales]\nnumber = "+14155550100"\ndescription = "orders"\n'


def test_two_agents_have_toolboxes_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "tools.toml"
    path.write_text(TOOLS)
    files = ToolFiles(path)
    clinic = load_agent("clinic").tools_file
    names = ("transfer_call", "book_appointment")
    both = [
        answering(
            Route(name, agent(name=name, tools=names, tools_file=clinic), "T"),
            load({}),
            POLICY,
            files,
        )
        for name in ("one", "two")
    ]
    first, second = (who.toolbox for who in both)
    assert first is not second
    assert [spec["toolSpec"]["name"] for spec in first.specs()] == list(names)
    assert both[0].destinations == {"sales": "+14155550100"}
    assert (both[0].agent.max_duration_s, both[0].route) == (3600.0, "one")


def test_a_tool_that_there_is_not_is_named_with_its_agent() -> None:
    with pytest.raises(ValueError, match="Desk: tools: no such tool: fly"):
        answering(Route("r", agent(tools=("fly",)), "T"), load({}), POLICY, ToolFiles())


def test_what_an_agents_file_asks_for_in_vain_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text('name = "Desk"\ngreeting = "Hello."\nmodel_rule = "fastest"\n')
    who = Route("r", load_agent(str(path)), "T", source=str(path))
    with pytest.raises(ValueError) as caught:
        answering(who, load({}), POLICY, ToolFiles())
    assert str(caught.value).startswith(f"{path}:3: model_rule: there is no 'fastest'")
    path.unlink()
    assert placed_fault(who, "model: x") == f"{path}: model: x"


def test_an_agent_is_answered_by_its_own_model_and_rule() -> None:
    last = POLICY.ids[-1]
    own = agent(model=last, model_rule="configured")
    who = answering(Route("r", own, "T"), load({}), POLICY, ToolFiles())
    assert (who.policy.models[0].id, who.policy.rule) == (last, "configured")
    with pytest.raises(ValueError, match="Desk: model: there is no 'gpt'"):
        answering(Route("r", agent(model="gpt"), "T"), load({}), POLICY, ToolFiles())


def test_a_voice_of_elevenlabs_needs_its_key() -> None:
    who = Route("r", agent(second_voice="elevenlabs:JBFqnCBsd6RMkjVDRZzb"), "T")
    with pytest.raises(ValueError, match="Desk: voice: set ELEVENLABS_API_KEY"):
        answering(who, load({}), POLICY, ToolFiles())
    assert answering(who, load({"ELEVENLABS_API_KEY": "k"}), POLICY, ToolFiles()).agent.voices


def test_a_last_model_needs_its_key_and_no_guardrail() -> None:
    who = Route("r", agent(last_model="openai:gpt-4o-mini"), "T")
    with pytest.raises(ValueError, match="Desk: last_model: set OPENAI_API_KEY"):
        answering(who, load({}), POLICY, ToolFiles())
    key = {"OPENAI_API_KEY": "k"}
    last = answering(who, load(key), POLICY, ToolFiles()).policy.last
    assert last is not None and last.known and last.id == "openai:gpt-4o-mini"
    guarded = load({**key, "AYBIZA_GUARDRAIL": "gr-1:1"})
    with pytest.raises(ValueError, match="Desk: last_model: its answers would pass no guardrail"):
        answering(who, guarded, POLICY, ToolFiles())
