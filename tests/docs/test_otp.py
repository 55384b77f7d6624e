"""The comparison with OTP names its proofs: each of them exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "otp.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([^`\n]+)`", PAGE)))
LINKED = re.findall(r"\]\(([^)#]+)\)", PAGE)


def test_every_file_it_names_exists() -> None:
    paths = [name for name in NAMED if re.fullmatch(r"[\w./-]+\.(py|md|json)", name)]
    assert len(paths) > 20
    assert [
        path
        for path in paths
        if not (ROOT / path).is_file() and not (ROOT / "tests" / "golden" / path).is_file()
    ] == []
    assert [link for link in LINKED if not (ROOT / "docs" / link).is_file()] == []


def test_every_test_it_names_exists() -> None:
    tests = [name for name in NAMED if re.fullmatch(r"test_\w+", name)]
    assert len(tests) > 5
    defined = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))
    }
    assert sorted(set(tests) - defined) == []


def test_every_command_it_shows_is_a_module() -> None:
    for module in re.findall(r"python -m ([\w.]+)", PAGE):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_every_difference_and_what_is_missing_has_a_reason_and_every_likeness_a_proof() -> None:
    same, differs, missing = (
        PAGE.split(f"## {heading}")[1].split("\n## ")[0]
        for heading in ("What is the same", "What differs, and why", "What is not here")
    )
    for table, columns in ((same, 3), (differs, 4), (missing, 2)):
        rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line[:2] == "| "]
        assert len(rows) > 10
        assert [row for row in rows if len(row) != columns or not all(row)] == []
