"""The page of measurements has the plans and columns that the command prints."""

from __future__ import annotations

import re
from pathlib import Path

from aybiza.benchmarks.resilience import COLUMNS, PLANS
from aybiza.benchmarks.stranger import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "resilience.md").read_text(encoding="utf-8")


def tables() -> list[list[list[str]]]:
    """The cells of each table of the page that has our columns."""
    found = re.findall(r"(?:^\|.*\|\n)+", PAGE, re.M)
    rows = [[[c.strip() for c in line.split("|")[1:-1]] for line in t.splitlines()] for t in found]
    return [table for table in rows if table[0][0] == COLUMNS[0]]


def test_both_tables_have_the_columns_and_plans_of_the_command() -> None:
    assert len(tables()) == 2
    for head, _, *rows in tables():
        assert head == list(COLUMNS)
        assert [row[0] for row in rows] == [plan.name for plan in PLANS]


def test_what_a_server_is_told_is_documented() -> None:
    for variable in ENVIRONMENT:
        assert f"`{variable}`" in PAGE


def test_the_versions_are_those_that_are_pinned() -> None:
    pinned = (ROOT / "benchmarks" / "pipecat" / "requirements.txt").read_text(encoding="utf-8")
    version = re.search(r"pipecat-ai\[.*\]==(\S+)", pinned)
    assert version is not None and f"Pipecat {version[1]}" in PAGE
