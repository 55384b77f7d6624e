"""Ending child processes of the event loop."""

from __future__ import annotations

import contextlib
import os
import signal
from asyncio.subprocess import Process


def kill(process: Process) -> None:
    """Kill `process` unless it has ended; its end is still the event loop's to notice.

    `Process.kill` looks for the end itself, and where it finds it the loop's own watcher complains
    of an unknown child.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
