"""The border between a machine and its wire."""

from __future__ import annotations

from aybiza.emulators.deepgram.session import Send, earliest, said


def test_a_message_goes_out_as_json() -> None:
    assert said({"type": "Flushed", "sequence_id": 1}) == Send(
        '{"type": "Flushed", "sequence_id": 1}'
    )


def test_the_earliest_time_is_that_of_those_that_there_are() -> None:
    assert earliest(None, 3.0, 2.0) == 2.0
    assert earliest(None) is None
    assert earliest(0.0, None) == 0.0
