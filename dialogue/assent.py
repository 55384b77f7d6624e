"""Whether a caller has agreed to what was put to them.

`assent(words, language, asked)` is True for a consent, False for a refusal, None where the words
are neither: hesitation, a condition, a question, or something else altogether with a yes in front
of it ("Yes, I'd like to know your opening hours"). Whoever is not sure asks again, so everything
that is not plainly a yes is none:

1. a refusing word anywhere refuses ("Absolutely not", "Sure, but not on Friday");
2. a question, a wavering word, a condition or words that break off ("Yes, I") are no consent;
3. there must be a yes;
4. what takes something back or changes it ("Yes, cancel it") is a consent to a question that had
   as much in it, and is none to any other;
5. what stands beside it must be about nothing else: courtesies, or words of the question (`asked`),
   in which "ten" and "10" are the same;
6. a yes to a question about what else there is to do ("Is there anything else?") agrees to nothing.

Contract: pure; any text is answered. Errors: none. Source: the phrases that callers have used;
`aybiza.dialogue.consent_words` has the languages.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from aybiza.dialogue.consent_words import LANGUAGES, words_for
from aybiza.dialogue.overheard import words_of
from aybiza.dialogue.unfinished import is_cut_off

# A voice that stays up, or trails off, asks or thinks.
_OPEN_END = re.compile(r"[?\uff1f]|(?:\.\.\.|…)\s*$")
# From its first sign on, or each of a long row of them would be tried.
_SENTENCE_END = re.compile(r"(?<![.!?।])[.!?।]+(?=\s|$)|[。\uff01\uff1f]")
_APOSTROPHES = str.maketrans({"’": "'", "\u2018": "'", "`": "'"})
_WHOLE_HOUR = re.compile(r"(?<=\d):00\b")
# Kana, which is in no other language.
_JAPANESE = re.compile(r"[\u3040-\u30ff]")
_POSSESSIVE = re.compile(r"'s$")
# The signs that hang on a letter of Devanagari, or on any other, are part of its word.
_EDGE = r"(?<![\w'])(?:{})(?![\w'\u0300-\u036f\u0900-\u0903\u093a-\u094f])"


@dataclass(frozen=True, slots=True)
class _Patterns:
    """`weighs` finds what agrees, refuses, wavers or does none of it: of phrases that overlap the
    first, of those that begin together the longest."""

    weighs: re.Pattern[str]
    kinds: tuple[tuple[str, re.Pattern[str]], ...]
    beside: re.Pattern[str]
    more: re.Pattern[str]
    acts: tuple[re.Pattern[str], ...]
    spaced: bool

    def kind(self, phrase: str) -> str:
        """What a phrase that `weighs` has found is."""
        return next(kind for kind, pattern in self.kinds if pattern.fullmatch(phrase))


@cache
def _patterns(language: str) -> _Patterns:
    words = words_for(language)
    kinds = {
        "harmless": words.harmless,
        "no": words.no,
        "yes": words.yes,
        "wavers": words.wavers,
    }

    def pattern(phrases: str) -> re.Pattern[str]:
        # As `casefold` leaves what is said.
        rows = phrases.replace("ß", "ss").split("|")
        longest = "|".join(sorted(rows, key=len, reverse=True))
        edge = _EDGE if words.spaced else "(?:{})"
        return re.compile(edge.format(longest))

    return _Patterns(
        pattern("|".join(kinds.values())),
        tuple((kind, pattern(phrases)) for kind, phrases in kinds.items()),
        pattern(words.beside),
        pattern(words.more),
        (pattern(words.undoes), pattern(words.changes)),
        words.spaced,
    )


@cache
def _digits(language: str) -> tuple[tuple[str, str], ...]:
    """Numbers as words, and in digits; the longest first."""
    main = language.partition("-")[0].lower()
    rows = (words_for(one).counts.split() for one in ([main] if main in LANGUAGES else LANGUAGES))
    digits = ((word, str(number)) for row in rows for number, word in enumerate(row))
    return tuple(sorted(digits, key=lambda pair: -len(pair[0])))


def assent(words: str, language: str = "multi", asked: str = "") -> bool | None:
    """See the module. `asked`: what the agent had put to the caller, so that "Yes, Tuesday at ten"
    is a yes to a question about Tuesday at ten.

    >>> assent("Yes please, go ahead.", "en"), assent("Absolutely not.", "en")
    (True, False)
    >>> assent("Yes, I'd like to know your opening hours.", "en") is None
    True
    """
    if _JAPANESE.search(words):
        language = "ja"
    patterns = _patterns(language)
    question = _plain(asked)
    said = _plain(words)
    found = Counter(patterns.kind(match[0]) for match in patterns.weighs.finditer(said))
    if found["no"]:
        return False
    if patterns.more.search(_last_sentence(question)):
        return None
    rest, agreed = patterns.weighs.sub(" ", said), found["yes"]
    for act in patterns.acts:
        rest, named = act.subn(" ", rest)
        if named and not act.search(question):
            return None
        agreed += named
    if not agreed or found["wavers"] or _OPEN_END.search(rest) or is_cut_off(said, language):
        return None
    rest = patterns.beside.sub(" ", rest)
    if patterns.spaced:
        known = _words(question, language)
        return True if _words(rest, language) <= known else None
    question, rest = _in_digits(question, language), _in_digits(rest, language)
    return True if all(word in question for word in words_of(rest)) else None


def _last_sentence(text: str) -> str:
    return next((each for each in reversed(_SENTENCE_END.split(text)) if each.strip()), "")


def _words(text: str, language: str) -> set[str]:
    """The words as they are compared, numbers in digits."""
    digits = dict(_digits(language))
    words = (_POSSESSIVE.sub("", word) for word in words_of(text))
    return {digits.get(word, word) for word in words}


def _in_digits(text: str, language: str) -> str:
    for word, number in _digits(language):
        text = text.replace(word, number)
    return text


def _plain(text: str) -> str:
    text = " ".join(text.translate(_APOSTROPHES).casefold().split())
    return _WHOLE_HOUR.sub("", text)
