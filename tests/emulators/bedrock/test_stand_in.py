"""Who answers for an agent: its rules, the clinic's desk, or somebody who repeats."""

from pathlib import Path

import pytest

from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.bedrock.rules import Rules, RulesError
from aybiza.emulators.bedrock.stand_in import stand_in

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
