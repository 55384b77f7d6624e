"""Text as a voice should read it.

`optimize_text_for_speech` is the specification's function with its answers, byte rules and all;
`spoken` is what runs: the same idea for Unicode text, with an eye for the context, behind what
takes markup out (`aybiza.speech.markup`) and writes signs out (`aybiza.speech.written_out`).

Source: specification 000, section 3, `optimize_text_for_speech`.
"""

from __future__ import annotations

import re

from aybiza.config.rule_sets import Rules
from aybiza.speech import spoken_words
from aybiza.speech.markup import plain
from aybiza.speech.written_out import keys_named, written_out

_ACRONYMS = {"URL": "U-R-L", "API": "A-P-I", "ID": "I-D", "FAQ": "F-A-Q"}

# The specification's expressions see UTF-8 bytes, each taken as a Latin-1 character: these are its
# letters, digits and the underscore.
_WORD_BYTES = rb"0-9A-Za-z_\xaa\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\xff"
_SPACE = re.compile(rb"[ \t\n\v\f\r]+")
_END = re.compile(rb"([.!?])[ \t\n\v\f\r]*$")
_ACRONYM_BYTES = re.compile(
    rb"(?<![" + _WORD_BYTES + rb"])(URL|API|ID|FAQ)(?![" + _WORD_BYTES + rb"])"
)

# Not within a code ("ID-7741"), a path, a mail address or a name with dots.
_ACRONYM = re.compile(r"(?<![\w@./:_#-])(URL|API|ID|FAQ)(s?)(?![\w@/_#]|[.:-]\w)")


def optimize_text_for_speech(text: str, *, rules: Rules = "specification") -> str:
    """White space folded, the end tidied, common acronyms spelled out; a call's rules are `spoken`.

    >>> optimize_text_for_speech("Your  ID-7741.")
    'Your I-D-7741.'
    >>> optimize_text_for_speech("Your  ID-7741.", rules="call")
    'Your ID-7741.'
    """
    if rules == "call":
        return spoken(text)
    data = text.encode("utf-8", "surrogatepass")
    data = _SPACE.sub(b" ", data)
    data = _END.sub(rb"\1", data)
    data = _ACRONYM_BYTES.sub(lambda match: _ACRONYMS[match[1].decode()].encode(), data)
    return data.decode("utf-8", "surrogatepass")


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
    said = written_out(plain(keys_named(text, language)), language)
    if not any(map(str.isalnum, said)):
        return ""
    return _ACRONYM.sub(lambda match: _ACRONYMS[match[1]] + match[2], said)
