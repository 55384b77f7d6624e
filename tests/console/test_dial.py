"""`aybiza dial`: phone scripts played from the command line, and a table of what came of them."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from aybiza.console.cli import app

WRONG = """
title = "Expects what nobody says"

[[step]]
say = "Hello."

[[step]]
hang_up = true

[expect]
heard = ["Good evening"]
clears = 3
"""


def dial(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["dial", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_a_script_is_played_and_its_row_printed() -> None:
    code, out, _ = dial("asks", "interrupts_early")
    head, first, second, last = out.splitlines()
    assert code == 0
    assert head.split() == ["script", "result", "response", "silence", "what", "was", "wrong"]
    assert first.split()[:2] == ["asks", "ok"] and int(first.split()[2]) < 1000
    assert second.split()[:2] == ["interrupts_early", "ok"]
    assert last == "2 played, 0 wrong"


def test_what_was_wrong_is_printed_line_by_line_and_is_the_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "evening.toml"
    path.write_text(WRONG)
    code, out, _ = dial(str(path))
    assert code == 1
    assert "evening" in out and "WRONG" in out
    assert "not heard (in its place): 'Good evening'" in out
    assert "cut off 0 times, and should be 3 times" in out
    assert out.splitlines()[-1] == "1 played, 1 wrong"


def test_json_has_all_of_it() -> None:
    code, out, _ = dial("asks", "--json")
    told = json.loads(out)
    assert code == 0 and told["wrong"] == 0
    (row,) = told["scripts"]
    assert row["name"] == "asks" and row["result"] == "ok" and row["response_ms"] < 1000
    assert "We are open from nine to five" in row["heard"]


def test_without_a_script_all_are_named_in_lines_of_a_terminal() -> None:
    code, _, told = dial()
    assert code == 2
    assert "asks_twice" in told
    assert max(map(len, told.splitlines())) <= 80


def test_what_cannot_be_played_is_named() -> None:
    code, _, told = dial("askz")
    assert code == 2 and "did you mean 'asks'" in told
    code, _, told = dial()
    assert code == 2 and "interrupts_early" in told


def test_emulators_that_are_not_there_are_named_and_a_node_that_is_not_is_a_failed_call() -> None:
    nowhere = "127.0.0.1:9"
    url = ("--url", f"ws://{nowhere}/media")
    code, _, told = dial(
        "asks", *url, "--bedrock", f"http://{nowhere}", "--deepgram", f"ws://{nowhere}"
    )
    assert code == 2 and "An emulator cannot be reached" in told
    code, out, _ = dial("tool_hangs", *url)
    assert code == 0 and "needs the tools of the desk" in out
    assert out.splitlines()[-1] == "0 played, 0 wrong, 1 skipped"
