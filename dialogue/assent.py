"""Whether a caller has agreed to what was put to them.

`assent(words, language, asked)` is True for a consent, False for a refusal, None where the words
are neither: hesitation, a condition, a question, or something else altogether with a yes in front
of it ("Yes, I'd like to know your opening hours"). Whoever is not sure asks again, so everything
that is not plainly a yes is none:

1. a refusing word anywhere refuses ("Absolutely not", "Sure, but not on Friday");
2. a question, a wavering word or a condition is no consent;
3. there must be a yes;
4. what stands beside it must be about nothing else: courtesies, or words of the question (`asked`).

Contract: pure; any text is answered. Errors: none. Source: the phrases that callers have used;
`aybiza.dialogue.consent_words` has the languages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from aybiza.dialogue.consent_words import words_for

_QUESTION = re.compile(r"[?\uff1f]")
_APOSTROPHES = str.maketrans({"’": "'", "\u2018": "'", "`": "'"})
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class _Patterns:
    yes: re.Pattern[str]
    no: re.Pattern[str]
    wavers: re.Pattern[str]
    harmless: re.Pattern[str]
    beside: re.Pattern[str]
    spaced: bool


@cache
def _patterns(language: str) -> _Patterns:
    words = words_for(language)

    def pattern(phrases: str) -> re.Pattern[str]:
        if not phrases:
            return re.compile(r"(?!)")
        longest = "|".join(sorted(phrases.split("|"), key=len, reverse=True))
        edge = r"(?<![\w'])(?:{})(?![\w'])" if words.spaced else "(?:{})"
        return re.compile(edge.format(longest))

    return _Patterns(
        pattern(words.yes),
        pattern(words.no),
        pattern(words.wavers),
        pattern(words.harmless),
        pattern(words.beside),
        words.spaced,
    )


def assent(words: str, language: str = "multi", asked: str = "") -> bool | None:
    """See the module. `asked`: what the agent had put to the caller, so that "Yes, Tuesday at ten"
    is a yes to a question about Tuesday at ten.

    >>> assent("Yes please, go ahead.", "en"), assent("Absolutely not.", "en")
    (True, False)
    >>> assent("Yes, I'd like to know your opening hours.", "en") is None
    True
    """
    patterns = _patterns(language)
    rest, agreed = patterns.yes.subn(" ", patterns.harmless.sub(" ", _plain(words)))
    if patterns.no.search(rest):
        return False
    if not agreed or _QUESTION.search(rest) or patterns.wavers.search(rest):
        return None
    rest = patterns.beside.sub(" ", rest)
    left = set(_WORD.findall(rest)) - set(_WORD.findall(_plain(asked)))
    return None if left else True


def _plain(text: str) -> str:
    return " ".join(text.translate(_APOSTROPHES).casefold().split())
