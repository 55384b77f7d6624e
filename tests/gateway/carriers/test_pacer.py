"""The pacer plays in real time, and returns marks when their audio has been played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway.carriers.pacer import LEAD_SECONDS, Pacer

FRAME = 0.02


def test_a_frame_goes_out_at_once_when_nothing_is_before_it() -> None:
    pacer = Pacer()
    pacer.play(b"1", FRAME)
    assert pacer.due(5.0).frames == [b"1"]
    assert pacer.next is None


def test_frames_leave_one_after_the_other_with_no_more_than_the_lead() -> None:
    pacer = Pacer()
    for number in range(10):
        pacer.play(bytes([number]), FRAME)
    sent: dict[bytes, float] = {}
    now = 0.0
    while (due := pacer.due(now)).frames or pacer.next is not None:
        sent |= dict.fromkeys(due.frames, now)
        now = pacer.next if pacer.next is not None else now
    times = list(sent.values())
    assert list(sent) == [bytes([number]) for number in range(10)]
    turns = [number * FRAME for number in range(10)]
    assert all(
        -1e-9 <= turn - at <= LEAD_SECONDS + 1e-9 for turn, at in zip(turns, times, strict=True)
    )


def test_a_mark_returns_when_all_before_it_has_been_played_and_not_earlier() -> None:
    pacer = Pacer()
    pacer.play(b"1", FRAME)
    pacer.mark("m")
    assert pacer.due(1.0).marks == []
    assert pacer.next == pytest.approx(1.02)
    assert pacer.due(1.019).marks == []
    assert pacer.due(1.02).marks == ["m"]
    assert pacer.next is None


def test_a_mark_behind_nothing_returns_at_once() -> None:
    pacer = Pacer()
    pacer.mark("m")
    assert pacer.due(0.0).marks == ["m"]


def test_a_clear_drops_what_waits_and_returns_all_marks_in_order() -> None:
    pacer = Pacer()
    for number in range(10):
        pacer.play(b"x", FRAME)
        pacer.mark(str(number))
    sent = pacer.due(0.0).frames
    assert 0 < len(sent) < 10
    assert pacer.clear() == [str(number) for number in range(10)]
    assert pacer.due(9.0).frames == [] and pacer.ahead == 0.0 and pacer.next is None


def test_what_follows_a_clear_is_not_played_over_what_is_out() -> None:
    pacer = Pacer()
    pacer.play(b"long", 0.5)
    pacer.due(0.0)
    pacer.clear()
    pacer.play(b"next", FRAME)
    assert pacer.due(0.1).frames == []
    assert pacer.next == pytest.approx(0.5 - LEAD_SECONDS)


commands = st.lists(
    st.one_of(
        st.tuples(st.just("play"), st.floats(0.001, 0.3)),
        st.tuples(st.just("mark"), st.just(0.0)),
        st.tuples(st.just("clear"), st.just(0.0)),
        st.tuples(st.just("wait"), st.floats(0.0, 0.5)),
    ),
    max_size=40,
)


@given(commands)
def test_every_mark_returns_once_and_never_before_its_audio(
    given_commands: list[tuple[str, float]],
) -> None:
    pacer, now, marks = Pacer(), 0.0, 0
    returned: list[str] = []
    earliest: list[float] = []
    for name, value in given_commands:
        match name:
            case "play":
                pacer.play(b"x", value)
            case "mark":
                earliest.append(now + pacer.ahead)
                pacer.mark(str(marks))
                marks += 1
            case "clear":
                returned += pacer.clear()
            case "wait":
                now += value
        due = pacer.due(now)
        returned += due.marks
        assert all(earliest[int(mark)] <= now + LEAD_SECONDS + 1e-6 for mark in due.marks)
        assert pacer.next is None or pacer.next > now or due.frames or due.marks
    for _ in range(1000):
        if pacer.next is None:
            break
        now = max(now, pacer.next)
        returned += pacer.due(now).marks
    assert returned == [str(number) for number in range(marks)]
    assert pacer.next is None and pacer.ahead == pytest.approx(0.0, abs=1e-6)
