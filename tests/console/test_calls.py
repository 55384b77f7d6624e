"""`aybiza calls list | show | export | forget`, over a SQLite file as a node leaves it."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aybiza.actors.measures.audit import verify
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import About, Part, Row, StoreError
from aybiza.console import cli
from aybiza.console.calls import table
from tests.actors.memory.servers import moto_server

OPENED = 1_760_000_000.0
CARD = "4111 1111 1111 1111"
ANN, BOB = "+15550100", "+15550177"
TALK: tuple[dict[str, Any], ...] = (
    {"type": "caller_turn", "turn": 1, "text": "My tooth hurts."},
    {"type": "agent_sentence", "turn": 1, "seq": 1, "text": "I am sorry to hear it."},
    {"type": "tool_exchange", "turn": 1, "after_seq": 1, "uses": [], "results": [{"n": CARD}]},
    {"type": "sentence_heard", "turn": 1, "seq": 1},
    {"type": "ended", "reason": "goodbye"},
)


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "state" / "memory.sqlite3"
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(path))
    store = SqliteStore(path)
    for n, (caller, agent) in enumerate(((ANN, "desk"), (BOB, "desk"), (ANN, "clinic"))):
        about = About(caller, agent, agent, OPENED + 100 * n, OPENED + 10**9)
        call_id = f"CA{n}{'0' * 31}"
        store.claim(call_id, 1, about)
        rows = [Row(call_id, i, i, OPENED + 100 * n + i, dict(e)) for i, e in enumerate(TALK, 1)]
        store.write([Part(call_id, 1, about, rows if n else rows[:4])])
    store.close()
    return path


def aybiza(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli.app, ["calls", *arguments])
    assert result.exit_code == code, result.output
    return result


def listed(*arguments: str) -> list[str]:
    told = json.loads(aybiza("list", "--json", *arguments).stdout)["calls"]
    return [call["call_id"][:3] for call in told]


def test_calls_are_listed_by_caller_agent_outcome_and_period(memory: Path) -> None:
    assert listed() == ["CA2", "CA1", "CA0"]
    assert listed("--limit", "1") == ["CA2"]
    assert listed("--caller", ANN) == ["CA2", "CA0"]
    assert listed("--agent", "desk", "--outcome", "goodbye") == ["CA1"]
    assert listed("--outcome", "unfinished") == ["CA0"]
    assert listed("--period", "1h") == []
    assert listed("--period", "3650d") == ["CA2", "CA1", "CA0"]


def test_the_list_fits_eighty_columns_and_hides_numbers_unless_they_are_asked_for(
    memory: Path,
) -> None:
    shown = aybiza("list").stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "…00" in shown and ANN not in shown and "3 calls" in shown
    assert {len(line) - 15 for line in aybiza("list", "--numbers").stdout.splitlines()[1:-1]} == {
        64
    }
    assert ANN in json.dumps(json.loads(aybiza("list", "--json", "--numbers").stdout))
    assert table([], numbers=False) == ["0 calls"]


def test_a_call_is_shown_by_the_beginning_of_its_id_with_what_was_said(memory: Path) -> None:
    shown = aybiza("show", "CA1").stdout
    assert "caller    My tooth hurts." in shown
    assert "agent     I am sorry to hear it." in shown
    assert "goodbye" in shown and BOB not in shown
    whole = json.loads(aybiza("show", "CA1", "--json", "--numbers").stdout)
    assert whole["caller"] == BOB
    assert [entry["entry"]["type"] for entry in whole["journal"]][-1] == "ended"


def test_what_was_made_of_a_call_is_shown_exported_and_forgotten_with_it(memory: Path) -> None:
    made = {"summary": "Tooth ache since Monday.", "score": {"score": 82, "parts": {"mood": 0.1}}}
    store = SqliteStore(memory)
    row = Row(f"CA1{'0' * 31}", 6, 6, OPENED, {"type": "analysed", "analysis": made})
    store.write([Part(row.call_id, 1, None, [row])])
    store.close()
    shown = aybiza("show", "CA1").stdout
    assert "summary   Tooth ache since Monday." in shown and "82 of 100: mood 0.1" in shown
    exported = [json.loads(line) for line in aybiza("export").stdout.splitlines()]
    assert [call["analysis"] for call in exported] == [None, made, None]
    aybiza("forget", "--caller", BOB)
    assert all(b"Tooth ache" not in path.read_bytes() for path in memory.parent.iterdir())


def test_an_id_that_is_of_no_call_or_of_several_is_told(memory: Path) -> None:
    assert "no call in memory begins with CA7" in aybiza("show", "CA7", code=1).output
    assert "3 calls begin with CA" in aybiza("show", "CA", code=1).output


def test_calls_are_exported_to_a_new_file_for_its_owner_alone(memory: Path, tmp_path: Path) -> None:
    to = tmp_path / "calls.jsonl"
    aybiza("export", "--agent", "desk", "--to", str(to))
    lines = [json.loads(line) for line in to.read_text().splitlines()]
    assert [line["call_id"][:3] for line in lines] == ["CA1", "CA0"]
    assert lines[0]["transcript"][0] == {"who": "caller", "text": "My tooth hurts."}
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    before = to.read_text()
    assert "is there already" in aybiza("export", "--to", str(to), code=2).output
    assert to.read_text() == before
    assert len(aybiza("export").stdout.splitlines()) == 3


def test_a_caller_who_is_forgotten_is_nowhere_in_the_files(memory: Path) -> None:
    def everything() -> bytes:
        return b"".join(file.read_bytes() for file in memory.parent.iterdir())

    assert ANN.encode() in everything()
    told = aybiza("forget", "--caller", ANN).stdout
    assert f"deleted   2 calls in {memory}".replace(" ", "") in told.replace("\n", "").replace(
        " ", ""
    )
    assert ANN.encode() not in everything()
    assert BOB.encode() in everything()
    assert listed() == ["CA1"]
    again = " ".join(aybiza("forget", "--caller", ANN).stdout.split())
    assert "0 calls" in again and "none is left" not in again
    assert "is the number written as `aybiza calls list --numbers` has it?" in again


def test_the_audit_trail_tells_who_had_calls_forgotten_and_no_number(memory: Path) -> None:
    aybiza("forget", "--caller", ANN)
    aybiza("forget", "--caller", ANN)
    (trail,) = memory.parent.glob("audit-*.jsonl")
    verdict = verify(trail.read_bytes())
    assert (verdict.entries, verdict.wrong) == (2, None)
    entries = [json.loads(line) for line in trail.read_text().splitlines()]
    assert {entry["did"] for entry in entries} == {"operator.forget"}
    assert [entry["about"]["what"] for entry in entries] == ["2 calls", "0 calls"]
    assert all(entry["who"] for entry in entries)
    assert ANN not in trail.read_text()


def test_a_trail_that_cannot_be_written_is_named_by_forget(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AYBIZA_NODE_NAME", "desk")
    (memory.parent / "audit-desk.jsonl").mkdir()
    told = json.loads(aybiza("forget", "--caller", ANN, "--json", code=1).stdout)
    assert list(told["failed"]) == ["audit trail"]
    assert listed() == ["CA1"]


def test_what_cannot_be_forgotten_is_named(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = memory.with_name(f"{memory.name}.v0-20250101T000000-1")
    copy.write_text("")
    monkeypatch.setenv("AYBIZA_LOG_TRANSCRIPTS", "true")
    told = json.loads(aybiza("forget", "--caller", ANN, "--json").stdout)
    assert told["gone"] == {str(memory): 2}
    assert [line.partition(":")[0] for line in told["kept"]] == [
        str(copy),
        "the log",
        "the carrier, Deepgram, Amazon Bedrock",
    ]


def test_a_file_of_sqlite_that_is_no_longer_named_is_named_by_forget(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AYBIZA_MEMORY", "redis")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    told = json.loads(aybiza("forget", "--caller", ANN, "--json", code=1).stdout)
    assert f"{memory}: AYBIZA_MEMORY names no sqlite; name it, and say it again" in told["kept"]


def test_what_is_shown_commands_no_terminal(memory: Path) -> None:
    store, about = SqliteStore(memory), About("sip:\x1b[2J@x", "de\x1bsk", "t", OPENED, 0)
    store.claim("CA9", 1, about)
    said = {**TALK[0], "text": "One.\n\x1b]0;two\x07 " + "word " * 40}
    store.write([Part("CA9", 1, about, [Row("CA9", 1, 1, OPENED, said)])])
    store.close()
    for shown in (aybiza("list", "--numbers").stdout, aybiza("show", "CA9", "--numbers").stdout):
        assert "?" in shown and shown.replace("\n", "").isprintable()
    assert "One. ?]0;two? word" in shown and max(map(len, shown.splitlines())) <= 80


def test_a_store_that_cannot_be_read_ends_the_command_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "file" / "memory.sqlite3"))
    assert "is not a folder" in " ".join(aybiza("list", code=1).output.split())
    assert "FAILED" in aybiza("forget", "--caller", ANN, code=1).output


@pytest.mark.parametrize("command", [["list"], ["show", "CA1"], ["forget", "--caller", ANN]])
def test_a_damaged_file_is_named_and_left_where_it_is(memory: Path, command: list[str]) -> None:
    file = memory if memory.is_file() else memory / "memory.sqlite3"
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    damaged = b"no database, but long enough to look like one" * 100
    file.write_bytes(damaged)
    told = " ".join(aybiza(*command, code=1).output.split())
    assert "it is damaged and was left as it is" in told
    assert file.read_bytes() == damaged
    assert not list(file.parent.glob(f"{file.name}.broken-*"))


def test_where_a_store_is_away_what_the_others_have_is_shown(
    memory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AYBIZA_MEMORY", "redis+sqlite")
    monkeypatch.setenv("REDIS_URL", "redis://:secret@127.0.0.1:1")
    to = tmp_path / "calls.jsonl"
    for arguments in (["list"], ["show", "CA1"], ["export", "--to", str(to)]):
        result = aybiza(*arguments, code=1)
        why = " ".join(result.stderr.split())
        assert why.count("what only this store has is missing") == 1
        assert "(hidden)@127.0.0.1:1" in why and "secret" not in why
    assert "3 calls" in aybiza("list", code=1).stdout
    assert "My tooth hurts." in aybiza("show", "CA1", code=1).stdout
    assert len(to.read_text().splitlines()) == 3
    unknown = " ".join(aybiza("show", "CA7", code=1).stderr.split())
    assert "no call in memory begins with CA7" in unknown and "is missing" in unknown


def test_an_export_that_fails_leaves_no_file_in_the_way(
    memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(store: SqliteStore, call_id: str) -> list[Row]:
        raise StoreError(f"{store.name}: away")

    to = tmp_path / "calls.jsonl"
    with monkeypatch.context() as away:
        away.setattr(SqliteStore, "read", failing)
        assert "away" in aybiza("export", "--to", str(to), code=1).stderr
    assert not to.exists()
    assert "3 calls" in aybiza("export", "--to", str(to)).stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["list", "--period", "soon"], "--period: 'soon' is no period"),
        (["list", "--limit", "0"], "--limit"),
        (["forget", "--caller", "+"], "--caller: '+' is no number"),
        (["forget", "--caller", "abc"], "--caller: 'abc' is no number"),
        (["forget", "--caller", "+266 696 687"], "stands for a number that is withheld"),
        (["forget", "--caller", "sip:anonymous@a.example"], "for a number that is withheld"),
        (["forget"], "--caller"),
        (["show"], "call_id"),
    ],
)
def test_options_that_are_wrong_are_named(memory: Path, arguments: list[str], why: str) -> None:
    assert why in aybiza(*arguments, code=2).output


def test_calls_that_are_kept_in_nodes_alone_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AYBIZA_MEMORY", "memory")
    assert "keeps calls in nodes alone" in aybiza("list", code=2).output


def test_the_table_of_dynamodb_is_made_once(dynamodb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AYBIZA_DYNAMODB_TABLE", "made-by-command")
    monkeypatch.setenv("AYBIZA_MEMORY", "dynamodb")
    assert "aybiza calls table" in " ".join(aybiza("list", code=1).output.split())
    assert "made-by-command is made" in aybiza("table").stdout
    assert "is there already" in aybiza("table").stdout
    assert "0 calls" in aybiza("list").stdout


def test_numbers_and_addresses_that_were_said_are_left_out_where_that_is_asked(
    memory: Path, tmp_path: Path
) -> None:
    assert CARD in aybiza("export").stdout
    exported = aybiza("export", "--redact").stdout
    assert CARD not in exported and "(number)" in exported
    assert CARD not in aybiza("show", "CA1", "--json", "--redact").stdout
