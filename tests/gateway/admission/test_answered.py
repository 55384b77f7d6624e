"""Which signed requests are answered once more, and which are not."""

from __future__ import annotations

import pytest

from aybiza.gateway.admission import answered
from aybiza.gateway.admission.answered import Answered

CALL = "CA1"


def test_a_request_is_answered_again_until_a_stream_begins_behind_it() -> None:
    known = Answered()
    assert not known.repeats(CALL, b"/incoming first")
    assert not known.repeats(CALL, b"/incoming first")
    known.begin(CALL)
    assert known.repeats(CALL, b"/incoming first")
    assert not known.repeats("CA2", b"/incoming first of another call")
    # The carrier has seen the stream break, and asks for the next one.
    assert not known.repeats(CALL, b"/incoming?again=1 first")
    assert not known.repeats(CALL, b"/incoming?again=1 first")
    known.begin(CALL)
    known.end(CALL)
    assert known.repeats(CALL, b"/incoming?again=1 first")


def test_a_call_that_is_over_is_known_no_more() -> None:
    known = Answered()
    known.repeats(CALL, b"/incoming first")
    known.begin(CALL)
    known.end(CALL)
    assert not known.repeats(CALL, b"/incoming first")
    assert (known._streams, known._latest) == ({}, {})


def test_so_many_requests_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answered, "MOST", 2)
    known = Answered()
    for body in (b"1", b"2", b"3"):
        known.repeats(CALL, body)
    assert len(known._answered) == 2
