"""How the front desk says things: dates, times, money and digits in words that a voice speaks well.

Contract: pure functions from data (ISO date, HH:MM, whole dollars, digits) to words. What cannot
be read is said as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from aybiza.emulators.bedrock.clinic.words import MONTHS, ORDINALS, WEEKDAYS, number_word

_NEAR_DAYS = 8
_PLURAL = frozenset({"braces", "physiotherapy", "whitening"})


def on_day(iso: str, days_ahead: int | None = None) -> str:
    """ "on Friday the ninth of October"; a near day without its month, or as "tomorrow"."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return f"on {iso}"
    weekday = WEEKDAYS[day.weekday()].title()
    if days_ahead in (0, 1):
        return "tomorrow" if days_ahead else "today"
    near = days_ahead is not None and days_ahead < _NEAR_DAYS
    month = "" if near else f" of {MONTHS[day.month - 1].title()}"
    return f"on {weekday} the {ordinal(day.day)}{month}"


def say_time(hh_mm: str, *, part: bool = False) -> str:
    """ "half past two"; with `part` also when: "half past two in the afternoon"."""
    hours, _, minutes = hh_mm.partition(":")
    if not (hours.isdigit() and minutes.isdigit()):
        return hh_mm
    hour, minute = int(hours), int(minutes)
    return _clock(hour, minute) + (f" {_part(hour)}" if part and (hour, minute) != (12, 0) else "")


def say_times(times: list[str]) -> str:
    """ "nine o'clock, half past ten or two o'clock"."""
    return listed([say_time(hh_mm) for hh_mm in times], "or")


def say_money(dollars: object) -> str:
    """ "eighty five dollars", "no dollars" never."""
    if isinstance(dollars, bool) or not isinstance(dollars, int | float):
        return str(dollars)
    whole, cents = divmod(round(abs(dollars) * 100), 100)
    said = f"{number_word(whole)} dollar{'' if whole == 1 else 's'}"
    return said + (f" and {number_word(cents)} cents" if cents else "")


def say_digits(digits: str) -> str:
    """ "four one five, five five five, oh one two three": in groups of three or four."""
    groups, rest = [], digits
    while rest:
        size = 3 if len(rest) > 4 else len(rest)
        groups.append(" ".join("oh" if d == "0" else number_word(int(d)) for d in rest[:size]))
        rest = rest[size:]
    return ", ".join(groups)


def listed(words: list[str], last: str = "and") -> str:
    """ "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def ordinal(number: int) -> str:
    """ "first" to "thirty first"."""
    if number <= 20:
        return ORDINALS[number - 1]
    if number == 30:
        return "thirtieth"
    return f"{'twenty' if number < 30 else 'thirty'} {ORDINALS[number % 10 - 1]}"


def _clock(hour: int, minute: int) -> str:
    if (hour, minute) == (12, 0):
        return "noon"
    said, following = number_word((hour - 1) % 12 + 1), number_word(hour % 12 + 1)
    if minute == 0:
        return f"{said} o'clock"
    past = {15: "quarter past", 30: "half past"}.get(minute)
    if past:
        return f"{past} {said}"
    if minute == 45:
        return f"quarter to {following}"
    return f"{said} {number_word(minute)}" if minute > 9 else f"{said} oh {number_word(minute)}"


def _part(hour: int) -> str:
    if hour < 12:
        return "in the morning"
    return "in the afternoon" if hour < 17 else "in the evening"


def say_treatment(name: str | None) -> str:
    """ "a checkup", "an x-ray"; "an appointment" for none."""
    named = name or "appointment"
    if named in _PLURAL:
        return named
    return f"{'an' if named[0] in 'aeiou' or named.startswith('x') else 'a'} {named}"


def say_when(visit: Mapping[str, Any]) -> str:
    """ "on Friday the ninth of October at half past two in the afternoon"."""
    day, at = on_day(str(visit.get("date", ""))), say_time(str(visit.get("time", "")), part=True)
    return f"{day} at {at}"


def say_visit(visit: Mapping[str, Any]) -> str:
    """An appointment whole: "a checkup on Friday … at half past two …, with Doctor Lee"."""
    treatment = visit.get("treatment")
    what = say_treatment(treatment if isinstance(treatment, str) else None)
    doctor = visit.get("with")
    return f"{what} {say_when(visit)}" + (f", with {doctor}" if doctor else "")
