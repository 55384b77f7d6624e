"""What a journal is outside of its process where nothing that is said may leave it.

    without_words(entry)     the entry as stores have it and operators see it

How a call ends and where it is put through stays, for a webhook that comes to another node decides
by it. Of all else only that it was there is left, and which turn it began: a call has its length
and its outcome, and no words. An entry that this version does not know has none, too.

Pure. Errors: none.
"""

from __future__ import annotations

from typing import Any, Final

WITHHELD: Final = "withheld"
_WORDLESS: Final = frozenset({"closing", "reopened", "ended", "transferring", "transferred"})
_COUNTED: Final = frozenset({"caller_turn", "agent_sentence", WITHHELD})


def without_words(entry: dict[str, Any]) -> dict[str, Any]:
    """See the module.

    >>> without_words({"type": "caller_turn", "turn": 2, "text": "It hurts."})
    {'type': 'withheld', 'turn': 2}
    >>> without_words({"type": "caller_segment", "text": "It"})
    {'type': 'withheld'}
    >>> without_words({"type": "ended", "reason": "hangup"})
    {'type': 'ended', 'reason': 'hangup'}
    """
    kind = entry.get("type")
    if kind in _WORDLESS:
        return entry
    counted = {"turn": entry["turn"]} if kind in _COUNTED and "turn" in entry else {}
    return {"type": WITHHELD, **counted}
