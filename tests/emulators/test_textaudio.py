"""Text as audio: whatever the line does to it, each character is heard once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.textaudio import BYTES_PER_CHAR, SILENCE_CODES, TextAudioDecoder, encode

# Surrogates alone are no text; they are spoken as question marks.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
sizes = st.integers(3, 40)
cuts = st.lists(st.integers(0, 2000), max_size=10)
silences = st.lists(
    st.binary(max_size=30).map(lambda b: bytes(0x7F | byte & 0x80 for byte in b)), min_size=11
)


def pieces(audio: bytes, at: Sequence[int]) -> list[bytes]:
    bounds = [0, *sorted(min(cut, len(audio)) for cut in at), len(audio)]
    return [audio[start:end] for start, end in pairwise(bounds)]


def decoded(parts: Sequence[bytes]) -> str:
    decoder = TextAudioDecoder()
    return "".join(decoder.feed(part) for part in parts)


def test_a_character_lasts_four_milliseconds() -> None:
    assert len(encode("Hello.")) == 6 * BYTES_PER_CHAR == 192


@given(texts, sizes)
def test_no_code_of_it_is_silence(text: str, size: int) -> None:
    assert SILENCE_CODES.isdisjoint(encode(text, size))


@given(texts, sizes, cuts)
def test_how_the_stream_is_cut_changes_nothing(text: str, size: int, at: list[int]) -> None:
    assert decoded(pieces(encode(text, size), at)) == text


@given(texts, sizes, cuts, silences)
def test_silence_may_stand_anywhere(
    text: str, size: int, at: list[int], silence: list[bytes]
) -> None:
    parts = pieces(encode(text, size), at)
    assert decoded([gap + part for gap, part in zip(silence, parts, strict=False)]) == text


@given(texts, sizes, st.integers(0, 2000), st.binary(max_size=50))
def test_a_sentence_that_is_taken_up_behind_what_was_sent_is_heard_once(
    text: str, size: int, sent: int, gap: bytes
) -> None:
    audio, between = encode(text, size), bytes(0x7F | byte & 0x80 for byte in gap)
    assert decoded([audio[:sent], between, audio[sent:]]) == text


@given(st.text(st.characters(max_codepoint=127), max_size=20), texts, st.integers(0, 2000))
def test_what_is_cut_off_is_lost_and_the_next_sentence_is_whole(
    text: str, following: str, sent: int
) -> None:
    heard = decoded([encode(text)[:sent], encode(following)])
    kept = heard.removesuffix(following)
    assert heard.endswith(following)
    assert text.startswith(kept)
    assert len(kept) >= sent // BYTES_PER_CHAR if sent <= len(encode(text)) else kept == text


@given(st.text(st.characters(max_codepoint=127), max_size=20), st.integers(0, 1000))
def test_who_begins_to_listen_in_the_midst_hears_the_rest(text: str, missed: int) -> None:
    heard = decoded([encode(text)[missed:]])
    assert text.endswith(heard)
    assert len(heard) == max(0, len(text) - -(-missed // BYTES_PER_CHAR))


@given(st.binary(max_size=300), st.text(st.characters(max_codepoint=127), max_size=20))
def test_noise_never_harms_what_follows_it(noise: bytes, text: str) -> None:
    assert decoded([noise, encode(text)]).endswith(text)


def test_what_is_no_text_is_spoken_as_a_question_mark() -> None:
    assert decoded([encode("a\ud800b")]) == "a?b"


def test_a_character_takes_at_least_three_codes() -> None:
    with pytest.raises(ValueError, match="at least 3 codes, not 2"):
        encode("a", 2)
