"""`aybiza tools try`: what a file gives is listed with what it does not, and a tool is run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aybiza.console.cli import app
from aybiza.console.page import COLUMNS

PAGE = Path(__file__).parents[2] / "docs" / "apis.md"

OF_JSON = {"content": {"application/json": {"schema": {"type": "object"}}}}
FILES = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
OF_FILES = {"content": {"multipart/form-data": {"schema": FILES}}}
STATE = {"name": "state", "in": "query", "schema": {"type": "string"}}
SESSION = {"name": "session", "in": "cookie", "schema": {"type": "string"}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "paths": {
        "/tickets": {
            "get": {
                "operationId": "list",
                "summary": "List tickets",
                "parameters": [STATE, SESSION],
            },
            "post": {"operationId": "create", "summary": "Open a ticket", "requestBody": OF_JSON},
        },
        "/files": {"post": {"operationId": "upload", "requestBody": OF_FILES}},
    },
}
CONNECTOR = """
[connectors.tickets]
base_url = "http://127.0.0.1:9"
openapi = "tickets.json"
"""
TEA = """
from pathlib import Path
from aybiza.dialogue.tool_registry import Tool, ToolError

async def brew(given, use):
    if given.get("tea") == "oolong":
        raise ToolError("no_tea", "There is none.")
    if given.get("tea") == "mate":
        raise KeyError("leaves\\x1b[2J")
    if given.get("tea") == "void":
        return {}
    return {"minutes": 3}

async def throw_away(given, use):
    Path("thrown").touch()
    return {}

SCHEMA = {"type": "object", "properties": {"tea": {"type": "string"}}}
MINUTES = {"type": "object", "required": ["minutes"]}
TOOLS = [
    Tool("brew", "How long a tea has to brew.", brew, SCHEMA, MINUTES),
    Tool("throw_away", "Throw a tea away.", throw_away, effect="write", confirm=False),
]
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tickets.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "tools.toml").write_text(CONNECTOR)
    (tmp_path / "tea.py").write_text(TEA)
    (tmp_path / "tea.toml").write_text('[python.tea]\nfile = "tea.py"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tried(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["tools", "try", *arguments])


def test_the_list_is_the_one_of_the_page() -> None:
    result = tried("tools.toml")
    assert result.exit_code == 0
    assert result.stderr == ""  # what is left out is told once, and not in a log, too
    text = PAGE.read_text(encoding="utf-8")
    shown = re.search(r"^    connectors\.tickets$.*?^    2 tools.*?$", text, re.M | re.S)
    assert shown is not None
    assert result.stdout.splitlines() == [line[4:] for line in shown[0].splitlines()]


def test_the_list_as_json_has_what_a_model_would_be_told() -> None:
    told = json.loads(tried("tools.toml", "--json").stdout)
    first, second = told["tools"]
    assert (first["name"], first["effect"]) == ("tickets_list", "none")
    assert first["input_schema"]["properties"]["state"]["type"] == "string"
    assert (second["table"], second["effect"]) == ("connectors.tickets", "write")
    assert list(told["left_out"]["connectors.tickets"]) == ["upload", "list: session"]


def test_a_long_name_has_a_line_of_its_own_and_no_line_is_too_wide(here: Path) -> None:
    name = "n" * 60
    get = DOCUMENT["paths"]["/tickets"]["get"]
    paths = {"/t": {"get": {**get, "operationId": name, "summary": "word " * 40}}}
    (here / "tickets.json").write_text(json.dumps({**DOCUMENT, "paths": paths}))
    lines = tried("tools.toml").stdout.splitlines()
    assert lines[:2] == ["connectors.tickets", "  tickets_" + name[:56]]
    assert lines[-1] == "1 tool, 1 left out"
    assert max(map(len, lines)) <= COLUMNS


def test_what_a_document_says_does_nothing_to_the_terminal(here: Path) -> None:
    text = json.dumps(DOCUMENT).replace("List tickets", "List\\u001b[2J tickets")
    (here / "tickets.json").write_text(text)
    assert "List?[2J tickets" in tried("tools.toml").stdout


def test_a_tool_is_run_and_its_result_printed() -> None:
    result = tried("tea.toml", "--call", "brew", "--with", '{"tea": "green"}')
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"minutes": 3})


@pytest.mark.parametrize(
    ("file", "arguments", "error"),
    [
        ("tea.toml", ["--call", "brew", "--with", '{"tea": "oolong"}'], "no_tea"),
        ("tools.toml", ["--call", "tickets_list"], "unreachable"),
    ],
)
def test_a_result_that_is_an_error_is_a_failure(
    file: str, arguments: list[str], error: str
) -> None:
    result = tried(file, *arguments)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == error


@pytest.mark.parametrize(
    ("tea", "reason"),
    [
        (
            "void",
            "ValueError: the result does not fit its schema: 'minutes' is a required property",
        ),
        ("mate", "KeyError: 'leaves"),
    ],
)
def test_a_tool_that_did_not_work_says_why_to_its_developer_and_not_to_the_model(
    tea: str, reason: str
) -> None:
    result = tried("tea.toml", "--call", "brew", "--with", json.dumps({"tea": tea}))
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"error": "failed", "message": "The tool did not work."}
    assert reason in " ".join(result.stderr.split())
    assert "\x1b" not in result.stderr


def test_what_does_not_fit_the_tool_is_told_as_the_model_would_be() -> None:
    result = tried("tea.toml", "--call", "brew", "--with", '{"tea": 3}')
    assert result.exit_code == 2
    assert json.loads(result.stdout)["message"] == "tea: 3 is not of type 'string'"


def test_a_write_is_done_with_yes_and_not_without(here: Path) -> None:
    result = tried("tea.toml", "--call", "throw_away")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "throw_away changes something: add --yes" in result.stderr
    assert not (here / "thrown").exists()
    assert tried("tea.toml", "--call", "throw_away", "--yes").exit_code == 0
    assert (here / "thrown").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nosuch.toml"], "nosuch.toml: cannot be read: No such file or directory"),
        (["tea.toml", "--call", "brw"], "--call: there is no tool 'brw'; did you mean brew?"),
        (["tea.toml", "--call", "x"], "there is no tool 'x'; there are: brew, throw_away"),
        (["tea.toml", "--call", "brew", "--with", "{"], "--with: is not JSON: "),
        (["tea.toml", "--call", "brew", "--with", "[1]"], "--with: must be a JSON object"),
    ],
)
def test_what_cannot_be_used_is_told(arguments: list[str], told: str) -> None:
    result = tried(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in " ".join(result.stderr.split())


def test_a_secret_that_is_not_set_is_named(here: Path) -> None:
    (here / "tools.toml").write_text(f'{CONNECTOR}auth = {{ bearer = "TICKETS_TOKEN_NOT_SET" }}\n')
    result = tried("tools.toml")
    assert result.exit_code == 2
    assert "the environment variable TICKETS_TOKEN_NOT_SET is not set" in " ".join(
        result.stderr.split()
    )


def test_the_help_has_examples() -> None:
    text = tried("--help").stdout
    assert "aybiza tools try tools.toml --call tickets_list --with" in text
    assert max(map(len, text.splitlines())) <= COLUMNS
