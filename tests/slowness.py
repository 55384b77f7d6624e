"""How slow the machine is at the moment: limits of tests in real time are so many times longer.

    assert down - pulled < 2.5 * slowness()

1.0 on a machine that has nothing else to do, 3.0 where each process gets a third of a processor.
"""

from __future__ import annotations

import time
from typing import Final

WORK_SECONDS: Final = 0.05


def slowness() -> float:
    """How many times longer than a processor works on it a piece of work takes now; at least 1."""
    began, worked = time.monotonic(), time.thread_time()
    while time.thread_time() - worked < WORK_SECONDS:
        pass
    return max(1.0, (time.monotonic() - began) / (time.thread_time() - worked))
