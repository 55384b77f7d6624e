"""Frames: what is refused, and how little of it is kept."""

import os
import pickle
import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.node.frames import (
    ACK,
    CLOCK_BYTES,
    HEAD_BYTES,
    MAX_FRAME,
    NAK,
    WINDOW,
    AnswerBuffer,
    FrameCodec,
    FrameRefused,
    GuardedBuffer,
    listener,
)

COOKIE = b"a cookie of the tests"
HERE = listener("127.0.0.1", 1900)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def codec(clock: Clock, cookie: bytes = COOKIE) -> FrameCodec:
    made = FrameCodec(cookie, clock=clock, timer=clock)
    made.listeners.add(HERE)
    return made


def refusal(ours: FrameCodec, frame: bytes) -> str:
    with pytest.raises(FrameRefused) as refused:
        ours.loads(frame)
    return str(refused.value)


class Bomb:
    """Unpickling it is noticed."""

    exploded = False

    def __reduce__(self) -> Any:
        return (setattr, (Bomb, "exploded", True))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_was_signed_is_read(clock: Clock) -> None:
    ours = codec(clock)
    assert ours.loads(ours.sign(pickle.dumps({"a": [1]}), HERE)) == {"a": [1]}


def test_acknowledgements_are_tokens_of_the_cookie(clock: Clock) -> None:
    ours, strangers = codec(clock), codec(clock, b"another cookie of theirs")
    assert [ours.token_text(ours.token(text)) for text in (ACK, NAK)] == [ACK, NAK]
    with pytest.raises(FrameRefused, match="cookie"):
        ours.token_text(strangers.token(ACK))


def test_nothing_without_the_cookie_is_unpickled(clock: Clock) -> None:
    ours, strangers = codec(clock), codec(clock, b"another cookie of theirs")
    assert refusal(ours, strangers.sign(pickle.dumps(Bomb()), HERE)) == "cookie"
    frame = ours.sign(pickle.dumps(1), HERE)
    assert refusal(ours, frame[:HEAD_BYTES] + pickle.dumps(2)) == "digest"
    assert refusal(ours, pickle.dumps(Bomb())) in ("cookie", "length")
    assert not Bomb.exploded


@given(st.data())
def test_a_frame_that_was_changed_anywhere_is_refused(data: st.DataObject) -> None:
    ours = codec(Clock())
    frame = bytearray(ours.sign(pickle.dumps("x" * 50), HERE))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    assert refusal(ours, bytes(frame)) in ("cookie", "digest")


def test_a_frame_comes_once(clock: Clock) -> None:
    ours = codec(clock)
    frame = ours.sign(pickle.dumps(1), HERE)
    assert ours.loads(frame) == 1
    assert refusal(ours, frame) == "replay"
    clock.now += WINDOW - 1
    assert refusal(ours, frame) == "replay"
    clock.now += 2
    assert refusal(ours, frame) == "time"


def test_a_frame_from_ahead_of_our_clock_comes_once_too(clock: Clock) -> None:
    ours = codec(clock)
    clock.now += WINDOW - 1
    frame = ours.sign(pickle.dumps(1), HERE)
    clock.now -= WINDOW - 1
    assert ours.loads(frame) == 1
    for _ in range(8):
        clock.now += WINDOW / 4
        ours.loads(ours.sign(pickle.dumps(2), HERE))  # old numbers are forgotten on the way
        assert refusal(ours, frame) in ("replay", "time")


@pytest.mark.parametrize("ahead", [WINDOW + 1, -WINDOW - 1])
def test_a_frame_of_another_time_is_refused(clock: Clock, ahead: float) -> None:
    ours = codec(clock)
    frame = ours.sign(pickle.dumps(1), HERE)
    clock.now += ahead
    assert refusal(ours, frame) == "time"


def answered(ours: FrameCodec, frame: bytes) -> bytes:
    """What the sender of this frame gets from a listener of ours, without its length."""
    coming = GuardedBuffer(ours.loads)
    coming.addMore(framed(frame))
    return coming.answer.partition(b">")[2]


@pytest.mark.parametrize("ahead", [300.0, -300.0])
def test_who_has_the_cookie_and_another_time_is_told_ours_and_is_then_read(
    clock: Clock, ahead: float, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = Clock()
    elsewhere.now += ahead
    ours, theirs = codec(clock), codec(elsewhere)
    refused = theirs.sign(pickle.dumps(1), HERE)
    answer = answered(ours, refused)
    assert theirs.take_clock(refused[:HEAD_BYTES], answer)
    assert ours.loads(theirs.sign(pickle.dumps(2), HERE)) == 2
    log = capsys.readouterr().out
    assert log.count("clocks_apart") == 1
    assert "the clock of 127.0.0.1:1900 was 300 s " in log
    assert ("behind" if ahead > 0 else "ahead of") in log


def test_a_clock_is_taken_from_one_with_the_cookie_and_for_ones_own_frame_only(
    clock: Clock,
) -> None:
    late = Clock()
    late.now -= 300
    ours, theirs, strangers = codec(clock), codec(late), codec(clock, b"another cookie of theirs")
    first, second = (theirs.sign(pickle.dumps(n), HERE)[:HEAD_BYTES] for n in (1, 2))
    assert not theirs.take_clock(first, strangers.clock_answer(first))
    assert not theirs.take_clock(second, ours.clock_answer(first))
    assert refusal(ours, theirs.sign(pickle.dumps(3), HERE)) == "time"


def test_nobody_else_is_answered(clock: Clock) -> None:
    ours, strangers = codec(clock), codec(clock, b"another cookie of theirs")
    frame = ours.sign(pickle.dumps(1), HERE)
    ours.loads(frame)
    elsewhere = ours.sign(pickle.dumps(1), listener("127.0.0.1", 1901))
    for sent in (strangers.sign(pickle.dumps(1), HERE), frame, elsewhere, b"x" * 200):
        assert answered(ours, sent) == b""


@pytest.mark.parametrize("jump", [120.0, -120.0])
def test_a_wall_clock_that_jumps_parts_nobody(jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = FrameCodec(COOKIE), FrameCodec(COOKIE)
    ours.listeners.add(HERE)
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + jump)
    assert ours.loads(theirs.sign(pickle.dumps(1), HERE)) == 1


def test_an_answer_that_is_no_clock_of_the_receivers_is_refused(clock: Clock) -> None:
    ours = codec(clock)
    frame = framed(ours.sign(pickle.dumps(1), HERE))
    forged = AnswerBuffer(ours.loads, frame)
    forged.addMore(framed(b"x" * CLOCK_BYTES))
    assert (forged.refused, forged.clock_taken, forged.completed()) == (True, False, None)
    taken = AnswerBuffer(ours.loads, frame)
    taken.addMore(framed(ours.clock_answer(frame.partition(b">")[2])))
    assert (taken.refused, taken.clock_taken, taken.completed()) == (False, True, None)
    ack = AnswerBuffer(ours.loads, frame)
    ack.addMore(framed(ours.token(ACK)))
    assert ack.completed() == (ACK, b"")


def test_a_frame_for_another_listener_is_refused(clock: Clock) -> None:
    ours = codec(clock)
    elsewhere = listener("127.0.0.1", 1901)
    assert refusal(ours, ours.sign(pickle.dumps(1), elsewhere)) == "receiver"


def test_numbers_are_forgotten_when_their_time_is_past(clock: Clock) -> None:
    ours = codec(clock)
    for _ in range(10):
        ours.loads(ours.sign(pickle.dumps(1), HERE))
    clock.now += 3 * WINDOW
    ours.loads(ours.sign(pickle.dumps(1), HERE))
    assert len(ours._nonces) == len(ours._expiring) == 1


def test_refusals_are_counted_and_logged_once_a_minute(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = codec(clock)
    for _ in range(1000):
        ours.refuse("cookie")
    assert ours.refused == {"cookie": 1000}
    assert capsys.readouterr().out.count("frames_refused") == 1
    clock.now += 61
    ours.refuse("cookie")
    assert "1001" in capsys.readouterr().out


def test_a_quiet_codec_says_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    ours = FrameCodec(COOKIE, clock=clock, timer=clock, quiet=True)
    ours.refuse("cookie")
    assert ours.refused == {"cookie": 1}
    assert capsys.readouterr().out == ""


def framed(payload: bytes) -> bytes:
    return b"%d>" % len(payload) + payload


@given(st.lists(st.integers(1, 60), max_size=30))
def test_a_frame_may_come_in_any_pieces(cuts: list[int]) -> None:
    ours = codec(Clock())
    whole = framed(ours.sign(pickle.dumps("content"), HERE))
    coming = GuardedBuffer(ours.loads)
    while whole:
        size = min(cuts.pop() if cuts else len(whole), coming.remainingAmount())
        piece, whole = whole[:size], whole[size:]
        coming.addMore(piece)
    assert coming.isDone()
    assert coming.completed() == coming.completed() == ("content", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"no length at all, for ever and ever",
        b"99999999999>",
        b"-5>" + b"x" * 100,
        b"12_0>" + b"x" * 200,
        b"0>",
        framed(b"x" * 500),
        framed(pickle.dumps(Bomb())),
        b"%d>" % MAX_FRAME + b"x" * HEAD_BYTES,
        b"%d>" % (MAX_FRAME + 1),
    ],
)
def test_what_is_no_frame_is_refused_by_its_first_bytes(clock: Clock, data: bytes) -> None:
    ours = codec(clock)
    coming = GuardedBuffer(ours.loads)
    for index in range(len(data)):
        coming.addMore(data[index : index + 1])
        if coming.refused:
            assert index < HEAD_BYTES + 20
            break
    assert coming.refused or coming.completed() is None
    coming.addMore(b"x" * 1_000_000)
    assert len(coming._buf) < 1000
    assert coming.completed() is None
    assert not Bomb.exploded


def test_a_message_that_is_too_long_is_refused_to_its_sender(clock: Clock) -> None:
    with pytest.raises(ValueError, match="too long to be sent"):
        codec(clock).sign(b"x" * MAX_FRAME, HERE)


def test_no_bare_pickle_is_left_in_the_transport() -> None:
    program = """
        from aybiza.actors.node.frames import guard_frames
        codec = guard_frames(b"x" * 32)
        from thespian.system.transport import TCPTransport as tcp, streamBuffer
        assert tcp.serializer is codec
        assert tcp.ReceiveBuffer(codec.loads).__class__.__name__ == "GuardedBuffer"
        assert b"ACK" not in tcp.ackMsg + tcp.ackDataErrMsg
        assert (tcp.ackMsg, tcp.ackDataErrMsg) == (streamBuffer.ackMsg, streamBuffer.ackDataErrMsg)
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=30,
        check=True,
    )
