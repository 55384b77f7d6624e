"""Child processes are ended: asked to, given time, then killed; nobody is left behind.

    end(process, 10.0)                    of `subprocess`
    await end_soon(process, 10.0)         of `asyncio`, without holding the loop

It returns when the process is gone, however often it is called. What the process still writes into
a pipe is read and dropped, so that it does not wait for a reader. `asked=False`: whoever calls has
asked already, by closing what the process reads.

Errors: none.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from typing import Any


def end(process: subprocess.Popen[Any], seconds: float, *, asked: bool = False) -> None:
    """See the module."""
    if not asked:
        process.terminate()
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


async def end_soon(
    process: asyncio.subprocess.Process, seconds: float, *, asked: bool = False
) -> None:
    """See the module."""
    if not asked:
        _unless_gone(process.terminate)
    try:
        async with asyncio.timeout(seconds):
            await _gone(process)
    except TimeoutError:
        _unless_gone(process.kill)
        await _gone(process)


async def _gone(process: asyncio.subprocess.Process) -> None:
    if process.stdout is not None:
        while await process.stdout.read(65_536):
            pass
    await process.wait()


def _unless_gone(act: Any) -> None:
    with contextlib.suppress(ProcessLookupError):
        act()
