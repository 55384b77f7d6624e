"""Which of two voices speaks."""

from __future__ import annotations

import doctest

from aybiza.speech import voices
from aybiza.speech.voices import Voices, provider_of


def test_the_other_voice_speaks_where_one_cannot_be_had_and_stays() -> None:
    both = Voices("a", "b")
    both.failed(heard=False)
    assert both.name == "b"
    both.worked()
    assert both.name == "b"
    both.failed(heard=False)
    assert both.name == "a"


def test_in_the_midst_of_a_sentence_the_same_voice_is_tried_once_more() -> None:
    both = Voices("a", "b")
    both.failed(heard=True)
    assert both.name == "a"
    both.failed(heard=True)
    assert both.name == "b"
    both.failed(heard=True)
    both.worked()
    both.failed(heard=True)
    assert both.name == "b"


def test_a_voice_alone_is_tried_for_ever() -> None:
    alone = Voices("a")
    for _ in range(3):
        alone.failed(heard=False)
    alone.avoid(lambda voice: True)
    assert alone.name == "a" and not alone.several


def test_one_that_is_known_to_be_down_is_avoided_unless_both_are() -> None:
    both = Voices("a", "b")
    both.avoid({"a"}.__contains__)
    assert both.name == "b"
    both.avoid({"a", "b"}.__contains__)
    assert both.name == "b"


def test_a_call_goes_back_to_its_first_voice_once() -> None:
    both = Voices("a", "b")

    def speaks() -> tuple[str, str | None]:
        return both.name, both.missed

    both.go_back()
    assert speaks() == ("a", None)
    both.failed(heard=False)
    assert speaks() == ("b", "a")
    both.go_back()
    assert speaks() == ("a", None)
    both.failed(heard=False)
    both.go_back()
    assert speaks() == ("b", None)


def test_whose_voice_it_is() -> None:
    assert provider_of("elevenlabs:x") == "elevenlabs"
    assert doctest.testmod(voices).failed == 0
