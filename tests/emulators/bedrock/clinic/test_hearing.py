"""Everything that is understood of one thing said."""

import pytest

from aybiza.emulators.bedrock.clinic.hearing import Asked, understand
from aybiza.emulators.bedrock.clinic.intents import Intent


@pytest.mark.parametrize(
    "said",
    [
        "yes",
        "Yeah, sure.",
        "that's right",
        "okay",
        "yes please go ahead and book it",
        "sounds good",
        "that would be great",
        "perfect",
        "please do",
        "why not",
        "no problem",
        "i think so",
    ],
)
def test_yes(said: str) -> None:
    heard = understand(said)
    assert (heard.yes, heard.no) == (True, False)


@pytest.mark.parametrize(
    "said",
    ["no", "Nope.", "no thank you", "that's not right", "never mind", "wrong", "yes no wait"],
)
def test_no(said: str) -> None:
    heard = understand(said)
    assert (heard.yes, heard.no) == (False, True)


@pytest.mark.parametrize("said", ["monday please", "i said right away", "purple", ""])
def test_neither_yes_nor_no(said: str) -> None:
    heard = understand(said)
    assert (heard.yes, heard.no) == (False, False)


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("the first one", 0),
        ("the second one please", 1),
        ("third slot", 2),
        ("the last one is good", -1),
        ("the earliest", 0),
        ("either is fine", 0),
        ("ten o'clock", None),
    ],
)
def test_choice(said: str, choice: int | None) -> None:
    assert understand(said, Asked.TIME).choice == choice


def test_a_bare_number_is_what_was_asked_for() -> None:
    assert understand("ten", Asked.TIME).time == "10:00"
    assert understand("ten", Asked.ACCOUNT).digits == "10"
    assert understand("ten").time is None
    assert understand("ten").digits == ""


def test_figures_alone_are_a_number() -> None:
    assert understand("four one five five").digits == "4155"
    assert understand("nine one five five", Asked.TIME).digits == ""


def test_a_number_is_no_time() -> None:
    heard = understand("my account number is nine thirty two ten", Asked.NOTHING)
    assert (heard.digits, heard.time, heard.is_phone) == ("93210", None, False)


@pytest.mark.parametrize(
    ("said", "is_phone"),
    [
        ("my phone number is four one five two", True),
        ("four one five five five five oh one two three", True),
        ("account four one five two", False),
    ],
)
def test_a_telephone_number_is_told_from_an_account(said: str, is_phone: bool) -> None:
    assert understand(said).is_phone is is_phone


def test_a_greeting_is_no_part_of_the_day() -> None:
    assert understand("good morning can i come in on friday").part is None
    assert understand("good afternoon i would like the morning").part == "morning"


def test_a_name_that_means_something_else_is_a_name_when_asked_for() -> None:
    heard = understand("mark price", Asked.NAME)
    assert (heard.name, heard.intent) == ("Mark Price", None)
    assert understand("what is the price", Asked.NAME).intent is Intent.PRICE


@pytest.mark.parametrize("said", ["another day please", "none of those", "something else"])
def test_other_times_are_wanted(said: str) -> None:
    assert understand(said).other


@pytest.mark.parametrize("said", ["forget it", "never mind", "leave it as it is"])
def test_the_caller_gives_up(said: str) -> None:
    assert understand(said).gives_up


def test_a_very_long_text_is_understood_in_its_beginning() -> None:
    heard = understand("book an appointment tomorrow " + "and so on " * 20_000)
    assert (heard.intent, heard.day) == (Intent.BOOK, "tomorrow")
    assert len(heard.words) <= 1000
