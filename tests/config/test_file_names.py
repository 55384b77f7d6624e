"""Whoever writes a path that can be none is told which file cannot be read."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from pathlib import Path

import pytest

from aybiza.claude.experiments import SelectionError, parse
from aybiza.config import file_names
from aybiza.config.agents import AgentError, load_agent
from aybiza.config.outbound import OutboundError, load_campaign, load_rules
from aybiza.config.routes import RoutesError, load_routes
from aybiza.dialogue.tools.catalogue import ToolsError, load_tools

ODD = ["~no-user-has-this-name/x.toml", r"a\u0000b.toml", "a" * 190 + ".toml", "/dev/./x.toml"]
RULES = 'own_numbers = ["+14155550100"]\nopt_in = "{}"\ndo_not_call = "/dev/null"\n'
CAMPAIGN = 'name = "x"\nagent = "clinic"\nfrom = "+14155550100"\nnumbers = "{}"\n'


def tools(path: Path) -> object:
    return load_tools(path, region="us-east-1", environment={})


READ: list[tuple[str, Callable[[Path], object], type[Exception]]] = [
    (RULES, load_rules, OutboundError),
    (CAMPAIGN, load_campaign, OutboundError),
    (
        '[routes.a]\nagent = "{}"\n',
        lambda path: load_routes(path, "clinic"),
        RoutesError,
    ),
    ('[connectors.a]\nbase_url = "https://x.example"\nopenapi = "{}"\n', tools, ToolsError),
    ('[python.a]\nfile = "{}"\n', tools, ToolsError),
]


def test_the_examples_hold() -> None:
    assert doctest.testmod(file_names).failed == 0


@pytest.mark.parametrize(("text", "read", "error"), READ)
@pytest.mark.parametrize("odd", ODD)
def test_a_file_that_names_no_path_is_told_of_in_its_own_error(
    tmp_path: Path, text: str, read: Callable[[Path], object], error: type[Exception], odd: str
) -> None:
    path = tmp_path / "file.toml"
    path.write_text(text.format(odd), encoding="utf-8")
    with pytest.raises(error, match=r"x\.toml|a.b\.toml|aaaa"):
        read(path)


@pytest.mark.parametrize("odd", ODD)
def test_an_agent_and_a_selection_that_are_no_path_are_told_of(odd: str) -> None:
    named = odd.replace(r"\u0000", "\0")
    with pytest.raises(AgentError, match="cannot be read"):
        load_agent(named)
    with pytest.raises(SelectionError, match="cannot be read"):
        parse(named)
