"""`aybiza report` and `aybiza costs`: what they print, and of what."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from aybiza.actors.measures.records import NAME, Records
from aybiza.actors.measures.report import report as made
from aybiza.console.cli import app
from aybiza.console.report import KEYS, as_table, cost_lines, cost_rows, report_lines
from tests.actors.measures.report_kit import SINCE, UNTIL, calls_of, charge
from tests.actors.node.kit import free_port


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose nodes have had calls in the last day."""
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "memory.sqlite3"))
    monkeypatch.setenv("AYBIZA_CLUSTER_PORT", str(free_port()))
    records = Records(tmp_path / NAME, node="vm-1", days=90)
    shift = time.time() - 80_000 - SINCE
    rows = calls_of(1)
    for table in ("calls", "turns", "charges"):
        records.put([(table, {**row, "at": row["at"] + shift}) for row in getattr(rows, table)])
    records.close()
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


def test_the_report_is_a_table_of_at_most_80_columns(place: Path) -> None:
    result = run("report")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("the last 24h: 60 calls, 30.0 minutes")
    for said in ("first frame", "COUNTRIES", "DE", "eu-west-1", "EXPERIMENT / ARM", "latency: one"):
        assert said in result.stdout, said


def test_long_names_do_not_make_lines_longer() -> None:
    rows = calls_of(1)
    long = "x" * 300
    named = {"model": long, "country": long, "experiment": long, "arm": long, "optimal": "m"}
    turns = [{**row, **named} for row in rows.turns]
    told = made(type(rows)(rows.calls, turns, rows.charges), SINCE, UNTIL)
    tables = [
        line for line in report_lines(told, "24h") if not line.startswith(("model sel", "  "))
    ]
    assert max(map(len, tables)) <= 80
    table = cost_rows([{**row, "model": long, "agent": long} for row in rows.charges], "agent")
    assert max(map(len, cost_lines(table, "agent", 10**12))) <= 80


def test_the_report_as_json_and_as_a_page(place: Path, tmp_path: Path) -> None:
    told = json.loads(run("report", "--json").stdout)
    assert told["turns"]["count"] == 60
    page = tmp_path / "report.html"
    result = run("report", "--html", str(page))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "<svg" in page.read_text()
    page.write_text("mine")
    there = run("report", "--html", str(page))
    assert there.exit_code == 2 and "is there already" in " ".join(there.output.split())
    assert page.read_text() == "mine"
    assert run("report", "--html", str(page), "--force").exit_code == 0
    assert "<svg" in page.read_text()
    refused = run("report", "--html", str(tmp_path / "none" / "x.html"))
    assert refused.exit_code == 1 and "No such file" in refused.output


def test_files_of_several_machines_are_taken_together(place: Path, tmp_path: Path) -> None:
    one = str(place / NAME)
    told = json.loads(run("report", "--json", "--file", one, "--file", one).stdout)
    assert told["turns"]["count"] == 120


@pytest.mark.parametrize("command", ["report", "costs"])
def test_wrong_periods_and_missing_records_are_told(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "memory.sqlite3"))
    monkeypatch.setenv("AYBIZA_CLUSTER_PORT", str(free_port()))
    for period in ("", "24", "soon", "0h", "-1h", "9999999d", "²h"):
        result = run(command, "--period", period)
        assert result.exit_code == 2, period
    nothing = run(command)
    assert nothing.exit_code == 1 and "there are no records yet" in nothing.output
    (tmp_path / NAME).write_bytes(b"no database, but long enough to look like one" * 40)
    damaged = run(command)
    assert damaged.exit_code == 1 and "not a database" in damaged.output


def test_costs_by_agent_and_by_what(place: Path) -> None:
    result = run("costs", "--by", "agent")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["AGENT", "WHAT", "MODEL", "USD", "TIMES"]
    assert lines[1].startswith("Desk")
    assert run("costs", "--by", "colour").exit_code == 2


charges = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 10**9)), max_size=30)


@given(charges, st.sampled_from(sorted(KEYS)))
def test_whatever_it_is_cut_by_the_sum_is_the_same_to_the_micro_dollar(told: Any, by: str) -> None:
    rows = [
        charge(number, micro, agent=f"a{number % 3}", tenant=f"t{number % 2}", turn=number % 4)
        for number, micro in told
    ]
    total = sum(micro for _, micro in told)
    table = cost_rows(rows, by)
    assert sum(row["micro_usd"] for row in table) == total
    assert sum(row["charges"] for row in table) == len(rows)
    printed = csv.DictReader(io.StringIO(as_table(table, by)))
    assert sum(int(row["usd"].replace(".", "")) for row in printed) == total


def test_csv_holds_no_formula(place: Path) -> None:
    rows = [
        charge(1, 7, agent="=1+1"),
        charge(1, 7, agent="@x"),
        charge(1, 7, agent="plain"),
        charge(1, 7, agent="\r=1"),
    ]
    cells = [
        row["agent"]
        for row in csv.DictReader(io.StringIO(as_table(cost_rows(rows, "agent"), "agent")))
    ]
    assert cells == ["?=1", "'=1+1", "'@x", "plain"]
    out = run("costs", "--csv")
    assert out.stdout.splitlines()[0] == "what,model,quantity,charges,usd"
    everything = json.loads(run("costs", "--json").stdout)
    assert everything["micro_usd"] == sum(row["micro_usd"] for row in everything["rows"]) > 0


def test_the_turns_of_a_call_are_told_apart_in_the_table() -> None:
    call = "CA" + "0123456789abcdef" * 2
    charges = [charge(1, 1, call_id=call, turn=turn) for turn in (1, 12, None)]
    table = cost_rows(charges, "turn")
    lines = list(cost_lines(table, "turn", 3))
    names = sorted(line[:22].rstrip() for line in lines[1:-1])
    assert names == ["CA0123456789ab -", "CA0123456789ab 1", "CA0123456789ab 12"]
    (row,) = list(cost_lines(cost_rows(charges, "call"), "call", 3))[1:-1]
    assert row[:22] == f"{call[:21]} "


def test_the_line_of_costs_is_folded_where_they_are_many() -> None:
    told = made(calls_of(1), SINCE, UNTIL)
    told["cost"]["by_what"] = dict.fromkeys(("carrier", "listen", "model", "speak", "sip"), 1234.5)
    assert max(map(len, report_lines(told, "24h"))) <= 80
