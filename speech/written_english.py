"""Signs as English says them: half days, days and months by their short names, places, keys.

`ENGLISH_ROWS` are tried behind the rows of every language (`aybiza.speech.written_out`), `PLACES`
tell the two meanings of "Dr." and "St." apart. Errors: none; what fits no row stays.

Source: style guides of speech interfaces.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from aybiza.speech.spoken_words import Say, Words, months

_WEEKDAYS: Final = {
    "Mon": "Monday",
    "Tue": "Tuesday",
    "Tues": "Tuesday",
    "Wed": "Wednesday",
    "Thu": "Thursday",
    "Thur": "Thursday",
    "Thurs": "Thursday",
    "Fri": "Friday",
    "Sat": "Saturday",
    "Sun": "Sunday",
}
_DAY: Final = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep Sept", "Oct", "Nov", "Dec"), 1
    )
    for name in names.split()
}
_MONTH: Final = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WHOLE_MONTH: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
)
_COMPASS: Final = {
    "N": "North",
    "S": "South",
    "E": "East",
    "W": "West",
    "NE": "Northeast",
    "NW": "Northwest",
    "SE": "Southeast",
    "SW": "Southwest",
}
_ROADS: Final = {
    "Ave": "Avenue",
    "Blvd": "Boulevard",
    "Rd": "Road",
    "Ln": "Lane",
    "Hwy": "Highway",
    "Pkwy": "Parkway",
}


def ordinal(number: int) -> str:
    """A number of a row: 1st, 22nd, 13th."""
    ending = (
        "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{ending}"


def _month(match: re.Match[str]) -> str:
    name = match["month"]
    return months("en")[_MONTHS[name] - 1] if name in _MONTHS else name


def _day(text: str) -> str:
    return ordinal(int(text)) if 1 <= int(text) <= 31 else text


def _month_day(match: re.Match[str], words: Words) -> str:
    until = f" {words.to} {_day(match['until'])}" if match["until"] else ""
    return f"{_month(match)} {_day(match['day'])}{until}"


def _day_month(match: re.Match[str], _words: Words) -> str:
    return f"{match['day']} {_month(match)}"


def _month_range(match: re.Match[str], words: Words) -> str:
    first, last = (months("en")[_MONTHS[match[part]] - 1] for part in (1, 2))
    return f"{first} {words.to} {last}"


def _clock(match: re.Match[str], words: Words) -> str:
    hour, minute = int(match["hour"]), match["minute"]
    half, stop = _half(match)
    if hour > 23 or int(minute) > 59:
        return match[0]
    if not half:
        if hour < 13 and match["hour"][0] != "0":
            return f"{hour} o'clock" if minute == "00" else f"{hour}:{minute}"
        half = "PM" if hour >= 12 else "AM"
        hour = hour % 12 or 12
    return (f"{hour} {half}" if minute == "00" else f"{hour}:{minute} {half}") + stop


def _hour(match: re.Match[str], _words: Words) -> str:
    half, stop = _half(match)
    return f"{match['hour']} {half}{stop}"


def _half(match: re.Match[str]) -> tuple[str, str]:
    """AM or PM, and the stop that it shares with the end of its sentence."""
    half = match["half"] or ""
    ends = half.endswith(".") and match.end() == len(match.string)
    return half.replace(".", "").strip().upper(), "." if ends else ""


def _range(match: re.Match[str], words: Words) -> str:
    return f"{match[1]} {words.to} {match[2]}"


def _weekdays(match: re.Match[str], words: Words) -> str:
    return f"{_WEEKDAYS[match[1]]} {words.to} {_WEEKDAYS[match[2]]}"


def _weekday(match: re.Match[str], _words: Words) -> str:
    return _WEEKDAYS[match[1]] + match[2]


def _less(match: re.Match[str], _words: Words) -> str:
    return f" {'less' if match[1] == '<' else 'more'} than "


def height(match: re.Match[str], _words: Words) -> str:
    """Feet and inches."""
    return f"{match[1]} foot {match[2]}"


def _in_digits(match: re.Match[str], _words: Words) -> str:
    return match[1] + " ".join(match[2])


def _compass(match: re.Match[str], _words: Words) -> str:
    return f"{match[1]} {_COMPASS[match[2]]} "


def _constant(text: str) -> Say:
    return lambda match, words: text


_HALF: Final = r"(?P<half>\s?[AaPp]\.?[Mm]\b\.?(?=\s|$|[,;!?–-]))"

ENGLISH_ROWS: Final[tuple[tuple[re.Pattern[str], Say], ...]] = (
    (
        re.compile(
            r"(?<![\w:])(\d{1,2}):00(?=(?:\s?[-–]\s?| to )\d{1,2}(?::\d{2})?\s?[AaPp]\.?[Mm]\b)"
        ),
        lambda match, words: match[1],
    ),
    (
        re.compile(rf"(?<![\w:])(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?!:?\d){_HALF}?"),
        _clock,
    ),
    (re.compile(rf"(?<![\w:])(?P<hour>\d{{1,2}}){_HALF}"), _hour),
    (
        re.compile(
            r"(?<!\d)(?<!\d:)(\d[\d:]*(?: [AP]M)?)\s?[-–]\s?(?=\d{1,2}(?::\d{2})? (?:[AP]M)\b)()"
        ),
        _range,
    ),
    (re.compile(r"([AP]M)\s?[-–]\s?(?=\d)()"), _range),
    (re.compile(rf"\b({_DAY})\.?\s?[-–]\s?({_DAY})\b\.?(?!\w)"), _weekdays),
    (re.compile(rf"\b({_DAY})\.?(,? )(?=\d|(?:{_MONTH})|[A-Z][a-z]+ \d|at )"), _weekday),
    (re.compile(rf"\b({_MONTH})\.?\s?[-–]\s?({_MONTH})\b\.?(?!\w)"), _month_range),
    (
        re.compile(
            rf"\b(?P<month>{_WHOLE_MONTH}|{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?"
            r"(?:(?:\s?[-–]\s?| to )(?P<until>\d{1,2})(?:st|nd|rd|th)?)?(?![\w:/]|[.,]\d)"
        ),
        _month_day,
    ),
    (
        re.compile(rf"\b(?P<day>\d{{1,2}}(?:st|nd|rd|th)?) (?P<month>{_MONTH})\b\.?(?!\w)"),
        _day_month,
    ),
    (re.compile(r"\b(\d)'\s?(\d{1,2})(?:\"|”)"), height),
    (re.compile(r"(?<=\d)\s*([<>])\s*(?=\d)"), _less),
    (re.compile(r"≥\s?|>=\s?"), _constant("at least ")),
    (re.compile(r"≤\s?|<=\s?"), _constant("at most ")),
    (re.compile(r"(?<![\w<])<\s?(?=\d)"), _constant("less than ")),
    (re.compile(r"(?<=\d)\s?±\s?(?=\d)"), _constant(" plus or minus ")),
    (re.compile(r"±\s?(?=\d)"), _constant("plus or minus ")),
    (re.compile(r"(?<=\w)\s?=\s?(?=\w)"), _constant(" equals ")),
    (re.compile(r"(?<=\d)\s?x\s?(?=\d)"), _constant(" by ")),
    (re.compile(r"\b(\d+)x\b"), lambda match, words: f"{match[1]} {words.times}"),
    (re.compile(r"\bN/A\b"), _constant("not applicable")),
    (
        re.compile(
            r"\b(order|room|flight|gate|track|line|invoice|case|ticket|account|option|item|unit|apartment"
            r"|model|suite|lot|box|platform|bus|policy|reference|is) nos?\. ?(?=\d)"
        ),
        lambda match, words: f"{match[1]} {words.number} ",
    ),
    (re.compile(r"\bp\. (?=\d)"), _constant("page ")),
    (re.compile(r"\bpp\. (?=\d)"), _constant("pages ")),
    (re.compile(r"\b([A-D])\+(?!\w|\+)"), lambda match, words: f"{match[1]} {words.plus}"),
    (
        re.compile(
            r"\b((?:PIN|[Pp]in|[Cc]ode|[Pp]asscode|CVV|CVC|[Zz][Ii][Pp](?: code)?|[Ee]xt(?:ension)?"
            r"|ending in)(?: is| number)?:? )(\d{3,5})(?![\w,.:/-]*\d)"
        ),
        _in_digits,
    ),
    (re.compile(r"\b([Cc]all |[Dd]ial )([2-9]11|988)(?![\w,.:/-]*\d)"), _in_digits),
    (re.compile(r"\b([A-Z]{2} )(\d{5})(?![\w,.]\d|\d)"), _in_digits),
    (re.compile(r"\b(\d+) (N|S|E|W|NE|NW|SE|SW)\.? (?=[A-Z][a-z])"), _compass),
)

PLACES: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"(?<=[a-z]) Dr\.?(?= ?[,;!?]|$| (?:in|at|on|and)\b)"), " Drive"),
    (re.compile(r"(?<=[a-z]) St\.?(?= ?[,;!?]|$| (?:in|at|on|and)\b)"), " Street"),
    (re.compile(r"(?<![\w.])Dr\. ?(?=[A-Z])"), "Doctor "),
    (re.compile(r"(?<![\w.])St\. (?=[A-Z])"), "Saint "),
    (
        re.compile(rf"(?<=[a-z]) ({'|'.join(_ROADS)})(?!\w|\.)"),
        lambda match: f" {_ROADS[match[1]]}",
    ),
)
