"""The specification's functions are the code that calls run on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.conformance.functions import twin_of

GOLDEN = Path(__file__).parents[1] / "golden"
RECORDED = sorted(path.stem.removeprefix("fn_") for path in GOLDEN.glob("fn_*.json"))
CALL = Path(__file__).parents[2] / "actors" / "call"


def added(first: Iterable[str], then: Iterable[str]) -> set[str]:
    """What of ours a fresh interpreter imports for `then` when it has imported `first`."""
    ours = "{name for name in sys.modules if name.startswith('aybiza.')}"
    code = (
        f"import json, sys, {', '.join(first)}; before = {ours}; "
        f"import {', '.join(then)}; print(json.dumps(sorted({ours} - before)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    return set(json.loads(run.stdout))


def test_there_is_a_twin_of_every_recorded_function() -> None:
    assert len(RECORDED) == 21
    assert [name for name in RECORDED if twin_of(name) is None] == []


def test_a_recorded_function_needs_nothing_that_a_call_does_not_import() -> None:
    names = [path.stem for path in sorted(CALL.glob("*.py")) if path.stem != "__init__"]
    twins = [twin_of(name) for name in RECORDED]
    modules = sorted({twin.__module__ for twin in twins if twin})
    assert added([f"aybiza.actors.call.{name}" for name in names], modules) == set()


LAZY = {"aybiza.actors.runtime.ets", "aybiza.actors.runtime.table_rows"}
"""What a VM imports when its first table is made."""


def test_what_the_recordings_are_tried_on_is_in_a_node_that_takes_calls() -> None:
    folder = Path(__file__).parent
    runners = [path.stem for path in folder.glob("*.py") if not path.stem.startswith("test_")]
    names = [f"tests.conformance.{name}" for name in sorted(runners) if "__" not in name]
    assert added(["aybiza.console.node"], names) == LAZY
