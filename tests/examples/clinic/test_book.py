"""The clinic's appointment book."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.clinic.desk import book as desk_book
from examples.clinic.desk.book import ClinicBook, resolve_day, resolve_time, treatment_named

FRIDAY = date(2026, 11, 20)
EARLY = datetime(2026, 11, 20, 7, 0)
MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("today", date(2026, 11, 20)),
        ("Tomorrow", date(2026, 11, 21)),
        ("the day after tomorrow", date(2026, 11, 22)),
        ("soonest", date(2026, 11, 20)),
        ("monday", date(2026, 11, 23)),
        ("on Monday", date(2026, 11, 23)),
        ("this coming monday", date(2026, 11, 23)),
        ("friday", date(2026, 11, 27)),
        ("next friday", date(2026, 11, 27)),
        ("next saturday", date(2026, 11, 28)),
        ("next monday", date(2026, 11, 23)),
        ("next week", date(2026, 11, 23)),
        ("in 2 weeks", date(2026, 12, 4)),
        ("in 1 day", date(2026, 11, 21)),
        ("9", date(2026, 12, 9)),
        ("the 25th", date(2026, 11, 25)),
        ("9 december", date(2026, 12, 9)),
        ("December 9th", date(2026, 12, 9)),
        ("the 9th of January", date(2027, 1, 9)),
        ("31", date(2026, 12, 31)),
        ("29 february", None),
        ("2026-12-24", date(2026, 12, 24)),
        ("2026-13-24", None),
        ("9 smarch", None),
        ("32", None),
        ("some day", None),
        ("", None),
    ],
)
def test_resolve_day(words: str, day: date | None) -> None:
    assert resolve_day(words, FRIDAY) == day


def test_a_weekday_of_next_week_is_seven_days_later_within_the_week() -> None:
    assert resolve_day("friday", MONDAY) == date(2026, 11, 27)
    assert resolve_day("next friday", MONDAY) == date(2026, 12, 4)


@given(st.text(max_size=30), st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_any_words_for_a_day_are_read(words: str, today: date) -> None:
    day = resolve_day(words, today)
    assert day is None or isinstance(day, date)


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.sampled_from(desk_book.WEEKDAYS))
def test_a_weekday_lies_within_the_coming_seven_days(today: date, weekday: str) -> None:
    day = resolve_day(weekday, today)
    assert day is not None
    assert 1 <= (day - today).days <= 7
    assert desk_book.WEEKDAYS[day.weekday()] == weekday


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ("14:30", time(14, 30)),
        ("09:00:00", time(9)),
        ("2:30 PM", time(14, 30)),
        ("9 am", time(9)),
        ("12 pm", time(12)),
        ("12:15 a.m.", time(0, 15)),
        ("9", time(9)),
        ("25:00", None),
        ("9:75", None),
        ("nine", None),
        ("", None),
    ],
)
def test_resolve_time(words: str, at: time | None) -> None:
    assert resolve_time(words) == at


@pytest.mark.parametrize(
    ("words", "treatment"),
    [
        ("Check-up", "checkup"),
        ("a dental cleaning", "cleaning"),
        ("the hygienist", "cleaning"),
        ("x ray", "x-ray"),
        ("mouth guard", "night guard"),
        ("haircut", None),
    ],
)
def test_treatment_named(words: str, treatment: str | None) -> None:
    assert treatment_named(words) == treatment


def test_every_alias_leads_to_a_priced_treatment() -> None:
    assert set(desk_book.TREATMENT_WORDS.values()) <= set(desk_book.PRICES)


@pytest.mark.parametrize("who", ["41573", "+1 (415) 555-0123", "415 555 0123", "maria lopez"])
def test_a_known_patient_is_found_under_each_number_and_name(who: str) -> None:
    patient = ClinicBook().patient(who, FRIDAY)
    assert (patient.account, patient.name, patient.balance) == ("41573", "Maria Lopez", 85)


@given(st.text(min_size=1, max_size=20))
def test_everybody_has_a_record_and_it_is_always_the_same(who: str) -> None:
    one, other = ClinicBook().patient(who, FRIDAY), ClinicBook().patient(who, FRIDAY)
    assert one == other
    assert one.balance >= 0
    assert all(visit.start.date() > FRIDAY for visit in one.appointments)
    assert all(visit.start.weekday() in desk_book.OPENING_HOURS for visit in one.appointments)


def test_a_record_stays_what_it_became() -> None:
    book = ClinicBook()
    patient = book.patient("77777", FRIDAY)
    book.remove(patient, patient.appointments[0])
    assert book.patient("77777", FRIDAY + timedelta(days=3)).appointments == []


def test_the_oldest_records_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_book, "REMEMBERED", 2)
    book = ClinicBook()
    first = book.patient("11111", FRIDAY)
    for who in ("22222", "33333"):
        book.patient(who, FRIDAY)
    assert book.patient("11111", FRIDAY) is not first


def test_free_slots_lie_within_the_opening_hours_and_the_part_of_the_day() -> None:
    book = ClinicBook()
    free = book.free(MONDAY, EARLY)
    assert free
    assert all(time(8) <= slot.time() <= time(17, 30) for slot in free)
    assert all(slot.hour < 12 for slot in book.free(MONDAY, EARLY, "morning"))
    assert all(12 <= slot.hour < 17 for slot in book.free(MONDAY, EARLY, "afternoon"))
    assert all(slot.hour >= 16 for slot in book.free(MONDAY, EARLY, "evening"))


def test_slots_that_have_passed_and_days_that_are_closed_are_not_free() -> None:
    book = ClinicBook()
    assert all(slot.hour >= 15 for slot in book.free(FRIDAY, datetime(2026, 11, 20, 14, 59)))
    assert book.free(date(2026, 11, 22), EARLY) == []


def test_a_slot_is_taken_as_long_as_its_appointment_stands() -> None:
    book = ClinicBook()
    patient = book.patient("77777", FRIDAY)
    slot = book.free(MONDAY, EARLY)[0]
    made = book.add(patient, slot, "cleaning")
    assert slot not in book.free(MONDAY, EARLY)
    book.remove(patient, made)
    assert slot in book.free(MONDAY, EARLY)
