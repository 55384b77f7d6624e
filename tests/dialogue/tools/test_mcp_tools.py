"""Tools of a server are such as Converse takes, filtered by name, and ask first unless the file
says that they change nothing."""

from __future__ import annotations

import json
import re
import sys
import threading
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.console import cli
from aybiza.dialogue.tool_registry import ToolRegistry
from aybiza.dialogue.tool_run import ToolRun
from aybiza.dialogue.tools import catalogue, mcp_server, mcp_tools
from aybiza.dialogue.tools.catalogue import ToolsError, load_tools
from aybiza.dialogue.tools.mcp_listed import Listed
from aybiza.dialogue.tools.mcp_tools import tools_of
from aybiza.dialogue.tools.tools_file import ToolsFile
from tests.slowness import slowness

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
OBJECT = {"type": "object", "properties": {"what": {"type": "string"}}}
DESK = f"""
[mcp.desk]
command = {json.dumps(sys.executable)}
args = [{json.dumps(str(HERE / "mcp_desk.py"))}, "--notes", "notes.txt"]
seconds = 9
env = {{ DESK_TOKEN = "MINE" }}
only = ["find", "note"]
reads = ["find"]
"""


def listed(*names: str, schema: dict[str, Any] = OBJECT) -> list[Listed]:
    return [Listed(name, f"  Does\n{name}. ", schema) for name in names]


async def call(name: str, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    return {"ran": name, **given}


def test_names_are_made_such_as_converse_takes_and_stay_apart() -> None:
    tools = tools_of("desk", listed("a/b", "a.b", "ü", "x" * 90), call)
    names = [tool.name for tool in tools]
    assert len(set(names)) == 4
    assert all(re.fullmatch(r"desk_[A-Za-z0-9_-]{1,59}", name) for name in names)
    assert tools[0].description == "Does a/b."


def test_what_the_file_does_not_call_a_read_asks_the_caller_first() -> None:
    find, note = tools_of("desk", listed("find", "note"), call, reads=["find"])
    assert (find.effect, find.asks_first) == ("none", False)
    assert (note.effect, note.asks_first) == ("write", True)


async def test_a_run_is_of_the_servers_own_name() -> None:
    tools = tools_of("desk", listed("look up"), call, reads=["look up"])
    run = ToolRun(tools[0].name, "u1", {"what": "tea"}, "CA1")
    assert await ToolRegistry(tools).run(run) == {"ran": "look up", "what": "tea"}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "array"}, "must be of type object"),
        ({"properties": {"a b": {}}}, "use 1 to 64 letters"),
        ({"properties": {"a": {"$ref": "http://example.org/x"}}}, "not to itself"),
        ({"properties": {"a": {"type": "text"}}}, "is none"),
    ],
)
def test_a_tool_that_cannot_be_one_is_left_out_with_the_reason(
    schema: dict[str, Any], why: str
) -> None:
    left: dict[str, str] = {}
    found = [*listed("bad", schema=schema), *listed("good")]
    tools = tools_of("desk", found, call, left_out=left)
    assert [tool.name for tool in tools] == ["desk_good"]
    assert why in left["bad"]


def test_a_name_of_none_is_told() -> None:
    tools = tools_of("desk", listed("b"), call, only=["b"], left_out={"a": "not named"})
    assert [tool.name for tool in tools] == ["desk_b"]
    with pytest.raises(ValueError, match=r"no tool 'fnid'; did you mean find\?"):
        tools_of("desk", listed("b"), call, reads=["fnid"], left_out={"find": "not named"})


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("", "give either command or url"),
        ('command = "a"\nurl = "http://x"', "give either command or url"),
        ('url = "ftp://x"', "mcp.desk.url"),
        ('url = "http://me:secret@x"', "mcp.desk.url"),
        ('command = "a"\nenv = { A = "UNSET" }', "UNSET is not set"),
        ('command = "a"\ncomand = "b"', "did you mean command?"),
        ('command = "/no/such/program"', "cannot be used"),
    ],
)
def test_a_table_that_cannot_be_used_is_told(tmp_path: Path, table: str, why: str) -> None:
    path = tmp_path / "tools.toml"
    path.write_text(f"[mcp.desk]\n{table}\n", encoding="utf-8")
    with pytest.raises(ToolsError) as refused:
        load_tools(path, region="us-east-1", environment={})
    assert why in str(refused.value) and "secret" not in str(refused.value)


def test_servers_are_started_side_by_side_and_each_fault_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3, timeout=10.0)
    closed: list[str] = []

    def started(name: str, *_: Any) -> Any:
        together.wait()
        if name == "b":
            raise ValueError("the server cannot be used: it hangs")
        tools = listed("find")
        return SimpleNamespace(
            listed=tools, left_out={}, call=call, close=lambda: closed.append(name)
        )

    monkeypatch.setattr(catalogue, "mcp_server", started)
    path = tmp_path / "tools.toml"
    path.write_text("".join(f'[mcp.{name}]\ncommand = "x"\n' for name in "abc"))
    with pytest.raises(ToolsError) as refused:
        load_tools(path, region="us-east-1", environment={})
    (problem,) = refused.value.problems
    assert "mcp.b: the server cannot be used: it hangs" in problem
    assert sorted(closed) == ["a", "c"]


def test_without_the_sdk_the_file_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_tools, "find_spec", lambda name: None)
    path = tmp_path / "tools.toml"
    path.write_text('[mcp.desk]\ncommand = "a"\n', encoding="utf-8")
    with pytest.raises(ToolsError, match=r"pip install 'aybiza\[mcp\]'"):
        load_tools(path, region="us-east-1", environment={})


def tried(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, ["tools", "try", *arguments], env={"MINE": "s3cret"})
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.real_time
def test_the_tools_of_a_real_server_are_listed_and_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_server, "START_SECONDS", 60.0 * slowness())
    path = tmp_path / "tools.toml"
    path.write_text(DESK, encoding="utf-8")
    shown = tried(str(path))
    assert re.search(r"desk_find +Looks something up\.", shown)
    assert re.search(r"desk_note +\(writes\) Writes something down\.", shown)
    assert re.search(r"fail +`only` does not name it", shown)
    found = tried(str(path), "--call", "desk_find", "--with", '{"what": "tea"}')
    assert json.loads(found) == {"found": "tea", "token": "s3cret"}
    tried(str(path), "--call", "desk_note", "--with", '{"text": "tea"}', "--yes")
    assert (tmp_path / "notes.txt").read_text() == "tea\n"


def test_the_tables_of_the_guide_can_be_read() -> None:
    text = (ROOT / "docs" / "apis.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(\[mcp\..*?)^```$", text, re.M | re.S)
    file = ToolsFile.model_validate(tomllib.loads(block))
    assert file.mcp["files"].reads == ["find"]
    assert file.mcp["crm"].auth.headers({"CRM_KEY": "k"}) == {"Authorization": "Bearer k"}
