"""A fault names what there is, or is refused with the nearest names."""

from typing import Any

import pytest

import aybiza.faults.world  # noqa: F401
from aybiza.dialogue.journal import SentenceHeard
from aybiza.faults.fault import KINDS, Event, Fault, FaultError, fault_of, provider_fault

REFUSED = [
    (
        {"what": "kill", "state": "phase=thinkin"},
        "state: there is no phase 'thinkin'; did you mean 'thinking'",
    ),
    (
        {"what": "kill", "after": "SentenceHeard(trun=1)"},
        "after: SentenceHeard has no field 'trun'; did you mean 'turn'",
    ),
    ({"at": 1.0}, "what: is missing"),
    ({"what": "kil", "at": 1.0}, "what: there is no fault 'kil'; did you mean 'kill'"),
    ({"what": "kill", "at": 1.0, "wher": "x"}, "wher: .* did you mean 'where'"),
    ({"what": "kill", "where": "SpeakrActor", "at": 1}, "where: .* 'SpeakerActor'"),
    ({"what": "kill", "where": "SpeakerActor"}, "at: says not when"),
    ({"what": "kill", "at": 1, "after": "SentenceHeard"}, "after: a fault has one moment"),
    ({"what": "kill", "after": "SentenceHerd"}, "after: .* did you mean 'SentenceHeard'"),
    ({"what": "kill", "after": "SentenceHeard(1)"}, "after: .* is not written as"),
    ({"what": "kill", "at": 1, "before": "Speak"}, "before: stands beside `after`"),
    ({"what": "drop", "at": 1}, "message: drop needs a message"),
    ({"what": "kill", "at": 1, "seconds": 2}, "seconds: kill has no such parameter"),
    ({"what": "kill", "at": -1}, "at: is -1, must be a number from 0"),
    ({"what": "kill", "at": 1, "times": "x"}, "times: is 'x'"),
    ({"what": "kill", "probability": 2}, "probability: is 2"),
    ({"what": "hang", "state": "speaking"}, "state: .* not written as field=value"),
    ({"what": "listen.close", "at": 1, "code": 5}, "what: code is a close code"),
    ({"what": "bedrock.http_error", "at": 1, "code": "Nonsense"}, "what: fault.code"),
]


@pytest.mark.parametrize(("table", "words"), REFUSED)
def test_what_there_is_not_is_refused_with_its_field(table: dict[str, Any], words: str) -> None:
    with pytest.raises(FaultError, match=words):
        fault_of(table)


def test_a_fault_is_written_as_what_differs_from_the_defaults() -> None:
    fault = fault_of({"what": "kill", "where": "Speaker*", "at": 2.5})
    assert fault.as_table() == {"what": "kill", "where": "Speaker*", "at": 2.5}
    assert fault_of(fault.as_table()) == fault
    assert str(fault) == "kill where='Speaker*' at=2.5"


def test_every_kind_has_a_meaning_and_can_be_asked_for() -> None:
    for name, kind in KINDS.items():
        assert kind.meaning
        message = "Speak" if kind.group == "message" else None
        Fault(name, at=None if message else 1.0, message=message).checked()


def test_an_event_fits_by_its_type_and_the_values_that_are_named() -> None:
    event = Event.parse("SentenceHeard(turn=1)", "after")
    assert event.fits("SentenceHeard", SentenceHeard(1, 2))
    assert not event.fits("SentenceHeard", SentenceHeard(2, 2))
    assert not event.fits("Interrupted", SentenceHeard(1, 2))
    assert Event.parse("Sentence*", "after").fits("SentenceHeard", None)


def test_a_providers_fault_becomes_its_emulators() -> None:
    told = provider_fault(Fault("bedrock.stall", at=1, into=3, seconds=2.5, times=0))
    assert (told.kind, told.after, told.seconds, told.times) == ("stall", 3, 2.5, None)
    told = provider_fault(Fault("speak.refuse", at=1, code=429, times=2, call="CA1"))
    assert (told.door, told.code, told.times, told.session) == ("speak", 429, 2, "CA1")
