"""The records of a period in pages: whole, in order, bounded, and refused where they are none."""

from __future__ import annotations

import base64
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest
from pytest import approx

from aybiza.actors.measures import records_pages
from aybiza.actors.measures.records import Records, RecordsError, file_of, reading
from aybiza.actors.measures.records_pages import page, rows_of_page
from aybiza.actors.measures.report import rows_of
from tests.actors.measures.report_kit import SINCE, UNTIL, calls_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rows = calls_of(5)
    records = Records(tmp_path / "records.sqlite3", node="vm-1", days=3_650)
    for table in ("calls", "turns", "charges"):
        records.put([(table, dict(row)) for row in getattr(rows, table)])
    records.close()
    return records.path


def near(value: Any) -> Any:
    """The value, as far as a page tells it."""
    return approx(value, rel=1e-14) if isinstance(value, float) else value


def all_of(path: Path, since: float = SINCE, until: float = UNTIL) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {"calls": [], "turns": [], "charges": []}
    start: Any = None
    for _ in range(1_000):
        told = page(path, since, until, start)
        table, rows = rows_of_page(told)
        assert len(rows) <= records_pages.ROWS
        found[table] += rows
        start = told["next"]
        if start is None:
            return found
    raise AssertionError("the pages have no end")


@pytest.mark.parametrize("size", [1, 7, 60, 1_000])
def test_the_pages_have_what_the_file_has(
    path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_pages, "ROWS", size)
    for since, until in ((SINCE, UNTIL), (SINCE + 600, SINCE + 1_200), (SINCE - 2, SINCE - 1)):
        with reading(path) as connection:
            whole = rows_of(connection, since, until)
        for table, rows in all_of(path, since, until).items():
            there = getattr(whole, table)
            assert len(rows) == len(there)
            for row, same in zip(rows, there, strict=True):
                assert row.keys() == same.keys()
                assert all(told == near(same[name]) for name, told in row.items())


def test_an_older_file_has_fewer_columns_and_no_name(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE turns (at REAL NOT NULL, call_id TEXT)")
        for table in ("calls", "charges"):
            connection.execute(f"CREATE TABLE {table} (at REAL NOT NULL, micro_usd INTEGER)")
        connection.execute("INSERT INTO turns VALUES (?, 'CA1')", (SINCE,))
    connection.close()
    (turn,) = all_of(path)["turns"]
    assert (turn["at"], turn["call_id"], turn["model"]) == (SINCE, "CA1", None)
    assert page(path, SINCE, UNTIL, None)["file"] is None


def test_a_file_keeps_its_name_wherever_it_stands(path: Path, tmp_path: Path) -> None:
    name = page(path, SINCE, UNTIL, None)["file"]
    moved = path.rename(tmp_path / "moved.sqlite3")
    records = Records(moved, node="vm-2", days=3_650)
    records.put([])
    records.close()
    with reading(moved) as connection:
        assert file_of(connection) == name is not None


def test_no_file_is_no_rows_and_a_damaged_one_an_error(tmp_path: Path) -> None:
    told = page(tmp_path / "none", SINCE, UNTIL, None)
    assert (rows_of_page(told), told["next"]) == (("calls", []), None)
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"no database, but long enough to look like one" * 40)
    with pytest.raises(RecordsError, match="not a database"):
        page(broken, SINCE, UNTIL, None)


def test_numbers_that_json_does_not_have_are_left_out(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.sqlite3", node="vm-1", days=3_650)
    odd = {"at": SINCE, "seconds": float("inf"), "turns": float("nan"), "agent": 'a"\\\n\x00é'}
    records.put([("calls", odd)])
    records.close()
    (call,) = all_of(records.path)["calls"]
    assert (call["seconds"], call["turns"], call["agent"]) == (None, None, 'a"\\\né')


@pytest.mark.parametrize(
    "start",
    [
        [],
        ["turns"],
        ["nosuch", 1, 2],
        ["turns; DROP TABLE turns", None, None],
        ["turns", "1", 2],
        ["turns", 3, 2],
        ["turns", 1, 2**70],
        {"a": 1},
        "turns",
        7,
    ],
)
def test_a_place_that_is_none_is_refused(path: Path, start: Any) -> None:
    with pytest.raises(ValueError, match="no place in the records"):
        page(path, SINCE, UNTIL, start)


def test_a_page_that_is_none_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = page(path, SINCE, UNTIL, ["turns", None, None])
    packed = base64.b64encode(zlib.compress(b"[[1]]")).decode()
    wrong: list[dict[str, Any]] = [
        {},
        {**good, "table": "nosuch"},
        {**good, "rows": "no base64"},
        {**good, "rows": base64.b64encode(b"no zlib").decode()},
        {**good, "rows": packed},
        {**good, "columns": None},
        {**good, "rows": good["rows"][: len(good["rows"]) // 2 // 4 * 4]},
    ]
    for told in wrong:
        with pytest.raises(ValueError, match="not a page of records"):
            rows_of_page(told)
    monkeypatch.setattr(records_pages, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match="not a page of records"):
        rows_of_page(good)
