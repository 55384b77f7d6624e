"""Words that come while the agent speaks: table by table, language by language."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from aybiza.dialogue.overheard import (
    asks_in_pieces,
    is_back_channel,
    is_courtesy,
    is_echo,
    is_question,
    words_of,
)

TABLE = tomllib.loads(
    Path(__file__).with_name("overheard_phrases.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("language", TABLE)
@pytest.mark.parametrize(
    ("holds", "yes", "no"),
    [
        (is_back_channel, "listens", "interrupts"),
        (is_courtesy, "courtesies", "takes_back"),
        (asks_in_pieces, "asks_in_pieces", "asks_otherwise"),
    ],
)
def test_what_callers_and_agents_say_is_told_apart(
    language: str, holds: Callable[[str, str], bool], yes: str, no: str
) -> None:
    phrases = TABLE[language]
    assert [text for text in phrases.get(yes, []) if not holds(text, language)] == []
    assert [text for text in phrases.get(no, []) if holds(text, language)] == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "Mm-hm."),
        ("en-US", "Uh-huh, uh-huh."),
        ("en-GB", "Yeah, okay."),
        ("en-US", "I see, right."),
        ("de-DE", "Ja, ja."),
        ("de", "Ach so, alles klar."),
        ("es-MX", "Vale."),
        ("es", "Ajá, sí."),
        ("fr-FR", "D’accord."),
        ("pt-BR", "Tá, entendi."),
        ("it", "Va bene, certo."),
        ("nl", "Jaja, oké."),
        ("hi", "जी हाँ"),
        ("ja", "はい"),
        ("multi", "Ja, okay, vale."),
        ("sv", "Mhm, ja."),
    ],
)
def test_who_listens_says_no_more_than_that(language: str, text: str) -> None:
    assert is_back_channel(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", ""),
        ("en-US", "..."),
        ("en-US", "Wait."),
        ("en-US", "Yeah, but not on Friday."),
        ("en-US", "No."),
        ("en-US", "Ja."),
        ("de", "Ja, aber nicht am Freitag."),
        ("de", "Nein."),
        ("es", "Vale, espere."),
        ("fr", "Non."),
        ("ja", "ちょっと待って"),
    ],
)
def test_who_wants_something_is_no_mere_listener(language: str, text: str) -> None:
    assert not is_back_channel(text, language)


def test_an_agent_has_back_channels_of_its_own() -> None:
    assert is_back_channel("Roger that, mm-hm.", "en-US", ("roger that",))
    assert not is_back_channel("Roger that.", "en-US")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "Thanks, bye!"),
        ("en-US", "Thank you very much, have a nice day."),
        ("en-US", "Okay, you too. Goodbye."),
        ("de", "Vielen Dank, auf Wiederhören."),
        ("es", "Muchas gracias, adiós."),
        ("fr", "Merci beaucoup, au revoir."),
    ],
)
def test_thanks_and_farewell_are_no_further_matter(language: str, text: str) -> None:
    assert is_courtesy(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "Wait, one more thing."),
        ("en-US", "Thanks, and what are your hours?"),
        ("en-US", "No, hold on."),
        ("de", "Moment, noch eine Frage."),
        ("es", "Espere, una cosa más."),
        ("fr", "Attendez."),
    ],
)
def test_who_has_something_else_to_say_is_no_more_taking_leave(language: str, text: str) -> None:
    assert not is_courtesy(text, language)


SAID = "We are open from nine to five on weekdays. On Saturdays we close at noon."


def test_the_agents_own_words_are_its_echo() -> None:
    assert is_echo("from nine to five", SAID)
    assert is_echo("Weekdays on Saturdays WE close", SAID)
    assert not is_echo("from nine until five", SAID)
    assert not is_echo("", SAID)


@pytest.mark.parametrize("begun", ["From", "from ni", "nine to fi", "on Saturdays"])
def test_words_that_have_only_begun_may_be_an_echo(begun: str) -> None:
    assert is_echo(begun, SAID, begun=True)
    assert not is_echo(f"{begun} Sunday", SAID, begun=True)
    assert not is_echo(begun, SAID, begun=True, asking=True)


def test_few_words_are_no_echo_and_a_choice_of_a_question_is_none() -> None:
    assert not is_echo("Saturdays", SAID)
    assert is_echo("at nine thirty", "Shall it be at nine thirty or at ten?")
    assert not is_echo("at nine thirty", "Shall it be at nine thirty or at ten?", asking=True)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "Sure. What is your account number?"),
        ("en-US", "Could you spell your last name, please?"),
        ("en-US", "Please tell me your date of birth."),
        ("en-US", "And the address?"),
        ("de", "Wie ist Ihre Telefonnummer?"),
        ("de", "Nennen Sie mir bitte Ihren Nachnamen. Und Ihr Geburtsdatum?"),
        ("es", "¿Cuál es su número de teléfono?"),
        ("fr", "Quel est votre nom ?"),
        ("ja", "お名前をお願いできますか\uff1f"),
    ],
)
def test_people_answer_some_questions_in_pieces(language: str, text: str) -> None:
    assert asks_in_pieces(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "Shall I book it?"),
        ("en-US", "Do you have an account number?"),
        ("en-US", "Is that the right address?"),
        ("en-US", "Your number is noted. Anything else?"),
        ("en-US", "I have your name."),
        ("en-US", ""),
        ("de", "Haben Sie eine Kundennummer?"),
        ("es", "¿Es su número de teléfono?"),
    ],
)
def test_others_are_answered_in_a_word(language: str, text: str) -> None:
    assert not asks_in_pieces(text, language)


def test_a_question_ends_in_its_mark() -> None:
    assert is_question('Shall I say "yes?" ')
    assert is_question("よろしいですか\uff1f")
    assert not is_question("Yes.")


def test_words_are_compared_without_case_and_punctuation() -> None:
    assert words_of("  Mm-HM… D’accord, OK! ") == ["mm-hm", "d'accord", "ok"]


def test_a_word_that_has_only_begun_may_become_one_that_interrupts_nothing() -> None:
    assert is_back_channel("Mm-", "en-US", begun=True)
    assert is_back_channel("all ri", "en-US", begun=True)
    assert not is_back_channel("wai", "en-US", begun=True)
    assert is_courtesy("thanks, goo", "en-US", begun=True)
    assert not is_courtesy("thanks, goo", "en-US")
