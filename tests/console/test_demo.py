"""The demonstration: what it says of the journal, and a whole run of it in texts."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import Part, Row
from aybiza.console.demo import journal_verdict
from aybiza.dialogue.journal import AgentSentence, CallerTurn, Entry, SentenceHeard, encode
from tests.actors.node.kit import is_alive, until

SECONDS = 55


def journal(path: Path, *entries: Entry) -> Path:
    store = SqliteStore(path / "memory.sqlite3")
    rows = [Row("CA1", n, n, 0.0, encode(entry)) for n, entry in enumerate(entries, 1)]
    store.write([Part("CA1", 1, None, rows)] if rows else [])
    store.close()
    return path / "memory.sqlite3"


def test_sentences_that_were_all_heard_once_are_good(tmp_path: Path) -> None:
    memory = journal(
        tmp_path,
        AgentSentence(0, 1, "Hello."),
        SentenceHeard(0, 1),
        CallerTurn(1, "Hi."),
        AgentSentence(1, 1, "One."),
        AgentSentence(1, 2, "Two."),
        SentenceHeard(1, 1),
        SentenceHeard(1, 2),
    )
    text, good = journal_verdict(memory, "CA1")
    assert good
    assert text == "3 said, 3 heard to the end, 0 lost, 0 doubled"


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([AgentSentence(0, 1, "Hello.")], "1 said, 0 heard to the end, 1 lost, 0 doubled"),
        (
            [AgentSentence(0, 1, "Hello."), AgentSentence(0, 1, "Hello."), SentenceHeard(0, 1)],
            "2 said, 1 heard to the end, 0 lost, 1 doubled",
        ),
        (
            [AgentSentence(0, 1, "Hello."), SentenceHeard(0, 1), SentenceHeard(0, 1)],
            "1 said, 1 heard to the end, 0 lost, 1 doubled",
        ),
        ([], "0 said, 0 heard to the end, 0 lost, 0 doubled"),
    ],
)
def test_a_lost_or_doubled_sentence_and_an_empty_call_are_not_good(
    tmp_path: Path, entries: list[Entry], told: str
) -> None:
    assert journal_verdict(journal(tmp_path, *entries), "CA1") == (told, False)


def test_the_demonstration_in_texts_crashes_the_call_and_loses_nothing(tmp_path: Path) -> None:
    record = tmp_path / "demo.wav"
    command = [sys.executable, "-m", "aybiza.console", "demo", "--engine", "scripted"]
    done = subprocess.run(
        [*command, "--record", str(record)],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Application" in done.stdout
    assert "took its place after" in done.stdout
    assert "0 lost, 0 doubled" in done.stdout
    assert record.stat().st_size > 10_000


def test_an_unknown_script_is_told_before_a_node_is_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aybiza.console", "demo", "--engine", "scripted"]
    done = subprocess.run(
        [*command, "--script", "nonsense", "--record", str(tmp_path / "demo.wav")],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "nonsense" in done.stderr


def test_a_killed_demonstration_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aybiza.console", "demo", "--engine", "scripted"]
    with subprocess.Popen(
        [*command, "--record", str(tmp_path / "demo.wav")],
        # Who is killed clears nothing away; its folder goes with the test's.
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        try:
            until(lambda: "Application" in demo.stdout.readline(), "the node is up")
            started = psutil.Process(demo.pid).children(recursive=True)
            assert len(started) > 3
        finally:
            demo.kill()
        until(lambda: not any(is_alive(process) for process in started), "all have ended")
