"""A child process is ended in order where it lets itself be, and in any case."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any, cast

import pytest

from aybiza.config.children import end, end_soon

STUBBORN = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('x' * 500_000, flush=True)\n"
    "time.sleep(60)\n"
)
ORDERLY = "import sys\nprint('up', flush=True)\nsys.stdin.read()\nsys.exit(7)\n"


class Child:
    """A process of either kind, without one: it ends when it is killed, or is `gone` already."""

    stdout = None

    def __init__(self, *, gone: bool = False) -> None:
        self.gone = gone
        self.told: list[str] = []

    def terminate(self) -> None:
        self.told.append("terminate")
        if self.gone:
            raise ProcessLookupError

    def kill(self) -> None:
        self.told.append("kill")
        self.gone = True

    def communicate(self, timeout: float | None = None) -> None:
        if not self.gone:
            raise subprocess.TimeoutExpired("it", timeout or 0.0)

    async def wait(self) -> None:
        if not self.gone:
            await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("gone", "asked", "told"),
    [(False, False, "terminate kill"), (False, True, "kill"), (True, True, "")],
)
async def test_who_does_not_end_when_asked_is_killed(gone: bool, asked: bool, told: str) -> None:
    child, soon = Child(gone=gone), Child(gone=gone)
    end(cast(Any, child), 0.01, asked=asked)
    await end_soon(cast(Any, soon), 0.01, asked=asked)
    assert child.told == soon.told == told.split()


async def test_who_is_gone_is_not_an_error_to_ask() -> None:
    child = Child(gone=True)
    await end_soon(cast(Any, child), 0.01)
    assert child.told == ["terminate"]


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
