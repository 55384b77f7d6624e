"""A silence is held against the node where it could have known that somebody waits."""

from __future__ import annotations

import dataclasses

from aybiza.dialogue.journal import Entry, Transferred, Transferring
from aybiza.emulators.phone.report import Heard, Report, Stream, Turn
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


def on_two_streams(code: int) -> Outcome:
    """The first stream ends in the midst of the silence."""
    streams = [Stream("MZ1", "", 0.0, 5000.0, code), Stream("MZ2", "", 5300.0, 12_000.0, 1000)]
    return dataclasses.replace(LATE, report=dataclasses.replace(REPORT, streams=streams))


def test_a_silence_counts_anew_behind_a_line_that_was_cut() -> None:
    assert list(silence(on_two_streams(1006))) == []


def test_a_stream_that_the_node_has_ended_or_that_died_with_it_is_no_excuse() -> None:
    assert list(silence(on_two_streams(1011))) != []
    lost = Strike(6.0, Fault("node.lost", at=5.0, node="one"), "*", "thinking")
    assert list(silence(dataclasses.replace(on_two_streams(1006), strikes=[lost]))) != []


def test_while_the_plan_holds_who_decides_nobody_speaks() -> None:
    hang = Strike(5.0, Fault("hang", where="CallActor", at=4.0, seconds=0.8), "CallActor", "")
    again = dataclasses.replace(hang, at=5.1)
    assert list(silence(dataclasses.replace(LATE, strikes=[hang]))) != []
    assert list(silence(dataclasses.replace(LATE, strikes=[hang, again]))) == []
    speaker = dataclasses.replace(hang, whom="SpeakerActor")
    assert list(silence(dataclasses.replace(LATE, strikes=[speaker, speaker]))) != []
    early = dataclasses.replace(hang, at=1.0)
    assert list(silence(dataclasses.replace(LATE, strikes=[early, early]))) != []


def test_who_is_dialled_is_heard_to_ring() -> None:
    agent = {"transfer_numbers": {"sales": "+15550100200"}}
    begins, ends = Transferring("sales"), Transferred("sales", "busy")
    told: list[tuple[float, Entry]] = [(7.0, begins), (9.5, ends)]
    rings = dataclasses.replace(LATE, plan=Plan(agent=agent), entries=told)
    assert list(silence(rings)) == []
    assert list(silence(dataclasses.replace(rings, plan=Plan()))) != [], "nobody was dialled"
    late: list[tuple[float, Entry]] = [(9.0, begins), (9.5, ends)]
    assert list(silence(dataclasses.replace(rings, entries=late))) != []
