"""Everything that is understood of one thing the caller said.

Contract: `understand` takes the text and what was asked last, and gives a `Heard`: the intent, the
details, and whether it was a yes or a no. What was asked decides what bare words mean: "ten" is a
time when a time was asked for, and part of a number when a number was. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from aybiza.emulators.bedrock.clinic.days import find_day, find_part, find_time
from aybiza.emulators.bedrock.clinic.details import (
    find_digits,
    find_name,
    find_treatment,
    unnamed_treatment,
)
from aybiza.emulators.bedrock.clinic.intents import Intent, find_intent
from aybiza.emulators.bedrock.clinic.words import plain


class Asked(StrEnum):
    """What the front desk's last sentence asked for."""

    NOTHING = ""
    DAY = "day"
    TIME = "time"
    NAME = "name"
    OWNER = "owner"
    ACCOUNT = "account"
    TREATMENT = "treatment"
    CONFIRM = "confirm"
    PERSON = "person"
    BOOKING = "booking"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing the caller said. `choice` is an index into the times that were offered."""

    words: str
    intent: Intent | None = None
    yes: bool = False
    no: bool = False
    other: bool = False
    gives_up: bool = False
    day: str | None = None
    part: str | None = None
    time: str | None = None
    choice: int | None = None
    digits: str = ""
    is_phone: bool = False
    name: str | None = None
    treatment: str | None = None
    price_of: str | None = None

    @property
    def has_when(self) -> bool:
        """Whether a day, a part of the day, a time or a choice was heard."""
        return any(x is not None for x in (self.day, self.part, self.time, self.choice))


_YES = re.compile(
    r"^(?:(?:oh|well|and|so|then|hi|hello) )*"
    r"(?:yes|yeah|yep|yup|ya|sure|correct|right|exactly|absolutely|definitely|certainly|of course"
    r"|perfect|great|wonderful|alright|very good|lovely|sounds? (?:good|great|perfect|fine)|fine"
    r"|good|please do|please$|please (?:go|book|cancel|move|change)|mm hmm|huh$|go (?:ahead|for it)"
    r"|do (?:it|that)|i do$|i am$|i would$|it (?:is|does)$|confirmed|i (?:confirm|agree)"
    r"|affirmative|that (?:would|will) be (?:great|good|fine|perfect|lovely|wonderful|nice|alright)"
    r"|that (?:is|sounds|works)(?: that)?"
    r"(?: (?:right|correct|fine|good|great|perfect|alright|me|it|the one|for me|one is good))*$"
    r"|that one is good|works for me|fine by me|i will take|you got it|why not"
    r"|i (?:think|guess) so|let's (?:do|go)|book it|cancel it|move it|change it"
    r"|i would like that|we can do|you are right|make it so|no problem)\b"
)
_NO = re.compile(
    r"\b(?:no(?! problem)|nope|nah|(?<!why )not|never mind|wrong|incorrect|neither|none|negative"
    r"|forget it|leave it|keep it|stop|changed my mind|maybe later|the other one|wait)\b"
)
_OTHER = re.compile(
    r"\b(?:(?:different|another|other|some other) (?:time|day|date|slot|one)|something else|else"
    r"|none of|neither|does not (?:work|suit)|will not work|too (?:early|late|soon)"
    r"|not (?:that|those)|anything but|busy)\b"
)
_GIVES_UP = re.compile(
    r"\b(?:never mind|forget it|leave it|keep it|drop it|do not bother|changed my mind|maybe later"
    r"|think about it)\b"
)
_CHOICES: tuple[tuple[str, int], ...] = (
    (
        r"\bfirst (?:one|time|slot|option|appointment)|the first$|the first please"
        r"|earliest|earlier|sooner",
        0,
    ),
    (r"\bsecond (?:one|time|slot|option|appointment)|the second$|the second please|middle one", 1),
    (r"\bthird (?:one|time|slot|option|appointment)|the third$|the third please", 2),
    (r"\blast (?:one|time|slot|option|appointment)|the last$|the last please|latest|later", -1),
    (
        r"\b(?:either|whatever|whichever|whenever|that one|any of (?:those|them)|no preference"
        r"|you choose|do not (?:mind|care)|does not matter|any time|i am flexible"
        r"|i will take (?:it|that))\b",
        0,
    ),
)
_COMPILED_CHOICES = tuple((re.compile(pattern), index) for pattern, index in _CHOICES)
_NUMBER_WORDS = re.compile(
    r"\b(?:number|account|phone|telephone|mobile|cell|reach me|call me(?: back)? (?:at|on)|digits"
    r"|member|patient (?:id|number)|reference)\b"
)
_PHONE_WORDS = re.compile(
    r"\b(?:phone|telephone|mobile|cell|reach me|call me|callback|contact number)\b"
)
_FIGURES = re.compile(r"(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|\d) ?){4,}")
_GREETED = re.compile(r"\bgood (?:morning|afternoon|evening|day|night)\b|\bhave a \w+ \w+\b")
_PHONE_DIGITS = 9
_LONGEST = 1000  # characters; the patterns' time grows with the square of it
_SHORT = 5


@lru_cache(maxsize=4096)  # a conversation is heard anew with each of its requests
def understand(text: str, asked: Asked = Asked.NOTHING) -> Heard:
    """What a caller's words mean, after what was asked."""
    words = plain(text[:_LONGEST])
    said = " ".join(_GREETED.sub(" ", words).split())
    expected = (
        asked is Asked.ACCOUNT
        or _NUMBER_WORDS.search(said) is not None
        or (asked is not Asked.TIME and _FIGURES.fullmatch(said) is not None)
    )
    digits = find_digits(said, expected=expected)
    intent = find_intent(words)
    name = find_name(said, asked=asked in (Asked.NAME, Asked.OWNER))
    if asked in (Asked.NAME, Asked.OWNER) and name is not None and len(said.split()) <= _SHORT:
        intent = None  # a caller may be called Mark Price
    treatment = find_treatment(said)
    timed = said if not digits else ""
    return Heard(
        words=words,
        intent=intent,
        yes=_YES.search(said) is not None and _NO.search(said) is None,
        no=_NO.search(said) is not None,
        gives_up=_GIVES_UP.search(said) is not None,
        other=_OTHER.search(said) is not None,
        day=find_day(timed),
        part=find_part(timed),
        time=find_time(timed, asked=asked is Asked.TIME),
        choice=next((n for pattern, n in _COMPILED_CHOICES if pattern.search(timed)), None),
        digits=digits,
        is_phone=_PHONE_WORDS.search(said) is not None or len(digits) >= _PHONE_DIGITS,
        name=name,
        treatment=treatment,
        price_of=treatment or unnamed_treatment(said),
    )
