"""Digits, names and treatments that a caller gives.

Contract: pure functions over plain words (`words.plain`). `find_digits` gives the digits of an
account or telephone number said figure by figure ("double two", "oh", "four fifteen"),
`find_name` a name in title case, `find_treatment` the clinic's word for a treatment. None (or "")
when nothing is said of it.
"""

from __future__ import annotations

import re

from aybiza.emulators.bedrock.clinic.words import MONTHS, TEENS, TENS, UNITS, WEEKDAYS, number_of

# Heard for a digit, but only between digits.
_SOUNDS = {
    "for": "4",
    "fore": "4",
    "to": "2",
    "too": "2",
    "ate": "8",
    "won": "1",
    "tree": "3",
    "free": "3",
    "sex": "6",
    "sicks": "6",
    "nein": "9",
}
_ZEROS = frozenset({"zero", "oh", "o", "nought", "naught", "nil"})
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_BETWEEN = frozenset({"and", "dash", "hyphen", "then", "uh", "um", "minus", "space"})

_TREATMENTS: tuple[tuple[str, str], ...] = (
    (r"root canals?", "root canal"),
    (r"wisdom tooth removal|(?:tooth )?extractions?|tooth (?:out|pulled|removed)", "extraction"),
    (r"(?:teeth )?whitening|bleaching", "whitening"),
    (r"blood (?:tests?|work)", "blood test"),
    (r"flu (?:shots?|vaccin\w+|jab)", "flu shot"),
    (r"vaccin\w+|(?:tetanus |covid |booster )?shots?|booster|jab", "vaccination"),
    (r"xrays?", "x-ray"),
    (r"eye (?:test|exam\w*)|vision test|glasses", "eye test"),
    (r"physio\w*|massage", "physiotherapy"),
    (r"(?:teeth |dental |deep )?cleaning|hygienist|teeth cleaned", "cleaning"),
    (r"skin check", "skin check"),
    (r"allergy tests?", "allergy test"),
    (r"hearing tests?", "hearing test"),
    (r"ultrasounds?", "ultrasound"),
    (r"(?:dental )?implants?", "implant"),
    (r"dentures?", "denture"),
    (r"braces", "braces"),
    (r"(?:night|mouth) guards?", "night guard"),
    (r"veneers?", "veneer"),
    (r"bridges?", "bridge"),
    (r"covid tests?", "covid test"),
    (r"fillings?", "filling"),
    (r"crowns?", "crown"),
    (
        r"(?:dental |routine |yearly |annual |health )?checkup|health check|physicals?|exams?"
        r"|examinations?|screening",
        "checkup",
    ),
    (r"consultation|first visit|follow up(?: visit)?|second opinion", "consultation"),
)
_COMPILED = tuple((re.compile(rf"\b(?:{pattern})\b"), name) for pattern, name in _TREATMENTS)
TREATMENT = "(?:" + "|".join(f"(?:{pattern})" for pattern, _ in _TREATMENTS) + ")"

_UNNAMED = re.compile(
    r"\b(?:price|cost|fee|charge|rate|quote|estimate) (?:of|for|on) (?:a |an |the )?(?P<t>[a-z ]+)"
    r"|\bhow much (?:is|are|does|do|would|will|for)(?: it)?(?: for)? (?:a |an |the |your )?"
    r"(?P<t2>(?!(?:i|we|you|my|our) )[a-z ]+)"
    r"|\bhow expensive (?:is|are) (?:a |an |the )?(?P<t3>[a-z ]+)"
)
_TRAILING = re.compile(
    r"\b(?:cost|costs|be|run|please|me|here|with you|without insurance|with insurance|thanks"
    r"|these days|that|this|it|one|those|them)\b.*$"
)

_GIVEN = re.compile(
    r"\b(?:name is|name would be|call me|go by|listed as|under the name of|under the name"
    r"|it is under|should be under|have me under|put it under|put me (?:down )?under|this is|i am"
    r"|name's|it is for(?: my \w+)?|it would be|that would be)"
    r" (?P<name>.+)$"
)
_FIRST = re.compile(r"\bfirst name(?: is)? (?P<name>[a-z']+)")
_LAST = re.compile(r"\b(?:last|family|sur) ?name(?: is)? (?P<name>[a-z']+)")
_LEAD = re.compile(
    r"^(?:(?:yes|yeah|sure|of course|alright|well|so|it is|that is|this is|i am|spelled"
    r"|you spell it|put|make it|under|for) )+"
)
_SPEAKING = re.compile(r"^(?:hello |hi |hey |yes )*(?P<name>[a-z' ]+?) (?:speaking|calling|here)\b")
_STRONG = re.compile(r"\bname\b|\bcall me\b|\bunder\b|\blisted as\b|\bgo by\b")
_NO_NAME = frozenset(
    """
    a an the my your our his her this that these those it i you he she we they me us them mine
    is am are was were be been do does did have has had can could will would should may might must
    not no yes yeah yep yup nope nah sure alright right correct exactly fine good great perfect
    please thanks sorry pardon hello hi hey well so just only really very too also still again
    and or but if then than as at in on of for to from by with about after before until since
    what when where who why how which much many more most any some all both other another
    want need like love prefer trying looking calling hoping wondering going afraid interested
    speaking here there back out up down over late busy free available new existing patient
    appointment visit booking book move cancel change reschedule check balance account number
    phone telephone mobile open hours cost treatment doctor dentist nurse clinic person
    morning afternoon evening today tomorrow tonight week month day time noon o'clock am pm
    in pain sick done finished ready okay repeat goodbye moment second minute thing
    fish named possible later earlier last first next name family full spelled course
    calling because not able wrong flexible allergic pregnant
    """.split()  # noqa: SIM905
)
_NOT_A_NAME = (
    _NO_NAME
    | set(UNITS)
    | set(TEENS)
    | set(TENS)
    | set(WEEKDAYS)
    | (set(MONTHS) - {"may", "april", "june"})
)
_MOST_NAME_WORDS = 3


def find_digits(words: str, *, expected: bool) -> str:
    """The digits of a number said figure by figure.

    `expected`: the caller was asked for it or names it, so that short and round numbers count and
    words that only sound like digits do, too. Otherwise five figures are the least.
    """
    best = ""
    run = ""
    tokens = words.split()
    for at, token in enumerate(tokens):
        times = _TIMES.get(tokens[at - 1], 1) if at else 1
        digit = _digit(token) or (_spoken_number(tokens, at) if expected else None)
        if digit is None and expected and run and token in _SOUNDS and _goes_on(tokens, at):
            digit = _SOUNDS[token]
        if digit is not None:
            run += digit * times
        elif token not in _BETWEEN and token not in _TIMES:
            best, run = max(best, run, key=len), ""
    best = max(best, run, key=len)
    return best if len(best) >= (1 if expected else 5) else ""


def find_name(words: str, *, asked: bool) -> str | None:
    """The caller's name. `asked`: a few words alone are a name, too."""
    halves = [m["name"] for m in (_FIRST.search(words), _LAST.search(words)) if m]
    candidates = [(" ".join(halves), True)] if halves else []
    if match := _SPEAKING.search(words):
        candidates.append((match["name"], False))
    for match in _GIVEN.finditer(words):
        candidates.append((match["name"], _STRONG.search(match[0]) is not None))
        inner = _GIVEN.search(match["name"])
        if inner:
            candidates.append((inner["name"], True))
    if asked:
        candidates.append((_LEAD.sub("", words), True))
    for candidate, _ in sorted(candidates, key=lambda c: not c[1]):
        if name := _name_at_start(candidate):
            return name
    return None


def find_treatment(words: str) -> str | None:
    """The treatment, in the clinic's word for it."""
    return next((name for pattern, name in _COMPILED if pattern.search(words)), None)


def unnamed_treatment(words: str) -> str | None:
    """What a price is asked for, in the caller's own words."""
    match = _UNNAMED.search(words)
    said = next((text for text in match.groupdict().values() if text), "") if match else ""
    said = _TRAILING.sub("", said).strip()
    return said if 0 < len(said.split()) <= 4 else None


def _name_at_start(words: str) -> str | None:
    kept: list[str] = []
    tokens = words.split()
    if len(tokens) >= _MOST_NAME_WORDS and all(len(token) == 1 for token in tokens):
        return "".join(tokens).title()
    for token in tokens:
        if token in _NOT_A_NAME or not token.replace("'", "").isalpha() or len(token) == 1:
            break
        kept.append(token)
    return " ".join(kept).title() if 0 < len(kept) <= _MOST_NAME_WORDS else None


def _digit(token: str) -> str | None:
    if token in _ZEROS:
        return "0"
    if token in UNITS:
        return str(UNITS[token])
    return token if token.isascii() and token.isdigit() else None


def _spoken_number(tokens: list[str], at: int) -> str | None:
    """A round number or a ten within a number: "four fifteen", "twenty two", "five hundred"."""
    token = tokens[at]
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    if token in TEENS:
        return str(TEENS[token])
    if token in TENS:
        return str(TENS[token] // 10) + ("" if following in UNITS and following != "zero" else "0")
    if at and number_of(tokens[at - 1]) is not None:
        return {"hundred": "00", "thousand": "000"}.get(token)
    return None


def _goes_on(tokens: list[str], at: int) -> bool:
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    return _digit(following) is not None or following in _SOUNDS or following in _TIMES
