"""Digits, names and treatments in a caller's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.bedrock.clinic.details import (
    find_digits,
    find_name,
    find_treatment,
    unnamed_treatment,
)
from aybiza.emulators.bedrock.clinic.words import UNITS, plain


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("four one five seven three", "41573"),
        ("double two oh one eight", "22018"),
        ("triple five one two", "55512"),
        ("nine one double eight", "9188"),
        ("415-555-0123", "4155550123"),
        ("(415) 555 0123", "4155550123"),
        ("four fifteen twenty two", "41522"),
        ("twenty five hundred", "2500"),
        ("it's four one, uh, five and two", "4152"),
        ("four for five to one", "44521"),
        ("two", "2"),
        ("my number is in the car", ""),
    ],
)
def test_an_expected_number(said: str, digits: str) -> None:
    assert find_digits(plain(said), expected=True) == digits


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("four one five seven three", "41573"),
        ("the ninth at ten thirty", ""),
        ("four one five", ""),
        ("two appointments for me", ""),
    ],
)
def test_an_unexpected_number_has_five_figures(said: str, digits: str) -> None:
    assert find_digits(plain(said), expected=False) == digits


@given(st.lists(st.sampled_from(sorted(UNITS)), min_size=5, max_size=12))
def test_every_number_said_figure_by_figure_is_heard(figures: list[str]) -> None:
    expected = "".join(str(UNITS[figure]) for figure in figures)
    assert find_digits(" ".join(figures), expected=True) == expected
    assert find_digits(" ".join(figures), expected=False) == expected


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("my name is john smith", "John Smith"),
        ("hello my name is mark taylor and i want to book", "Mark Taylor"),
        ("this is Maria Lopez speaking", "Maria Lopez"),
        ("john smith speaking", "John Smith"),
        ("i'm tom", "Tom"),
        ("it's under o'brien", "O'Brien"),
        ("my last name is smith and my first name is john", "John Smith"),
        ("it's for my son peter", "Peter"),
        ("i'm calling from work", None),
        ("i am in pain", None),
        ("this is not working", None),
        ("anna becker", None),
    ],
)
def test_a_name_is_given(said: str, name: str | None) -> None:
    assert find_name(plain(said), asked=False) == name


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("anna becker", "Anna Becker"),
        ("Yes, it's John King.", "John King"),
        ("s m i t h", "Smith"),
        ("the name is van der berg", "Van Der Berg"),
        ("yes", None),
        ("no thanks", None),
        ("i'd like to book an appointment", None),
        ("friday at ten", None),
    ],
)
def test_a_name_alone_when_it_was_asked_for(said: str, name: str | None) -> None:
    assert find_name(plain(said), asked=True) == name


@pytest.mark.parametrize(
    ("said", "treatment"),
    [
        ("a check up", "checkup"),
        ("my annual physical", "checkup"),
        ("teeth cleaning", "cleaning"),
        ("a flu shot", "flu shot"),
        ("a shot", "vaccination"),
        ("blood work", "blood test"),
        ("an x-ray", "x-ray"),
        ("wisdom tooth removal", "extraction"),
        ("a haircut", None),
    ],
)
def test_find_treatment(said: str, treatment: str | None) -> None:
    assert find_treatment(plain(said)) == treatment


@pytest.mark.parametrize(
    ("said", "thing"),
    [
        ("how much is a tattoo", "tattoo"),
        ("the price of an ear piercing please", "ear piercing"),
        ("how expensive are wigs", "wigs"),
        ("how much do i owe you", None),
        ("how much is it", None),
        ("good morning", None),
    ],
)
def test_a_price_is_asked_for_something_else(said: str, thing: str | None) -> None:
    assert unnamed_treatment(plain(said)) == thing
