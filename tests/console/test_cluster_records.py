"""The records of a cluster: of each machine once and whole, and told where they are missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.measures.records_pages import page
from aybiza.console import cluster_records, node_records
from aybiza.console.cluster_records import gathered
from tests.actors.measures.report_kit import SINCE, UNTIL
from tests.console.records_kit import filled


def member(node: str, machine: str, state: str = "up") -> dict[str, str]:
    return {"node": node, "machine": machine, "state": state}


class Nodes:
    """Answers in the place of a node, by the files of the nodes; None: a node that fails."""

    def __init__(self, members: list[dict[str, str]], files: Mapping[str, Path | None]) -> None:
        self.members, self.files = members, files
        self.asked: list[list[str]] = []

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        request = json.loads(json.dumps(request))
        if request["op"] == "members":
            return {"members": self.members}
        self.asked.append(list(request["from"]))
        pages = {node: self._page(node, start) for node, start in request["from"].items()}
        told: dict[str, Any] = json.loads(json.dumps({"pages": pages}))
        return told

    def _page(self, node: str, start: Any) -> Any:
        path = self.files.get(node)
        return {"failed": "cut"} if path is None else page(path, SINCE, UNTIL, start)


def test_each_machine_is_asked_by_one_of_its_nodes_and_counts_once(tmp_path: Path) -> None:
    one, two = (filled(tmp_path / f"{n}.sqlite3", f"vm-{n}", n * 10) for n in (1, 2))
    members = [
        member("vm-1", "a:1900", "here"),
        member("vm-2", "a:1900"),
        member("back", "b:1900"),
        member("shared", "c:1900"),
    ]
    ask = Nodes(members, {"vm-1": one, "vm-2": one, "back": two, "shared": two})
    found = gathered(ask, SINCE, UNTIL)
    assert (len(found.rows.calls), len(found.rows.charges)) == (30, 60)
    assert [row["at"] for row in found.rows.turns] == sorted(row["at"] for row in found.rows.turns)
    assert len(found.files) == 2 and not any(machine.why for machine in found.machines)
    assert all("vm-2" not in nodes for nodes in ask.asked)


def test_where_a_node_fails_the_next_of_its_machine_is_asked_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aybiza.actors.measures.records_pages.ROWS", 7)
    path = filled(tmp_path / "1.sqlite3", "vm-1", 20)

    class Failing(Nodes):
        def _page(self, node: str, start: Any) -> Any:
            late = node == "vm-1" and len(self.asked) > 3
            return {"failed": "gone"} if late else super()._page(node, start)

    ask = Failing([member("vm-1", "a", "here"), member("vm-2", "a")], {"vm-1": path, "vm-2": path})
    found = gathered(ask, SINCE, UNTIL)
    assert (len(found.rows.calls), len(found.rows.charges)) == (20, 40)
    assert ask.asked[4] == ["vm-2"]


def test_a_machine_that_does_not_answer_is_named_and_nothing_of_it_counts(tmp_path: Path) -> None:
    path = filled(tmp_path / "1.sqlite3", "vm-1", 5)
    members = [
        member("vm-1", "a", "here"),
        member("back", "b", "down"),
        member("cut-1", "c"),
        member("cut-2", "c"),
        member("odd", "d"),
    ]

    class Odd(Nodes):
        def _page(self, node: str, start: Any) -> Any:
            return {"file": "x"} if node == "odd" else super()._page(node, start)

    found = gathered(Odd(members, {"vm-1": path, "cut-1": None}), SINCE, UNTIL)
    assert {machine.name: machine.why for machine in found.machines} == {
        "a": "",
        "b": "back: down",
        "c": "cut-2: cut",
        "d": "odd: not a page of records: 'table'",
    }
    assert len(found.rows.calls) == 5


def test_rows_and_time_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aybiza.actors.measures.records_pages.ROWS", 5)
    path = filled(tmp_path / "1.sqlite3", "vm-1", 50)
    ask = Nodes([member("vm-1", "a", "here")], {"vm-1": path})
    ticks = iter(range(1_000))
    late = gathered(ask, SINCE, UNTIL, seconds=3.0, now=lambda: float(next(ticks)))
    assert late.machines[0].why == "it was not done within 3 s" and len(ask.asked) == 3
    monkeypatch.setattr(cluster_records, "MOST_ROWS", 12)
    many = gathered(ask, SINCE, UNTIL)
    assert "more than 12 rows" in many.machines[0].why and not many.rows.calls


def test_many_machines_are_asked_in_turns(tmp_path: Path) -> None:
    path = filled(tmp_path / "1.sqlite3", "vm-1", 1)
    names = [f"vm-{number}" for number in range(40)]
    ask = Nodes([member(name, name) for name in names], dict.fromkeys(names, path))
    assert len(gathered(ask, SINCE, UNTIL).rows.calls) == 1, "they share a file"
    assert max(map(len, ask.asked)) == node_records.AT_ONCE
    assert {name for asked in ask.asked for name in asked} == set(names)
