"""Text as a voice should read it.

`optimize_text_for_speech` is the specification's function with its answers, byte rules and all;
`spoken` is what runs: the same idea for Unicode text, with an eye for the context.

Source: specification 000, section 3, `optimize_text_for_speech`.
"""

from __future__ import annotations

import re

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


def optimize_text_for_speech(text: str) -> str:
    """White space folded, the end tidied, common acronyms spelled out; the specification's twin."""
    data = text.encode("utf-8", "surrogatepass")
    data = _SPACE.sub(b" ", data)
    data = _END.sub(rb"\1", data)
    data = _ACRONYM_BYTES.sub(lambda match: _ACRONYMS[match[1].decode()].encode(), data)
    return data.decode("utf-8", "surrogatepass")


def spoken(text: str) -> str:
    """`text` for the synthesiser: white space folded, acronyms spelled out where they are words."""
    folded = " ".join(text.split())
    return _ACRONYM.sub(lambda match: _ACRONYMS[match[1]] + match[2], folded)
