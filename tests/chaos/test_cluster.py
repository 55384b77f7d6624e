"""Some seconds of chaos with three real nodes, and what the checks say of what is broken."""

from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.chaos.cluster import Broken, Run
from tests.slowness import slowness

pytestmark = pytest.mark.real_time


def test_three_nodes_under_chaos_break_no_invariant(tmp_path: Path) -> None:
    steps: list[str] = []
    environment = {"CHAOS_FOLDER": str(tmp_path)}
    # The limit of two seconds is for a machine that has the time.
    limit = 2.5 * slowness()
    with Run(5, 3, steps.append, down_seconds=limit, environment=environment) as run:
        run.go_on(9)
        run.end()
    assert run.steps > 2
    assert run.counts["received"] > 50
    assert 0 < run.slowest_down < limit


def test_a_run_that_cannot_begin_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def never(*_: object) -> None:
        raise Broken("not together")

    monkeypatch.setattr(Run, "_together", never)
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    run = Run(1, 2, lambda _: None, environment={"CHAOS_FOLDER": str(tmp_path)})
    with pytest.raises(Broken), run:
        pass
    assert len(run.machines) == 2
    assert all(not machine.left() for machine in run.machines.values())
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


def report(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "faults": [],
        "busy": 0,
        "waiting": 0,
        "held": {"x": "<a.1>:1"},
        "owners": {"x": "<a.1>:1"},
        "grouped": [],
        "members": [],
        "singles": [],
        "single": "<a.2>:1",
    }
    return {**whole, **changes}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"busy": 1}, "1 calls and 0 monitors wait"),
        ({"held": {"x": "<b.7>:1"}}, "x of <b.7>:1 is <a.1>:1 on a"),
        ({"owners": {"x": "<a.1>:1", "y": "<b.1>:1"}}, "names differ"),
        ({"grouped": ["<b.3>:1"]}, "members differ"),
        ({"singles": ["<b.9>:1"]}, "the singleton runs as"),
    ],
)
def test_what_is_broken_is_named(changes: dict[str, Any], text: str) -> None:
    run = Run(1, 2, lambda _: None)
    good, bad = report(singles=["<a.2>:1"]), report(**changes)
    assert run._fault({"a": good, "b": report()}) is None
    found = run._fault({"a": good, "b": bad})
    assert found is not None
    assert text in found


def test_a_node_that_is_missed_too_late_is_named() -> None:
    run = Run(1, 2, lambda _: None)
    run._check_missed("a", [[11.0, "down", "b"]], "b", 10.0)
    with pytest.raises(Broken, match=r"a missed b after 3\.00 s only"):
        run._check_missed("a", [[9.0, "down", "b"], [13.0, "down", "b"]], "b", 10.0)
    with pytest.raises(Broken, match="a has not missed b"):
        run._check_missed("a", [[9.0, "down", "b"], [12.0, "up", "b"]], "b", 10.0)
