"""What a thread has waited for a core is read, or none where nobody knows."""

from __future__ import annotations

import threading
import time

from aybiza.actors.runtime.core_waits import CoreWaits


def test_a_thread_that_nobody_knows_has_waited_for_nothing() -> None:
    with CoreWaits(2**30) as waits:
        assert waits.seconds() == 0.0
    with CoreWaits(threading.get_native_id()) as waits:
        assert 0.0 <= waits.seconds() < time.monotonic()
