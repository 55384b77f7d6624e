"""A turn is measured between the stamps that belong together, and summed up in fair figures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from aybiza.benchmarks.turn import STAGES, Overhead, _child, _collect, _line, _script

CALL = "CA1"


def final(at: float, text: str = "Hi.", **changes: Any) -> dict[str, Any]:
    entry = {"session": CALL, "what": "final", "at": at, "text": text, "speech_final": True}
    return {**entry, **changes}


def speech(what: str, at: float, session: str = CALL) -> dict[str, Any]:
    return {"session": session, "what": what, "at": at}


def asked(arrived: float, first: float | None, call: str = CALL) -> dict[str, Any]:
    return {"call": {"call": call}, "arrived": arrived, "first_event_sent": first}


def turn(start: float) -> tuple[list[dict[str, Any]], dict[str, Any], float]:
    """A turn of 2 ms to hear, 3 ms to think and 4 ms to speak; the providers take 200 and 100."""
    said = [speech("speak", start + 0.205), speech("first_audio", start + 0.305)]
    return [final(start), *said], asked(start + 0.002, start + 0.202), start + 0.309


def journals(*starts: float) -> tuple[list[float], list[Any], list[Any]]:
    """What the telephone, Deepgram and Bedrock have stamped in turns that began then."""
    turns = [turn(start) for start in starts]
    heard = [media for _, _, media in turns]
    return heard, [e for entries, _, _ in turns for e in entries], [r for _, r, _ in turns]


def collect(heard: list[float], deepgram: list[Any], requests: Any) -> Overhead:
    overhead = Overhead(1)
    _collect(overhead, CALL, heard, deepgram, requests)
    return overhead


def test_a_turn_is_what_lies_between_the_providers_own_delays() -> None:
    overhead = collect(*journals(10, 20))
    assert [overhead.stages[name] for name in STAGES] == [
        [pytest.approx(2)],
        [pytest.approx(3)],
        [pytest.approx(4)],
    ]
    assert overhead.total == [pytest.approx(9)]


def test_the_greeting_and_the_first_turn_are_left_out() -> None:
    heard, deepgram, requests = journals(10, 20, 30)
    greeting = [speech("speak", 1), speech("first_audio", 1.1)]
    assert len(collect([1.2, *heard], greeting + deepgram, requests).total) == 2
    assert collect(*journals(10)).total == []


def test_only_a_final_transcript_that_ends_a_turn_begins_its_measure() -> None:
    heard, deepgram, requests = journals(10, 20)
    others = [
        final(9, speech_final=False),
        final(9.5, ""),
        {**final(9.6), "what": "interim"},
    ]
    assert collect(heard, others + deepgram, requests).total == [pytest.approx(9)]


def test_what_other_calls_say_and_ask_at_the_same_time_is_theirs() -> None:
    heard, deepgram, requests = journals(10, 20)
    theirs = [
        final(9, session="CA2"),
        speech("speak", 20.203, "CA2"),
        speech("first_audio", 20.206, "CA2"),
    ]
    mine = collect(heard, theirs + deepgram, [asked(9.1, 9.3, "CA2"), *requests])
    assert mine.total == [pytest.approx(9)]


def test_a_later_sentence_of_the_same_answer_does_not_count() -> None:
    heard, deepgram, requests = journals(10, 20)
    later = [speech("speak", 20.4), speech("first_audio", 20.5)]
    assert collect([*heard, 20.6], deepgram + later, requests).total == [pytest.approx(9)]


@pytest.mark.parametrize("lost", ["token", "speak", "first_audio", "media"])
def test_a_turn_that_was_not_answered_has_no_time_and_the_next_one_has_its_own(lost: str) -> None:
    heard, deepgram, requests = journals(10, 20, 30)
    requests[2 if lost == "token" else 0]["first_event_sent"] = None
    deepgram = [e for e in deepgram if not (e["what"] == lost and e["at"] > 30)]
    heard = heard[:2] if lost == "media" else heard
    overhead = collect(heard, deepgram, requests)
    assert overhead.total == [pytest.approx(9)]
    assert [len(overhead.stages[name]) for name in STAGES] == [1, 1, 1]


def test_the_requests_may_come_in_an_envelope() -> None:
    heard, deepgram, requests = journals(10, 20)
    assert collect(heard, deepgram, {"requests": requests}).total == [pytest.approx(9)]


@pytest.mark.parametrize(("share", "below"), [(0.0, 0), (0.5, 50), (0.95, 95), (1.0, 99)])
def test_a_percentile_has_its_share_of_the_values_below_it(share: float, below: int) -> None:
    values = [float(number * 37 % 100) for number in range(100)]
    assert Overhead(1).percentile(values, share) == below
    assert sum(value < below for value in values) == below


def test_percentiles_of_one_value_are_that_value_and_of_none_are_zero() -> None:
    assert {Overhead(1).percentile([7.0], share) for share in (0.0, 0.5, 0.95, 1.0)} == {7.0}
    assert Overhead(1).percentile([], 0.5) == 0.0


def test_the_figures_of_a_run_are_rounded_by_stage_and_in_total() -> None:
    overhead = Overhead(2, failures=["CA2: hung up"], cpu_seconds=3.0, call_minutes=1.2)
    for name in STAGES:
        overhead.stages[name] = [1.004, 3.0, 2.0]
    overhead.total = [3.012, 9.0, 6.0]
    stage = {"p50": 2.0, "p95": 3.0, "max": 3.0}
    assert overhead.as_dict() == {
        "calls": 2,
        "turns": 3,
        "ms": {**dict.fromkeys(STAGES, stage), "total": {"p50": 6.0, "p95": 9.0, "max": 9.0}},
        "cpu_seconds_a_call_minute": 2.5,
        "failures": ["CA2: hung up"],
    }


def test_a_run_without_a_turn_has_figures_too() -> None:
    figures = Overhead(1).as_dict()
    assert figures["turns"] == 0
    assert figures["ms"]["total"] == {"p50": 0.0, "p95": 0.0, "max": 0.0}
    assert figures["cpu_seconds_a_call_minute"] == 0.0


def test_the_caller_asks_once_a_turn_and_hangs_up() -> None:
    steps = _script(3).steps
    assert len({step.text for step in steps[:3]}) == 3
    assert [step.act for step in steps] == ["speak", "speak", "speak", "hangup"]


def test_a_program_that_ends_before_it_is_ready_is_told_by_its_command() -> None:
    command = [sys.executable, "-c", "pass"]
    with (
        pytest.raises(RuntimeError, match=r"'pass'\] ended before it was ready"),
        _child(command, dict(os.environ)) as process,
    ):
        _line(process)


def test_a_program_is_ended_when_the_measure_fails() -> None:
    command = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(3600)"]
    seen: list[subprocess.Popen[bytes]] = []
    with pytest.raises(LookupError), _child(command, dict(os.environ)) as process:
        seen.append(process)
        assert _line(process) == b"ready\n"
        raise LookupError("no turn")
    assert seen[0].returncode == -signal.SIGTERM
