"""The examples in docstrings do what they show, in every module that has any."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.test_floors import ALLOWED

ROOT = Path(__file__).parents[2]
FLOORS = sorted(set(ALLOWED) - {"tests", "examples", "docs"})


def modules_with_examples(floor: str) -> list[str]:
    return [
        "aybiza." + ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / floor).rglob("*.py"))
        if "pipecat" not in path.parts and ">>> " in path.read_text(encoding="utf-8")
    ]


def wrong(module: str) -> str:
    """What an example shows that is not so; "" if all hold."""
    found: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module)):
        runner.run(test, out=found.append)
    return "".join(found)


@pytest.mark.parametrize("floor", FLOORS)
def test_the_examples_in_docstrings_hold(floor: str) -> None:
    found = [said for module in modules_with_examples(floor) if (said := wrong(module))]
    assert not found, "\n".join(found)
