"""An agent speaks several languages, or is refused with the reason why it cannot."""

from __future__ import annotations

import doctest

import pytest

from aybiza.config import languages
from aybiza.config.agents import AgentError, agent_of
from aybiza.config.phrases import keys
from tests.cases import each

ALONE = 'name = "Desk"\ngreeting = "Hello."\n'


def test_the_examples_hold() -> None:
    assert doctest.testmod(languages).failed == 0


@each(
    [
        ('languages = ["en-US", "pt"]', "Deepgram has no voice of Portuguese"),
        ('languages = ["en-US", "hi"]', "Deepgram has no voice of Hindi"),
        ('languages = ["en-US", "en-GB"]', "nobody tells them apart"),
        ('languages = ["en-US"]', "name the first and at least one more"),
        ('language = "de"\nlanguages = ["en-US", "es"]', "the first of them, en-US, or left out"),
        ('languages = ["en-US", "es"]\n[speaks.de]', "[speaks.de] is of none"),
        (
            'languages = ["en-US", "es"]\n[speaks.es]\nvoice = "aura-2-thalia-en"',
            "the voice aura-2-thalia-en speaks English, not Spanish",
        ),
        (
            'languages = ["en-US", "pl"]\n[speaks.pl]\nvoice = "ewa"',
            "the package has no words of Polish: [speaks.pl] needs silence_prompt",
        ),
    ]
)
def test_a_language_that_cannot_be_had_is_refused_with_the_reason(text: str, why: str) -> None:
    try:
        agent_of(ALONE + text, "desk.toml")
    except AgentError as error:
        assert why in str(error)
        assert "desk.toml:" in str(error)
    else:
        raise AssertionError("it was taken")


def test_an_agent_begins_in_its_first_language_and_has_everything_in_the_others() -> None:
    agent = agent_of(
        f'{ALONE}closing = "So long."\nlanguages = ["en-US", "es", "ja"]\n'
        '[speaks.es]\nfiller = "Ahora mismo."\n',
        "desk.toml",
    )
    assert (agent.language, agent.speaking("")) == ("en-US", agent)
    spanish, japanese = agent.speaking("es"), agent.speaking("ja")
    assert (spanish.language, spanish.filler) == ("es", "Ahora mismo.")
    assert spanish.closing == "Gracias por llamar. Adiós."
    assert spanish.voice.endswith("-es") and japanese.voice.endswith("-ja")
    for key in keys():
        assert getattr(spanish, key) != getattr(agent, key) != getattr(japanese, key)
    assert agent.speaking("en-US").closing == "So long."


def test_english_is_a_further_language_like_any_other() -> None:
    agent = agent_of('name = "T"\ngreeting = "Hallo."\nlanguages = ["de", "en-GB"]\n', "t.toml")
    assert agent.error.startswith("Es tut mir leid")
    assert agent.speaking("en-GB").error.startswith("I'm sorry")
    assert agent.speaking("en-GB").voice.endswith("-en")


def test_a_language_whose_words_are_all_given_needs_none_of_the_package() -> None:
    voice = '[speaks.pl]\nvoice = "ewa"\n'
    own = [key for key in keys() if key in languages.Speaks.model_fields]
    words = "".join(f"{key} = {['Tak.'] if key == 'more_fillers' else 'Tak.'!r}\n" for key in own)
    agent = agent_of(f'{ALONE}languages = ["en-US", "pl"]\n{voice}{words}', "desk.toml")
    assert (agent.speaking("pl").voice, agent.speaking("pl").closing) == ("ewa", "Tak.")


def test_a_voice_of_the_language_is_taken() -> None:
    text = '[speaks.es]\nvoice = "aura-2-celeste-es"\n'
    agent = agent_of(f'{ALONE}languages = ["en-US", "es"]\n{text}', "desk.toml")
    assert agent.speaking("es").voice == "aura-2-celeste-es"


@each(
    [
        ('language = "de"\nlisten_model = "flux-general-en"', "hears English alone"),
        ('languages = ["en", "es"]\nlisten_model = "flux-general-en"', "hears English alone"),
        (
            'languages = ["en", "es"]\n[speaks.es]\nlisten_model = "flux-general-en"',
            "English alone",
        ),
        ('listen_model = "flux-general-en"', ""),
        ('language = "en-GB"\nlisten_model = "flux-general-en"', ""),
        (
            'languages = ["en", "es"]\nlisten_model = "flux-general-en"\n[speaks.es]\n'
            'listen_model = "nova-3"',
            "",
        ),
    ]
)
def test_a_recogniser_that_cannot_hear_a_language_of_the_agents_is_refused(
    more: str, told: str
) -> None:
    text = f'name = "Desk"\ngreeting = "Hello."\n{more}\n'
    if not told:
        assert agent_of(text, "desk.toml").name == "Desk"
        return
    with pytest.raises(AgentError, match=told):
        agent_of(text, "desk.toml")


def test_what_a_recogniser_is_known_to_hear_is_no_matter_for_a_note() -> None:
    known = [
        ("nova-2", "pl"),
        ("nova-3-medical", "en"),
        ("whisper-large", "xx"),
        ("nova-3", "multi"),
    ]
    assert [languages.unheard(asked) for asked in known] == [None] * 4
    yoruba = languages.unheard(("nova-3", "yo"))
    assert yoruba == "listen_model: nova-3 is not known to hear Yoruba"
