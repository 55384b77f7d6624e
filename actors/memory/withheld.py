"""What a journal is outside of its process where nothing that is said may leave it.

    without_words(entry)     the entry as stores have it and operators see it

How a call ends and where it is put through stays, for a webhook that comes to another node decides
by it. Of all else only that it was there is left, and which turn it began: a call has its length,
its outcome and its figures, and no words. An entry that this version does not know has none, too.

Pure. Errors: none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

WITHHELD: Final = "withheld"
_WORDLESS: Final = frozenset({"closing", "reopened", "ended", "transferring", "transferred"})
_ATTEMPT: Final = re.compile(r"[0-9a-f]{8,32}\Z", re.ASCII)
_ANSWERED: Final = re.compile(r"(human|machine|unknown)\Z", re.ASCII)
_FIGURES: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "line_measured": lambda entry: {"figures": _numbers(entry.get("figures"))},
    "analysed": lambda entry: {"analysis": _of_analysis(entry.get("analysis"))},
    "dialled": lambda entry: _if_it_fits(entry, "attempt", _ATTEMPT),
    "answered": lambda entry: _if_it_fits(entry, "by", _ANSWERED),
}
"""Entries that have numbers, or a word of a few, and what of them is kept."""
_COUNTED: Final = frozenset({"caller_turn", "agent_sentence", WITHHELD})


def without_words(entry: dict[str, Any]) -> dict[str, Any]:
    """See the module.

    >>> without_words({"type": "caller_turn", "turn": 2, "text": "It hurts."})
    {'type': 'withheld', 'turn': 2}
    >>> without_words({"type": "caller_segment", "text": "It"})
    {'type': 'withheld'}
    >>> without_words({"type": "analysed", "analysis": {"score": {}, "summary": "It hurts."}})
    {'type': 'analysed', 'analysis': {'score': {}}}
    >>> without_words({"type": "ended", "reason": "hangup"})
    {'type': 'ended', 'reason': 'hangup'}
    """
    kind = entry.get("type")
    if kind in _WORDLESS:
        return entry
    if isinstance(kind, str) and kind in _FIGURES:
        return {"type": kind, **_FIGURES[kind](entry)}
    counted = {"turn": entry["turn"]} if kind in _COUNTED and "turn" in entry else {}
    return {"type": WITHHELD, **counted}


def _if_it_fits(entry: dict[str, Any], key: str, fits: re.Pattern[str]) -> dict[str, Any]:
    value = entry.get(key)
    return {key: value} if isinstance(value, str) and fits.match(value) else {}


def _of_analysis(made: Any) -> dict[str, Any]:
    known = made if isinstance(made, dict) else {}
    return {key: _numbers(known[key]) for key in ("figures", "score") if key in known}


def _numbers(value: Any) -> Any:
    """The value without what is no number in it."""
    match value:
        case dict():
            kept = {key: _numbers(one) for key, one in value.items()}
            return {key: one for key, one in kept.items() if one is not None}
        case list():
            return [one for one in map(_numbers, value) if one is not None]
        case int() | float():
            return value
    return None
