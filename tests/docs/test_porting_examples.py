"""The porter's examples: each function of the specification by its name, as the page shows it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from codeop import CommandCompiler
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from aybiza.emulators.__main__ import argument_parser
from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.bedrock.rules import load_rules

FOLDER = Path(__file__).parent
RULES = FOLDER.parents[1] / "examples" / "porting.rules.toml"
PAGE = (FOLDER.parents[1] / "docs" / "porting.md").read_text(encoding="utf-8")
PART = PAGE.partition("## Every function, in three lines\n")[2].partition("\n## ")[0]
BLOCK = re.compile(
    r"^### `(?P<name>[^`]+)`\n\n    Elixir   (?P<elixir>[^\n]+)\n    Python   (?P<python>[^\n]+)\n"
    r"\n```python\n(?P<code>.*?)\n```\n\nIn a call: ",
    re.M | re.S,
)
IMPORT = re.compile(r"from (?P<module>[\w.]+) import (?P<name>\w+)\n")

NOT_ALONE = {
    "handle_voice_optimized_chunk",
    "process_enhanced_streaming_response",
    "record_performance_metrics",
    "execute_with_monitoring",
    "start_link",
    "init",
    "handle_call",
    "handle_cast",
    "maybe_transition_to_half_open",
}
"""Parts of a process, or of what is done with a caller's line: the rows say where they went."""


class Example(NamedTuple):
    name: str
    elixir: str
    python: str
    code: str

    @property
    def function(self) -> str:
        return re.split(r"[?/]", self.name)[0]


EXAMPLES = [Example(m["name"], m["elixir"], m["python"], m["code"]) for m in BLOCK.finditer(PART)]


@pytest.fixture
async def bedrock(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with BedrockEmulator(responder=load_rules(RULES)) as emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", emulator.url)
        yield


def defined() -> set[str]:
    """The functions that the specification defines."""
    guides = tomllib.loads((FOLDER / "specification_functions.toml").read_text(encoding="utf-8"))
    return {
        name.rstrip("?")
        for modules in guides.values()
        for functions in modules.values()
        for name in functions.get("defined", [])
    }


def test_every_function_that_the_specification_defines_has_its_example() -> None:
    assert PART.count("\n### ") == len(EXAMPLES)
    assert defined() - {example.function for example in EXAMPLES} == NOT_ALONE


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_the_signature_is_the_functions_own(example: Example) -> None:
    found = IMPORT.match(example.code)
    assert found is not None, example.code
    function = getattr(importlib.import_module(found["module"]), found["name"])
    name, _, parameters = example.python.removesuffix(")").partition("(")
    assert name == found["name"]
    written = [each for each in parameters.split(", ") if each != "*"]
    assert written == list(inspect.signature(function).parameters)
    assert f"{example.function}(" in example.elixir or f"{example.function}?(" in example.elixir


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
async def test_an_example_gives_what_it_says(example: Example, bedrock: None) -> None:
    code, _, told = example.code.rpartition("\n# ")
    tree = ast.parse(code)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr)
    tree.body.append(ast.Assign([ast.Name("found", ast.Store())], last.value))
    compiled = compile(
        ast.fix_missing_locations(tree),
        example.name,
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
    )
    names: dict[str, Any] = {"closing": closing, "aclosing": aclosing}
    running = eval(compiled, names)
    if inspect.iscoroutine(running):
        await running
    assert repr(names["found"]) == told


def pasted(code: str) -> list[str]:
    """The lines at which a console that is given these one by one does not go on."""
    compiler = CommandCompiler()
    compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    held: list[str] = []
    wrong = []
    for line in [*code.splitlines(), ""]:
        held.append(line)
        try:
            complete = compiler("\n".join(held), symbol="single") is not None
        except SyntaxError:
            wrong.append(line)
            complete = True
        if complete:
            held = []
    return [*wrong, *held]


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_an_example_can_be_pasted_into_a_console(example: Example) -> None:
    assert pasted(example.code) == []


def test_a_body_without_a_blank_line_behind_it_cannot_be_pasted() -> None:
    assert pasted("with a as b:\n    c = b\nc") == ["c"]
    assert pasted("with a as b:\n    c = b\n\nc") == []
    assert pasted("await a(")


def test_the_emulator_that_the_page_starts_has_the_answers_of_its_examples() -> None:
    command = re.search(r"^    python -m aybiza.emulators (.*)$", PART, re.M)
    assert command is not None
    options = argument_parser().parse_args(command[1].split())
    assert FOLDER.parents[1] / options.rules == RULES
    assert f"AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://127.0.0.1:{options.bedrock_port}" in PART
