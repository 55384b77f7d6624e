"""`aybiza audit verify` and `show`: of whole, changed, torn and missing trails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.actors.measures import events
from aybiza.actors.measures.audit import AuditTrail
from aybiza.console.cli import app


@pytest.fixture
def trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "memory.sqlite3"))
    path = tmp_path / "audit-vm-1.jsonl"
    kept = AuditTrail(path, node="vm-1")
    for number in range(3):
        told = {"who": "maria", "did": "kill", "what": f"call:CA{number}"}
        kept.put(list(kept.hear(events.OPERATOR, {}, told, 1.8e9)))
    kept.put(list(kept.hear(events.CALL_REFUSED, {}, {"call_id": "CA9", "outcome": "full"}, 1.8e9)))
    return path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["audit", *arguments])


def test_a_whole_trail_holds_and_its_last_hash_is_told(trail: Path) -> None:
    result = run("verify")
    assert result.exit_code == 0
    last = json.loads(trail.read_bytes().splitlines()[-1])["hash"]
    assert result.output.splitlines() == ["audit-vm-1.jsonl: 4 entries hold", f"  last {last}"]
    assert max(map(len, result.output.splitlines())) <= 80


def test_a_changed_one_does_not_and_its_line_is_told(trail: Path) -> None:
    trail.write_bytes(trail.read_bytes().replace(b"call:CA1", b"call:CA7"))
    result = run("verify")
    assert result.exit_code == 1
    assert "line 2: it has been changed; the 1 before it hold" in result.output


def test_a_torn_end_is_no_change(trail: Path) -> None:
    trail.write_bytes(trail.read_bytes()[:-9])
    result = run("verify")
    assert result.exit_code == 0
    assert "its last line has no end: the machine died" in result.output


def test_entries_are_shown_by_what_was_done(trail: Path) -> None:
    lines = run("show", "--did", "operator").output.splitlines()
    assert len(lines) == 3
    assert lines[0].split() == ["2027-01-15T08:00:00", "maria", "operator.kill", "what=call:CA0"]
    (entry,) = map(json.loads, run("show", "--did", "call", "--json").output.splitlines())
    assert entry["about"] == {"call_id": "CA9", "outcome": "full"}


def test_where_there_is_none_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "memory.sqlite3"))
    for command in ("verify", "show"):
        result = run(command)
        assert result.exit_code == 1 and "no node has written a trail" in " ".join(
            result.output.split()
        )
    missing = run("verify", str(tmp_path / "none.jsonl"))
    assert missing.exit_code == 1 and "No such file" in missing.output


def test_a_doctored_entry_neither_ends_the_list_nor_commands_the_terminal(trail: Path) -> None:
    with trail.open("ab") as file:
        file.write(b'{"did": "a", "about": "text"}\n' + b"[" * 100_000 + b"\n\xff\n")
        file.write(b'{"did": "b", "about": {"what": "\\u001b[2J\\nx"}}\n')
    result = run("show")
    assert result.exit_code == 0
    assert "what=?[2J?x" in result.output and "\x1b" not in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_a_change_is_told_after_the_node_has_begun_a_new_trail_too(trail: Path) -> None:
    trail.write_bytes(trail.read_bytes().replace(b"call:CA1", b"call:CA7"))
    kept = AuditTrail(trail, node="vm-1")
    told = {"who": "maria", "did": "kill", "what": "call:CA5"}
    first, _, third = (
        item for _ in range(3) for item in kept.hear(events.OPERATOR, {}, told, 1.8e9)
    )
    kept.put([first, third])
    result = run("verify")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "audit-vm-1.jsonl: 4 entries hold" in said
    assert "entry 1: the trail before it had been changed, and was set aside as audit-vm-1" in said
    assert "entry 3: what came before it could not be kept, entries: 1" in said
    assert max(map(len, result.output.splitlines())) <= 80
