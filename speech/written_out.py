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
from datetime import date
from functools import cache
from typing import Final

from aybiza.speech.spoken_words import Say, Words, months, unit, weekdays, words_of
from aybiza.speech.written_english import ENGLISH_ROWS, PLACES, height, ordinal
from aybiza.speech.written_money import AMOUNT, MONEY_ROWS, per_unit

# A run of digits that is shorter is no telephone number.
LEAST_DIGITS: Final = 7


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
            for pattern, say in ENGLISH_ROWS:
                text = pattern.sub(lambda match, say=say: say(match, words), text)  # type: ignore[misc]
    return _abbreviated(text, words)


def keys_named(text: str, language: str = "en") -> str:
    """The keys # and * by name, where the caller is told to press them.

    >>> keys_named("Press 1, or press # to go on.")
    'Press 1, or press pound to go on.'
    """
    if "#" not in text and "*" not in text:
        return text
    words = words_of(language)
    return _KEY.sub(lambda match: f"{match[1].rstrip()} {_key(match[2], words)}", text)


def _key(sign: str, words: Words) -> str:
    return words.pound if sign == "#" else words.star


_KEY = re.compile(
    r"(?i)(\b(?:press|dial|hit|enter|push|type|drücken sie|tippen sie|wählen sie|pulse|marque"
    r"|oprima|appuyez sur|tapez|digite|aperte|tecle|prema|digiti|toets|druk op)"
    r"(?: (?:the|die|la|il|de|o|a|el))?(?: \d+)? ?)([#*])(?![\w*#])"
)


_WORTH_A_LOOK = re.compile(r"[\d@/$€£¥₹¢%&#°½⅓⅔¼¾~≈≥≤=+]|\bwww\.|\w\.\w|\w\.?[-–]\w|\bFr\.|str\.")


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
    if sum(map(len, groups)) < LEAST_DIGITS:
        return number
    if len(groups) == 1:
        groups = _grouped(groups[0])
    said = ", ".join(" ".join(group) for group in groups)
    return f"{words.plus} {said}" if number.startswith("+") else said


def _grouped(digits: str) -> list[str]:
    """A run of digits in the groups in which people tell it."""
    if len(digits) <= 4:
        return [digits]
    if len(digits) == 11 and digits[0] == "1":
        return [digits[0], digits[1:4], digits[4:7], digits[7:]]
    if len(digits) == 10:
        return [digits[:3], digits[3:6], digits[6:]]
    rest = len(digits) % 3
    if rest == 0:
        return [digits[at : at + 3] for at in range(0, len(digits), 3)]
    head = [digits[at : at + 3] for at in range(0, len(digits) - 4, 3)]
    done = sum(map(len, head))
    tail = digits[done:]
    return [*head, tail] if len(tail) <= 4 else [*head, *(tail[:3], tail[3:])]


def _digits(match: re.Match[str], _words: Words) -> str:
    return ", ".join(" ".join(group) for group in _grouped(match[0]))


def _code(match: re.Match[str], _words: Words) -> str:
    groups = re.findall(r"[^\W_]+", match[0])
    between = " " if max(map(len, groups)) == 1 else ", "
    return between.join(" ".join(group) for group in groups)


def _iso_date(match: re.Match[str], words: Words) -> str:
    told = _date(match, int(match["year"]), int(match["month"]), int(match["day"]), words)
    if told == match[0] or not match["clock"]:
        return told
    return f"{told} {words.at} {match['clock']}" if words.spelled else f"{told}, {match['clock']}"


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
        return f"{months('en')[month - 1]} {ordinal(day)}, {year}"
    return words.long_date(told)


def _month_day(match: re.Match[str], words: Words) -> str:
    """A date without a year, behind a word that says that it is one."""
    if not re.fullmatch(words.on, match["on"], re.IGNORECASE):
        return match[0]
    first, second = int(match["first"]), int(match["second"] or match["dotted"])
    month, day = (first, second) if words.month_first else (second, first)
    try:
        told = date(2000, month, day)
    except ValueError:
        return match[0]
    named = f"{months('en')[month - 1]} {ordinal(day)}"
    return f"{match['on']} {named if words.locale == 'en' else words.month_day(told)}"


def _unit(match: re.Match[str], words: Words) -> str:
    amount, until = match["amount"], match["until"]
    one = amount == "1" and not until
    told = f"{amount} {words.to} {until}" if until else amount
    minus = f"{words.minus} " if match["minus"] else ""
    sign = re.sub(r"\s", " ", match["unit"]).replace("° ", "°")
    per = per_unit(match["per"], words)
    return minus + unit(sign, words.locale, one=one).replace("{0}", told) + per


def _hours(match: re.Match[str], words: Words) -> str:
    """`2h 30m`: so long in English, a time of the day elsewhere."""
    hours = unit("h", words.locale, one=match[1] == "1").replace("{0}", match[1])
    if words.spelled:
        return f"{hours} {unit('min', words.locale, one=match[2] == '1').replace('{0}', match[2])}"
    return hours if match[2] == "00" else f"{hours} {match[2]}"


def _range(match: re.Match[str], words: Words) -> str:
    return f"{match[1]} {words.to} {match[2]}"


def _weekdays(match: re.Match[str], words: Words) -> str:
    days = {name.lower(): day for name, day in weekdays(words.locale).items()}
    first, last = (days.get(match[part].lower()) for part in (1, 2))
    known = first and last and first != last
    return f"{first} {words.to} {last}" if known else match[0]


def _mixed(match: re.Match[str], words: Words) -> str:
    said = words.fractions[_FRACTIONS[match[2] or match[3]]]
    if said == words.fractions[0]:
        return f"{match[1]} {words.a_half}"
    return f"{match[1]} {words.also} {said}"


def _woman(match: re.Match[str], words: Words) -> str:
    return "Frau " if words.locale == "de" else match[0]


_STREETS: Final = {"de": "straße", "nl": "straat"}


def _street(match: re.Match[str], words: Words) -> str:
    return _STREETS.get(words.locale, match[0])


def _fraction(match: re.Match[str], words: Words) -> str:
    return words.fractions[_FRACTIONS[match[0]]]


_FRACTIONS: Final = {
    sign: place
    for place, signs in enumerate(("1/2 ½", "1/3 ⅓", "2/3 ⅔", "1/4 ¼", "3/4 ¾"))
    for sign in signs.split()
}


def _either(match: re.Match[str], words: Words) -> str:
    both = {words.also, words.and_} & {match[1]} and match[2] == words.or_
    return f"{match[1]} {match[2]}" if both else f"{match[1]} {words.or_} {match[2]}"


def _numbered(match: re.Match[str], words: Words) -> str:
    return f"{words.number} {match[1]}"


def _between(word: str) -> Say:
    def say(_match: re.Match[str], words: Words) -> str:
        return f" {getattr(words, word)} "

    return say


def _constant(text: str) -> Say:
    return lambda match, words: text


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
            r"(?<![\w.-])(?P<host>[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*"
            r"\.(?:com|org|net|io|dev|edu|gov|co|us|uk|de|fr|es|nl))\b(?P<path>/[\w/-]*)?(?![\w@])"
        ),
        _url,
    ),
    (
        re.compile(
            r"(?<!\d)(?P<year>\d{4})(?P<sep>[-/])(?P<month>\d{2})(?P=sep)(?P<day>\d{2})(?![\d/-])"
            r"(?:T(?P<clock>\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
        ),
        _iso_date,
    ),
    (
        re.compile(
            r"(?<![\d/.-])(?P<first>\d{1,2})(?P<sep>[/.-])(?P<second>\d{1,2})(?P=sep)"
            r"(?P<year>\d{4}|\d{2})(?![\d/-]|\.\d)"
        ),
        _slashed_date,
    ),
    (
        re.compile(
            r"\b(?P<on>[^\W\d_]+,?) (?!(?:1/[234]|2/3|3/4)\b)"
            r"(?P<first>\d{1,2})(?:/(?P<second>\d{1,2})|\.(?P<dotted>\d{1,2})\.)(?![\w/]|[.,:]\d)"
        ),
        _month_day,
    ),
    (
        re.compile(r"\b[A-Z]{2}\d{2}(?: [A-Z\d]{4}){3,7}(?: [A-Z\d]{1,3})?(?![\w-])"),
        _code,
    ),
    (re.compile(r"(?<![\w-])\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?![\w-])"), _phone),
    (
        re.compile(
            r"(?<![\w+])(?:\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}"
            r"|(?:1[ .-])?\(\d{3}\)[ ]?\d{3}[ .-]\d{4}"
            r"|(?:1[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4}|\d{3}-\d{4}"
            r"|\(\d{2,5}\)[ ]?9?\d{4}[ -]?\d{4}|\d{2} 9\d{4}-\d{4}|3\d{2} \d{6,7}"
            r"|[6-9]\d{2}(?: \d{3}){2}|[6-9]\d{2}(?: \d{2}){3}"
            r"|0\d{1,4}(?:[ /-]\d{2,8}){1,4})(?![\w-])"
        ),
        _phone,
    ),
    (
        re.compile(r"(?<![\w-])(?:\d{3}-\d{2}-\d{4}|\d{5}-\d{4}|\d(?:-\d){2,})(?![\w-])"),
        _code,
    ),
    *MONEY_ROWS,
    (
        re.compile(r"(?<=\d)\s?h\s?[-–]\s?(?=\d{1,2}\s?h\b)"),
        lambda match, words: f" h {words.to} ",
    ),
    (re.compile(r"(?<![\w.])Fr\. (?=[A-ZÄÖÜ][a-zäöüß])"), _woman),
    (re.compile(r"(?<=[a-zäöüß])str\.(?= ?\d| ?[,;]|$)"), _street),
    (re.compile(r"(?<![\w:])(\d{1,2})\s?h\s?(\d{1,2})(?:\s?m(?:in)?)?(?![\w:])"), _hours),
    (re.compile(r"\b(\d) ft\.? (\d{1,2}) in\b\.?"), height),
    (
        re.compile(
            rf"(?<![\w.,])(?<!\d{{3}} )(?P<minus>[-\u2212])?(?P<amount>{AMOUNT})"
            rf"(?:\s?[-–]\s?(?P<until>{AMOUNT}))?\s?"
            r"(?P<unit>km/h|kph|km²|m²|km|cm|mm|kg|mg|ml|mL|kWh|GB|MB|KB|kB|TB|mph|sq\. ft\.|sq ft"
            r"|lbs?|oz|ft|yd|qm|gal|qt|tbsp|tsp|[kMG]?Hz|kW|MW|°\s?[CF]|°|hrs?|mins?|secs?|ms|Std\.|Min\."
            r"|(?<=\d)(?:m|g|l|L|h|V|W)|(?<=\d )(?:m|g|l|L|h|mi|s|V|W))"
            r"(?:/(?P<per>[a-z]{2,}))?(?![\w/]|\.\w)"
        ),
        _unit,
    ),
    (re.compile(r"(?<=\d)\s?×\s?(?=\d)"), _between("times")),
    (re.compile(r"#\s?(\d+|[A-Z][\w-]*\d)"), _numbered),
    (
        re.compile(r"\b(?:Nos?\. ?|[Nn]\.? ?[º°] ?|[Nn]úm\. ?|[Nn]\. )(?=\d)()"),
        lambda match, words: f"{words.number} ",
    ),
    (re.compile(r"(?:(?<=[\w.)])\s?|(?<!\S))&\s?(?=\w)"), _between("also")),
    (re.compile(r"[~≈]\s?(?=[\d$€£])"), lambda match, words: f"{words.about} "),
    (re.compile(r"(?<![\w.)\]-])[-\u2212](?=\d)"), lambda match, words: f"{words.minus} "),
    (re.compile(r"(?<![\w.)+-])\+(?=\d)"), lambda match, words: f"{words.plus} "),
    (re.compile(r"(?<=\d)\+(?![\w+])"), lambda match, words: f" {words.plus}"),
    (
        re.compile(r"\b(\d{1,2})\.(\d{2})(?= (?:Uhr|uur)\b)"),
        lambda match, words: f"{match[1]}:{match[2]}",
    ),
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
            r"(?<![\w.,/:-])(\d{1,4}(?:\.\d+)?)\s?[-–〜]\s?(\d{1,4}(?:\.\d+)?)(?![\w/:-]|[.,]\d)"
        ),
        _range,
    ),
    (
        re.compile(r"(?<![\w:])(\d{1,2}:\d{2})\s?[-–〜]\s?(\d{1,2}:\d{2})(?![\w:])"),
        _range,
    ),
    (re.compile(r"(?<=\d[^\W\d_]{1})\s?[-–]\s?(?=\d)"), _between("to")),
    (re.compile(r"(?<![\w.-])([^\W\d_]{2,5})\.?\s?[-–]\s?([^\W\d_]{2,5})\b(?!-)"), _weekdays),
    (
        re.compile(r"(?<![\d/])(\d+)(?: (1/2|1/4|3/4|1/3|2/3)| ?([½¼¾⅓⅔]))(?![\d/])"),
        _mixed,
    ),
    (re.compile(r"(?<![\d/])(?:1/2|1/3|2/3|1/4|3/4)(?![\d/])|[½⅓⅔¼¾]"), _fraction),
    (re.compile(r"\b24/7\b"), lambda match, words: "24 7"),
    (re.compile(r"(?<![\w/.])([^\W\d_]{1,}(?<!\b[a-zA-Z])|y|e)/([^\W\d_]+)(?![\w/.])"), _either),
)


@cache
def _abbreviation(short: str) -> re.Pattern[str]:
    end = r"(?!\w)" if short[-1] in "./" else r"(?![\w.])"
    return re.compile(rf"(?<![\w.]){re.escape(short)}{end}")


def _abbreviated(text: str, words: Words) -> str:
    """Abbreviations in full; one at the very end keeps the stop that the sentence shares."""
    if words.spelled:
        for pattern, full in PLACES:
            text = pattern.sub(full, text)
    for short, full in words.abbreviations.items():
        if short in text:
            pattern = _abbreviation(short)
            text = re.sub(rf"{pattern.pattern}$", f"{full}." if short[-1] == "." else full, text)
            text = pattern.sub(full, text)
    return text
