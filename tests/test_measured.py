"""What is measured is what is done within, and too few branches are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aybiza.speech.mos import mos_of
from tests.measured import LEAST, Measuring, taken, told

FILE = "speech/mos.py"


def report(covered: int) -> dict[str, Any]:
    totals = {"covered_branches": covered, "num_branches": 1000}
    return {"files": {FILE: {"missing_branches": [[7, 8], [9, -3]]}}, "totals": totals}


def test_only_what_is_done_within_is_measured(tmp_path: Path) -> None:
    measuring = Measuring(tmp_path / "measured")
    measuring.save()  # nothing was measured, so nothing is left
    mos_of(120.0)
    with measuring.running():
        mos_of(50.0)
    mos_of(0.0)
    with measuring.running():
        mos_of(-1.0)
    measuring.save()
    found = taken(tmp_path / "measured")["files"][FILE]
    assert (found["summary"]["covered_branches"], found["summary"]["num_branches"]) == (3, 4)


def test_too_few_branches_are_told() -> None:
    lines: list[str] = []
    assert told(report(round(10 * LEAST)), verbose=False, say=lines.append)
    assert lines == ["branches: 950 of 1000, 95.0 %; 95 % are the least"]
    assert not told(report(949), verbose=True, say=lines.append)
    assert lines[1] == "speech/mos.py: 7->8, 9->exit"
