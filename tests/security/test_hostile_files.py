"""A file that somebody has planted, or broken, is refused in words, whatever kind of file it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from aybiza.claude.experiments import SelectionError, parse
from aybiza.config import catalogue, prices
from aybiza.config.agents import AgentError, load_agent
from aybiza.config.outbound import OutboundError, load_campaign, load_rules
from aybiza.config.quotas import QuotasError, load_quotas
from aybiza.config.routes import load_routes
from aybiza.dialogue.tools.catalogue import ToolsError, load_tools
from aybiza.emulators.bedrock import rules
from aybiza.emulators.phone import script
from aybiza.faults import persona, plan

Load = Callable[[Path], Any]
KINDS: dict[str, tuple[Load, type[Exception]]] = {
    "agent": (lambda path: load_agent(str(path)), AgentError),
    "routes": (lambda path: load_routes(path, "clinic"), AgentError),
    "tools": (lambda path: load_tools(path, region="us-east-1", environment={}), ToolsError),
    "outgoing rules": (load_rules, OutboundError),
    "campaign": (load_campaign, OutboundError),
    "quotas": (load_quotas, QuotasError),
    "prices": (prices.load, prices.PricesError),
    "models": (catalogue.load, catalogue.CatalogueError),
    "experiments": (lambda path: parse(str(path)), SelectionError),
    "persona": (lambda path: persona.load(str(path)), persona.PersonaError),
    "plan of faults": (plan.load, plan.PlanError),
    "phone script": (script.load, script.ScriptError),
    "stand-in model": (rules.load_rules, rules.RulesError),
}


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def ring(path: Path) -> None:
    path.symlink_to(path)


def written(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text)

    return write


PLANTED: Mapping[str, Callable[[Path], None]] = {
    "a pipe": pipe,
    "a device": device,
    "a link to itself": ring,
    "a folder": Path.mkdir,
    "another kind": written("\x7fELF\x00"),
    "a key of many parts": written(f"a{'.a' * 80_000} = 1"),
    "deep arrays": written(f"a = {'[' * 5_000}{']' * 5_000}"),
    "a number without end": written(f"a = {'9' * 100_000}"),
    "names that a terminal obeys": written('"\\u001b[2J\\u202e" = "\\u001b]0;x\\u0007"'),
    "tables that are none": written("".join(f"{name} = 1\n" for name in "abc")),
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_each_kind_of_file_says_what_is_wrong(
    tmp_path: Path, planted: Callable[[Path], None]
) -> None:
    path = tmp_path / "mine.toml"
    planted(path)
    for kind, (load, error) in KINDS.items():
        with pytest.raises(error) as raised:
            load(path)
        assert str(raised.value).strip(), kind


TABLES = """
[knowledge]
folder = "."
[mail]
sender = "desk@example.org"
[transfer.sales]
number = "+14155550123"
[crm]
base_url = "https://crm.example.org"
[connectors.tickets]
base_url = "https://tickets.example.org"
[python.own]
file = "own"
[code]
function = "run"
[mcp.desk]
command = "desk"
"""


def test_a_member_that_is_not_known_is_named_in_each_table_of_a_tools_file(tmp_path: Path) -> None:
    path = tmp_path / "tools.toml"
    for table in TABLES.split("\n[")[1:]:
        path.write_text(f'[{table}\n"od\\u001bd" = 1\n')
        with pytest.raises(ToolsError, match=r"is not known; there are: "):
            load_tools(path, region="us-east-1", environment={})
