"""Which questions have the same answer for everybody, and which name what another does not."""

import pytest

from aybiza.dialogue.particulars import LANGUAGES, is_impersonal, particulars, repeats


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Are you open on Monday?", "Are you open on Tuesday?"),
        ("Are you open in May?", "Are you open in June?"),
        ("Are you open today?", "Are you open tomorrow?"),
        ("Do you take cash?", "Do you not take cash?"),
        ("Is it two dollars?", "Is it three dollars?"),
        ("Is Doctor Reed in?", "Is Doctor Stone in?"),
        ("¿Abren el lunes?", "¿Abren el martes?"),
        ("Haben Sie am Montag offen?", "Haben Sie am Dienstag offen?"),
    ],
)
def test_questions_that_name_something_else_are_told_apart(one: str, other: str) -> None:
    languages = {"¿": "es", "H": "de"}
    language = languages.get(one[0], "en")
    assert particulars(one, language) != particulars(other, language)


def test_the_first_word_of_a_sentence_is_no_name() -> None:
    assert particulars("When are you open? Please tell.", "en") == frozenset()
    assert particulars("¿Cuándo abren?", "es") == frozenset()


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("When is my appointment?", "en"),
        ("I'm John, when are you open?", "en-US"),
        ("I’d like to know your hours.", "en"),
        ("Wann ist mein Termin?", "de"),
        ("J'ai un rendez-vous, quand ouvrez-vous ?", "fr"),
        ("¿Tienen mi historial?", "es"),
        ("Call back 5551234", "en"),
        ("Write to ann@example.org", "en"),
        ("When are you open?", "ja"),
        ("When are you open?", "multi"),
    ],
)
def test_what_may_be_the_callers_own_is_personal(said: str, language: str) -> None:
    assert not is_impersonal(said, language)


def test_a_question_of_anybodys_is_not() -> None:
    assert is_impersonal("What does a cleaning cost?", "en-GB")
    assert is_impersonal("Wann haben Sie geöffnet?", "de")


def test_every_language_has_the_days_of_its_own() -> None:
    assert {language for language in LANGUAGES if not particulars("x", language)} == LANGUAGES
    assert particulars("apre di lunedì", "it") == {"lunedì"}


def test_an_answer_that_takes_up_a_name_is_noticed_and_one_that_names_a_day_is_not() -> None:
    assert repeats("This is Ann, are you open Monday?", "Yes Ann, at nine.", "en")
    assert not repeats("Are you open on Monday?", "On Monday we open at nine.", "en")
