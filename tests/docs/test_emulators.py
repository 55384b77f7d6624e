"""The document of the emulators: its examples run, and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aybiza.emulators.bedrock import faults as bedrock
from aybiza.emulators.deepgram import faults as deepgram
from aybiza.emulators.phone import faults as phone

DOCUMENT = (Path(__file__).parents[2] / "docs" / "emulators.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.M | re.S)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int) -> None:
    exec(compile(EXAMPLES[number], f"docs/emulators.md, example {number}", "exec"), {})


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def test_every_fault_stands_in_its_table() -> None:
    wanted = [
        *(
            row(f"`{name}`", kind.where, ", ".join(kind.parameters), kind.meaning)
            for name, kind in bedrock.KINDS.items()
        ),
        *(
            row(f"`{name}`", ", ".join(kind.doors), ", ".join(kind.parameters), kind.meaning)
            for name, kind in deepgram.KINDS.items()
        ),
        *(
            row(f"`{name}`", ", ".join(kind.parameters), kind.meaning)
            for name, kind in phone.KINDS.items()
        ),
    ]
    lines = DOCUMENT.splitlines()
    assert [line for line in wanted if line not in lines] == []
    rows = [line for line in lines if line.startswith("| `")]
    assert sorted(rows) == sorted(wanted)
