"""A child process is ended in order where it lets itself be, and in any case."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from aybiza.config.children import end, end_soon

STUBBORN = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('x' * 500_000, flush=True)\n"
    "time.sleep(60)\n"
)
ORDERLY = "import sys\nprint('up', flush=True)\nsys.stdin.read()\nsys.exit(7)\n"


@pytest.mark.real_time
def test_who_is_told_to_end_does_and_who_does_not_is_killed() -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    orderly = subprocess.Popen([sys.executable, "-c", ORDERLY], **pipes)  # type: ignore[call-overload]
    end(orderly, 10.0, asked=True)
    assert orderly.returncode == 7
    stubborn = subprocess.Popen([sys.executable, "-c", STUBBORN], **pipes)  # type: ignore[call-overload]
    assert stubborn.stdout.read(1)
    end(stubborn, 0.05)
    end(stubborn, 0.05)
    assert stubborn.returncode == -9


@pytest.mark.real_time
async def test_the_same_without_holding_the_loop() -> None:
    async def started(program: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-c", program)
        return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)

    orderly, stubborn = await started(ORDERLY), await started(STUBBORN)
    assert orderly.stdin is not None
    assert stubborn.stdout is not None
    orderly.stdin.close()
    await end_soon(orderly, 10.0, asked=True)
    assert orderly.returncode == 7
    assert await stubborn.stdout.readexactly(1)
    await end_soon(stubborn, 0.05)
    await end_soon(stubborn, 0.05)
    assert stubborn.returncode == -9
