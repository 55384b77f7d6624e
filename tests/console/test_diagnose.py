"""`aybiza diagnose`: what it prints, and how it ends."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from aybiza.actors.measures.records import NAME, Records
from aybiza.console.cli import app
from tests.actors.measures.report_kit import SINCE, calls_of, turn
from tests.actors.node.kit import free_port
from tests.console.diagnosis.sip_kit import asterisk, good, sdp
from tests.console.diagnosis.sip_kit import message as sip_message
from tests.console.diagnosis.wav_kit import riff


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose nodes have had calls in the last day; their journals are not kept."""
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "memory.sqlite3"))
    monkeypatch.setenv("AYBIZA_CLUSTER_PORT", str(free_port()))
    monkeypatch.setenv("AYBIZA_MEMORY", "memory")
    records = Records(tmp_path / NAME, node="vm-1", days=90)
    shift = time.time() - 80_000 - SINCE
    rows = calls_of(1)
    for table in ("calls", "turns", "charges"):
        records.put([(table, {**row, "at": row["at"] + shift}) for row in getattr(rows, table)])
    records.close()
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["diagnose", *arguments])


def test_latency_is_a_table_of_components_with_advice(place: Path) -> None:
    result = run("latency")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line.split() for line in lines[2:8]}
    assert list(rows) == ["stt", "node", "llm", "tts", "network", "response"]
    assert rows["stt"][1:3] == ["80", "200"] and rows["stt"][-1] == "OVER"
    assert rows["network"][1:3] == ["30", "40"]
    assert "most over its budget: node" in result.stdout
    assert "node       look for" in result.stdout


def test_check_fails_only_where_a_budget_is_not_met(place: Path) -> None:
    assert run("latency", "--check").exit_code == 1
    names = ("stt", "node", "llm", "tts", "network", "response")
    roomy = [word for name in names for word in ("--budget", f"{name}=9000")]
    result = run("latency", "--check", *roomy)
    assert result.exit_code == 0
    assert "OVER" not in result.stdout.replace(" OVER ", " ", 1)


def test_latency_as_json(place: Path) -> None:
    told = json.loads(run("latency", "--json").stdout)
    shares = [part["share"] for part in told["components"] if part["share"] is not None]
    assert told["slowest"] == "node" and abs(sum(shares) - 2.0) < 0.01


@pytest.mark.parametrize("budget", ["", "stt", "stt=", "stt=-1", "stt=²", "ear=10", "stt=0"])
def test_a_budget_that_is_none_is_refused(place: Path, budget: str) -> None:
    result = run("latency", "--budget", budget)
    assert result.exit_code == 2
    assert "must be one of stt" in result.output


def test_a_period_without_answers_says_so(place: Path) -> None:
    assert "no turn was answered in the last 1m" in run("latency", "--period", "1m").stdout


def test_a_call_is_walked_through_in_80_columns(place: Path) -> None:
    result = run("call", "CA30")
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80
    for said in ("call CA30", "without: AYBIZA_MEMORY=memory", "latency\n", "failure\n"):
        assert said in result.output, said
    assert "  YES      was speech recognition slow? 200 ms of 80" in result.output
    assert "-> listen_model: a flux- model" in result.output
    assert run("call", "CA30", "--check").exit_code == 1
    told = json.loads(run("call", "CA30", "--json").output)
    assert {each["answer"] for each in told["findings"]} == {"yes", "no", "unknown"}


def test_a_call_that_nobody_knows_and_one_of_many_are_told(place: Path) -> None:
    nobody = run("call", "CX")
    assert nobody.exit_code == 1
    assert "nothing is known of CX" in nobody.output
    many = run("call", "CA")
    assert many.exit_code == 1 and "60 calls begin with CA" in many.output


def test_a_call_with_a_name_for_terminals_does_nothing_to_them(place: Path) -> None:
    records = Records(place / NAME, node="vm-1", days=90)
    records.put([("turns", {**turn(1), "call_id": "Z\x1b[2J", "at": time.time()})])
    records.close()
    assert "\x1b" not in run("call", "Z").output


def test_a_sip_trace_is_told_by_kinds_in_80_columns(tmp_path: Path) -> None:
    log = tmp_path / "full"
    calls = [
        message
        for call in range(7)
        for message in (
            ("in", sip_message("INVITE", "1 INVITE", sdp(), call_id=f"call-{call}")),
            ("out", sip_message("503 Away", "1 INVITE", call_id=f"call-{call}")),
        )
    ]
    log.write_text("\n".join(asterisk([*calls, *good(sdp(more=""))])))
    result = run("sip", str(log))
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "20 messages, 8 calls; 8 faults"
    assert "FAULT  503, 7 times" in lines and lines.count("FAULT  DTMF") == 1
    assert run("sip", str(log), "--check").exit_code == 1
    told = json.loads(run("sip", str(log), "--json").output)
    assert (told["calls"], len(told["findings"])) == (8, 8)


def test_a_log_without_sip_and_one_that_is_none_are_told(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(bytes(range(256)) * 100)
    nothing = run("sip", str(noise))
    assert nothing.exit_code == 1 and "pjsip set logger on" in nothing.output
    missing = run("sip", str(tmp_path / "none"))
    assert missing.exit_code == 1 and "No such file" in " ".join(missing.output.split())
    assert run("sip", str(tmp_path)).exit_code == 1


def test_a_trace_comes_by_standard_input_too() -> None:
    log = "\n".join(asterisk(good())).encode()
    result = CliRunner().invoke(app, ["diagnose", "sip", "-"], input=log)
    assert result.exit_code == 0 and result.output.startswith("6 messages, 1 call; 0 faults")


def test_a_recording_is_measured_channel_by_channel(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    words = chance.normal(0, 3000, 32_000) * (np.arange(32_000) % 4800 < 3200)
    both = np.stack([words, np.zeros(32_000)], axis=1).astype("<i2")
    file = tmp_path / "call.wav"
    file.write_bytes(riff(1, 16, both.tobytes(), channels=2))
    result = run("audio", str(file))
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80
    assert "4.0 s, 2 channels, PCM, 16 bits, 8,000 samples a second" in result.output
    assert "one-way audio  channel 2 is silent while the other speaks" in result.output
    assert run("audio", str(file), "--check").exit_code == 1
    quick, slow = (
        json.loads(run("audio", str(file), "--json", *more).output)["tracks"][0]["mos"]
        for more in ((), ("--delay-ms", "300", "--loss", "3"))
    )
    assert slow < quick - 0.5


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.wav"
    file.write_bytes(b"ID3")
    result = run("audio", str(file))
    assert result.exit_code == 1 and "not a WAV file" in result.output
    assert run("audio", str(tmp_path / "none")).exit_code == 1
