"""Whether what a caller has said so far is the beginning of something, by its last words.

    wants_more("I would like to", "en")         something must follow
    wants_more("a table and.", "en")            it must, whatever the recogniser makes of the pause
    wants_more("What is that for?", "en")       a question is over where it is asked
    has_few_digits("five five", "en")           a number that is told has more of them

Two groups of words a language: behind those of `_NEVER_LAST` something always follows; those of
`_SELDOM_LAST` end a sentence where the recogniser has put its stop behind them.

Contract: pure; any text is answered. `language` is as BCP 47 writes it; `multi`, and a language
that is not here, have the words of all. Errors: none.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from aybiza.dialogue.consent_words import LANGUAGES, words_for
from aybiza.dialogue.overheard import is_question, words_of

_NEVER_LAST: Final = {
    "en": "and or but because the a an my your our if than um uh er erm i'm i'd i'll we're we'd",
    "de": "und oder aber weil dass wenn ein eine einen einem einer mein meine meinen äh ähm",
    "es": "y o pero porque que el la los las un una mi eh este",
    "fr": "et ou mais que le la les un une mon ma mes des du d'un d'une qu'un qu'une euh",
    "pt": "e ou mas porque que o a os as um uma meu minha hum",
    "it": "e o ma perché che il lo la gli le un uno una mio mia ehm",
    "nl": "en of maar omdat een mijn uw eh uhm",
    "hi": "और या लेकिन कि क्योंकि मेरा मेरी मुझे",
    "ja": "えーと えっと あの それで でも",
}
_SELDOM_LAST: Final = {
    "en": (
        "to for with in on at of from by about into is are was am will would could should want"
        " need have i we their its as it's that's there's"
    ),
    "de": "zu für mit in auf an von bei um nach der die das den ich möchte will hätte bin ist habe",
    "es": "de a en con para por quiero quisiera es está tengo su",
    "fr": "de à en avec pour sur dans chez je voudrais veux est suis c'est",
    "pt": "de para com em por no na do da eu quero queria gostaria é sou tenho",
    "it": "di a da in con su per i vorrei voglio è sono del della al alla nel nella",
    "nl": "het te de voor met in op aan van bij om naar ik wil ben is heb",
    "hi": "मैं के का की से में",
    "ja": "",
}
# The same of an answer that agrees.
_NEVER_ENDS: Final = {
    "en": "and or but because the a an my your our if i i'm i'd i'll we we'd we'll it's that's to",
    "de": "und oder aber weil dass wenn mein meine meinen einen",
    "es": "y o pero porque que un una mi",
    "fr": "et ou mais que le un une mon ma mes des je",
    "pt": "e ou mas porque um uma meu minha eu",
    "it": "e ma perché che un uno una mio mia io",
    "nl": "en of omdat een mijn ik",
    "hi": "और या लेकिन कि क्योंकि मेरा मेरी मुझे मैं",
    "ja": "それで でも",
}
# Endings of a sentence without blanks that it does not end with.
_JAPANESE_ENDINGS: Final = ("は", "が", "を", "の", "と", "へ", "けど", "ので", "から")
_STOPS: Final = (".", "!", "。", "\uff01", "।")
_GOES_ON: Final = (",", "、", "-", "–", "—", "...", "…")

FEW_DIGITS: Final = (2, 3)
_NUMBER = re.compile(r"\d+")


def wants_more(text: str, language: str) -> bool:
    """Whether it cannot be all; of nothing, nothing is wanted.

    >>> wants_more("My name is", "en"), wants_more("My name is Ann.", "en")
    (True, False)
    """
    text = text.strip()
    words = words_of(text)
    if not words or is_question(text):
        return False
    if text.endswith(_GOES_ON):
        return True
    never, seldom = _last_words(language)
    stopped = text.endswith(_STOPS)
    if words[-1] in never or (not stopped and words[-1] in seldom):
        return True
    japanese = "ja" in _languages(language) and not text.isascii()
    return japanese and not stopped and text.endswith(_JAPANESE_ENDINGS)


def is_cut_off(text: str, language: str) -> bool:
    """Whether it breaks off behind a word that no answer ends with, whatever stands behind it.

    >>> is_cut_off("Yes, I", "en"), is_cut_off("Yes, I do.", "en"), is_cut_off("It is", "en")
    (True, False, False)
    """
    words = words_of(text)
    return bool(words) and words[-1] in _breaks(language)


def has_few_digits(text: str, language: str) -> bool:
    """Whether it is some digits, and fewer than a number has that is told in pieces."""
    counts = _counts(language)
    least, most = FEW_DIGITS
    digits = 0
    for word in words_of(text):
        digits += len(word) if _NUMBER.fullmatch(word) else word in counts
    return least <= digits <= most


@cache
def _last_words(language: str) -> tuple[frozenset[str], frozenset[str]]:
    never, seldom = (
        frozenset(word for one in _languages(language) for word in table[one].split())
        for table in (_NEVER_LAST, _SELDOM_LAST)
    )
    return never, seldom


@cache
def _breaks(language: str) -> frozenset[str]:
    main = language.split("-", maxsplit=1)[0].lower()
    # Where all languages are meant, an end in one of them is a word in another.
    rows = (_NEVER_ENDS[main],) if main in _NEVER_ENDS else (_NEVER_ENDS["en"],)
    return frozenset(word for row in rows for word in row.split())


@cache
def _counts(language: str) -> frozenset[str]:
    words = (word for one in _languages(language) for word in words_for(one).counts.split())
    return frozenset((*words, "oh")) - {"once", "un", "een", "o"}


def _languages(language: str) -> tuple[str, ...]:
    main = language.split("-", maxsplit=1)[0].lower()
    return (main,) if main in LANGUAGES else LANGUAGES
