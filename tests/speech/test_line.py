"""A call's line: the caller's last audio, the inbox, and what goes to the carrier."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.speech.line import ATTEMPTS, INBOX_LIMIT, MOST_KEYS, AudioRing, Inbox, Line
from aybiza.speech.line_figures import LineFigures
from aybiza.speech.loudness import Loudness
from aybiza.speech.playout import BYTES_A_SECOND, Cut, Sentence
from aybiza.speech.tape import Tape
from tests.cases import each

ONE = Sentence(1, 1)


class Carrier:
    """A CarrierSink that keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, object]] = []

    def media(self, mulaw: bytes) -> None:
        self.given.append(("media", mulaw))

    def mark(self, name: str) -> None:
        self.given.append(("mark", name))

    def clear(self) -> None:
        self.given.append(("clear", None))


def audio(size: int, first: int = 0) -> bytes:
    return bytes((first + offset) % 251 for offset in range(size))


# AudioRing


def test_the_ring_gives_the_audio_since_an_offset() -> None:
    ring = AudioRing()
    ring.append(b"abc")
    ring.append(b"def")
    assert (ring.start, ring.end) == (0, 6)
    assert ring.since(0) == (0, b"abcdef")
    assert ring.since(4) == (4, b"ef")
    assert ring.since(6) == (6, b"")


def test_audio_that_has_not_come_is_none() -> None:
    ring = AudioRing()
    ring.append(b"abc")
    assert ring.since(9) == (9, b"")


def test_the_ring_keeps_its_last_seconds_and_the_offsets_go_on() -> None:
    ring = AudioRing(seconds=2)
    frame = 160
    for number in range(500):
        ring.append(audio(frame, number * frame))
        held = ring.end - ring.start
        assert ring.end == (number + 1) * frame
        assert held >= min(ring.end, 2 * BYTES_A_SECOND)
        assert held < 3 * BYTES_A_SECOND
    start, held_audio = ring.since(0)
    assert start == ring.start > 0
    assert held_audio == audio(ring.end - start, start)


def test_audio_longer_than_the_ring_leaves_its_end() -> None:
    ring = AudioRing(seconds=1)
    ring.append(audio(5 * BYTES_A_SECOND))
    start, held = ring.since(0)
    assert start == 4 * BYTES_A_SECOND
    assert held == audio(BYTES_A_SECOND, start)


def test_what_is_understood_only_grows_and_is_never_ahead_of_the_audio() -> None:
    ring = AudioRing()
    ring.append(bytes(100))
    for offset, understood in ((40, 40), (20, 40), (-5, 40), (900, 100)):
        ring.understand(offset)
        assert ring.understood == understood


@settings(max_examples=50)
@given(st.lists(st.integers(0, 2 * BYTES_A_SECOND), max_size=8), st.integers(0, 9 * BYTES_A_SECOND))
def test_the_ring_never_gives_wrong_bytes(sizes: list[int], offset: int) -> None:
    ring, whole = AudioRing(seconds=1), b""
    for size in sizes:
        ring.append(audio(size, len(whole)))
        whole += audio(size, len(whole))
    first, held = ring.since(offset)
    assert first == max(offset, ring.start)
    assert held == whole[first:]


# Inbox


def test_events_come_out_in_the_order_in_which_they_came_in() -> None:
    inbox = Inbox()
    for event in "abc":
        assert inbox.post(event)
    taken = []
    while (posted := inbox.begin()) is not None:
        taken.append((posted.number, posted.event))
        inbox.done()
    assert taken == [(1, "a"), (2, "b"), (3, "c")]
    assert len(inbox) == 0


def test_an_event_stays_until_it_has_been_dealt_with() -> None:
    inbox = Inbox()
    inbox.post("a")
    for _ in range(10):
        posted = inbox.begin()
        assert posted is not None and posted.event == "a"


def test_an_event_whose_handling_fails_again_is_set_aside() -> None:
    inbox = Inbox()
    inbox.post("poison")
    inbox.post("next")
    assert [inbox.failed() for _ in range(ATTEMPTS)] == [False] * (ATTEMPTS - 1) + [True]
    posted = inbox.begin()
    assert posted is not None
    assert (posted.event, posted.failures) == ("next", 0)


def test_a_full_inbox_refuses_and_counts() -> None:
    inbox = Inbox()
    for number in range(INBOX_LIMIT):
        assert inbox.post(number)
    assert not inbox.post("one more")
    assert (len(inbox), inbox.refused) == (INBOX_LIMIT, 1)
    inbox.done()
    assert inbox.post("now")


def test_events_are_numbered_behind_the_journal_those_that_wait_too() -> None:
    inbox = Inbox()
    inbox.post("early")
    inbox.start_behind(40)
    inbox.post("later")
    numbers = []
    while (posted := inbox.begin()) is not None:
        numbers.append(posted.number)
        inbox.done()
    assert numbers == [41, 42]


# Line


def test_a_post_wakes_the_call_s_actor() -> None:
    line, woken = Line("CA1", Carrier()), []
    line.wake = lambda: woken.append(len(line.inbox))
    line.post("a")
    line.post("b")
    assert woken == [1, 2]


def test_audio_is_signalled_once_until_the_signal_is_taken() -> None:
    line, signals = Line("CA1", Carrier()), []
    line.listener = lambda _: signals.append(line.ring.end)
    line.hear(b"abc")
    line.hear(b"def")
    assert signals == [3]
    line.audio_signalled = False
    line.hear(b"ghi")
    assert signals == [3, 9]


def test_what_is_played_goes_to_the_carrier_and_into_the_ledger() -> None:
    carrier = Carrier()
    line = Line("CA1", carrier)
    line.play(ONE, bytes(4000), now=1.0)
    line.finish(ONE)
    (_, media), (kind, name) = carrier.given
    assert (media, kind) == (bytes(4000), "mark")
    assert line.ledger.bytes_sent(ONE) == 4000
    assert line.ledger.marked(str(name)) == ONE


def test_clearing_silences_the_carrier_and_tells_the_cut() -> None:
    carrier = Carrier()
    line = Line("CA1", carrier)
    line.play(ONE, bytes(4000), now=1.0)
    line.finish(ONE)
    assert line.clear(1.25) == Cut(ONE, 0.5)
    assert carrier.given[-1] == ("clear", None)


def test_clearing_forgets_what_was_said_about_the_line() -> None:
    line = Line("CA1", Carrier())
    line.aside = (ONE, "We were cut off.")
    line.clear(1.0)
    assert line.aside is None


@pytest.mark.parametrize("out", ["nothing", "a part", "all of it"])
def test_words_about_the_line_are_dropped_unless_a_sentence_is_midway(out: str) -> None:
    line = Line("CA1", Carrier())
    if out != "nothing":
        line.play(ONE, bytes(800), now=1.0)
    if out == "all of it":
        line.finish(ONE)
    line.say_aside(1, "One moment.")
    assert not (out != "nothing" and line.drop_aside(1.05))
    generation = line.ledger.generation
    assert line.drop_aside(2.0) is (out != "a part")
    assert (line.aside is None, line.ledger.generation - generation) == (
        (False, 0) if out == "a part" else (True, 1)
    )


@pytest.mark.parametrize("post_first", [True, False])
def test_nothing_is_lost_while_nobody_listens(post_first: bool) -> None:
    line = Line("CA1", Carrier())
    if post_first:
        line.post("a")
    line.hear(b"abc")
    assert line.ring.since(0) == (0, b"abc")
    assert len(line.inbox) == int(post_first)


def test_keys_stop_the_recording_and_begin_anew_behind_those_that_were_used() -> None:
    line = Line("CA1", Carrier(), tape=Tape(0.0), clock=lambda: 0.0)
    for number, key in enumerate("123", 1):
        line.press(number, key)
    line.press(3, "3")  # the same event, dealt with again
    assert line.tape is not None and line.tape.is_paused
    assert line.entered == "123"
    line.entry_over(3)
    assert line.entered == "123"
    line.press(4, "9")
    assert line.entered == "9" and not line.keys_over
    for number in range(5, 5 + MOST_KEYS):
        line.press(number, "0")
    assert len(line.entered) == MOST_KEYS


@each(
    (
        ("12", 2, "34", 2, "34"),
        ("12", 2, "34", 4, "1234"),  # the turn has gone on with those of the turn before
        ("12", 2, "34", 3, ""),
        ("", 0, "34", 4, ""),  # the first two were pressed on a line that broke
        ("12", 2, "", 0, "12"),  # words alone leave what was entered
    )
)
def test_half_an_entry_is_none(first: str, told: int, then: str, of: int, entered: str) -> None:
    line = Line("CA1", Carrier())
    for number, key in enumerate(first):
        line.press(number, key)
    line.entry_over(told)
    for number, key in enumerate(then, 10):
        line.press(number, key)
    line.entry_over(of)
    assert line.entered == entered


def test_words_about_the_line_are_said_once_until_they_were_heard() -> None:
    line = Line("CA1", Carrier())
    assert line.say_aside(1, "One moment.")
    assert not line.say_aside(1, "One moment.")
    assert line.say_aside(1, "Are you there?")
    assert line.aside == (Sentence(1, -2), "Are you there?")
    line.play(Sentence(1, -2), bytes(BYTES_A_SECOND), now=0.0)
    line.finish(Sentence(1, -2))
    assert not line.drop_aside(0.5)
    line.ledger.marked(line.ledger.mark(Sentence(1, -2)))
    assert line.say_aside(1, "Are you there?")


def test_only_words_of_their_number_are_forgotten() -> None:
    line = Line("CA1", Carrier())
    line.say_aside(1, "One moment.")
    line.forget_aside(Sentence(1, -7))
    assert line.aside is not None
    line.forget_aside(Sentence(1, -1))
    assert line.aside is None
    line.forget_aside(Sentence(1, -1))
    assert not line.drop_aside(0.0)


def test_who_measures_a_line_is_told_what_is_heard_on_it() -> None:
    now, tones = [0.0], bytearray()
    line = Line("CA1", Carrier(), tape=Tape(0.0), figures=LineFigures(), clock=lambda: now[0])
    line.said, line.tones = Loudness(0.0), tones.extend
    line.play(ONE, bytes(2 * BYTES_A_SECOND), now=0.0)
    now[0] = 0.5
    line.hear(b"abc", 500)
    line.clear(0.5)
    assert bytes(tones) == b"abc"
    assert line.figures is not None and line.figures.talk.told().agent_s == 0.5
    assert max(line.said.take(0.5)) > 0


def test_what_was_understood_long_ago_is_dropped_by_whole_seconds() -> None:
    ring = AudioRing()
    for second in range(12):
        ring.append(audio(BYTES_A_SECOND, second * BYTES_A_SECOND))
    ring.understand(int(9.5 * BYTES_A_SECOND))
    assert ring.start == 3 * BYTES_A_SECOND
    first, held = ring.since(0)
    assert (first, held) == (ring.start, audio(9 * BYTES_A_SECOND, ring.start))
    assert ring.understood == int(9.5 * BYTES_A_SECOND)
