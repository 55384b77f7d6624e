"""The day and the time that a caller speaks of.

Contract: pure functions over plain words (`words.plain`). `find_day` gives the day in the words
that the clinic's tools take ("tomorrow", "next friday", "9 october", "in 2 weeks", "soonest");
`find_time` a time of day as HH:MM, in the opening hours where "three" leaves morning or afternoon
open; `find_part` morning, afternoon or evening. None when nothing is said of it.
"""

from __future__ import annotations

import re

from aybiza.emulators.bedrock.clinic.words import (
    MONTHS,
    ORDINALS,
    TEENS,
    UNITS,
    WEEKDAYS,
    number_of,
)

_WEEKDAY = "|".join(WEEKDAYS)
_MONTH = "|".join(MONTHS)
_ORDINAL = (
    r"(?:(?:twenty|thirty) )?(?:" + "|".join([*ORDINALS, "thirtieth"]) + r")|\d{1,2}(?:st|nd|rd|th)"
)
_COUNT = {"a": 1, "one": 1, "two": 2, "three": 3, "a few": 3, "a couple of": 2, "four": 4, "six": 6}
_COUNTS = "|".join([*_COUNT, r"\d{1,2}"])
_HOURS = [*UNITS, *TEENS][1:13]
_HOUR = "|".join([*_HOURS, r"(?:1[0-9]|2[0-3]|0?[0-9])"])
_UNIT = "|".join([*UNITS][1:])
_MINUTE = (
    rf"(?:twenty|thirty|forty|fifty)(?: (?:{_UNIT}))?|oh (?:{_UNIT})|"
    + "|".join(TEENS)
    + r"|[0-5]\d"
)
_NO_TIME_AFTER = (
    r"(?! (?:days?|weeks?|months?|hours?|times?|of us|people|kids|children|year|dollars))"
)

# Days that are said only to be put aside: "from monday to friday", "not monday".
_PUT_ASIDE = re.compile(
    rf"\b(?:from|not|instead of|rather than|except|but not|can not do|can not make)"
    rf"(?: on)?(?: the| this| next)? (?:{_WEEKDAY}|tomorrow|today)\b"
    rf"|\b(?:{_WEEKDAY}|tomorrow|today) (?:does|will|would) not work\b"
)
_CORRECTED = re.compile(
    r"\b(?:no|actually|rather|instead|sorry|i mean|i meant|i said|make it)\b|\bto\b"
)

# In this order. A function turns the match into the tool's words.
_DAYS: tuple[tuple[str, str], ...] = (
    (r"\d{4}-\d{2}-\d{2}", "iso"),
    (r"day after tomorrow", "day after tomorrow"),
    (
        rf"(?P<d>{_ORDINAL})(?: of)? (?P<m>{_MONTH})|(?P<m2>{_MONTH})(?: the)? (?P<d2>{_ORDINAL})"
        rf"|(?P<m3>{_MONTH}) (?P<d3>\d{{1,2}}|twenty (?:{_UNIT})|{_UNIT}|{'|'.join(TEENS)})\b",
        "date",
    ),
    (
        rf"(?:the|on|(?:{_WEEKDAY})(?: the)?) (?P<d>{_ORDINAL})\b"
        r"(?! (?:one|two|three|available|free|open|opening|slot|time|thing|option|appointment|visit"
        r"|name|day|date|last|part|of the))"
        r"|(?P<d2>\d{1,2}(?:st|nd|rd|th))",
        "date",
    ),
    (
        rf"(?:next|following) (?P<w>{_WEEKDAY})|(?P<w2>{_WEEKDAY}) (?:next week|after next)"
        rf"|next week (?:on )?(?P<w3>{_WEEKDAY})",
        "next weekday",
    ),
    (rf"(?P<w>{_WEEKDAY})", "weekday"),
    (r"tomorrow", "tomorrow"),
    (r"(?:end of|late|later) next week", "next friday"),
    (r"week after next|week after that", "in 2 weeks"),
    (r"next week|following week|the week after", "next week"),
    (r"later this week", "in 2 days"),
    (r"end of the week", "friday"),
    (r"weekend", "saturday"),
    (r"next month|in a month", "in 4 weeks"),
    (r"this month|end of the month", "in 2 weeks"),
    (rf"in (?P<n>{_COUNTS}) (?P<u>day|week|month)s?", "in"),
    (r"today|tonight|this (?:morning|afternoon|evening)|right now|this minute", "today"),
    (
        r"soonest|soon as possible|asap|right away|earliest|any day|whenever|whichever|any time"
        r"|(?:earliest|first|next|nearest)"
        r" (?:available|free|open|possible|appointment|opening|slot|one you have)"
        r"|do not (?:mind|care)|does not matter|i am flexible|no preference|sooner the better"
        r"|early as possible|this week|you choose|whatever you have",
        "soonest",
    ),
)
_COMPILED = tuple((re.compile(rf"\b(?:{pattern})\b"), meaning) for pattern, meaning in _DAYS)

_PARTS = (
    (re.compile(r"\b(?:afternoon|after lunch)\b"), "afternoon"),
    (re.compile(r"\b(?:evening|tonight|after work|after school)\b"), "evening"),
    (re.compile(r"\b(?:morning|before lunch|before work|before noon)\b"), "morning"),
)

_NOON = re.compile(r"\b(?:noon|midday|lunch time)\b")
_AM_PM = re.compile(r"\b(am|pm)\b")
_PAST_TO = re.compile(
    rf"\b(?P<m>half|quarter|ten|twenty(?: five)?|five)(?: minutes)? "
    rf"(?P<way>past|after|to|till|before|of) (?P<h>{_HOUR})\b"
)
_DIGITAL = re.compile(r"\b(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d)\b")
_HALF_HOUR = re.compile(rf"\bhalf (?P<h>{'|'.join(_HOURS)})\b")
_HOUR_MINUTE = re.compile(rf"\b(?P<h>{_HOUR}) (?P<m>{_MINUTE})\b{_NO_TIME_AFTER}")
_MARKED = re.compile(
    rf"\b(?P<h>{_HOUR}) (?:o'clock|am\b|pm\b|in the (?:morning|afternoon|evening)\b)"
)
_LED = re.compile(
    rf"\b(?:at|around|about|after|before|between|by|than|until|make it|say|for|to|from) "
    rf"(?P<h>{_HOUR})\b{_NO_TIME_AFTER}"
)
_BARE = re.compile(rf"\b(?P<h>{_HOUR})\b{_NO_TIME_AFTER}")
_NOT_A_TIME = re.compile(
    r"\b(?:the|that|this|which|other|earlier|later|either|last|first|second|third|no|any|another"
    r"|every|each|some|good|better|nice|same|next|right|best) ones?\b"
    r"|\bone (?:of|more|moment|second|minute|question)\b"
    r"|\b(?:four|for) (?:me|my)\b"
)


def find_day(words: str) -> str | None:
    """The day, in the words that the tools take."""
    wanted = _PUT_ASIDE.sub(" ", words)
    found: list[tuple[int, str, str]] = []
    taken: list[tuple[int, int]] = []
    for pattern, meaning in _COMPILED:
        for match in pattern.finditer(wanted):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            taken.append(match.span())
            if day := _day(match, meaning):
                found.append((match.start(), day, meaning))
    found = [one for one in found if one[1] != "soonest"] or found
    found = [one for one in found if one[2] == "date"] or found  # "friday the ninth"
    if not found:
        return None
    found.sort()
    return found[-1 if _CORRECTED.search(words) else 0][1]


def find_part(words: str) -> str | None:
    """Morning, afternoon or evening."""
    return next((part for pattern, part in _PARTS if pattern.search(words)), None)


def find_time(words: str, *, asked: bool = False) -> str | None:
    """The time of day as HH:MM. `asked`: a number alone is a time, too."""
    said = _without_dates(words)
    if _NOON.search(said):
        return "12:00"
    for pattern in (_PAST_TO, _DIGITAL, _HALF_HOUR, _HOUR_MINUTE, _MARKED, _LED):
        if match := _chosen(pattern, said):
            return _hh_mm(pattern, match, said)
    if asked and (match := _chosen(_BARE, said)):
        return _hh_mm(_BARE, match, said)
    return None


def without_times(words: str) -> str:
    """The words without those that speak of a date or a time."""
    said = _without_dates(words)
    for pattern in (_PAST_TO, _DIGITAL, _HALF_HOUR, _HOUR_MINUTE, _MARKED, _LED):
        said = pattern.sub(" ", said)
    return " ".join(said.split())


def _without_dates(words: str) -> str:
    said = _NOT_A_TIME.sub(" ", words)
    for pattern, meaning in _COMPILED:
        if meaning in ("date", "in", "iso"):
            said = pattern.sub(" ", said)
    return said


def _chosen(pattern: re.Pattern[str], said: str) -> re.Match[str] | None:
    matches = list(pattern.finditer(said))
    return matches[-1 if _CORRECTED.search(said) else 0] if matches else None


def _day(match: re.Match[str], meaning: str) -> str | None:
    parts = {name.rstrip("23"): text for name, text in match.groupdict().items() if text}
    if meaning == "iso":
        return match[0]
    if meaning == "date":
        number = _ordinal(parts["d"])
        return f"{number} {parts['m']}" if "m" in parts else str(number)
    if meaning == "weekday":
        return parts["w"]
    if meaning == "next weekday":
        return f"next {parts['w']}"
    if meaning == "in":
        count = _COUNT.get(parts["n"]) or int(parts["n"])
        if parts["u"] == "month":
            return f"in {count * 4} weeks"
        return f"in {count} {parts['u']}s"
    return meaning


def _ordinal(words: str) -> int:
    digits = re.match(r"\d+", words)
    if digits:
        return int(digits[0])
    if words == "thirtieth":
        return 30
    total = 0
    for word in words.split():
        total += ORDINALS.index(word) + 1 if word in ORDINALS else number_of(word) or 0
    return total


def _hh_mm(pattern: re.Pattern[str], match: re.Match[str], said: str) -> str | None:
    parts = match.groupdict()
    hour = number_of(parts["h"])
    if hour is None or hour > 23:
        return None
    minute = 30 if pattern is _HALF_HOUR else _minutes(parts.get("m"))
    if parts.get("way") in ("to", "till", "before", "of"):
        hour, minute = (hour - 1) % 24 or 12, 60 - minute
    return f"{_in_the_day(hour, said):02}:{minute:02}"


def _minutes(words: str | None) -> int:
    if not words:
        return 0
    named = {"half": 30, "quarter": 15}.get(words)
    return named if named is not None else sum(number_of(w) or 0 for w in words.split())


def _in_the_day(hour: int, said: str) -> int:
    if hour > 12:
        return hour
    marks = _AM_PM.findall(said)
    part = find_part(said)
    if marks:
        return hour % 12 + (12 if marks[-1] == "pm" else 0)
    if part == "morning":
        return hour
    if part in ("afternoon", "evening"):
        return hour % 12 + 12
    return hour if 8 <= hour <= 12 else hour % 12 + 12
