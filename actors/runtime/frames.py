"""Where a task waits: its frames, and the lines that they have come to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import FrameType
from typing import Any


def frames_of(task: asyncio.Task[None] | None) -> Iterator[FrameType]:
    """The frames of what `task` waits in, outermost first."""
    waiting: Any = task.get_coro() if task else None
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None)
        if frame is not None:
            yield frame
        waiting = getattr(waiting, "cr_await", None)


def line_of(frame: FrameType) -> str:
    """The file and line at which `frame` is."""
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
