"""For how long a thread was ready to run and had no core: Linux keeps it, others do not.

    with CoreWaits(threading.get_native_id()) as waits:
        waits.seconds()     -> 0.0132, since the thread began; 0.0 where it is not known

Errors: none. Source: Linux, "Scheduler Statistics" (`/proc/<pid>/task/<tid>/schedstat`).
"""

from __future__ import annotations

import os

NANOSECONDS = 1e9


class CoreWaits:
    """See the module; opened where it is entered, by whichever thread."""

    def __init__(self, native_id: int) -> None:
        self._path = f"/proc/self/task/{native_id}/schedstat"
        self._file: int | None = None

    def __enter__(self) -> CoreWaits:
        try:
            self._file = os.open(self._path, os.O_RDONLY)
        except OSError:
            self._file = None
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.close(self._file)

    def seconds(self) -> float:
        """See the module."""
        if self._file is None:
            return 0.0
        try:
            return int(os.pread(self._file, 100, 0).split()[1]) / NANOSECONDS
        except (OSError, IndexError, ValueError):
            return 0.0
