"""How many characters a reader sees: extended grapheme clusters.

Purpose: Elixir's `String.length/1`, by which the specification measures a transcript. Contract:
`grapheme_count(text)` is pure and linear. Errors: none.
Source: Unicode Standard Annex 29, "Grapheme Cluster Boundaries"; emoji-data's
Extended_Pictographic.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from enum import Enum, auto
from functools import lru_cache
from typing import Final


class _Kind(Enum):
    OTHER = auto()
    CR = auto()
    LF = auto()
    CONTROL = auto()
    EXTEND = auto()
    ZWJ = auto()
    REGIONAL = auto()
    PREPEND = auto()
    SPACING = auto()
    PICTOGRAPH = auto()
    L = auto()
    V = auto()
    T = auto()
    LV = auto()
    LVT = auto()


def _ranges(text: str, kind: _Kind) -> list[tuple[int, int, _Kind]]:
    spans = (span.partition("-") for span in text.split())
    return [(int(first, 16), int(last or first, 16), kind) for first, _, last in spans]


# Characters whose kind does not follow from their general category.
_TABLE: Final = sorted(
    [
        *_ranges("D", _Kind.CR),
        *_ranges("A", _Kind.LF),
        *_ranges("200D", _Kind.ZWJ),
        *_ranges("1F1E6-1F1FF", _Kind.REGIONAL),
        *_ranges("1100-115F A960-A97C", _Kind.L),
        *_ranges("1160-11A7 D7B0-D7C6", _Kind.V),
        *_ranges("11A8-11FF D7CB-D7FB", _Kind.T),
        *_ranges(
            "200C 9BE 9D7 B3E B57 BBE BD7 CC2 CD5-CD6 D3E D57 DCF DDF 1B35 302E-302F FF9E-FF9F"
            " 1133E 11357 114B0 114BD 115AF 11930 1D165 1D16E-1D172 1F3FB-1F3FF E0020-E007F",
            _Kind.EXTEND,
        ),
        *_ranges(
            "600-605 6DD 70F 890-891 8E2 D4E 110BD 110CD 111C2-111C3 1193F 11941 11A3A 11A84-11A89"
            " 11D46 11F02",
            _Kind.PREPEND,
        ),
        *_ranges("E33 EB3", _Kind.SPACING),
        *_ranges(
            "102B-102C 1038 1062-1064 1067-106D 1083 1087-108C 108F 109A-109C 1A61 1A63-1A64 AA7B"
            " AA7D 11720-11721",
            _Kind.OTHER,
        ),
        *_ranges(
            "A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 2388 23CF 23E9-23F3"
            " 23F8-23FA 24C2 25AA-25AB 25B6 25C0 25FB-25FE 2600-2605 2607-2612 2614-2685 2690-2705"
            " 2708-2712 2714 2716 271D 2721 2728 2733-2734 2744 2747 274C 274E 2753-2755 2757"
            " 2763-2767 2795-2797 27A1 27B0 27BF 2934-2935 2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D"
            " 3297 3299 1F000-1F0FF 1F10D-1F10F 1F12F 1F16C-1F171 1F17E-1F17F 1F18E 1F191-1F19A"
            " 1F1AD-1F1E5 1F201-1F20F 1F21A 1F22F 1F232-1F23A 1F23C-1F23F 1F249-1F3FA 1F400-1F53D"
            " 1F546-1F64F 1F680-1F6FF 1F774-1F77F 1F7D5-1F7FF 1F80C-1F80F 1F848-1F84F 1F85A-1F85F"
            " 1F888-1F88F 1F8AE-1F8FF 1F90C-1F93A 1F93C-1F945 1F947-1FAFF 1FC00-1FFFD",
            _Kind.PICTOGRAPH,
        ),
    ],
    key=lambda row: row[0],
)
_STARTS: Final = [first for first, _, _ in _TABLE]
_OF_CATEGORY: Final = {
    "Cc": _Kind.CONTROL,
    "Cf": _Kind.CONTROL,
    "Cs": _Kind.CONTROL,
    "Zl": _Kind.CONTROL,
    "Zp": _Kind.CONTROL,
    "Mn": _Kind.EXTEND,
    "Me": _Kind.EXTEND,
    "Mc": _Kind.SPACING,
}
_BREAKING: Final = frozenset({_Kind.CR, _Kind.LF, _Kind.CONTROL})
_JOINING: Final = frozenset({_Kind.EXTEND, _Kind.ZWJ, _Kind.SPACING})
_HANGUL: Final = {
    _Kind.L: frozenset({_Kind.L, _Kind.V, _Kind.LV, _Kind.LVT}),
    _Kind.LV: frozenset({_Kind.V, _Kind.T}),
    _Kind.V: frozenset({_Kind.V, _Kind.T}),
    _Kind.LVT: frozenset({_Kind.T}),
    _Kind.T: frozenset({_Kind.T}),
}
_FIRST_SYLLABLE: Final = 0xAC00
_LAST_SYLLABLE: Final = 0xD7A3
_SYLLABLES_PER_LV: Final = 28


@lru_cache(maxsize=4096)
def _kind(character: str) -> _Kind:
    code = ord(character)
    if _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
        return _Kind.LVT if (code - _FIRST_SYLLABLE) % _SYLLABLES_PER_LV else _Kind.LV
    row = bisect_right(_STARTS, code) - 1
    if row >= 0 and code <= _TABLE[row][1]:
        return _TABLE[row][2]
    return _OF_CATEGORY.get(unicodedata.category(character), _Kind.OTHER)


def grapheme_count(text: str) -> int:
    """The number of extended grapheme clusters in `text`."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    count = 0
    before: _Kind | None = None
    regional_run = 0
    after_pictograph = False
    for character in text:
        kind = _kind(character)
        if before is None or _breaks(before, kind, regional_run, after_pictograph):
            count += 1
        regional_run = regional_run + 1 if kind is _Kind.REGIONAL else 0
        # Marks between a pictograph and the joiner behind it do not part the two.
        if kind is _Kind.PICTOGRAPH:
            after_pictograph = True
        elif kind not in (_Kind.EXTEND, _Kind.ZWJ):
            after_pictograph = False
        before = kind
    return count


def _breaks(before: _Kind, kind: _Kind, regional_run: int, after_pictograph: bool) -> bool:
    if before is _Kind.CR and kind is _Kind.LF:
        return False
    if before in _BREAKING or kind in _BREAKING:
        return True
    if kind in _JOINING or before is _Kind.PREPEND or kind in _HANGUL.get(before, ()):
        return False
    if before is _Kind.ZWJ and kind is _Kind.PICTOGRAPH and after_pictograph:
        return False
    return not (kind is _Kind.REGIONAL and regional_run % 2)
