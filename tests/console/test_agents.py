"""`aybiza agents`: check, show, try, and Vapi's form both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.config.agents import load_agent
from aybiza.console import cli
from aybiza.console.page import COLUMNS

AGENT = 'name = "Desk"\ngreeting = "Hello."\nsystem_prompt = "Be kind."\ntools = ["end_call"]\n'


def ran(*arguments: str, said: str = "") -> Any:
    return CliRunner().invoke(cli.app, ["agents", *arguments], input=said)


def written(folder: Path, name: str, text: str = AGENT) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_agents_of_the_package_can_be_used() -> None:
    result = ran("check")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("ok")] == [
        ["ok", "clinic"],
        ["ok", "helpdesk"],
        ["ok", "winery"],
    ]


def test_one_that_cannot_be_used_is_named_and_the_exit_code_says_so(tmp_path: Path) -> None:
    good = written(tmp_path, "good.toml")
    bad = written(tmp_path, "bad.toml", AGENT + "greetin = 5\n")
    result = ran("check", good, bad)
    assert result.exit_code == 1
    assert "did you mean greeting?" in " ".join(result.stdout.split())
    assert max(map(len, result.stdout.replace(str(tmp_path), "").splitlines())) <= COLUMNS


def test_a_folder_without_agents_is_no_folder_of_good_ones(tmp_path: Path) -> None:
    written(tmp_path, "people.csv", "number\n")
    result = ran("check", str(tmp_path))
    assert result.exit_code == 1
    assert "no agents in this folder" in " ".join(result.stdout.split())


def test_an_agent_is_shown_with_what_is_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, "desk.toml")
    lines = ran("show", path).stdout.splitlines()
    assert any(line.split() == ["greeting", "file", "Hello."] for line in lines)
    assert any(line.split()[:3] == ["barge_in", "default", "true"] for line in lines)
    assert max(map(len, lines)) <= COLUMNS
    assert json.loads(ran("show", path, "--json").stdout)["greeting"] == "Hello."
    prompt = ran("show", path, "--prompt").stdout
    assert prompt.startswith("Be kind.") and "HOW TO SPEAK" in prompt


def test_a_conversation_is_held_line_by_line(tmp_path: Path) -> None:
    result = ran("try", "clinic", said="What are your opening hours?\n\nGoodbye.\n")
    assert result.exit_code == 0
    words = " ".join(result.stdout.split())
    assert "How can I help you today?" in words
    assert "(opening_hours: ok)" in words
    assert "From Monday to Friday" in words
    assert words.endswith("(the call is over: goodbye)")


@pytest.mark.parametrize("command", ["show", "try"])
def test_an_agent_that_cannot_be_read_is_told(command: str) -> None:
    result = ran(command, "clinik")
    assert result.exit_code == 2
    assert "there is no agent 'clinik'" in " ".join(result.stderr.split())


def test_an_agent_goes_to_vapi_and_comes_back(tmp_path: Path) -> None:
    exported = ran("export", written(tmp_path, "desk.toml"), "--vapi")
    assert exported.exit_code == 0
    assert json.loads(exported.stdout)["firstMessage"] == "Hello."
    assert "model.model" in exported.stderr
    file = written(tmp_path, "assistant.json", exported.stdout)
    imported = ran("import", "--vapi", file)
    assert imported.exit_code == 0
    back = load_agent(written(tmp_path, "back.toml", imported.stdout))
    assert (back.name, back.greeting, back.tools) == ("Desk", "Hello.", ("end_call",))


def test_a_file_of_javascript_is_imported_and_what_is_missing_is_told(tmp_path: Path) -> None:
    text = "const a = { // mine\n model: { messages: [{role: 'system', content: `Hi`}] } };"
    result = ran("import", "--vapi", "--name", "Desk", written(tmp_path, "config.js", text))
    assert result.exit_code == 1
    assert 'system_prompt = "Hi"' in result.stdout
    assert "greeting is missing" in " ".join(result.stderr.split())
    text = text.replace("{ // mine", "{ firstMessage: 'Hello.', hipaaEnabled: true, hooks: [],")
    result = ran("import", "--vapi", written(tmp_path, "config.js", text))
    assert result.exit_code == 0
    assert "health_data = true" in result.stdout
    assert "hooks: has no place here" in result.stderr


@pytest.mark.parametrize("text", ["", "{a: key}", '{"a": '])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    result = ran("import", "--vapi", written(tmp_path, "config.js", text))
    assert result.exit_code == 2
    assert "config.js" in result.stderr


def test_the_form_has_to_be_named(tmp_path: Path) -> None:
    assert ran("export", written(tmp_path, "desk.toml")).exit_code == 2
    assert ran("import", str(tmp_path / "none.json"), "--vapi").exit_code == 2
