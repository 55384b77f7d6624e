"""Ending child processes."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from aybiza.emulators.deepgram.processes import kill
from tests.speech.kit import nothing_left, within


async def test_a_process_is_killed_and_its_end_is_noticed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with nothing_left():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import time; time.sleep(60)"
        )
        kill(process)
        assert await within(process.wait()) == -signal.SIGKILL
        kill(process)
    assert caplog.messages == []


async def test_a_process_that_ends_by_itself_at_that_moment_keeps_its_exit_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(5):
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", "exit 7", stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        # Its pipe is closed: it is as good as gone, and not waited for yet.
        await within(process.stdout.read())
        kill(process)
        assert await within(process.wait()) in (7, -signal.SIGKILL)
    assert caplog.messages == []
