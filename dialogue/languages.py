"""In which language a call goes on: by what the caller speaks, and by what they ask for.

    next_language("en-US", ("en-US", "es"), [Said("Hola, quisiera una mesa", "es")])     'es'
    next_language("en-US", ("en-US", "es"), [Said("Can we speak Spanish?", "en")])       'es'
    next_language("en-US", ("en-US", "es"), [Said("Gracias", "es")])                     None

Looked at whenever a turn of the caller's is over, so a turn is answered in the language in which it
was said. One foreign word changes nothing: it takes a request, or words enough. A call's first turn
says what its caller speaks with `FIRST_WORDS`, a later one with `ENOUGH_WORDS`, two in a row with
`PAIR_WORDS` between them.

`turn_language` weighs a turn's pieces: each is in the language that the recogniser has told, else
in the one that its words have (`aybiza.config.tongues`); words of a language that is not offered
count for none.

Pure. Errors: none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from aybiza.config.languages import main_tag, name_of
from aybiza.config.tongues import LANGUAGES, is_of_another, tongue, words_in
from aybiza.dialogue.overheard import words_of

FIRST_WORDS: Final = 2
ENOUGH_WORDS: Final = 4
PAIR_WORDS: Final = 3

_CLAUSES: Final = re.compile(
    r"[.,;:!?¿¡。、\uff0c\uff1f\uff01।]+|\bpero\b|\bbut\b|\baber\b|\bmais\b"
)
_SPEAK: Final = re.compile(
    r"\b(?:speak|talk|continue|switch|change|go on|habl(?:a|ar|as|amos|emos|an|o)|seguir|cambiar"
    r"|parl(?:er|ez|ons|e|o|are|a|iamo|ate)|continuer|passer|sprechen|spreche|sprichst|reden|redest"
    r"|weiter\w*|wechseln|fal(?:ar|a|amos|am|o)|continuar|continuare|spreek(?:t|je)?|spreken|praten"
    r"|praat|verder|bol\w*|baat)\b|बात|बोल|話|喋|お願い"
)
_DENIES: Final = re.compile(
    r"\b(?:don't|doesn't|do not|not|no|nicht|kein\w*|ne|pas|não|niet|geen|non|nahin)\b"
    r"|नहीं|ません|ない"
)
_BESIDE: Final = frozenset(
    [
        "in",
        "please",
        "en",
        "por",
        "favor",
        "s'il",
        "vous",
        "plaît",
        "te",
        "plait",
        "auf",
        "bitte",
        "em",
        "per",
        "favore",
        "piacere",
        "alstublieft",
        "graag",
        "में",
        "कृपया",
        "mein",
        "で",
        "yes",
        "sí",
        "si",
        "oui",
        "ja",
        "sim",
        "hai",
        "はい",
    ]
)
"""What may stand beside a language's name that is all that a caller says."""


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of the caller's, and the main tag of its language, "" where nobody could tell."""

    text: str
    language: str


def next_language(current: str, offered: Sequence[str], said: Sequence[Said]) -> str | None:
    """The language of `offered` in which the call goes on, if that is another one than `current`.
    `said`: the caller's turns so far, the last one at the end."""
    if len(offered) < 2 or not said:
        return None
    *_, newest = said
    wanted = asked_for(newest.text, offered) or _spoken(said)
    found = next((tag for tag in offered if main_tag(tag) == main_tag(wanted)), None)
    return None if found is None or main_tag(found) == main_tag(current) else found


def _spoken(said: Sequence[Said]) -> str:
    """What the newest turn is in, if there is enough of it."""
    *before, newest = said
    words = words_in(newest.text)
    if words >= (ENOUGH_WORDS if before else FIRST_WORDS):
        return newest.language
    last = before[-1] if before else None
    if last is not None and last.language == newest.language:
        return newest.language if words + words_in(last.text) >= PAIR_WORDS else ""
    return ""


def asked_for(text: str, offered: Sequence[str]) -> str:
    """The language that a caller asks to speak, "" if none.

    >>> asked_for("Sorry, my English is bad, do you speak German?", ("en-US", "de", "es"))
    'de'
    >>> asked_for("Do you have a book in German?", ("en-US", "de", "es"))
    ''
    """
    for clause in _CLAUSES.split(text.casefold().replace("’", "'")):
        named = [tag for tag in offered if _names(tag).search(clause)]
        if len(named) != 1 or _DENIES.search(clause):
            continue
        rest = words_of(_names(named[0]).sub(" ", clause))
        if _SPEAK.search(clause) or _BESIDE.issuperset(rest):
            return named[0]
    return ""


def turn_language(pieces: Sequence[tuple[str, str]], offered: Sequence[str]) -> str:
    """The main tag of the language that most words of a turn are in, "" where nobody can tell.
    `pieces`: the turn's, with what the recogniser has told of each."""
    tags = [main_tag(tag) for tag in offered]
    weights: Counter[str] = Counter()
    for text, told in pieces:
        tag = main_tag(told) or tongue(text, tags)
        weights["" if is_of_another(text, tag, tags) else tag] += words_in(text)
    language, words = max(weights.items(), key=lambda pair: pair[1], default=("", 0))
    return language if 2 * words > weights.total() and language in tags else ""


@cache
def _names(tag: str) -> re.Pattern[str]:
    """The language's name, in each of the languages that callers may say it in."""
    names = {name_of(tag, one).casefold() for one in {*LANGUAGES, main_tag(tag)}}
    longest = map(re.escape, sorted(names, key=len, reverse=True))
    # Japanese has no blanks, and the signs of Devanagari no edges.
    rows = (rf"\b{name}\b" if name[0].isascii() else name for name in longest)
    return re.compile("|".join(rows))
