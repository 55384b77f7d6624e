"""The tools that an agent has: of its own file, of the node's, and those that any call has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aybiza.config.agents import load_agent
from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.catalogue import ToolsError
from aybiza.dialogue.tools.mcp_listed import UNNAMED
from aybiza.dialogue.tools.tool_files import ToolFiles
from aybiza.faults.desk import agent
from tests.clinic import NAMES

TOOLS = """
from aybiza.dialogue.tool_registry import Tool

COUNT = []

async def look_up(given, use):
    COUNT.append(use.call_id)
    return {"from": "WHERE", "count": len(COUNT)}

async def write(given, use):
    return {"from": "WHERE"}

TOOLS = [
    Tool("look_up", "Looks up.", look_up),
    Tool("put", "Writes.", write, effect="write"),
    Tool("only_WHERE", "Looks up.", look_up),
]
"""


def written(folder: Path, where: str) -> str:
    (folder / f"{where}.py").write_text(TOOLS.replace("WHERE", where))
    path = folder / f"{where}.toml"
    path.write_text(
        f'[python.{where}]\nfile = "{where}.py"\n[transfer.desk]\n'
        f'number = "+141555501{len(where):02}"\n'
    )
    return str(path)


async def used(toolbox: Any, name: str) -> dict[str, Any]:
    result: dict[str, Any] = await toolbox.run(ToolRun(name, "t1", {}, "CA1"))
    return result


async def test_an_agents_own_file_comes_before_the_nodes(tmp_path: Path) -> None:
    files = ToolFiles(written(tmp_path, "nodes"))
    names = ("only_nodes", "end_call", "look_up", "only_own")
    who = agent(tools=names, tools_file=written(tmp_path, "own"))
    toolbox = files.toolbox(who)
    assert toolbox.names == list(names)
    assert (await used(toolbox, "look_up"))["from"] == "own"
    assert (await used(toolbox, "only_nodes"))["from"] == "nodes"
    assert files.numbers(who) == {"desk": "+14155550103"}
    assert files.numbers(agent()) == {"desk": "+14155550105"}
    assert files.tables(who)["look_up"] == "python.own"
    assert files.tables(who)["only_nodes"] == "python.nodes"


async def test_the_table_that_a_tool_is_from_is_told_the_agents_own_first(tmp_path: Path) -> None:
    files = ToolFiles(written(tmp_path, "nodes"))
    who = agent(tools_file=written(tmp_path, "own"))
    tables = files.tables(who)
    assert tables["look_up"] == tables["only_own"] == "python.own"
    assert tables["only_nodes"] == "python.nodes"
    assert "only_own" not in files.tables(agent())
    await files.warm()
    await files.aclose()


async def test_agents_of_one_file_share_what_it_holds_and_no_consent(tmp_path: Path) -> None:
    files = ToolFiles()
    path = written(tmp_path, "own")
    one, two = (files.toolbox(agent(tools=("look_up", "put"), tools_file=path)) for _ in range(2))
    assert (await used(one, "look_up"))["count"] == 1
    assert (await used(two, "look_up"))["count"] == 2
    assert "needs_confirmation" in await used(one, "put")
    yes = ToolRun("put", "t2", {}, "CA1", turn=1, said="Yes, please.")
    assert "needs_confirmation" in await two.run(yes)
    assert await one.run(yes) == {"from": "own"}


async def test_each_loading_starts_anew(tmp_path: Path) -> None:
    who = agent(tools=("look_up",), tools_file=written(tmp_path, "own"))
    for _ in range(2):
        assert (await used(ToolFiles().toolbox(who), "look_up"))["count"] == 1


def test_a_tool_that_there_is_not_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    files = ToolFiles(written(tmp_path, "own"))
    with pytest.raises(ValueError, match=r"no such tool: fly; there are: end_call, .*look_up"):
        files.toolbox(agent(tools=("end_call", "fly")))
    with pytest.raises(ValueError, match=r"no such tool: look; did you mean look_up\?"):
        files.toolbox(agent(tools=("look",)))


def test_a_tool_that_a_server_has_too_many_of_says_where_to_look(tmp_path: Path) -> None:
    files = ToolFiles(written(tmp_path, "nodes"))
    files._of_node[0].left_out["mcp.files"] = {"t200": "it has more than 200", "t1": UNNAMED}
    with pytest.raises(ValueError, match=r"no such tool: files_t200.*\[mcp.files\] leaves out 1: "):
        files.toolbox(agent(tools=("files_t200",)))


def test_the_clinics_tools_are_not_anybodys() -> None:
    with pytest.raises(ValueError, match="no such tool: opening_hours"):
        ToolFiles().toolbox(agent(tools=("opening_hours",)))


def test_the_demonstration_agent_has_its_tools() -> None:
    clinic = load_agent("clinic")
    assert ToolFiles().toolbox(clinic).names == list(NAMES)
    assert set(ToolFiles().tables(clinic).values()) == {"python.clinic"}


@pytest.mark.parametrize("named", ["no.toml", "wrong.toml"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, named: str) -> None:
    (tmp_path / "wrong.toml").write_text("[python.a]\nfile = 1\n")
    with pytest.raises(ToolsError, match=named):
        ToolFiles().toolbox(agent(tools_file=str(tmp_path / named)))
    with pytest.raises(ToolsError, match=named):
        ToolFiles(tmp_path / named)
