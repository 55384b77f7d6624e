"""The clocks that a part is handed where its maker hands it none.

    def __init__(self, timer: Callable[[], float] = monotonic) -> None: …

A default of `time.monotonic` is the machine's own clock, bound when the module is imported: whoever
has the clock of a program replaced later (`aybiza.faults.virtual`) is not heard. These look it up
each time.

Errors: none.
"""

from __future__ import annotations

import time


def monotonic() -> float:
    """Seconds of a clock that never goes back, since no moment in particular."""
    return time.monotonic()


def wall() -> float:
    """The unix time, in seconds."""
    return time.time()
