"""How files and settings are checked: by an engine that costs no memory."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from aybiza.config.agents import Agent

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("config", "claude", "dialogue", "actors", "gateway", "speech", "supervisors")


def models(of: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for each in of.__subclasses__():
        if each.__module__.split(".")[:2] in [["aybiza", folder] for folder in FOLDERS]:
            yield each
        yield from models(each)


def test_no_model_of_ours_has_patterns_of_the_engine_that_takes_memory() -> None:
    for path in (ROOT / "config").glob("*.py"):
        import_module(f"aybiza.config.{path.stem}")
    import_module("aybiza.dialogue.tools.tools_file")
    import_module("aybiza.claude.experiments")
    others = [
        each
        for each in models()
        if each.model_config.get("regex_engine") != "python-re"
        and "pattern=" in inspect.getsource(sys.modules[each.__module__])
    ]
    assert [f"{each.__module__}.{each.__name__}" for each in others] == []


def test_no_pattern_lets_a_line_end_through() -> None:
    """Python's `$` does."""
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"""pattern=rf?["'][^"']*\$["']""", line)
    ]
    assert found == []
    words = {"name": "Desk", "system_prompt": "Answer.", "greeting": "Hello."}
    assert Agent(**words, type="desk").type == "desk"  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Agent(**words, type="desk\n")  # type: ignore[arg-type]
