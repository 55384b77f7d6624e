"""Signs as words. The table of `test_spoken_text` has the pairs; here is what holds for all."""

from __future__ import annotations

import doctest
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech import written_out as module
from aybiza.speech.spoken_words import LANGUAGES
from aybiza.speech.written_out import written_out


def test_the_examples_hold() -> None:
    assert doctest.testmod(module).attempted > 1
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("language", LANGUAGES)
@given(units=st.integers(0, 10**6), cents=st.integers(0, 99))
def test_no_amount_of_money_keeps_its_sign_or_loses_its_digits(
    language: str, units: int, cents: int
) -> None:
    said = written_out(f"${units}.{cents:02}", language)
    assert "$" not in said
    assert re.sub(r"[.,]", "", said).startswith(str(units) if units else str(cents or 0))
    assert (str(cents) in said.split()) if cents and units else True


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_every_date_is_said_with_its_month_day_and_year(day: date) -> None:
    said = written_out(f"{day:%Y-%m-%d}")
    assert day.strftime("%B") in said and str(day.year) in said
    assert any(part.rstrip(",").rstrip("stndrh") == str(day.day) for part in said.split())


@given(st.integers(10**9, 10**10 - 1))
def test_every_telephone_number_is_said_digit_by_digit(number: int) -> None:
    digits = str(number)
    said = written_out(f"call ({digits[:3]}) {digits[3:6]}-{digits[6:]} now")
    assert "".join(filter(str.isdigit, said)) == digits
    assert max(map(len, said.replace(",", "").split()[1:-1])) == 1


def test_what_is_no_date_stays() -> None:
    assert written_out("2025-13-45") == "2025-13-45"
