"""Lines for people fit into 80 columns, and into a narrower terminal."""

import os
import shutil
import sys
import time

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command
from typer.testing import CliRunner

from aybiza.console import cli
from aybiza.console.operate import tree_lines
from aybiza.console.page import COLUMNS, folded, pause, quietly, say, width

words = st.lists(st.text("abc:/.-", min_size=1, max_size=30), max_size=30)


@given(words, st.integers(0, 60), st.integers(0, 60))
def test_no_word_is_lost_and_no_line_is_too_long(said: list[str], under: int, indent: int) -> None:
    line = " " * indent + " ".join(said)
    lines = folded(line, under)
    assert " ".join(lines).split() == line.split()
    assert all(len(each) <= COLUMNS or len(each.split()) == 1 for each in lines)


def test_a_line_goes_on_under_its_last_column() -> None:
    lines = folded("FAIL  network  " + "the name is not found " * 5, 15)
    assert lines[0].startswith("FAIL  network  the name")
    assert all(line.startswith(" " * 15 + "t") or line[15] != " " for line in lines[1:])
    assert all(line[:15] == " " * 15 for line in lines[1:])


def test_a_column_that_leaves_no_room_is_not_kept() -> None:
    lines = folded("x" * 70 + "  " + "and more words " * 4, 72)
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 4]


def test_a_word_that_has_no_room_in_its_column_stands_below() -> None:
    assert folded("SETTING  default  " + "/path" * 14, 18) == [
        "SETTING  default",
        "    " + "/path" * 14,
    ]


def test_an_address_stays_in_one_piece() -> None:
    address = "wss://" + "a" * 90
    assert address in " ".join(folded(f"media comes in at {address}", 9)).split()


def pages() -> list[str]:
    """Every page of help, and what commands print that ask no node."""
    found = [
        "config",
        "config --explain",
        "faults kinds",
        "models",
        "models explain transfer-me-to-the-billing-department-please",
        "node ports --policy",
    ]
    waiting = [("", get_command(cli.app))]
    while waiting:
        path, command = waiting.pop()
        found.append(f"{path} --help".strip())
        waiting += [
            (f"{path} {name}".strip(), under)
            for name, under in getattr(command, "commands", {}).items()
        ]
    return sorted(found)


@pytest.mark.parametrize("page", pages())
def test_every_page_fits_into_80_columns(page: str) -> None:
    result = CliRunner().invoke(cli.app, page.split(), env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    too_long = [
        line for line in result.stdout.splitlines() if len(line) > COLUMNS and len(line.split()) > 1
    ]
    assert too_long == []


def test_a_name_that_does_not_fit_stands_below_its_process() -> None:
    tree = [
        {"depth": 0, "server": "Supervisor", "pid": "<a.1>", "name": "application"},
        {"depth": 1, "server": "CallActor", "pid": "<a.2>", "name": f"call:{'x' * 70}"},
        {"depth": 2, "server": "Speaker", "pid": "<a.3>", "name": ""},
        {"depth": 1, "server": "Last", "pid": "<a.4>", "name": ""},
    ]
    assert tree_lines(tree) == [
        "Supervisor <a.1>  application",
        "├─ CallActor <a.2>",
        f"│  │    call:{'x' * 70}",
        "│  └─ Speaker <a.3>",
        "└─ Last <a.4>",
    ]


def test_each_of_several_lines_is_folded_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"first\n{'word ' * 20}", 4, err=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["first", " ".join(["word"] * 16), "    " + " ".join(["word"] * 4)]


def test_a_line_orders_no_terminal_about_whoever_said_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("agent:  Done.\x1b]0;mine\x07\rYou owe \u202e1\x9b2J")
    assert capsys.readouterr().out == "agent:  Done.?]0;mine??You owe ?1?2J\n"


def test_nothing_is_logged_for_a_while_and_then_as_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = structlog.get_config()
    with quietly():
        structlog.get_logger("a test").error("not_told")
    assert structlog.get_config() == before
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("columns", "shown"), [(40, 40), (200, 80)])
def test_a_line_goes_on_below_where_a_terminal_is_narrower(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, shown: int
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((columns, 24)))
    say("18:41:07  agent    " + "We open at nine. " * 8, 19)
    lines = capsys.readouterr().out.splitlines()
    assert shown - 8 < max(map(len, lines)) <= shown
    assert width() == columns


def test_who_waits_is_told_as_soon_as_nobody_reads_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads, writes = os.pipe()
    with os.fdopen(writes, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        pause(0.01)
        os.close(reads)
        began = time.monotonic()
        with pytest.raises(BrokenPipeError):
            pause(30.0)
        assert time.monotonic() - began < 5.0
