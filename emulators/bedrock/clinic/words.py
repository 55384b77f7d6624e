"""What was heard, brought into one form: lower case, no punctuation, contractions written out.

Contract: `plain` takes a recogniser's output, formatted ("10:30 AM, Friday the 9th") or bare
("ten thirty a m friday the ninth"), and returns words separated by single spaces. Words that
recognisers confuse are set right where the wrong ones have no place at a clinic's front desk.
Pure.
"""

from __future__ import annotations

import re

UNITS = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
}
TEENS = {
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}
TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)

ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
)

_TOKEN = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}|\d+(?:st|nd|rd|th)?|[^\W\d_]+(?:'[^\W\d_]+)*")

_BEFORE_TOKENS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[\u2018\u2019`]", "'"),
        (r"\b([ap])\.\s?m\b\.?", r"\1m"),
        (r"(?<=\d)[.](?=\d\d\s*[ap]m\b)", ":"),
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"(?<=[a-z])-(?=[a-z])", " "),
    )
)

# In this order: sounds first, then contractions (also those that lost their apostrophe).
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b"), replacement)
    for pattern, replacement in (
        (r"([ap]) m(?! i\b)", r"\1m"),
        (r"o'? ?clock", "o'clock"),
        (r"(?:check|czech|cheque|chequed) ?ups?|checkups", "checkup"),
        (r"x rays?|xrays", "xray"),
        (r"good ?bye?|bye bye|bye now|by bye", "goodbye"),
        (r"a (?:point ?(?:ment|meant|men)|pointments?)", "appointment"),
        (r"appoint(?:ed|s|ment's)|apartments?|ointments?|a pointment", "appointment"),
        (r"counsel|council|cancelled|canceled|cancell?ing|cancels|cancellation", "cancel"),
        (r"re schedul\w*|reschedul\w*", "reschedule"),
        (r"ballots?|valence|balanced|ballance", "balance"),
        (r"(?<=opening )ours|(?<=office )ours", "hours"),
        (r"clean in|cleans|cleanings|teeth clean(?:ed)?|scale and polish", "cleaning"),
        (r"to morrow|tomorrow's|tomorrows", "tomorrow"),
        (r"wensday|wednesday's", "wednesday"),
        (rf"({'|'.join(WEEKDAYS)})(?:'s|s)", r"\1"),
        (r"half passed", "half past"),
        (r"thank ?you|thanks|cheers", "thanks"),
        (r"okay|ok|all right", "alright"),
        (r"anytime", "any time"),
        (r"lunchtime", "lunch time"),
        (r"id(?= (?:like|love|prefer|rather)\b)", "i would"),
        (r"(i|you|we|they|it|that|there)'d", r"\1 would"),
        (r"im|i'm", "i am"),
        (r"ill(?= (?:take|be|have|call|give)\b)|i'll", "i will"),
        (r"ive|i've", "i have"),
        (r"(it|that|what|when|where|who|there|name|number|time|he|she|day)'?s", r"\1 is"),
        (r"(we|you|they|what)'re", r"\1 are"),
        (r"can'?t|cannot", "can not"),
        (r"won'?t", "will not"),
        (r"(do|did|does|is|are|have|could|would|was|should|must|had|has)n'?t", r"\1 not"),
        (r"(you|we|it)'ll", r"\1 will"),
        (r"(we|you)'ve", r"\1 have"),
        (r"wanna", "want to"),
        (r"gonna", "going to"),
        (r"gotta", "have to"),
        (r"um+|uh+|erm|hmm+|er", ""),
    )
)


def plain(text: str) -> str:
    """The words of `text`, separated by single spaces."""
    lowered = text.lower()
    for pattern, replacement in _BEFORE_TOKENS:
        lowered = pattern.sub(replacement, lowered)
    words = " ".join(_TOKEN.findall(lowered))
    for pattern, replacement in _WORDS:
        words = pattern.sub(replacement, words)
    return " ".join(words.split())


def number_of(word: str) -> int | None:
    """The number that one word is: "nine", "forty", "12"; None for any other word."""
    if word.isascii() and word.isdigit():
        return int(word) if len(word) < 10 else None
    for table in (UNITS, TEENS, TENS):
        if word in table:
            return table[word]
    return None


def number_word(number: int) -> str:
    """A number from 0 to 9999 in words; digits beyond."""
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if size <= number < 10 * size:
            whole, rest = divmod(number, size)
            return f"{number_word(whole)} {name}" + (f" {number_word(rest)}" if rest else "")
    for table in (UNITS, TEENS, TENS):
        for word, value in table.items():
            if value == number:
                return word
    if 20 < number < 100:
        return f"{number_word(number // 10 * 10)} {number_word(number % 10)}"
    return str(number)
