"""Kept phrases: bounded, and read back only as they were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech.phrases import (
    PHRASE_BYTES,
    PHRASES,
    Phrase,
    Phrases,
    file_name,
    packed,
    unpacked,
)


def test_a_phrase_is_kept_for_its_voice_and_its_text() -> None:
    phrases = Phrases()
    assert phrases.keep("asteria", "Hello.", b"audio")
    assert phrases.get("asteria", "Hello.") == b"audio"
    assert phrases.get("luna", "Hello.") is None
    assert phrases.get("asteria", "Goodbye.") is None


def test_what_is_too_long_or_nothing_is_not_kept() -> None:
    phrases = Phrases()
    assert not phrases.keep("asteria", "Hello.", b"")
    assert not phrases.keep("asteria", "Hello.", bytes(PHRASE_BYTES + 1))
    assert len(phrases) == 0


def test_of_too_many_those_stay_that_were_used_last() -> None:
    phrases = Phrases()
    for number in range(PHRASES):
        phrases.keep("asteria", str(number), b"audio")
    assert phrases.get("asteria", "0") is not None
    phrases.keep("asteria", "one more", b"audio")
    assert len(phrases) == PHRASES
    assert phrases.get("asteria", "0") is not None
    assert phrases.get("asteria", "1") is None


@given(st.text(), st.text(), st.binary(), st.binary(max_size=20), st.integers(0, 200))
def test_a_file_is_read_as_it_was_written_or_not_at_all(
    voice: str, text: str, audio: bytes, noise: bytes, at: int
) -> None:
    phrase = Phrase(voice, text)
    data = packed(phrase, audio)
    assert unpacked(data) == (phrase, audio)
    spoiled = data[:at] + noise + data[at + len(noise) :]
    if spoiled != data:
        read = unpacked(spoiled)
        assert read is None or read[1] == audio
    assert unpacked(noise) is None


def test_phrases_have_files_of_their_own() -> None:
    names = {file_name(Phrase(v, t)) for v in ("a", "ab") for t in ("b", "bb", "")}
    assert len(names) == 6
