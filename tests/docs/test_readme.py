"""What the README and the pages name exists: commands with their options, modules, targets,
settings, links; and the README's program runs."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib.util
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from aybiza.config.settings import Settings
from aybiza.console.cli import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "deploy/README.md"])
TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in PAGES}
BLOCK = re.compile(r"^    (?:\$ )?(.*)$", re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
OTHERS = {"AYBIZA_PARTITION_SECONDS"}
"""Read by tests only."""


def commands(text: str, first: str) -> list[str]:
    """The lines and inline code of a page that begin with a word."""
    lines = [*BLOCK.findall(text), *INLINE.findall(text)]
    return [line for line in lines if line.startswith(f"{first} ")]


def test_the_program_of_the_readme_counts() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", TEXTS["README.md"], re.DOTALL)
    code = compile(program, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    async def run() -> None:
        await eval(code, {})

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        asyncio.run(run())
    assert printed.getvalue() == "6\n"


@pytest.mark.parametrize("page", TEXTS)
def test_every_command_of_a_page_exists_with_its_options(page: str) -> None:
    root = typer.main.get_command(app)
    for line in commands(TEXTS[page], "aybiza"):
        words = re.split(r"\s{2,}|…|;| \| |, ", line)[0]
        with contextlib.suppress(ValueError):
            _check(root, shlex.split(words)[1:], line)


def _check(root: Any, words: list[str], line: str) -> None:
    """Follow the words of a command line down to their command, and look at its options."""
    command = root
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        name = words.pop(0)
        assert name in command.commands, f"{line}: there is no {name!r}"
        command = command.commands[name]
    known = {option for each in command.params for option in getattr(each, "opts", ())}
    known |= {"--help", "-h"}
    for word in words:
        if word == "--":
            return
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"{line}: there is no {word}"


@pytest.mark.parametrize("page", TEXTS)
def test_every_module_of_a_page_exists(page: str) -> None:
    for line in commands(TEXTS[page], "python"):
        if found := re.match(r"python -m ([\w.]+)", line):
            assert importlib.util.find_spec(found.group(1)), line


@pytest.mark.parametrize("page", TEXTS)
def test_every_make_target_of_a_page_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in commands(TEXTS[page], "make"):
        words = [word for word in line.split()[1:2] if re.fullmatch(r"[a-z-]+", word)]
        assert set(words) <= targets, line


@pytest.mark.parametrize("page", TEXTS)
def test_every_setting_of_a_page_exists(page: str) -> None:
    known = {str(field.validation_alias or name) for name, field in Settings.model_fields.items()}
    named = set(re.findall(r"\bAYBIZA_[A-Z0-9_]+\b(?!\*)", TEXTS[page]))
    missing = {name for name in named - OTHERS if not any(k.upper() == name for k in known)}
    assert missing == set()


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", TEXTS[page]):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert ((ROOT / page).parent / target).exists(), target
