"""Signs as words: `written_out` turns what people write into what they say.

Money, percentages, dates, times, telephone numbers, long numbers, addresses (web, mail, street),
units, ranges, fractions and abbreviations, in the language's words. A plain number stays as it is:
every voice reads it in its own language, and reads it better with its digits together.

Each kind is one row of a table of patterns, tried in its order; a text without digits or signs
costs one look. Errors: none; what fits no row stays.
Source: style guides of speech interfaces; Deepgram, "TTS text formatting"; CLDR.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Final, TypeAlias

from aybiza.speech.spoken_words import Words, months, unit, words_of

Say: TypeAlias = Callable[["re.Match[str]", Words], str]

_SYMBOLS: Final = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "R$": "BRL"}
_SCALES: Final = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
_AMOUNT: Final = r"\d{1,3}(?:[,.\u202f ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_SIGN: Final = r"R\$|[$€£¥₹]"
_CODES: Final = r"USD|EUR|GBP|JPY|INR|BRL"
_SCALE: Final = r"\s?(?:million|billion|trillion|thousand)\b|(?:[kKmMbB]|mn|bn)\b"
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
_FRACTIONS: Final = {
    "1/2": "one half",
    "½": "one half",
    "1/3": "one third",
    "⅓": "one third",
    "2/3": "two thirds",
    "⅔": "two thirds",
    "1/4": "one quarter",
    "¼": "one quarter",
    "3/4": "three quarters",
    "¾": "three quarters",
}


def written_out(text: str, language: str = "en") -> str:
    """`text` with its signs as words of `language` (BCP 47); see the module.

    >>> written_out("It costs $45.50, call (555) 123-4567 by 3/14/2025.")
    'It costs 45 dollars and 50 cents, call 5 5 5, 1 2 3, 4 5 6 7 by March 14th, 2025.'
    >>> written_out("Das kostet 45,50 €.", "de")
    'Das kostet 45 Euro und 50 Cent.'
    """
    words = words_of(language)
    if _WORTH_A_LOOK.search(text):
        for pattern, say in _ROWS:
            text = pattern.sub(lambda match, say=say: say(match, words), text)  # type: ignore[misc]
        if words.spelled:
            for pattern, say in _ENGLISH_ROWS:
                text = pattern.sub(lambda match, say=say: say(match, words), text)  # type: ignore[misc]
    return _abbreviated(text, words)


_WORTH_A_LOOK = re.compile(
    r"[\d@/$€£¥₹%&#°½⅓⅔¼¾~≈≥≤=+]|\b(?:www\.|[A-Z][a-z]{2,4}[-–][A-Z])|\w\.\w"
)


def _url(match: re.Match[str], words: Words) -> str:
    host, path = match["host"], match["path"] or ""
    stop = ""
    while path and path[-1] in ".,;:!?)":
        path, stop = path[:-1], path[-1] + stop
    parts = [part for part in path.split("/") if part]
    readable = len(parts) <= 2 and all(re.fullmatch(r"[\w-]{1,24}", part) for part in parts)
    said = _dotted(host, words)
    if readable:
        said += "".join(f" {words.slash} {_dotted(part, words)}" for part in parts)
    return said + stop


def _dotted(name: str, words: Words) -> str:
    for sign, word in ((".", words.dot), ("_", words.underscore), ("-", words.dash)):
        name = name.replace(sign, f" {word} ")
    return name.replace("+", f" {words.plus} ")


def _mail(match: re.Match[str], words: Words) -> str:
    return f"{_dotted(match['user'], words)} {words.at} {_dotted(match['host'], words)}"


def _phone(match: re.Match[str], words: Words) -> str:
    number = match[0]
    groups = re.findall(r"\d+", number)
    if len(groups) == 1:
        groups = _grouped(groups[0])
    said = ", ".join(" ".join(group) for group in groups)
    return f"{words.plus} {said}" if number.startswith("+") else said


def _grouped(digits: str) -> list[str]:
    """A run of digits in the groups in which people tell it."""
    if len(digits) == 11 and digits[0] == "1":
        return [digits[0], digits[1:4], digits[4:7], digits[7:]]
    if len(digits) == 10:
        return [digits[:3], digits[3:6], digits[6:]]
    rest = len(digits) % 3
    if rest == 0 or len(digits) < 5:
        return [digits[at : at + 3] for at in range(0, len(digits), 3)]
    head = [digits[at : at + 3] for at in range(0, len(digits) - 4, 3)]
    done = sum(map(len, head))
    tail = digits[done:]
    return [*head, tail] if len(tail) <= 4 else [*head, *(tail[:3], tail[3:])]


def _digits(match: re.Match[str], _words: Words) -> str:
    return ", ".join(" ".join(group) for group in _grouped(match[0]))


def _code(match: re.Match[str], _words: Words) -> str:
    return " ".join(match[0])


def _number(text: str, words: Words) -> tuple[str, str]:
    """Units and hundredths of an amount as it is written in this language or in English."""
    text = text.replace("\u202f", "").replace(" ", "")
    found = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", text)
    assert found is not None
    whole, part = found[1], found[2] or ""
    if part and not re.search(r"[.,]\d{1,2}$", text):
        whole, part = text, ""
    return whole, part


def _named(whole: str, part: str, code: str, words: Words) -> str:
    money = words.money.get(code) or words.money["USD"]
    bare = re.sub(r"\D", "", whole) or "0"
    cents = int(part.ljust(2, "0")) if part else 0
    if whole == bare and len(bare) > 4:
        whole = f"{int(bare):,}".replace(",", "." if words.comma else ",")
    units = f"{whole} {money.one if int(bare) == 1 else money.many}"
    if not cents or not money.cent:
        return units
    hundredths = f"{cents} {money.cent if cents == 1 else money.cents}"
    return hundredths if not int(bare) else f"{units} {words.and_} {hundredths}"


def _money(match: re.Match[str], words: Words) -> str:
    groups = match.groupdict()
    sign = groups.get("sign") or groups.get("after") or ""
    code = _SYMBOLS.get(sign, sign)
    money = words.money.get(code) or words.money["USD"]
    minus = f"{words.minus} " if groups.get("minus") else ""
    scale = (groups.get("scale") or "").strip()
    whole, part = _number(match["amount"], words)
    per = f" {'per' if words.spelled else words.slash} {groups['per']}" if groups.get("per") else ""
    if scale:
        scale = _SCALES.get(scale.lower(), scale)
        return f"{minus}{match['amount']} {scale} {money.many}{per}"
    if groups.get("until"):
        until, until_part = _number(groups["until"], words)
        low = f"{whole}{'.' + part if part else ''}"
        return f"{low} {words.to} {_named(until, until_part, code, words)}{per}"
    return f"{minus}{_named(whole, part, code, words)}{per}"


def _percent(match: re.Match[str], words: Words) -> str:
    until = f" {words.to} {match['until']}" if match["until"] else ""
    return f"{match['amount']}{until} {words.percent}"


def _iso_date(match: re.Match[str], words: Words) -> str:
    return _date(match, int(match["year"]), int(match["month"]), int(match["day"]), words)


def _slashed_date(match: re.Match[str], words: Words) -> str:
    first, second = int(match["first"]), int(match["second"])
    year = int(match["year"])
    year += 2000 if year < 100 else 0
    month, day = (first, second) if words.month_first else (second, first)
    if month > 12:
        month, day = day, month
    return _date(match, year, month, day, words)


def _date(match: re.Match[str], year: int, month: int, day: int, words: Words) -> str:
    try:
        told = date(year, month, day)
    except ValueError:
        return match[0]
    if words.locale == "en":
        return f"{months('en')[month - 1]} {_ordinal(day)}, {year}"
    return words.long_date(told)


def _ordinal(number: int) -> str:
    ending = (
        "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{ending}"


def _month_day(match: re.Match[str], _words: Words) -> str:
    month = months("en")[_MONTHS[match["month"]] - 1]
    day = _ordinal(int(match["day"])) if 1 <= int(match["day"]) <= 31 else match["day"]
    return f"{month} {day}"


def _clock(match: re.Match[str], words: Words) -> str:
    hour, minute = int(match["hour"]), match["minute"]
    half, stop = _half(match)
    if hour > 23 or int(minute) > 59:
        return match[0]
    if not half and not words.spelled:
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


def _unit(match: re.Match[str], words: Words) -> str:
    amount, until = match["amount"], match["until"]
    one = amount == "1" and not until
    told = f"{amount} {words.to} {until}" if until else amount
    minus = f"{words.minus} " if match["minus"] else ""
    return minus + unit(match["unit"], words.locale, one).replace("{0}", told)


def _height(match: re.Match[str], _words: Words) -> str:
    return f"{match[1]} foot {match[2]}"


def _less(match: re.Match[str], _words: Words) -> str:
    return f" {'less' if match[1] == '<' else 'more'} than "


def _range(match: re.Match[str], words: Words) -> str:
    return f"{match[1]} {words.to} {match[2]}"


def _weekdays(match: re.Match[str], words: Words) -> str:
    return f"{_WEEKDAYS[match[1]]} {words.to} {_WEEKDAYS[match[2]]}"


def _weekday(match: re.Match[str], _words: Words) -> str:
    return _WEEKDAYS[match[1]] + match[2]


def _mixed(match: re.Match[str], words: Words) -> str:
    said = _FRACTIONS[match[2]]
    if said == "one half":
        return f"{match[1]} {words.a_half}"
    return f"{match[1]} and {said}"


def _fraction(match: re.Match[str], _words: Words) -> str:
    return _FRACTIONS[match[0]]


def _numbered(match: re.Match[str], words: Words) -> str:
    return f"{words.number} {match[1]}"


def _between(word: str) -> Say:
    def say(_match: re.Match[str], words: Words) -> str:
        return f" {getattr(words, word)} "

    return say


def _constant(text: str) -> Say:
    return lambda match, words: text


def _zip(match: re.Match[str], _words: Words) -> str:
    return f"{match[1]} {' '.join(match[2])}"


_ROWS: Final[tuple[tuple[re.Pattern[str], Say], ...]] = (
    (
        re.compile(
            r"(?:https?://|(?=www\.))(?:www\.)?(?P<host>[\w-]+(?:\.[\w-]+)*)(?::\d+)?"
            r"(?P<path>/[^\s<>\"]*)?(?:\?[^\s<>\"]*)?"
        ),
        _url,
    ),
    (
        re.compile(r"(?<![\w.+-])(?:mailto:)?(?P<user>[\w.+-]+)@(?P<host>[\w-]+(?:\.[\w-]+)+)"),
        _mail,
    ),
    (
        re.compile(
            r"(?<![\w.])(?P<host>[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*"
            r"\.(?:com|org|net|io|dev|edu|gov|co|us|uk|de|fr|es|nl))\b(?P<path>/[\w/-]*)?(?![\w@])"
        ),
        _url,
    ),
    (re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)"), _iso_date),
    (
        re.compile(
            r"(?<![\d/.-])(?P<first>\d{1,2})(?P<sep>[/.-])(?P<second>\d{1,2})(?P=sep)"
            r"(?P<year>\d{4}|\d{2})(?![\d/-]|\.\d)"
        ),
        _slashed_date,
    ),
    (
        re.compile(
            r"(?<![\w+])(?:\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}"
            r"|(?:1[ .-])?\(\d{3}\)[ ]?\d{3}[ .-]\d{4}"
            r"|(?:1[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4}|\d{3}-\d{4}"
            r"|0\d{2,4}(?:[ /-]\d{2,8}){1,4})(?![\w-])"
        ),
        _phone,
    ),
    (
        re.compile(
            rf"(?P<minus>[-\u2212])?(?P<sign>{_SIGN})\s?(?P<amount>{_AMOUNT})(?P<scale>{_SCALE})?"
            rf"(?:\s?[-–]\s?(?:{_SIGN})?(?P<until>{_AMOUNT}))?(?:/(?P<per>[a-z]+))?"
        ),
        _money,
    ),
    (
        re.compile(
            rf"(?<![\w.,])(?P<minus>[-\u2212])?(?P<amount>{_AMOUNT})(?P<scale>{_SCALE})?"
            rf"\s?(?P<after>{_SIGN}|\b(?:{_CODES})\b)(?:/(?P<per>[a-z]+))?"
        ),
        _money,
    ),
    (
        re.compile(rf"\b(?P<sign>{_CODES})\s?(?P<amount>{_AMOUNT})(?P<scale>{_SCALE})?"),
        _money,
    ),
    (
        re.compile(rf"(?<!\d)(?P<amount>{_AMOUNT})(?:\s?[-–]\s?(?P<until>{_AMOUNT}))?\s?%"),
        _percent,
    ),
    (re.compile(r"\b(\d) ft\.? (\d{1,2}) in\b\.?"), _height),
    (
        re.compile(
            rf"(?<![\w.,])(?P<minus>[-\u2212])?(?P<amount>{_AMOUNT})(?:\s?[-–]\s?(?P<until>{_AMOUNT}))?\s?"
            r"(?P<unit>km/h|km²|m²|km|cm|mm|kg|mg|ml|mL|kWh|GB|MB|KB|kB|TB|mph|sq ft|lbs?|oz|ft|yd"
            r"|°\s?[CF]|°|hrs?|mins?|secs?|ms|(?<=\d)(?:m|g|l|L|h)|(?<=\d )(?:m|g|l|L|h|mi))"
            r"(?![\w/]|\.\w)"
        ),
        _unit,
    ),
    (re.compile(r"(?<=\d)\s?×\s?(?=\d)"), _between("times")),
    (re.compile(r"#\s?(\d+)"), _numbered),
    (re.compile(r"\bNo\. ?(?=\d)()"), lambda match, words: f"{words.number} "),
    (re.compile(r"(?<=\w)\s?&\s?(?=\w)"), _between("and_")),
    (re.compile(r"[~≈]\s?(?=[\d$€£])"), lambda match, words: f"{words.about} "),
    (re.compile(r"(?<=\d)\s\+\s(?=\d)"), _between("plus")),
    (re.compile(r"(?<![\w.,-])\d{6,}(?![\w-]|[.,]\d)"), _digits),
    (re.compile(r"(?<![\w.,-])0\d{2,}(?![\w-]|[.,]\d)"), _digits),
    (
        re.compile(
            r"(?<![\w-])(?=[A-Z]*\d)(?=\d*[A-Z])(?!\d+(?:AM|PM|ST|ND|RD|TH)\b)[A-Z\d]{4,}(?![\w-])"
        ),
        _code,
    ),
    (
        re.compile(
            r"(?<![\w.,/:-])(\d{1,4}(?:\.\d+)?)\s?[-–]\s?(\d{1,4}(?:\.\d+)?)(?![\w/:-]|[.,]\d)"
        ),
        _range,
    ),
    (re.compile(r"(?<![\w:])(\d{1,2}:\d{2})\s?[-–]\s?(\d{1,2}:\d{2})(?![\w:])"), _range),
)

_HALF: Final = r"(?P<half>\s?[AaPp]\.?[Mm]\b\.?(?=\s|$|[,;!?–-]))"
_ENGLISH_ROWS: Final[tuple[tuple[re.Pattern[str], Say], ...]] = (
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
    (re.compile(rf"\b(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}})(?![\w:/]|[.,]\d)"), _month_day),
    (
        re.compile(
            r"\b(January|February|March|April|June|July|August|September|October|November"
            r"|December|May) (\d{1,2})(?![\w:/]|[.,]\d)"
        ),
        lambda match, words: f"{match[1]} {_ordinal(int(match[2]))}",
    ),
    (re.compile(r"\b(\d) ?(1/2|½|¼|¾|1/4|3/4|⅓|⅔|1/3|2/3)(?![\d/])"), _mixed),
    (re.compile(r"(?<![\d/])(?:1/2|1/3|2/3|1/4|3/4)(?![\d/])|[½⅓⅔¼¾]"), _fraction),
    (re.compile(r"\b(\d)'\s?(\d{1,2})(?:\"|”)"), _height),
    (re.compile(r"\b24/7\b"), _constant("24 7")),
    (re.compile(r"(?<=\d)\s*([<>])\s*(?=\d)"), _less),
    (re.compile(r"\band/or\b"), _constant("and or")),
    (re.compile(r"≥\s?|>=\s?"), _constant("at least ")),
    (re.compile(r"≤\s?|<=\s?"), _constant("at most ")),
    (re.compile(r"(?<=\w)\s?=\s?(?=\w)"), _constant(" equals ")),
    (
        re.compile(r"(?<![\w/.])([a-z]{2,})/([a-z]{2,})(?![\w/.])"),
        lambda match, words: f"{match[1]} or {match[2]}",
    ),
    (re.compile(r"\b([A-Z]{2}) (\d{5})(?![\w,.]\d|\d)"), _zip),
)

_PLACES: Final = (
    (re.compile(r"(?<=[a-z]) Dr\.?(?= ?[,;!?]|$| (?:in|at|on|and)\b)"), " Drive"),
    (re.compile(r"(?<=[a-z]) St\.?(?= ?[,;!?]|$| (?:in|at|on|and)\b)"), " Street"),
    (re.compile(r"(?<![\w.])Dr\. ?(?=[A-Z])"), "Doctor "),
    (re.compile(r"(?<![\w.])St\. (?=[A-Z])"), "Saint "),
)


@cache
def _abbreviation(short: str) -> re.Pattern[str]:
    end = r"(?!\w)" if short[-1] in "./" else r"(?![\w.])"
    return re.compile(rf"(?<![\w.]){re.escape(short)}{end}")


def _abbreviated(text: str, words: Words) -> str:
    """Abbreviations in full; one at the very end keeps the stop that the sentence shares."""
    if words.spelled and ("Dr" in text or "St" in text):
        for pattern, full in _PLACES:
            text = pattern.sub(full, text)
    for short, full in words.abbreviations.items():
        if short in text:
            pattern = _abbreviation(short)
            text = re.sub(rf"{pattern.pattern}$", f"{full}." if short[-1] == "." else full, text)
            text = pattern.sub(full, text)
    return text
