"""Written text without what is for the eye: `plain` takes markup out and keeps the words.

What goes: Markdown (headings, bullets, quotes, tables, emphasis, code, link targets), tags,
emoji and smileys, characters that cannot be seen. What a reader would say of it stays: the label of
a link, the words inside a tag or a code span. Thoughts in an answer are gone before it is cut into
sentences (`aybiza.claude.silent_text`).

Errors: none; any text is accepted. Blanks are folded and the result is one line.
Source: CommonMark 0.31; Unicode emoji blocks.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\x00-\x08\x0b-\x1f\x7f]")
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff"
    "\u2190-\u21ff\ufe0e\ufe0f\u200d\u20e3\u2122\u00a9\u00ae\u3030\u303d]+"
)
# Letters, figures and units in another shape.
_COMPATIBLE = re.compile(
    "[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\ufb00-\ufb06\u2460-\u2473\u2103\u2109\u2116\u338e-\u339e]"
)
_SMILEY = re.compile(r"(?<!\S)[:;=8][-'^]?[)(DPpOo|\\/*](?!\w)")

_AUTOLINK = re.compile(r"<((?:https?://|mailto:)?[^\s<>]+[@.][^\s<>]+)>")
_TAG = re.compile(r"</?[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>|<!--.*?-->", re.DOTALL)

# One row a construct: what is found, and what stays of it. They are applied in this order.
_ROWS: Final = (
    (re.compile(r"^[ \t]*(?:```+|~~~+)[^\n]*$", re.M), " "),  # a fence; the code stays
    (re.compile(r"^[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+[ \t]*(?::?-{2,}:?)?[ \t]*$", re.M), " "),
    (re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.M), " "),  # a rule
    (re.compile(r"^[ \t]*={3,}[ \t]*$", re.M), " "),  # the line under a heading
    (re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+[\"'(][^\n]*?[\"')])?\)"), r"\1"),
    (re.compile(r"^[ \t]*\[[^\]\n]+\]:[ \t]*\S+.*$", re.M), " "),  # where a reference leads
    (re.compile(r"\[\^[^\]\s]+\]:?"), ""),  # a footnote
    (re.compile(r"!?\[([^\[\]]*)\]\[[^\[\]]*\]"), r"\1"),
    (re.compile(r"(?:^|(?<=\n))[ \t]*(?:>[ \t]?)+"), " "),  # a quotation
    (re.compile(r"(?:^|(?<=\n)|(?<=[.!?:;][ \t]))[ \t]*#{1,6}(?=[ \t\n]|$)"), " "),  # a heading
    (re.compile(r"[ \t]#{1,6}[ \t]*$", re.M), " "),
    (re.compile(r"(?:^|(?<=\n)|(?<=[.!?:;][ \t]))[ \t]*[-+*•‣▪◦●○■–—][ \t]+"), " "),  # a bullet
    (re.compile(r"(?:^|(?<=\n))[ \t]*\[[ xX]\][ \t]+"), " "),  # a box to tick
    (re.compile(r"`+([^`]*)`+"), r"\1"),
    (re.compile(r"(?<=\d)[ \t]*[*×][ \t]*(?=\d)"), " × "),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])"), r"\1"),
    (re.compile(r"\*+|~~+|`+"), ""),
    (re.compile(r"(?<![^\W_])_{1,3}(?=\S)|(?<=\S)_{1,3}(?![^\W_])"), ""),
    (re.compile(r"[ \t]*\|[ \t]*"), ", "),
    (re.compile(r"[\[\]{}]|</|https?://(?!\w)|https?://(?=https?://)"), ""),
)
_STRAY = re.compile(
    r"(?<!\S)(?<!\w )[-–—#*+>|•_~=,]+(?!\S)|(?<!\S)[-–—#*+>|•_~=,]+(?!\S)(?! [\d$€£¥₹])"
)
_COMMAS = re.compile(r"(?:\s*,)+(?=\s*[,.;:!?…]|\s*$)|(?:^|(?<=[.!?:;…]))\s*,\s*")
_BEFORE_STOP = re.compile(r"\s+([.,;:!?])(?=\s|$)")
_LEADING_STOPS = re.compile(r"^[\s.,;:!?]+(?=\s)")
_DASH = re.compile(r"(?<=[^\W\d_])\s+[-–—]\s+(?=[^\W\d_])")
_SIGNS = frozenset("*_`~#<>[]{}|\\&-–—+=•‣▪◦●○■:;^")


def plain(text: str) -> str:
    """`text` as one line of words.

    >>> plain("**Monday** works! 😊 See [our prices](https://example.com/p).")
    'Monday works! See our prices.'
    """
    if not text.isascii() or _SIGNS.intersection(text):
        text = _without_signs(text)
    return " ".join(text.split())


def _without_signs(text: str) -> str:
    text = _COMPATIBLE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    text = _AUTOLINK.sub(r"\1", text)
    text = _TAG.sub(" ", text)
    if "&" in text:
        text = html.unescape(text)
    for pattern, kept in _ROWS:
        text = pattern.sub(kept, text)
    text = _SMILEY.sub("", _EMOJI.sub(" ", _UNSEEN.sub("", text)))
    text = " ".join(_DASH.sub(", ", " ".join(text.split())).split())
    text = " ".join(_STRAY.sub(" ", text).split())
    return _LEADING_STOPS.sub("", _BEFORE_STOP.sub(r"\1", _COMMAS.sub(" ", text)))
