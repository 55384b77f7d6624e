"""Each public document is taken; what of it is no tool is named with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from aybiza.dialogue.tool_registry import ToolRegistry
from aybiza.dialogue.tools.connectors import create_connector
from aybiza.dialogue.tools.http_api import HttpApi


class Api(NamedTuple):
    """A document cut down to operations that show its shapes; which become tools, and which do
    not, with a word of the reason."""

    name: str
    shape: str
    imported: list[str]
    left_out: dict[str, str]
    document: dict[str, Any]


APIS = [
    Api(**each) for each in json.loads(Path(__file__).with_name("public_apis.json").read_text())
]
PAGE = Path(__file__).parents[3] / "docs" / "apis.md"


def imported(api: Api) -> tuple[list[str], dict[str, str]]:
    left_out: dict[str, str] = {}
    client = HttpApi("http://127.0.0.1:9")
    made = create_connector("t", {"openapi": api.document}, client, left_out)
    return [name.removeprefix("t_") for name in ToolRegistry(made).names], left_out


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_a_public_document_is_taken(api: Api) -> None:
    names, left_out = imported(api)
    assert sorted(names) == sorted(api.imported)
    assert left_out.keys() == api.left_out.keys()
    for name, word in api.left_out.items():
        assert word in left_out[name]


def row(api: Api) -> str:
    version = api.document.get("openapi") or api.document["swagger"]
    left_out = "; ".join(f"`{name}`: {why}" for name, why in imported(api)[1].items()) or "nothing"
    tools = ", ".join(f"`{name}`" for name in api.imported)
    return f"| {api.name} | {version} | {api.shape} | {tools} | {left_out} |"


def test_the_page_has_the_table() -> None:
    table = "\n".join(map(row, APIS))
    print(table)
    assert len(APIS) >= 20
    assert table in PAGE.read_text(encoding="utf-8"), table
