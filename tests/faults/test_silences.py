"""A silence is held against the node where it could have known that somebody waits."""

from __future__ import annotations

import dataclasses

from aybiza.emulators.phone.report import Heard, Report, Turn
from aybiza.faults.fault import Fault
from aybiza.faults.injector import Strike
from aybiza.faults.plan import Plan
from aybiza.faults.silences import silence
from aybiza.faults.trial import Outcome

REPORT = Report(
    "x",
    "CA1",
    duration_ms=12_000.0,
    turns=[Turn("1", "Hello?", 2000.0, 3000.0)],
    heard=[Heard(100.0, 1000.0, "Welcome. "), Heard(9000.0, 12_000.0, "Yes? ")],
)
LATE = Outcome(Plan(), REPORT, zero=1.0)


def test_an_answer_after_six_seconds_is_a_silence() -> None:
    assert list(silence(LATE)) == ["6.0 s of it after 'Hello?', from 3.0 s on"]


def test_the_carriers_own_words_are_no_silence() -> None:
    words = Heard(6000.0, 7000.0, "One moment, please. ")
    heard = [REPORT.heard[0], words, REPORT.heard[1]]
    told = dataclasses.replace(LATE, report=dataclasses.replace(REPORT, heard=heard))
    assert list(silence(told)) == []


def test_what_the_line_did_not_carry_needs_no_answer() -> None:
    muted = Strike(2.0, Fault("line.mute", at=2.0, delay=0.5, seconds=1.0), "*", "listening")
    assert list(silence(dataclasses.replace(LATE, strikes=[muted]))) == []
    later = dataclasses.replace(muted, at=9.0)
    assert list(silence(dataclasses.replace(LATE, strikes=[later]))) != []


def test_a_carrier_that_reads_nothing_lets_nobody_hear_anything() -> None:
    deaf = Strike(6.0, Fault("line.deaf", at=5.0, seconds=2.0), "*", "speaking")
    assert list(silence(dataclasses.replace(LATE, strikes=[deaf]))) == []
    early = dataclasses.replace(deaf, at=2.0)
    assert list(silence(dataclasses.replace(LATE, strikes=[early]))) != []
