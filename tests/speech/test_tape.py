"""A tape has both sides of a call as they were heard, in step with each other."""

from __future__ import annotations

import pytest

from aybiza.speech.playout import BYTES_A_SECOND
from aybiza.speech.tape import AHEAD_SECONDS, LAG_SECONDS, MOST_SECONDS, Tape

SECOND = BYTES_A_SECOND
Q = b"\xff"


def sides(stereo: bytes) -> tuple[bytes, bytes]:
    return stereo[::2], stereo[1::2]


def talk(tape: Tape, since: float, seconds: float, code: bytes = b"c") -> float:
    """The caller's audio in frames of 20 ms; returns when it is over."""
    for _ in range(round(seconds * 50)):
        since += 0.02
        tape.caller(code * 160, since)
    return since


def rest(tape: Tape, now: float) -> tuple[bytes, bytes]:
    return sides(tape.take(now, all_of_it=True))


def test_the_agent_is_put_where_the_caller_hears_it() -> None:
    tape = Tape(0.0)
    now = talk(tape, 0.0, 1.0)
    tape.agent(b"a" * SECOND, now)
    tape.agent(b"b" * SECOND, now + 1.0)
    now = talk(tape, now, 3.0)
    left, right = rest(tape, now)
    assert left == b"c" * (4 * SECOND)
    assert right == Q * SECOND + b"a" * SECOND + b"b" * SECOND + Q * SECOND


def test_what_the_caller_did_not_hear_is_not_on_it() -> None:
    tape = Tape(0.0)
    tape.agent(b"a" * (2 * SECOND), 0.0)
    now = talk(tape, 0.0, 0.5)
    tape.cleared(now)
    tape.agent(b"b" * SECOND, now)
    now = talk(tape, now, 1.5)
    _, right = rest(tape, now)
    assert right == b"a" * (SECOND // 2) + b"b" * SECOND + Q * (SECOND // 2)


def test_what_is_not_sure_is_not_given_away() -> None:
    tape = Tape(0.0)
    now = talk(tape, 0.0, LAG_SECONDS + 0.5)
    assert tape.take(now) == b""
    now = talk(tape, now, 0.6)
    assert len(tape.take(now)) == 2 * SECOND
    assert tape.take(now) == b""


def test_pieces_put_together_are_the_whole() -> None:
    whole, cut = Tape(0.0), Tape(0.0)
    taken, now = b"", 0.0
    for number in range(20):
        for tape in (whole, cut):
            tape.agent(bytes([number]) * 4_000, now + 0.1)
            after = talk(tape, now, 1.0, bytes([100 + number]))
        now = after
        taken += cut.take(now)
    assert taken + cut.take(now, all_of_it=True) == whole.take(now, all_of_it=True)


def test_keys_are_not_on_it_nor_what_came_just_before_them() -> None:
    tape = Tape(0.0)
    tape.agent(b"a" * (6 * SECOND), 0.0)
    now = talk(tape, 0.0, 3.0)
    tape.pause(now)
    assert tape.is_paused
    now = talk(tape, now, 1.0, b"k")
    tape.agent(b"n" * SECOND, 6.0)
    tape.pause(now)
    tape.resume(now)
    now = talk(tape, now, 4.0, b"d")
    left, right = rest(tape, now)
    # The tone of the last key goes on for as long as it is held.
    assert left == b"c" * (2 * SECOND) + Q * (3 * SECOND) + b"d" * (3 * SECOND)
    assert right[: 2 * SECOND] == b"a" * (2 * SECOND)
    assert set(right[2 * SECOND :]) == {0xFF}


def test_a_caller_of_whom_nothing_comes_is_silent() -> None:
    tape = Tape(0.0)
    now = talk(tape, 0.0, 1.0)
    tape.agent(b"a" * SECOND, now + 2.0)
    now = talk(tape, now + 3.0, 1.0)
    left, right = rest(tape, now)
    assert left == b"c" * SECOND + Q * (3 * SECOND) + b"c" * SECOND
    assert right == Q * (3 * SECOND) + b"a" * SECOND + Q * SECOND


@pytest.mark.parametrize("gap", [0.4, 1.0, 3.0, 5.0])
def test_sides_stay_in_step_when_audio_comes_late_all_at_once(gap: float) -> None:
    tape, held, taken = Tape(0.0), b"", b""
    for frame in range(700):
        now = frame * 0.02
        audio = b"Y" * 160 if frame == 550 else b"c" * 160
        if 4.0 <= now < 4.0 + gap:
            held += audio
        else:
            for at in range(0, len(held), 160):
                tape.caller(held[at : at + 160], now)
            held = b""
            tape.caller(audio, now)
        if frame == 550:
            tape.agent(b"X" * 160, now)
        if frame % 50 == 49:
            taken += tape.take(now)
    taken += tape.take(now, all_of_it=True)
    left, right = taken[0::2], taken[1::2]
    assert abs(left.index(b"Y") - right.index(b"X")) <= AHEAD_SECONDS * SECOND
    assert left.count(b"c") == (700 - 1) * 160
    # What was written as silence before it came is longer by that, and by no more.
    assert len(left) <= (14.0 + max(0.0, gap - 1.0)) * SECOND


def test_it_holds_no_more_than_its_bound_whatever_comes() -> None:
    tape = Tape(0.0)
    now = talk(tape, 0.0, 4 * MOST_SECONDS)
    tape.agent(b"a" * SECOND * 100, now)
    tape.caller(b"c", now + 10_000.0)
    assert len(tape.take(now + 20_000.0, all_of_it=True)) <= 4 * MOST_SECONDS * SECOND


def test_a_tape_that_waits_has_nothing_but_what_is_heard_once_it_is_open() -> None:
    tape = Tape(0.0, waits=True)
    tape.agent(b"a" * (3 * SECOND), 0.0)
    now = talk(tape, 0.0, 2.0)
    tape.open(now)
    assert not tape.waits
    now = talk(tape, now, 2.0, b"d")
    left, right = rest(tape, now)
    assert left == b"d" * (2 * SECOND)
    assert right == b"a" * SECOND + Q * SECOND


def test_nothing_of_a_caller_who_has_not_agreed_is_held() -> None:
    tape = Tape(0.0, waits=True)
    talk(tape, 0.0, 5.0)
    assert set(tape._left) == {0xFF}
