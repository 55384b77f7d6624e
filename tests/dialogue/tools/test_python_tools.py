"""Tools of one's own in Python, named by the tools' file."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.catalogue import ToolsError, load_tools

TEA = """
from aybiza.dialogue.tool_registry import Tool

async def brew(given, use):
    return {"minutes": 3}

TOOLS = [Tool("brew", "How long a tea has to brew.", brew)]
MORE = (Tool("pour", "Pours.", brew, effect="write"),)
"""


def written(folder: Path, code: str, more: str = "") -> Path:
    (folder / "tea.py").write_text(code, encoding="utf-8")
    path = folder / "tools.toml"
    path.write_text(f'[python.tea]\nfile = "tea.py"\n{more}', encoding="utf-8")
    return path


async def test_a_tool_of_a_file_is_run_like_any_other(tmp_path: Path) -> None:
    registry = load_tools(written(tmp_path, TEA), region="us-east-1", environment={}).registry
    assert registry.names == ["brew"]
    assert await registry.run(ToolRun("brew", "1", {}, "CA1")) == {"minutes": 3}


async def test_a_write_of_a_file_asks_first(tmp_path: Path) -> None:
    path = written(tmp_path, TEA, 'attribute = "MORE"\n')
    registry = load_tools(path, region="us-east-1", environment={}).registry
    assert "needs_confirmation" in await registry.run(ToolRun("pour", "1", {}, "CA1"))


DESK = """
from __future__ import annotations
from dataclasses import dataclass
from aybiza.dialogue.tool_registry import Tool
from .prices import PRICES

@dataclass(slots=True)
class Book:
    seen: int = 0

BOOK = Book()

async def price(given, use):
    from .prices import PRICES as again
    assert again is PRICES
    BOOK.seen += 1
    return {"price": PRICES["tea"], "seen": BOOK.seen}

TOOLS = [Tool("price", "What a tea costs.", price)]
"""


async def test_a_package_is_loaded_as_a_whole_each_time(tmp_path: Path) -> None:
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "__init__.py").write_text(DESK)
    (tmp_path / "tools.toml").write_text('[python.desk]\nfile = "desk"\n')
    for price in (3, 55):
        (tmp_path / "desk" / "prices.py").write_text(f'PRICES = {{"tea": {price}}}\n')
        tools = load_tools(tmp_path / "tools.toml", region="us-east-1", environment={})
        told = await tools.registry.run(ToolRun("price", "1", {}, "CA1"))
        assert told == {"price": price, "seen": 1}


async def test_tables_of_one_name_in_two_files_are_two(tmp_path: Path) -> None:
    registries = []
    for minutes in (3, 4):
        folder = tmp_path / str(minutes)
        folder.mkdir()
        path = written(folder, TEA.replace("3", str(minutes)))
        registries.append(load_tools(path, region="us-east-1", environment={}).registry)
    told = [await each.run(ToolRun("brew", "1", {}, "CA1")) for each in registries]
    assert told == [{"minutes": 3}, {"minutes": 4}]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("TOOLS = 5", "tea.py has no list of tools named TOOLS"),
        ("TOOLS = [5]", "tea.py has no list of tools named TOOLS"),
        ("import no_such_module", "tea.py cannot be run: ModuleNotFoundError"),
        ("def (", "tea.py cannot be run: SyntaxError"),
        (f"{TEA}\nTOOLS *= 2", "there is a tool 'brew' already"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, code: str, problem: str) -> None:
    with pytest.raises(ToolsError) as caught:
        load_tools(written(tmp_path, code), region="us-east-1", environment={})
    (told,) = caught.value.problems
    assert problem in told
    assert "python.tea" in told


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tools.toml"
    path.write_text('[python.tea]\nfile = "tea.py"\n', encoding="utf-8")
    with pytest.raises(ToolsError, match=r"python\.tea"):
        load_tools(path, region="us-east-1", environment={})


def test_a_file_that_is_no_python_is_named(tmp_path: Path) -> None:
    (tmp_path / "tea.txt").write_text(TEA, encoding="utf-8")
    path = tmp_path / "tools.toml"
    path.write_text('[python.tea]\nfile = "tea.txt"\n', encoding="utf-8")
    with pytest.raises(ToolsError, match=r"tea\.txt is no Python file"):
        load_tools(path, region="us-east-1", environment={})
