"""A caller's frames in order: any order within the window, gaps, doubles, and carriers that lie."""

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway.carriers.codec import Ignored, Media
from aybiza.gateway.carriers.frame_order import (
    HELD_FRAMES,
    MOST_BEHIND,
    MOST_FILLED_MS,
    FrameOrder,
)

FRAME_MS = 20
FRAME_BYTES = 160


def frame(chunk: int, stamp_ms: int | None = None) -> Media:
    stamp = (chunk - 1) * FRAME_MS if stamp_ms is None else stamp_ms
    return Media(bytes([chunk % 251]) * FRAME_BYTES, stamp, chunk, "inbound")


def heard(order: FrameOrder, frames: Iterable[Media]) -> list[Media]:
    events = [event for each in frames for event in order.take(each)]
    return [event for event in [*events, *order.flush()] if isinstance(event, Media)]


def silence_ms(frames: Iterable[Media]) -> int:
    return sum(media.lasts_ms for media in frames)


def jumbled(chunks: Iterable[int], reach: int, rng: random.Random) -> list[int]:
    return sorted(chunks, key=lambda chunk: chunk + rng.random() * (reach + 1))


@given(st.integers(1, 60), st.integers(0, HELD_FRAMES - 1), st.randoms())
def test_any_order_within_the_window_gives_the_same_audio(
    number: int, reach: int, rng: random.Random
) -> None:
    order = FrameOrder()
    came = jumbled(range(1, number + 1), reach, rng)
    assert heard(order, map(frame, came)) == [frame(chunk) for chunk in range(1, number + 1)]
    assert set(order.mended) <= {"reordered"}
    assert bool(order.mended["reordered"]) == (came != sorted(came))


def test_a_stream_that_leaps_ahead_before_its_first_frame_is_heard_counts_nothing_backwards() -> (
    None
):
    order = FrameOrder()
    came = [3, *range(200, 210)]
    sounds = [media.chunk for media in heard(order, map(frame, came)) if not media.lasts_ms]
    assert sounds == came
    assert order.mended == {"missing": 2 + 196}


@given(
    st.integers(2, 60).flatmap(
        lambda number: st.tuples(st.just(number), st.sets(st.integers(1, number - 1)))
    ),
    st.integers(0, HELD_FRAMES - 1),
    st.randoms(),
)
def test_what_is_missing_is_silence_and_never_more_than_is_missing(
    given_: tuple[int, set[int]], reach: int, rng: random.Random
) -> None:
    number, lost = given_
    order = FrameOrder()
    # The first frame came: nothing before it can be missing.
    lost -= {1}
    came = jumbled((chunk for chunk in range(1, number + 1) if chunk not in lost), reach, rng)
    came.sort(key=lambda chunk: chunk != 1)
    told = heard(order, map(frame, came))
    assert [media.chunk for media in told if not media.lasts_ms] == sorted(came)
    missing = len(lost) * FRAME_MS
    assert silence_ms(told) <= missing
    assert order.mended["missing"] == len(lost)
    longest = max((len(run) for run in runs(lost)), default=0)
    if longest * FRAME_MS <= MOST_FILLED_MS:
        assert silence_ms(told) == missing


def runs(chunks: Iterable[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for chunk in sorted(chunks):
        if found and found[-1][-1] == chunk - 1:
            found[-1].append(chunk)
        else:
            found.append([chunk])
    return found


@given(st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)), max_size=80))
def test_whatever_numbers_come_each_frame_is_heard_once_at_most_and_silence_is_bounded(
    numbers: list[tuple[int, int]],
) -> None:
    order = FrameOrder()
    came = [frame(chunk, stamp) for chunk, stamp in numbers]
    told = heard(order, came)
    assert len([media for media in told if not media.lasts_ms]) <= len(came)
    assert all(media.lasts_ms <= MOST_FILLED_MS for media in told)


def test_a_frame_that_does_not_come_is_waited_for_no_longer_than_the_window() -> None:
    order = FrameOrder()
    held = [order.take(frame(chunk)) for chunk in (1, *range(3, 3 + HELD_FRAMES))]
    assert [len(told) for told in held] == [1] + [0] * HELD_FRAMES
    told = order.take(frame(3 + HELD_FRAMES))
    silence, *others = [each for each in told if isinstance(each, Media)]
    assert (silence.timestamp_ms, silence.lasts_ms, silence.payload) == (20, 20, b"")
    assert [media.chunk for media in others] == [*range(3, 4 + HELD_FRAMES)]
    order.take(frame(2))
    order.take(frame(3))
    assert order.mended == {"missing": 1, "late": 1, "doubled": 1}


def test_a_carrier_that_sends_nothing_while_nobody_speaks_has_left_out_nothing() -> None:
    order = FrameOrder()
    told = heard(order, [frame(1), frame(2, 9_000), frame(3, 9_020)])
    assert silence_ms(told) == 0
    assert not order.mended


def test_stamps_that_show_no_hole_leave_no_silence() -> None:
    order = FrameOrder()
    told = heard(order, [frame(1), frame(3, 20), frame(4, 40)])
    assert silence_ms(told) == 0
    assert order.mended == {"missing": 1}


def test_frames_without_stamps_are_missing_as_long_as_their_neighbours_last() -> None:
    told = heard(FrameOrder(), [frame(1, 0), frame(4, 0)])
    assert silence_ms(told) == 2 * FRAME_MS


def test_a_stream_that_is_joined_late_misses_nothing() -> None:
    order = FrameOrder()
    assert order.take(frame(4_000)) == [frame(4_000)]
    assert order.take(frame(4_001)) == (frame(4_001),)
    assert not order.mended


def test_a_carrier_that_counts_anew_is_heard_again() -> None:
    order = FrameOrder()
    heard(order, map(frame, range(1, 201)))
    again = [len(order.take(frame(chunk))) for chunk in range(1, MOST_BEHIND + 10)]
    told = [order.take(frame(chunk)) for chunk in range(MOST_BEHIND + 10, MOST_BEHIND + 12)]
    assert len(again) == MOST_BEHIND + 9
    assert [[type(event) for event in events] for events in told] == [[Media], [Media]]


def test_numbers_that_do_not_move_are_none() -> None:
    order = FrameOrder()
    told = [order.take(frame(1, 0)) for _ in range(HELD_FRAMES + 4)]
    kinds = [type(events[-1]) for events in told]
    assert kinds == [Media, *[Ignored] * HELD_FRAMES, Media, Media, Media]


def test_frames_without_a_number_are_heard_as_they_come() -> None:
    order = FrameOrder()
    assert [order.take(frame(0, 0)) for _ in range(3)] == [(frame(0, 0),)] * 3


def test_the_short_cut_takes_only_the_next_frame_while_nothing_waits() -> None:
    order = FrameOrder()
    assert order.goes_on(1, b"0", FRAME_BYTES) and order.goes_on(2, b"20", FRAME_BYTES)
    assert order.stamp_ms == 20
    assert not order.goes_on(4, b"60", FRAME_BYTES)
    order.take(frame(4))
    assert not order.goes_on(3, b"40", FRAME_BYTES)
    assert [media.chunk for media in heard(order, [frame(3)])] == [3, 4]
    assert order.goes_on(5, b"80", FRAME_BYTES)
