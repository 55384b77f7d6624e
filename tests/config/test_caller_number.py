"""A number that is withheld is nobody's."""

from __future__ import annotations

import doctest

import pytest

from aybiza.config import caller_number
from aybiza.config.caller_number import bare, told


def test_its_examples_hold() -> None:
    assert doctest.testmod(caller_number).failed == 0


@pytest.mark.parametrize(
    "number",
    [
        *("", " ", "anonymous", "Anonymous", "ANONYMOUS", "Restricted", "unknown", "+266696687"),
        *("266696687", "sip:anonymous@anonymous.invalid", "SIP:Anonymous@example.org"),
        *("sips:restricted@example.org;user=phone", "sip:@example.org", "sip:"),
    ],
)
def test_what_stands_for_a_withheld_number_is_none(number: str) -> None:
    assert told(number) == ""


@pytest.mark.parametrize("number", ["+14155550123", "4155550123", "sip:anna@anonymous.invalid"])
def test_a_number_that_is_told_is_told(number: str) -> None:
    assert told(f" {number} ") == number


def test_marks_that_nobody_sees_are_no_part_of_a_number() -> None:
    assert bare("\u202a+1 415 555\u2060 0123\u202c\ufeff") == "+14155550123"
