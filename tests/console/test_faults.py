"""`aybiza faults`: plans tried and searched for from the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aybiza.console.cli import app

PLAN = """
title = "the speaker dies"
[answers]
"Hello." = ["Good morning. It is nine."]
[[step]]
say = "Hello."
[[step]]
hang_up = true
[[fault]]
what = "kill"
where = "SpeakerActor"
after = "SentenceHeard(turn=0)"
"""
SILENT = """
[[step]]
say = "Hello."
[[step]]
hang_up = true
after_ms = 20000
[[fault]]
what = "bedrock.stall"
at = 0
times = 0
[[fault]]
what = "hang"
where = "CallActor"
message = "AnswerSentence"
seconds = 15.0
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


def test_a_plan_that_holds_tells_what_struck_and_what_was_heard(plan: Path) -> None:
    done = CliRunner().invoke(app, ["faults", "run", str(plan)])
    assert done.exit_code == 0, done.output
    assert "SpeakerActor, listening: kill" in done.output
    assert "heard   Good morning. It is nine.\n  ok      all that must hold" in done.output


def test_the_sequence_and_json_can_be_asked_for(plan: Path) -> None:
    shown = CliRunner().invoke(app, ["faults", "run", str(plan), "--sequence"]).output
    assert "✝ SpeakerActor#" in shown and "↻ SpeakerActor#" in shown
    told = json.loads(CliRunner().invoke(app, ["faults", "run", str(plan), "--json"]).output)
    assert told["broken"] == [] and len(told["strikes"]) == 1


def test_what_is_broken_is_told_and_is_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aybiza.faults.silences.SILENCE_MS", 100.0)
    path = tmp_path / "silent.toml"
    path.write_text(SILENT)
    done = CliRunner().invoke(app, ["faults", "run", str(path)])
    assert done.exit_code == 1
    assert "BROKEN  silence: " in done.output and "  ok  " not in done.output


def test_a_plan_that_cannot_be_used_is_refused_with_its_field(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(PLAN.replace("SpeakerActor", "SpeakrActor"))
    done = CliRunner().invoke(app, ["faults", "run", str(path)])
    assert done.exit_code == 2
    assert "fault 1, where: there is no actor 'SpeakrActor'" in " ".join(done.output.split())


def test_a_search_ends_with_its_result(tmp_path: Path) -> None:
    options = ["--seed", "1", "--plans", "1", "--jobs", "1", "--folder", str(tmp_path / "found")]
    done = CliRunner().invoke(app, ["faults", "explore", *options])
    assert done.output.splitlines()[-1] == "explored 1 plans, 0 broken (seed 1)", done.output
    assert done.exit_code == 0


def test_all_kinds_are_listed_with_what_they_do() -> None:
    output = CliRunner().invoke(app, ["faults", "kinds"]).output
    assert "kill: is killed" in output and "bedrock.stall (" in output


def test_a_plan_for_a_running_node_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["faults", "run", "--live", str(tmp_path / "no.toml")])
    assert done.exit_code == 2
    told = " ".join(done.output.split())
    assert told.endswith("no.toml: cannot be read: No such file or directory")
