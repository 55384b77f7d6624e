"""Whoever speaks a language of the catalogue hears every fixed phrase in it."""

from __future__ import annotations

import re

import pytest
from pydantic import TypeAdapter

from aybiza.config.agents import Agent
from aybiza.config.languages import Spoken
from aybiza.config.phrases import phrases, translations
from aybiza.dialogue import consent_words
from aybiza.dialogue.overheard import is_back_channel
from aybiza.dialogue.turn_policy import MORE_FILLERS

ENGLISH = {
    name: field.default
    for name, field in Agent.model_fields.items()
    if isinstance(field.default, str) and re.search(r"[ .?!]", field.default)
} | {"more_fillers": MORE_FILLERS}
LANGUAGES = sorted(translations())


def agent(language: str, **changes: object) -> Agent:
    own = {"name": "Desk", "greeting": "Hello.", "system_prompt": "Be kind.", **changes}
    return Agent.model_validate({**own, "language": language})


def test_what_is_said_in_english_is_known_by_its_default() -> None:
    assert len(ENGLISH) == 21
    assert {"silence_prompt", "late", "over_quota", "transfer_accept"} < ENGLISH.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_phrase_and_no_english_one(language: str) -> None:
    table = translations()[language]
    assert set(table) == set(ENGLISH)
    assert [name for name, text in table.items() if text == ENGLISH[name]] == []
    assert len(table["more_fillers"]) == len(MORE_FILLERS)
    for text in (*table["more_fillers"], *(t for n, t in table.items() if n != "more_fillers")):
        assert TypeAdapter(Spoken).validate_python(text) == text
        assert re.search(r"[.?。।:]$|か。$", text), text


def test_the_languages_are_those_in_which_callers_are_understood() -> None:
    for language in LANGUAGES:
        for word in ("tack", "vielleicht", "quizás", "peut-être", "talvez", "forse", "misschien"):
            assert not is_back_channel(word, language)
        nod = _NODS[language]
        assert is_back_channel(nod, language), language
    assert set(_NODS) == set(LANGUAGES) == set(consent_words.LANGUAGES) - {"en"}


_NODS = {
    "de": "ach so",
    "es": "ajá",
    "fr": "ouais",
    "hi": "अच्छा",
    "it": "capisco",
    "ja": "なるほど",
    "nl": "juist",
    "pt": "entendi",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_agent_says_what_its_file_leaves_out_in_its_language(language: str) -> None:
    read = agent(f"{language}-XX", busy="Busy.")
    table = dict(translations()[language])
    assert read.busy == "Busy."
    assert {name: getattr(read, name) for name in table} == {
        **table,
        "more_fillers": tuple(table["more_fillers"]),
        "busy": "Busy.",
    }


@pytest.mark.parametrize("language", ["en-US", "en", "multi", "sv", "dex"])
def test_english_stands_for_the_rest(language: str) -> None:
    assert phrases(language) == {}
    read = agent(language)
    assert {name: getattr(read, name) for name in ENGLISH} == {**ENGLISH, "more_fillers": None}
