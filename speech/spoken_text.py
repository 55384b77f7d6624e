"""Text as a voice should read it.

`optimize_text_for_speech` takes a text through the steps of a rule set (`_STEPS`). A call's steps
know Unicode and the context, and stand behind what takes markup out (`aybiza.speech.markup`) and
writes signs out (`aybiza.speech.written_out`); `spoken` is their short name.

Source: specification 000, section 3, `optimize_text_for_speech`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from aybiza.config.rule_sets import Rules
from aybiza.speech import spoken_words
from aybiza.speech.markup import plain
from aybiza.speech.written_out import keys_named, written_out

Step: TypeAlias = Callable[[str, str], str]
"""A text and its language to what is said in its place."""

_ACRONYMS: Final = {"URL": "U-R-L", "API": "A-P-I", "ID": "I-D", "FAQ": "F-A-Q"}

# Not within a code ("ID-7741"), a path, a mail address or a name with dots.
_ACRONYM = re.compile(r"(?<![\w@./:_#-])(URL|API|ID|FAQ)(?=s?(?![\w@/_#]|[.:-]\w))")
# The specification's expression sees UTF-8 bytes, each taken as a Latin-1 character: these are its
# letters, digits and the underscore.
_WORD_BYTES: Final = r"0-9A-Za-z_\xaa\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\xff"
_ACRONYM_IN_BYTES = re.compile(rf"(?<![{_WORD_BYTES}])(URL|API|ID|FAQ)(?![{_WORD_BYTES}])")
_SPACE = re.compile(r"[ \t\n\v\f\r]+")
_END = re.compile(r"([.!?]) ?\Z")


def _folded(text: str, language: str) -> str:
    return _END.sub(r"\1", _SPACE.sub(" ", text))


def _spelled(text: str, language: str) -> str:
    return _ACRONYM.sub(lambda match: _ACRONYMS[match[1]], text)


def _spelled_in_bytes(text: str, language: str) -> str:
    seen = text.encode("utf-8", "surrogatepass").decode("latin-1")
    seen = _ACRONYM_IN_BYTES.sub(lambda match: _ACRONYMS[match[1]], seen)
    return seen.encode("latin-1").decode("utf-8", "surrogatepass")


def _unmarked(text: str, language: str) -> str:
    return plain(keys_named(text, language))


def _silent_without_words(text: str, language: str) -> str:
    return text if any(map(str.isalnum, text)) else ""


_STEPS: Final[Mapping[Rules, Sequence[Step]]] = {
    "printed": (_folded, _spelled_in_bytes),
    "specification": (_folded, _spelled_in_bytes),
    "call": (_unmarked, written_out, _silent_without_words, _spelled),
}


def optimize_text_for_speech(
    text: str, *, rules: Rules = "specification", language: str = "en"
) -> str:
    """White space folded, the end tidied, common acronyms spelled out. By a call's rules markup is
    taken out besides, signs are words of the language, and codes and addresses stay as they are.

    >>> optimize_text_for_speech("Your  ID-7741.")
    'Your I-D-7741.'
    >>> optimize_text_for_speech("Your **ID**: ID-7741.", rules="call")
    'Your I-D: ID-7741.'
    """
    for step in _STEPS[rules]:
        text = step(text, language)
    return text


# A sign of each kind whose words come from CLDR.
_SIGNS_OF_ALL_KINDS = "**1** km, CHF 1, 2025-03-14, on 3/4, Mo-Fr"


def warm(language: str) -> None:
    """Read what a language says for signs, and make what finds them: a quarter of a second that no
    call has."""
    spoken_words.warm(language)
    spoken(_SIGNS_OF_ALL_KINDS, language)


def spoken(text: str, language: str = "en") -> str:
    """`text` for a voice of `language`: no markup, signs as words, acronyms spelled out.

    It is empty if there is nothing to say: no letter and no digit.

    >>> spoken("Your **ID** costs $5 😊 ([prices](https://example.com/p)).")
    'Your I-D costs 5 dollars (prices).'
    """
    return optimize_text_for_speech(text, rules="call", language=language)
