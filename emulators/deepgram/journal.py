"""What happened at the emulated Deepgram, for those who look afterwards.

Contract: an entry is a JSON-able dict with `at` (seconds of the clock that was handed in; by
default `time.monotonic`, which all processes of a machine share), `session` and `what`. The oldest
go first when there are too many.
Errors: none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from aybiza.config import clocks

JOURNAL_LIMIT = 10_000


class Journal:
    """See the module."""

    def __init__(
        self, clock: Callable[[], float] = clocks.monotonic, limit: int = JOURNAL_LIMIT
    ) -> None:
        self._clock = clock
        self._entries: deque[dict[str, Any]] = deque(maxlen=limit)

    def note(self, session: str, what: str, **more: Any) -> None:
        """Enter something that happened now."""
        self._entries.append({"at": self._clock(), "session": session, "what": what, **more})

    def entries(self, what: str | None = None) -> list[dict[str, Any]]:
        """All entries, or those about `what`, in order."""
        return [entry for entry in self._entries if what in (None, entry["what"])]

    def clear(self) -> None:
        """Forget them."""
        self._entries.clear()
