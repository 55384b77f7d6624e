"""The words with which a language reads signs aloud: data for `aybiza.speech.written_out`.

`words_of("es-MX")` gives a language's `Words`, those of English for one that is not here. Names of
days, months, units and currencies are CLDR's, through Babel, read once a language; the rest stands
in `spoken_words.toml`.

Errors: none. Source: CLDR 48 (Babel); the languages' usual telephone speech.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import get_currency_name
from babel.units import format_unit


@dataclass(frozen=True, slots=True)
class Money:
    """A currency's name for one and for several, and the hundredth's."""

    one: str
    many: str
    cent: str = ""
    cents: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """How one language says signs.

    locale: CLDR's name. comma: the decimal sign. month_first: whether 3/4 is March 4th.
    money: by ISO code. and_: between a currency's units and its cents; also: what & is, or_: what a
    stroke between words is, per: before a unit. on: words that a date without a year stands behind.
    fractions: a half, a third, two thirds, a quarter, three quarters. pound, star: the keys # and
    *. abbreviations: with their stop, as written. spelled: whether acronyms and half days are read
    as in English.
    """

    locale: str
    at: str
    dot: str
    slash: str
    dash: str
    underscore: str
    plus: str
    minus: str
    to: str
    and_: str
    percent: str
    number: str
    times: str
    about: str
    a_half: str
    comma: bool
    month_first: bool
    money: dict[str, Money]
    also: str
    or_: str
    per: str
    on: str
    fractions: tuple[str, ...]
    pound: str
    star: str
    abbreviations: dict[str, str]
    spelled: bool = False

    def long_date(self, day: date) -> str:
        """A date as it is written out."""
        return format_date(day, "long", locale=self.locale)

    def month_day(self, day: date) -> str:
        """The same without the year."""
        return format_skeleton("MMMMd", day, locale=self.locale)


Say: TypeAlias = Callable[["re.Match[str]", Words], str]
"""What says the words for a sign that was found."""

_TABLE: Final = Path(__file__).with_name("spoken_words.toml")


def _read(locale: str, row: dict[str, Any]) -> Words:
    money = {code: Money(*names) for code, names in row.pop("money").items()}
    fractions = tuple(row.pop("fractions"))
    return Words(locale=locale, money=money, fractions=fractions, **row)


WORDS: Final = tuple(
    _read(locale, row) for locale, row in tomllib.loads(_TABLE.read_text(encoding="utf-8")).items()
)
LANGUAGES: Final = tuple(words.locale for words in WORDS)
_BY_LANGUAGE: Final = {words.locale: words for words in WORDS}

UNITS: Final = {
    "km/h": "kilometer-per-hour",
    "mph": "mile-per-hour",
    "km": "length-kilometer",
    "cm": "length-centimeter",
    "mm": "length-millimeter",
    "m": "length-meter",
    "mi": "length-mile",
    "ft": "length-foot",
    "yd": "length-yard",
    "in": "length-inch",
    "kg": "mass-kilogram",
    "mg": "mass-milligram",
    "g": "mass-gram",
    "lb": "mass-pound",
    "lbs": "mass-pound",
    "oz": "mass-ounce",
    "ml": "volume-milliliter",
    "mL": "volume-milliliter",
    "l": "volume-liter",
    "L": "volume-liter",
    "GB": "digital-gigabyte",
    "MB": "digital-megabyte",
    "kB": "digital-kilobyte",
    "KB": "digital-kilobyte",
    "TB": "digital-terabyte",
    "kWh": "energy-kilowatt-hour",
    "m²": "area-square-meter",
    "km²": "area-square-kilometer",
    "sq ft": "area-square-foot",
    "°C": "temperature-celsius",
    "°F": "temperature-fahrenheit",
    "kph": "kilometer-per-hour",
    "qm": "area-square-meter",
    "sq. ft.": "area-square-foot",
    "gal": "volume-gallon",
    "qt": "volume-quart",
    "tbsp": "volume-tablespoon",
    "tsp": "volume-teaspoon",
    "Hz": "frequency-hertz",
    "kHz": "frequency-kilohertz",
    "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz",
    "kW": "power-kilowatt",
    "MW": "power-megawatt",
    "W": "power-watt",
    "V": "electric-volt",
    "Std.": "duration-hour",
    "Min.": "duration-minute",
    "s": "duration-second",
    "°": "angle-degree",
    "hr": "duration-hour",
    "hrs": "duration-hour",
    "h": "duration-hour",
    "min": "duration-minute",
    "mins": "duration-minute",
    "sec": "duration-second",
    "secs": "duration-second",
    "ms": "duration-millisecond",
}
"""CLDR's unit for each sign."""


@cache
def words_of(language: str) -> Words:
    """The words of a language named as BCP 47 does (`en-GB`, `pt-BR`, `multi`)."""
    tag, _, region = language.partition("-")
    words = _BY_LANGUAGE.get(tag.lower(), _BY_LANGUAGE["en"])
    if words.locale == "en" and region.upper() in {"GB", "AU", "NZ", "IE", "IN", "ZA"}:
        return replace(words, locale="en_GB", month_first=False)
    return words


@cache
def unit(sign: str, locale: str, one: bool) -> str:
    """The name of a unit behind its number: `{0} kilometers`."""
    said: str = format_unit(1 if one else 5, UNITS[sign], "long", locale=locale)
    return said.replace("1" if one else "5", "{0}", 1)


@cache
def months(locale: str) -> tuple[str, ...]:
    """The names of the twelve months."""
    wide = Locale.parse(locale).months["format"]["wide"]
    return tuple(wide[number] for number in range(1, 13))


def warm(language: str) -> None:
    """Read a language's data now, from files, so that the first sentence need not."""
    words = words_of(language)
    months(words.locale)
    words.long_date(date(2000, 1, 1))
    words.month_day(date(2000, 1, 1))
    weekdays(words.locale)
    for one in (True, False):
        currency("CHF", words.locale, one=one)
    for sign in UNITS:
        unit(sign, words.locale, one=True)
        unit(sign, words.locale, one=False)


@cache
def weekdays(locale: str) -> dict[str, str]:
    """The names of the days of the week by their short ones, without a stop."""
    days = Locale.parse(locale).days["format"]
    return {days["abbreviated"][day].rstrip("."): days["wide"][day] for day in range(7)}


@cache
def currency(code: str, locale: str, one: bool) -> str:
    """The name of a currency that a language's own words do not have."""
    return str(get_currency_name(code, 1 if one else 5, locale=locale))
