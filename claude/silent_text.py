"""`SilentText`: takes thoughts that a model writes into its text out of the stream of deltas.

Some models put `<thinking>…</thinking>` or the like into what should be spoken. Sentences are cut
before the end of such a thought is known, so it has to be left out before they are cut.

Contract: `feed(delta)` returns what of the text is to be spoken, `flush()` the rest. A delta that
ends within a tag is held back until the tag is whole, at most as long as the longest tag. A thought
that is never closed is silent to the end of its block. Errors: none.
"""

from __future__ import annotations

import re
from typing import Final

TAGS: Final = ("thinking", "thought", "reflection", "scratchpad", "reasoning", "analysis")

_OPENS: Final = re.compile(rf"<({'|'.join(TAGS)})\b[^<>]*>", re.IGNORECASE)
_MAY_OPEN: Final = re.compile(r"<[A-Za-z]{0,12}[^<>]{0,24}\Z")


class SilentText:
    """See the module.

    >>> silent = SilentText()
    >>> [silent.feed(delta) for delta in ("Yes. <thin", "king>Late.</thin", "king> Come.")]
    ['Yes. ', '', ' Come.']
    """

    def __init__(self) -> None:
        self._held = ""
        self._until: re.Pattern[str] | None = None

    def feed(self, delta: str) -> str:
        """What of the text so far is to be spoken and has not been given out."""
        text, said = self._held + delta, ""
        while True:
            if self._until is not None:
                closed = self._until.search(text)
                if closed is None:
                    self._held = text[-32:]
                    return said
                text, self._until = text[closed.end() :], None
            opened = _OPENS.search(text)
            if opened is None:
                undecided = _MAY_OPEN.search(text)
                end = undecided.start() if undecided and _may_be_one(undecided[0]) else len(text)
                self._held = text[end:]
                return said + text[:end]
            said += text[: opened.start()]
            text = text[opened.end() :]
            self._until = re.compile(rf"</{opened[1]}\s*>", re.IGNORECASE)

    def flush(self) -> str:
        """What is left and is no thought."""
        rest = "" if self._until is not None else self._held
        self._held, self._until = "", None
        return rest


def _may_be_one(start: str) -> bool:
    """Whether `start` may become one of the tags."""
    name = re.split(r"[^A-Za-z]", start[1:], maxsplit=1)[0].lower()
    whole = len(name) + 1 < len(start)
    return any(tag == name if whole else tag.startswith(name) for tag in TAGS)
