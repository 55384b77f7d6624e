"""A program that a guard runs never outlives who started it, and else is as if there were none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aybiza.dialogue.tools import mcp_guard
from tests.slowness import slowness

GUARD = (sys.executable, "-I", "-S", mcp_guard.__file__)
DEAF = "import os, signal, time; signal.signal(15, 1); print(os.getpid(), flush=True)"
DEAF += "; time.sleep(3600)"
NODE = f"""
import os, subprocess, time
guard = [*{GUARD!r}, str(os.getpid()), {sys.executable!r}, "-c", {DEAF!r}]
subprocess.Popen(guard, process_group=0)
time.sleep(3600)
"""


@pytest.mark.real_time
def test_a_deaf_program_ends_with_a_node_that_is_killed() -> None:
    node = subprocess.Popen([sys.executable, "-c", NODE], stdout=subprocess.PIPE)
    assert node.stdout is not None
    with node.stdout:
        pid = int(node.stdout.readline())
        node.kill()
        node.wait()
        until = time.monotonic() + 20 * slowness()
        while _lives(pid):
            assert time.monotonic() < until, "it runs on"
            time.sleep(0.01)


def test_its_output_and_exit_code_are_the_programs() -> None:
    ran = subprocess.run(
        [*GUARD, str(os.getpid()), "sh", "-c", "read line; echo heard $line; exit 3"],
        input=b"tea\n",
        capture_output=True,
        process_group=0,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (3, b"heard tea\n")


def test_a_program_that_cannot_be_run_is_told() -> None:
    told = [*GUARD, str(os.getpid()), "/no/such"]
    ran = subprocess.run(told, check=False, capture_output=True, process_group=0)
    assert ran.returncode == mcp_guard.NOT_RUN
    assert b"/no/such cannot be run: No such file" in ran.stderr


def test_who_is_asked_to_end_is_asked_and_not_killed() -> None:
    asked = "import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); print(flush=True)"
    asked += "; signal.pause()"
    process = subprocess.Popen(
        [*GUARD, str(os.getpid()), sys.executable, "-c", asked],
        stdout=subprocess.PIPE,
        process_group=0,
    )
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait() == 7


def _lives(pid: int) -> bool:
    """Whether it runs; who has ended and is not buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
