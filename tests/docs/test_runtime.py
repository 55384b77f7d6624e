"""The tutorial of the runtime: its programs are the files of `examples/runtime/`, and print what it
says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEPS = ROOT / "examples" / "runtime"
PAGE = (ROOT / "docs" / "runtime.md").read_text(encoding="utf-8")
# The log comes from a thread, and would fall between the words of a line that is printed.
WITHOUT_LOG = """
import runpy, structlog, sys
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
runpy.run_path(sys.argv[1], run_name="__main__")
"""
PRINTED = dict(re.findall(r"    \$ python (\w+\.py)\n((?:    .+\n)+)", PAGE))


def test_the_page_shows_every_program_as_it_stands() -> None:
    shown = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    files = {path.read_text(encoding="utf-8") for path in STEPS.glob("*.py")}
    assert len(shown) == 6
    assert set(shown) == files


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_a_program_prints_what_the_page_says(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LOG, name],
        cwd=STEPS,
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    assert done.stdout.splitlines() == [line[4:] for line in PRINTED[name].splitlines()]


def test_the_page_says_what_five_programs_print() -> None:
    assert len(PRINTED) == 5
