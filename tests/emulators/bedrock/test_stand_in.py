"""Who answers for an agent: its rules, the clinic's desk, or somebody who repeats."""

from pathlib import Path

import pytest

from aybiza.config.agents import load_agent
from aybiza.dialogue.prompt import system_prompt
from aybiza.emulators.bedrock.continuation import Body, Responder
from aybiza.emulators.bedrock.reply import Reply
from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.bedrock.rules import Rules, RulesError
from aybiza.emulators.bedrock.stand_in import stand_in, stand_in_of

AGENT = 'name = "A"\nsystem_prompt = "Help."\ngreeting = "Hello."\n'


def agent(folder: Path, tools: str = "[]", rules: str | None = None) -> str:
    path = folder / "desk.toml"
    path.write_text(f"{AGENT}tools = {tools}\n")
    if rules is not None:
        (folder / "desk.rules.toml").write_text(rules)
    return str(path)


def test_the_clinic_keeps_its_desk() -> None:
    assert stand_in("clinic") is respond


def test_an_agent_with_the_clinics_tools_has_its_desk(tmp_path: Path) -> None:
    assert stand_in(agent(tmp_path, '["book_appointment", "end_call"]')) is respond


@pytest.mark.parametrize("tools", ["[]", '["end_call", "transfer_to_person", "place_order"]'])
def test_any_other_agent_is_answered_plainly(tmp_path: Path, tools: str) -> None:
    assert stand_in(agent(tmp_path, tools)) == Rules()


def test_rules_beside_an_agent_answer_for_it(tmp_path: Path) -> None:
    found = stand_in(agent(tmp_path, '["book_appointment"]', 'otherwise = "What?"'))
    assert found == Rules(otherwise="What?")


def test_rules_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RulesError):
        stand_in(agent(tmp_path, rules="otherwise = 3"))


ROUTES = """
[routes.pizza]
agent = "pizza.toml"
numbers = ["+14155550100"]

[routes.pizza_by_night]
agent = "night.toml"

[routes.flowers]
agent = "flowers.toml"
numbers = ["+14155550101"]
"""
PROMPTS = {
    "pizza": ("You sell pizza.", "Pizza!"),
    "night": ("You sell pizza.", "Pizza by night!"),
    "flowers": ("You sell pizza. And flowers.", "Flowers!"),
}


def shops(folder: Path) -> Path:
    """Routes to three agents: two have the same prompt, the third one's begins as theirs does."""
    for name, (prompt, greeting) in PROMPTS.items():
        (folder / f"{name}.toml").write_text(
            f'name = "{name}"\nsystem_prompt = "{prompt}"\ngreeting = "{greeting}"\n'
        )
        (folder / f"{name}.rules.toml").write_text(f'otherwise = "The {name} shop."\n')
    path = folder / "routes.toml"
    path.write_text(ROUTES)
    return path


def asked(agent: str) -> Body:
    """The first request of a call of this agent."""
    said = {"role": "user", "content": [{"text": "Hello."}]}
    return {"system": [{"text": system_prompt(load_agent(agent))}], "messages": [said]}


def answer(responder: Responder, body: Body) -> str:
    """What a stand-in says; it takes no time to think."""
    reply = responder(body)
    assert isinstance(reply, Reply)
    return reply.text


def test_each_agent_of_a_node_is_answered_for_by_its_own_model(tmp_path: Path) -> None:
    several = stand_in_of("clinic", shops(tmp_path))
    answers = {name: answer(several, asked(str(tmp_path / f"{name}.toml"))) for name in PROMPTS}
    assert answers == {name: f"The {name} shop." for name in PROMPTS}
    assert several(asked("clinic")) == respond(asked("clinic"))
    summed_up = {**asked("clinic"), "system": [{"text": "You sum up."}]}
    assert several(summed_up) == respond(summed_up)
    assert several({"messages": summed_up["messages"]}) == respond(summed_up)


def test_agents_that_change_while_the_node_runs_are_read_again(tmp_path: Path) -> None:
    several = stand_in_of("clinic", shops(tmp_path))
    agent, rules = tmp_path / "flowers.toml", tmp_path / "flowers.rules.toml"
    agent.write_text(agent.read_text().replace("You sell", "You give away"))
    rules.write_text('otherwise = "All is free."\n')
    assert answer(several, asked(str(agent))) == "All is free."
    rules.write_text("otherwise = 3")
    assert answer(several, asked(str(agent))) == "All is free."


def test_without_routes_the_one_agent_answers_whatever_it_is_told(tmp_path: Path) -> None:
    assert stand_in_of("clinic", None) is respond
