"""Days and times in a caller's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.bedrock.clinic.days import find_day, find_part, find_time
from aybiza.emulators.bedrock.clinic.words import plain


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("tomorrow", "tomorrow"),
        ("the day after tomorrow around eleven", "day after tomorrow"),
        ("this afternoon", "today"),
        ("on Mondays", "monday"),
        ("next friday", "next friday"),
        ("friday next week", "next friday"),
        ("next week friday", "next friday"),
        ("some time next week", "next week"),
        ("the ninth", "9"),
        ("the ninth of october", "9 october"),
        ("october the twenty second", "22 october"),
        ("October 9", "9 october"),
        ("Friday, October 9th", "9 october"),
        ("sunday the twenty first", "21"),
        ("the thirtieth", "30"),
        ("may the fifth", "5 may"),
        ("2026-12-03", "2026-12-03"),
        ("in two weeks", "in 2 weeks"),
        ("in three months", "in 12 weeks"),
        ("as soon as possible", "soonest"),
        ("the first available", "soonest"),
        ("from monday to wednesday", "wednesday"),
        ("not friday, monday", "monday"),
        ("friday, no, make that thursday", "thursday"),
        ("monday or tuesday", "monday"),
        ("any time on friday", "friday"),
        ("the second one", None),
        ("may i come in", None),
        ("my first visit", None),
        ("", None),
    ],
)
def test_find_day(said: str, day: str | None) -> None:
    assert find_day(plain(said)) == day


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("half past two", "14:30"),
        ("two thirty pm", "14:30"),
        ("at 2:30 PM", "14:30"),
        ("14:30", "14:30"),
        ("quarter to three in the afternoon", "14:45"),
        ("a quarter past ten", "10:15"),
        ("twenty five past nine", "09:25"),
        ("ten to four", "15:50"),
        ("half ten", "10:30"),
        ("nine oh five", "09:05"),
        ("ten o'clock", "10:00"),
        ("eight am", "08:00"),
        ("nine in the evening", "21:00"),
        ("seven in the morning", "07:00"),
        ("at noon", "12:00"),
        ("twelve thirty", "12:30"),
        ("after four", "16:00"),
        ("between two and four", "14:00"),
        ("i have two kids at three", "15:00"),
        ("not at ten, at eleven", "10:00"),
        ("ten, no, make it eleven", "11:00"),
        ("on the ninth at half past two", "14:30"),
        ("in two weeks", None),
        ("the second one", None),
        ("ten", None),
        ("one moment", None),
    ],
)
def test_find_time(said: str, time: str | None) -> None:
    assert find_time(plain(said)) == time


@pytest.mark.parametrize(("said", "time"), [("ten", "10:00"), ("two please", "14:00")])
def test_a_number_alone_is_a_time_when_one_was_asked_for(said: str, time: str) -> None:
    assert find_time(plain(said), asked=True) == time


@pytest.mark.parametrize("said", ["the second one", "that one please", "the other one"])
def test_a_choice_is_no_time(said: str) -> None:
    assert find_time(plain(said), asked=True) is None


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("in the morning", "morning"),
        ("after lunch", "afternoon"),
        ("tonight", "evening"),
        ("after work", "evening"),
        ("before lunch", "morning"),
        ("friday", None),
    ],
)
def test_find_part(said: str, part: str | None) -> None:
    assert find_part(plain(said)) == part


@given(hour=st.integers(8, 17), minute=st.sampled_from([0, 5, 15, 20, 30, 45]))
def test_every_time_of_the_opening_hours_is_found_in_figures(hour: int, minute: int) -> None:
    marked = f"{(hour - 1) % 12 + 1}:{minute:02} {'AM' if hour < 12 else 'PM'}"
    assert find_time(plain(marked)) == f"{hour:02}:{minute:02}"
    assert find_time(plain(f"{hour}:{minute:02}")) == f"{hour:02}:{minute:02}"
