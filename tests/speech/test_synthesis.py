"""Which texts go together, when, and what happens to those that are never said."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.textaudio import TextAudioDecoder, encode
from aybiza.speech.playout import BYTES_A_SECOND, Ledger, Sentence
from aybiza.speech.synthesis import (
    EMPTY_SECONDS,
    GO_CHARACTERS,
    LEAST_BYTES,
    LOW_SECONDS,
    PAUSE,
    QUIET_SECONDS,
    TAIL_SECONDS,
    TRIES,
    Go,
    Synthesis,
    Text,
)


class Voice:
    """A synthesis, a voice that says what it is sent, and a caller who hears it.

    `refuses`: a text with this in it ends the socket; `ends`: the socket ends after so many bytes
    of a go.
    """

    def __init__(self, ledger: Ledger | None = None, refuses: str = "☠") -> None:
        self.ledger = ledger or Ledger()
        self.synthesis = Synthesis(self.ledger, str.strip)
        self.refuses = refuses
        self.now = 0.0
        self.sent: list[str] = []
        self.heard = TextAudioDecoder()
        self.text = ""
        self.finished: list[Sentence] = []
        self.passed_over: list[Sentence] = []

    def give(self, turn: int, *texts: str) -> None:
        for seq, text in enumerate(texts, 1):
            self.synthesis.give(Sentence(turn, seq), text)

    def ask(self, lead: float = 0.0) -> Go | None:
        go = self.synthesis.next(self.now, lead, early=True)
        if go is not None and not go.complete:
            self.sent.append("".join(f"{text.spoken} " for text in go.texts))
        return go

    def say(self, go: Go, ends: int | None = None) -> None:
        """What the voice does with a go: all of it, or less."""
        if self.refuses in self.sent[-1]:
            self.lose()
            return
        audio = encode(self.sent[-1])
        self.synthesis.audio(audio[:ends], self.now)
        self.play()
        if ends is None:
            self.synthesis.flushed(self.now)
        else:
            self.lose()
        self.play()

    def lose(self) -> None:
        self.passed_over += [text.sentence for text in self.synthesis.lost(self.now)]
        self.play()

    def play(self) -> None:
        """The pacer, without a pace."""
        goes = self.synthesis.goes
        while goes:
            go = goes[0]
            while go.audio:
                piece = go.audio.popleft()
                self.ledger.sent(go.name, len(piece), self.now)
                self.text += self.heard.feed(piece)
            if not go.complete:
                return
            goes.popleft()
            ends = [text.sentence for text in go.texts if text.then is None]
            self.finished += [] if go.tail else ends

    def all(self) -> str:
        """Say everything that waits."""
        for _ in range(1000):
            go = self.ask()
            self.play()
            if go is None:
                break
            if not go.complete:
                self.say(go)
        assert not self.synthesis.waiting and not self.synthesis.goes
        return self.text


def test_the_first_text_of_a_turn_goes_alone_and_the_others_together_when_little_is_left() -> None:
    voice = Voice()
    voice.give(1, "One.", "Two.", "Three.")
    first = voice.ask()
    assert first is not None and voice.sent == ["One. "]
    assert voice.ask() is None, "one at a time"
    voice.say(first)
    assert voice.ask(lead=LOW_SECONDS + 0.1) is None
    rest = voice.ask(lead=LOW_SECONDS)
    assert rest is not None and voice.sent[1:] == ["Two. Three. "]
    voice.say(rest)
    voice.give(2, "Next.", "And on.")
    assert voice.ask() is not None and voice.sent[2:] == ["Next. "]


def test_a_recording_takes_its_place_among_texts_and_goes_with_none() -> None:
    voice = Voice()
    voice.give(1, "One.")
    voice.synthesis.give(Sentence(1, 2), "Recorded. " * 60, recorded=True)
    voice.synthesis.give(Sentence(1, 3), "Three.")
    go = voice.ask()
    assert go is not None and [text.written for text in go.texts] == ["One."]
    voice.synthesis.audio(encode("One. "), voice.now)
    voice.synthesis.flushed(voice.now)
    recorded = voice.synthesis.waiting[0]
    voice.synthesis.kept(recorded, b"sound", voice.now)
    assert [go.name.seq for go in voice.synthesis.goes] == [1, 2]
    assert [text.sentence.seq for text in voice.synthesis.waiting] == [3]


def test_what_nothing_follows_is_synthesised_ahead_if_that_is_affordable() -> None:
    for early in (True, False):
        voice = Voice()
        voice.give(1, "One.", "Two.")
        first = voice.ask()
        assert first is not None
        voice.say(first)
        voice.synthesis.finishing = True
        assert (voice.synthesis.next(0.0, 10.0, early=early) is not None) is early


def test_a_poisoned_text_is_sent_twice_and_the_rest_is_spoken() -> None:
    voice = Voice()
    voice.give(1, "The first part is fine.", "The glyph ☠ cannot be said.", "The last is fine too.")
    assert voice.all() == "The first part is fine. The last is fine too. "
    sent = Counter(sum("☠" in text for text in voice.sent) for _ in [0])
    assert sent == {TRIES: 1}
    assert voice.passed_over == [Sentence(1, 2)]
    assert voice.finished == [Sentence(1, seq) for seq in (1, 2, 3)]


def test_a_text_without_anything_to_say_counts_as_said_in_its_place() -> None:
    voice = Voice()
    voice.give(1, "One.", "", "Two.", "")
    assert voice.all() == "One. Two. "
    assert voice.finished == [Sentence(1, seq) for seq in (1, 2, 3, 4)]
    assert voice.passed_over == []


def test_a_flush_that_brings_nothing_is_waited_for_and_then_tried_again() -> None:
    voice = Voice()
    voice.give(1, "One.")
    for attempt in range(TRIES):
        assert voice.ask() is not None
        assert voice.synthesis.flushed(voice.now) is None
        assert not voice.synthesis.is_silent(voice.now)
        voice.now += EMPTY_SECONDS
        assert voice.synthesis.is_silent(voice.now)
        passed = voice.synthesis.lost(voice.now)
        assert [text.sentence for text in passed] == [Sentence(1, 1)] * (attempt == TRIES - 1)


def test_an_echo_of_the_last_flush_ends_nothing() -> None:
    voice = Voice()
    voice.give(1, "One.", "Two.")
    first = voice.ask()
    assert first is not None
    voice.say(first)
    second = voice.ask()
    assert second is not None
    assert voice.synthesis.flushed(0.0) is None
    voice.say(second)
    assert voice.text == "One. Two. " and voice.synthesis.due is None


def spoken(
    voice: Voice, text: str, seconds: float = QUIET_SECONDS, bytes_per_char: int = LEAST_BYTES
) -> Go | None:
    """The go that is complete when the voice has said `text` and then paused for so long."""
    voice.synthesis.audio(encode(text, bytes_per_char), voice.now)
    voice.play()
    voice.now += seconds
    return voice.synthesis.paused(voice.now)


def test_an_end_that_is_told_ahead_of_the_audio_is_the_pause_behind_it() -> None:
    voice = Voice()
    voice.give(1, "One.")
    go = voice.ask()
    assert voice.synthesis.flushed(voice.now) is None
    assert spoken(voice, "One. ", QUIET_SECONDS - 0.1) is None
    assert not voice.synthesis.is_silent(voice.now)
    voice.now += 0.2
    assert go is not None and voice.synthesis.paused(voice.now) is go
    voice.play()
    assert voice.text == "One. " and voice.finished == [Sentence(1, 1)]


def test_a_voice_that_never_tells_the_end_is_believed_when_it_stalls_at_the_same_place() -> None:
    voice = Voice()
    voice.give(1, "One.", "Two.")
    first = voice.ask()
    assert first is not None and spoken(voice, "One. ") is None
    assert voice.synthesis.lost(voice.now) == []
    again = voice.ask()
    assert again is not None and spoken(voice, "One. ") is again
    voice.play()
    second = voice.ask()
    assert second is not None and spoken(voice, "Two. ") is second, "and no longer waited for"
    voice.play()
    assert voice.text == "One. Two. " and voice.finished == [Sentence(1, 1), Sentence(1, 2)]


def test_a_voice_that_stalls_far_ahead_of_the_end_has_not_said_all_of_it() -> None:
    for came, whole in ((0.8, False), (1.0, True)):
        voice = Voice()
        voice.give(1, "One is here.", "Two is here.")
        first = voice.ask()
        voice.synthesis.audio(encode("One is here. "), voice.now)
        assert voice.synthesis.flushed(voice.now) is first
        voice.play()
        audio = encode("Two is here. ")
        for due in (None, voice.now + QUIET_SECONDS if whole else None):
            assert voice.ask() is not None
            voice.synthesis.audio(audio[: int(came * len(audio))], voice.now)
            assert voice.synthesis.due == due
            voice.lose()


def test_a_pause_far_ahead_of_the_end_is_none_where_ends_are_not_told() -> None:
    for came, whole in ((0.8, False), (1.0, True)):
        voice = Voice()
        voice.give(1, "One is here.", "Two is here.", "Now three.")
        first = voice.ask()
        voice.synthesis.audio(encode("One is here. "), voice.now)
        assert voice.synthesis.flushed(voice.now) is first
        voice.play()
        for told in (False, True):
            assert voice.ask() is not None
            assert (spoken(voice, "Two is here. ", bytes_per_char=32) is not None) is told
            voice.lose()
        voice.play()
        third, audio = voice.ask(), encode("Now three. ")
        voice.synthesis.audio(audio[: int(came * len(audio))], voice.now)
        assert voice.synthesis.due == (voice.now + QUIET_SECONDS if whole else None)
        paused = voice.synthesis.paused(voice.now + QUIET_SECONDS)
        assert paused is (third if whole else None)


def test_a_voice_whose_protocol_has_an_end_is_not_believed_to_be_done_without_it() -> None:
    voice = Voice()
    voice.synthesis.tells_ends = True
    voice.give(1, "One.", "Two.")
    passed: list[Text] = []
    for _ in range(TRIES + 1):
        assert voice.ask() is not None and spoken(voice, "One. ", 9.0) is None
        passed = voice.synthesis.lost(voice.now)
        voice.play()
    assert [text.written for text in passed] == ["One."]


def test_half_a_text_of_a_voice_that_nobody_knows_is_not_taken_for_all_of_it() -> None:
    voice = Voice()
    voice.give(1, "One is here.")
    audio = encode("One is here. ", LEAST_BYTES)
    for _ in range(TRIES + 1):
        assert voice.ask() is not None
        voice.synthesis.audio(audio[: len(audio) // 2], voice.now)
        passed = voice.synthesis.lost(voice.now)
    assert [text.sentence for text in passed] == [Sentence(1, 1)]


def test_audio_behind_the_end_that_was_told_is_heard_and_the_next_end_is_a_pause() -> None:
    for played in (False, True):
        voice = Voice()
        voice.give(1, "One.", "Two.")
        for text, ends in (("One.", True), ("Two.", False)):
            audio = encode(f"{text} ")
            assert voice.ask() is not None
            voice.synthesis.audio(audio[:60], voice.now)
            assert (voice.synthesis.flushed(voice.now) is not None) is ends
            if played:
                voice.play()
            voice.synthesis.audio(audio[60:], voice.now)
            voice.play()
        voice.now += QUIET_SECONDS
        assert voice.synthesis.paused(voice.now) is not None
        voice.play()
        assert voice.text == "One. Two. " and voice.finished == [Sentence(1, 1), Sentence(1, 2)]


def test_audio_behind_an_end_is_heard_when_the_next_text_is_on_its_way() -> None:
    voice = Voice()
    voice.give(1, "One.", "Two.")
    first, second = (encode(f"{text} ") for text in ("One.", "Two."))
    for audio in (first[:60], first[60:] + second[:60]):
        assert voice.ask() is not None
        voice.synthesis.audio(audio, voice.now)
        assert voice.synthesis.flushed(voice.now) is not None
        voice.play()
    voice.synthesis.audio(second[60:], voice.now)
    voice.play()
    assert voice.text == "One. Two. " and voice.finished == [Sentence(1, 1), Sentence(1, 2)]


def test_what_comes_long_behind_the_end_or_of_another_socket_is_nobodys() -> None:
    for late, lost in ((TAIL_SECONDS + 1, False), (0.1, True)):
        voice = Voice()
        voice.give(1, "One.")
        go = voice.ask()
        assert go is not None
        voice.say(go)
        voice.now += late
        if lost:
            voice.lose()
        assert not voice.synthesis.audio(encode("Two. "), voice.now)
        voice.play()
        assert voice.text == "One. "


def test_a_late_end_of_a_part_is_not_taken_from_the_next_one() -> None:
    voice = Voice()
    voice.give(1, "x" * 450)
    assert voice.ask() is not None
    audio = encode("x" * 400)
    voice.synthesis.audio(audio[:8_000], voice.now)
    voice.synthesis.flushed(voice.now)
    voice.play()
    voice.synthesis.audio(audio[8_000:], voice.now)
    voice.play()
    assert voice.ask() is not None and spoken(voice, "x" * 50, bytes_per_char=32) is None
    assert voice.synthesis.flushed(voice.now) is None
    assert voice.synthesis.paused(voice.now) is not None
    assert voice.text == "x" * 450


def test_there_is_a_pause_behind_a_text_that_never_comes_to_its_end() -> None:
    for came, behind in ((encode("On"), PAUSE), (b"", b"")):
        voice = Voice()
        voice.give(1, "One.", "Two.")
        for _ in range(TRIES + bool(came)):
            assert voice.ask() is not None
            voice.synthesis.audio(came, voice.now)
            voice.play()
            voice.lose()
        assert voice.ledger.bytes_sent(Sentence(1, 1)) == len(came + behind)
        assert voice.finished == [Sentence(1, 1)]


def test_a_very_long_text_goes_in_parts_and_is_one_sentence() -> None:
    voice = Voice()
    words = " ".join(["terms"] * 420)
    voice.give(1, words, "Done.")
    assert " ".join(voice.all().split()) == f"{words} Done."
    assert max(map(len, voice.sent)) <= GO_CHARACTERS + 1
    assert voice.finished == [Sentence(1, 1), Sentence(1, 2)]


def test_words_that_are_kept_as_audio_go_before_what_is_awaited() -> None:
    voice = Voice()
    voice.give(1, "One.")
    assert voice.ask() is not None
    voice.synthesis.give(Sentence(1, 0), "Wait.")
    voice.synthesis.kept(voice.synthesis.waiting[0], encode("Wait. "), voice.now)
    voice.play()
    assert voice.text == "Wait. " and voice.finished == [Sentence(1, 0)]
    voice.synthesis.audio(encode("One. "), voice.now)
    voice.synthesis.flushed(voice.now)
    voice.play()
    assert voice.text == "Wait. One. "


def test_a_faster_voice_takes_nothing_from_the_text_behind_one_that_broke_off() -> None:
    voice = Voice()
    voice.give(1, "One and two and three.", "Four.")
    go = voice.ask()
    assert go is not None
    slow = len(encode("One and two and three. "))
    voice.say(go, slow)
    again = voice.ask()
    assert again is not None
    again_all = encode("One and two and three. ")[: slow - 800]
    voice.synthesis.audio(again_all, voice.now)
    voice.synthesis.flushed(voice.now)
    voice.play()
    assert voice.all() == "One and two and three. Four. "


TEXTS = st.lists(st.sampled_from(["One.", "Two and two.", "", "x" * 900, "No.☠"]), max_size=6)


@given(
    st.lists(TEXTS, max_size=3),
    st.lists(st.one_of(st.none(), st.integers(0, 4000), st.just("restart")), max_size=25),
)
def test_whatever_breaks_and_whoever_restarts_each_text_is_said_once_in_order(
    turns: list[list[str]], fates: list[Any]
) -> None:
    def given_to(voice: Voice) -> None:
        for number, texts in enumerate(turns, 1):
            for seq, text in enumerate(texts, 1):
                if not voice.ledger.is_complete(Sentence(number, seq)):
                    voice.synthesis.give(Sentence(number, seq), text)

    voice = Voice()
    given_to(voice)
    for fate in fates:
        if fate == "restart":
            for sentence in voice.finished:
                voice.ledger.mark(sentence)
            again = Voice(voice.ledger)
            again.heard, again.text, again.finished = voice.heard, voice.text, voice.finished
            voice = again
            given_to(voice)
            continue
        go = voice.ask()
        voice.play()
        if go is not None and not go.complete:
            # A socket that breaks brings something new, or it would be the text's fault.
            voice.say(go, None if fate is None else go.skip + 1 + fate)
    said = voice.all()
    wanted = [text for texts in turns for text in texts if text and "☠" not in text]
    assert said.replace(" ", "") == "".join(wanted).replace(" ", "")
    assert len(voice.finished) == len(set(voice.finished)) == sum(map(len, turns))


def test_a_part_that_is_passed_over_takes_nothing_from_the_part_behind_it() -> None:
    voice = Voice()
    voice.give(1, "x" * 450)
    for ends in (None, 2_000, 4_000, 4_000, 4_000):
        go = voice.ask()
        assert go is not None
        voice.say(go, ends)
        if ends is None:
            voice = restarted(voice)
    assert voice.all().replace(" ", "") == "x" * 450


def restarted(voice: Voice) -> Voice:
    """The voice of a speaker that has been restarted and is given its texts again."""
    for sentence in voice.finished:
        voice.ledger.mark(sentence)
    again = Voice(voice.ledger)
    again.heard, again.text, again.finished = voice.heard, voice.text, voice.finished
    again.give(1, "x" * 450)
    return again


def test_sound_in_small_pieces_lies_in_large_ones_and_has_an_end() -> None:
    synthesis = Synthesis(Ledger(), lambda text: text)
    assert not synthesis.is_too_long
    synthesis.give(Sentence(1, 1), "ten chars.")
    assert synthesis.next(0.0, 0.0, early=True) is not None
    for size in (1_000, 2_500, 1_000, 5_000):
        synthesis.audio(bytes(size), 0.0)
    assert [len(piece) for piece in synthesis.goes[0].audio] == [3_500, 1_000, 5_000]
    assert not synthesis.is_too_long
    synthesis.audio(bytes(45 * BYTES_A_SECOND), 0.0)
    assert synthesis.is_too_long
