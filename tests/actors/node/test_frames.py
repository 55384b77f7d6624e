"""Frames: what is refused, and what a sender is told."""

import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.node.frames import (
    ACK,
    HEAD_BYTES,
    MAX_FRAME,
    NAK,
    WINDOW,
    FrameCodec,
    FrameRefused,
    listener,
)
from tests.actors.node.frame_kit import (
    COOKIE,
    HERE,
    Bomb,
    Clock,
    acquainted,
    codec,
    refusal,
)


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
    clock.now += 2 * WINDOW
    ours.loads(ours.sign(pickle.dumps(2), HERE))  # old numbers are forgotten
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


@pytest.mark.parametrize("ahead", [300.0, -300.0])
def test_who_has_the_cookie_and_another_time_is_told_ours_and_is_then_read(
    clock: Clock, ahead: float, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = Clock()
    elsewhere.now += ahead
    ours, theirs = codec(clock), FrameCodec(COOKIE, clock=elsewhere, timer=elsewhere)
    refused = theirs.sign(pickle.dumps(1), HERE)
    assert refusal(ours, refused) == "unmet"
    assert theirs.take_answer(refused[:HEAD_BYTES], ours.answer(refused))
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
    assert not theirs.take_answer(first, strangers.answer(first))
    assert not theirs.take_answer(second, ours.answer(first))
    assert refusal(ours, theirs.sign(pickle.dumps(3), HERE)) == "incarnation"


@pytest.mark.parametrize("jump", [120.0, -120.0])
def test_a_wall_clock_that_jumps_parts_nobody(jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = FrameCodec(COOKIE), FrameCodec(COOKIE)
    ours.listen(HERE)
    acquainted(theirs, ours)
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + jump)
    assert ours.loads(theirs.sign(pickle.dumps(1), HERE)) == 1


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


def test_a_message_that_is_too_long_is_refused_to_its_sender(clock: Clock) -> None:
    with pytest.raises(ValueError, match="too long to be sent"):
        codec(clock).sign(b"x" * MAX_FRAME, HERE)
