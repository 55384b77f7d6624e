"""Dates, times, money and digits as they are said."""

import pytest

from aybiza.emulators.bedrock.clinic import speech


@pytest.mark.parametrize(
    ("iso", "days_ahead", "said"),
    [
        ("2026-10-09", None, "on Friday the ninth of October"),
        ("2026-10-09", 20, "on Friday the ninth of October"),
        ("2026-10-09", 5, "on Friday the ninth"),
        ("2026-10-09", 1, "tomorrow"),
        ("2026-10-09", 0, "today"),
        ("2026-12-31", None, "on Thursday the thirty first of December"),
        ("2026-11-30", None, "on Monday the thirtieth of November"),
        ("some day", None, "on some day"),
    ],
)
def test_on_day(iso: str, days_ahead: int | None, said: str) -> None:
    assert speech.on_day(iso, days_ahead) == said


@pytest.mark.parametrize(
    ("hh_mm", "said"),
    [
        ("09:00", "nine o'clock in the morning"),
        ("14:30", "half past two in the afternoon"),
        ("10:15", "quarter past ten in the morning"),
        ("11:45", "quarter to twelve in the morning"),
        ("12:00", "noon"),
        ("12:30", "half past twelve in the afternoon"),
        ("17:05", "five oh five in the evening"),
        ("13:20", "one twenty in the afternoon"),
        ("soon", "soon"),
    ],
)
def test_say_time(hh_mm: str, said: str) -> None:
    assert speech.say_time(hh_mm, part=True) == said


def test_say_times() -> None:
    assert speech.say_times(["09:00", "10:30", "14:00"]) == (
        "nine o'clock, half past ten or two o'clock"
    )
    assert speech.say_times(["09:00"]) == "nine o'clock"


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (85, "eighty five dollars"),
        (1, "one dollar"),
        (120.5, "one hundred twenty dollars and fifty cents"),
        (3000, "three thousand dollars"),
        ("much", "much"),
    ],
)
def test_say_money(dollars: object, said: str) -> None:
    assert speech.say_money(dollars) == said


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("41573", "four one five, seven three"),
        ("4155", "four one five five"),
        ("4155550123", "four one five, five five five, oh one two three"),
        ("", ""),
    ],
)
def test_say_digits(digits: str, said: str) -> None:
    assert speech.say_digits(digits) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("checkup", "a checkup"),
        ("x-ray", "an x-ray"),
        ("eye test", "an eye test"),
        ("braces", "braces"),
        (None, "an appointment"),
    ],
)
def test_say_treatment(name: str | None, said: str) -> None:
    assert speech.say_treatment(name) == said


def test_say_visit() -> None:
    visit = {"date": "2026-10-09", "time": "14:30", "treatment": "filling", "with": "Doctor Lee"}
    assert speech.say_visit(visit) == (
        "a filling on Friday the ninth of October at half past two in the afternoon, "
        "with Doctor Lee"
    )
    assert speech.say_visit({}).startswith("an appointment on")
