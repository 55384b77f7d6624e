"""`aybiza top`: the busiest first, as wide as the terminal, once where nobody watches."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from aybiza.console import top
from aybiza.console.cli import app
from aybiza.console.page import COLUMNS
from aybiza.console.top import HOME, ROWS, WHOLE, By, head_lines, top_lines


def process(number: int, taken: int = 0, mailbox: int = 0, name: str | None = None) -> Any:
    pid = f"<node.{number}@k7fq>"
    return {"pid": pid, "server": "Clerk", "name": name, "mailbox": mailbox, "reductions": taken}


def test_what_took_the_most_messages_stands_first_and_a_new_process_counts_in_whole() -> None:
    before = [process(1, taken=100), process(2, taken=100)]
    now = [process(1, taken=110), process(2, taken=300), process(3, taken=40, mailbox=7)]
    lines = top_lines(before, now, 2.0)
    assert lines[0] == "3 processes, 7 messages waiting"
    assert [line.split() for line in lines[3:]] == [
        ["<node.2@k7fq>", "Clerk", "100", "0"],
        ["<node.3@k7fq>", "Clerk", "20", "7"],
        ["<node.1@k7fq>", "Clerk", "5", "0"],
    ]
    assert top_lines(before, now, 2.0, By.mailbox)[3].startswith("<node.3@k7fq>")


def test_lines_have_their_columns_whatever_the_names_are() -> None:
    long = [process(10**9 + n, 10**9, 10**4, "call:" + "x" * 60) for n in range(3 * ROWS)]
    lines = top_lines([], long, 1.0)
    assert len(lines) == ROWS + 3
    load = {"calls": 1, "max_calls": 9, "lag_ms": 1.5, "memory_mb": 1, "refusal": "x" * 90}
    lines += head_lines(
        [{"node": "n", "state": "here", "load": load}, {"node": "m", "state": "up"}]
    )
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize(("columns", "height"), [(80, 24), (40, 24), (200, 60), (80, 8)])
def test_a_picture_fits_into_the_terminal_with_its_cursor(
    monkeypatch: pytest.MonkeyPatch, columns: int, height: int
) -> None:
    processes = [process(number, name="call:" + "x" * 90) for number in range(100)]
    members = [{"node": f"n-{number}", "state": "up"} for number in range(40)]
    sizes = iter([(columns, height), (columns, height), (columns, height + 1)])
    pictures = pictures_of({"processes": processes, "members": members}, sizes, monkeypatch)
    shown = [picture.split("\x1b[K\n")[:-1] for picture in pictures]
    assert [WHOLE in picture for picture in pictures] == [True, False, True]
    assert all(picture.startswith(HOME) for picture in pictures)
    assert [len(lines) for lines in shown] == [height - 1, height - 1, height]
    assert max(len(line.split("J")[-1].split("H")[-1]) for line in shown[1]) <= columns
    assert any("more; `aybiza node list`"[: columns - 14] in line for line in shown[1])
    assert max(map(len, shown[1])) > 80 or columns < 200


def pictures_of(
    answers: Any, sizes: Iterator[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """What `top` sends to a terminal of these sizes, until they are over."""
    shown: list[str] = []

    def size() -> os.terminal_size:
        try:
            return os.terminal_size(next(sizes))
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(top, "asked", lambda *_: answers)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(shutil, "get_terminal_size", size)
    monkeypatch.setattr(typer, "echo", lambda text="", nl=True: shown.append(text))
    top.top(every=0.01)
    return shown[:-1]


def test_one_picture_is_printed_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(port: int | None, request: dict[str, Any], node: str | None) -> dict[str, Any]:
        asked.append(request["op"])
        taken = 10 * len(asked)
        return {"processes": [process(1, taken=taken)], "members": [{"node": "n", "state": "here"}]}

    monkeypatch.setattr(top, "asked", answer)
    result = CliRunner().invoke(app, ["top", "--every", "0.2"])
    assert (result.exit_code, asked) == (0, ["tree", "members", "tree"])
    assert HOME not in result.output
    assert "1 process, 0 messages waiting" in result.output
