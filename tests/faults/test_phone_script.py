"""Phone scripts: each that comes with the project holds, and each kind of failure is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aybiza.emulators.phone.report import Heard, Report, Turn
from aybiza.faults.caller import NOISE
from aybiza.faults.phone_script import (
    PhoneScript,
    judged,
    load,
    longest_response,
    longest_silence,
    names,
    parse,
    played,
)
from aybiza.faults.plan import PlanError

SCRIPT = """
title = "Asks for the hours"

[answers]
"What are your hours?" = ["From nine to five."]

[[step]]
say = "What are your hours?"

[[step]]
hang_up = true
"""


def script(expect: str = "", more: str = "") -> PhoneScript:
    return parse(f"{more}\n{SCRIPT}\n[expect]\n{expect}", "hours")


@pytest.mark.parametrize("name", names())
def test_a_script_holds(name: str) -> None:
    verdict = played(load(name))
    assert verdict.wrong == [], verdict.heard
    assert verdict.result == "ok"


def test_there_are_many_scripts_with_limits_and_words() -> None:
    expected = [load(name).expect for name in names()]
    assert len(expected) >= 30
    assert sum(bool(one.heard) for one in expected) >= 30
    assert sum(one.response_ms is not None for one in expected) >= 30


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ('heard = ["nine", "Welcome"]', "not heard (in its place): 'Welcome'"),
        ('not_heard = ["five"]', "heard: 'five'"),
        ('turns = ["What?"]', "turns of the caller: ['What are your hours?']"),
        ("response_ms = 300", "ms, at most 300 are allowed"),
        ("silence_ms = 300", "ms of silence, at most 300 are allowed"),
        ("clears = 1", "cut off 0 times, and should be 1 times"),
        ("requests = 0", "asked 1 times, at most 0 allowed"),
        ('dialled = ["+1 busy"]', "dialled: [], and should be ['+1 busy']"),
        ("written = 1", "written 0 times, and should be 1 times"),
    ],
)
def test_what_does_not_hold_is_told(expect: str, told: str) -> None:
    verdict = played(script(expect))
    assert len(verdict.wrong) == 1 and told in verdict.wrong[0]
    assert verdict.result == "WRONG" and not verdict.ok


def test_a_call_that_does_not_come_to_its_end_is_wrong() -> None:
    never = parse(SCRIPT.replace("hang_up = true", 'hang_up = true\nwhen = "midnight"'))
    assert any("does not match 'midnight'" in line for line in played(never).wrong)


def test_slack_is_added_to_limits_of_time() -> None:
    report = Report("x", "CA1", ok=True, duration_ms=9000.0, turns=[Turn("1", "Hi.", 0.0, 1000.0)])
    report.heard = [Heard(6000.0, 7000.0, "Hello.")]
    assert judged(script(), report).wrong == ["5000 ms of silence, at most 4500 are allowed"]
    assert judged(script(), report, slack_ms=600).wrong == []


def turn(said: str, start: float, end: float, first: float | None = None) -> Turn:
    return Turn("x", said, start, end, first)


def report(*turns: Turn, heard: list[Heard]) -> Report:
    return Report("x", "CA1", duration_ms=20_000.0, turns=list(turns), heard=heard)


def test_the_silence_is_that_of_a_caller_who_waits_for_a_word() -> None:
    heard = [Heard(2000.0, 3000.0), Heard(6000.0, 7000.0)]
    assert longest_silence(report(turn("Hi.", 0.0, 1000.0), heard=heard)) == 3000.0
    assert longest_silence(report(turn("Hi.", 0.0, 1000.0), heard=[])) == 19_000.0
    cough = turn(NOISE, 4000.0, 4500.0)
    assert longest_silence(report(turn("Hi.", 0.0, 1000.0), cough, heard=heard)) == 3000.0
    then = turn("Bye.", 12_000.0, 13_000.0)
    both = [*heard, Heard(13_500.0, 14_000.0)]
    assert longest_silence(report(turn("Hi.", 0.0, 1000.0), then, heard=both)) == 3000.0


def test_a_sound_before_the_answer_does_not_shorten_the_response() -> None:
    cough = turn(NOISE, 1500.0, 1900.0, 2100.0)
    heard: list[Heard] = []
    assert longest_response(report(turn("Hi.", 0.0, 1000.0), cough, heard=heard)) == 1100.0
    assert longest_response(report(turn("Hi.", 0.0, 1000.0, 1600.0), heard=heard)) == 600.0
    assert longest_response(report(cough, heard=heard)) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x =", "is not TOML"),
        (f"{SCRIPT}[expect]\nherd = []", "expect: unknown 'herd'; did you mean 'heard'"),
        (f"{SCRIPT}[expect]\nclears = true", "clears = True must be a whole number"),
        (f"{SCRIPT}[expect]\nheard = [1]", "heard = .*: each must be a text, not a whole number"),
        (f"expect = 1\n{SCRIPT}", "expect is a table, not 1"),
        (f"expects = 1\n{SCRIPT}", "a plan has no field 'expects'"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, told: str) -> None:
    with pytest.raises(PlanError, match=told):
        parse(text, "mine")


def test_a_name_that_there_is_not_is_told_with_the_nearest() -> None:
    with pytest.raises(PlanError, match="'askz'; did you mean 'asks'"):
        load("askz")


def test_a_file_is_read(tmp_path: Any) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SCRIPT)
    assert load(path).name == "mine"
    with pytest.raises(PlanError, match=r"no\.toml: cannot be read"):
        load(tmp_path / "no.toml")
    path.write_bytes(b"\xff")
    with pytest.raises(PlanError, match="is not UTF-8"):
        load(path)


def test_what_is_wrong_in_a_file_is_told_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "order.toml"
    path.write_text('name = "Order"\n')
    with pytest.raises(PlanError) as wrong:
        load(path)
    assert str(wrong.value).startswith(f"{path}: a plan has no field 'name'")
