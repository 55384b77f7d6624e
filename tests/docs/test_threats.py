"""The page of threats names its proofs: each of them exists, and no file of attacks is left out."""

from __future__ import annotations

import re
from pathlib import Path

from aybiza.gateway.admission.policy import POLICY, Proof
from aybiza.gateway.console.assets import ASSETS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
TABLES = PAGE.split("## What is not held")[0]
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in TABLES.splitlines()
    if line.startswith("| ") and not line.startswith("| they want")
]


def test_every_threat_says_what_holds_it_and_which_tests_show_it() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        assert len(row) == 3 and all(row), row
        named = re.findall(r"`(tests/[\w./]+\.py)`", row[2])
        assert named, row
        assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_file_of_attacks_stands_on_the_page() -> None:
    files = {path.name for path in (ROOT / "tests" / "security").glob("test_*.py")}
    assert sorted(name for name in files if f"tests/security/{name}" not in PAGE) == []


def test_every_test_that_the_promises_name_exists() -> None:
    named = re.findall(r"`((?:tests/[\w/]+/)?test_\w+\.py)`", SECURITY)
    assert len(named) > 10
    for name in named:
        path = name if name.startswith("tests/") else f"tests/security/{name}"
        assert (ROOT / path).is_file(), name


def test_what_is_open_to_anybody_is_what_the_promises_say() -> None:
    open_ = {row.path for row in POLICY if row.proof is Proof.NONE}
    pages = {row.path for row in POLICY if row.proof is Proof.SHELL}
    (promise,) = [line for line in SECURITY.splitlines() if line.startswith("| anybody at a port")]
    assert set(re.findall(r"`(/\w+)`", promise)) == open_
    assert pages == set(ASSETS)
    assert "where the console has a token, the files of its page" in promise
