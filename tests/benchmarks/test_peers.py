"""The measures of other libraries work and leave nothing behind."""

from __future__ import annotations

import subprocess
import sys
import threading

from aybiza.benchmarks.peers import pykka_ask, pykka_start

# In a program of its own: Thespian leaves the sockets of a client open until the client ends.
THESPIAN = """
import psutil
from aybiza.benchmarks.peers import thespian_ask, thespian_start
assert thespian_ask("simpleSystemBase", 10) > 0
assert thespian_start("multiprocTCPBase", 1) > 0
_, alive = psutil.wait_procs(psutil.Process().children(recursive=True), 5)
assert alive == [], alive
"""


def test_pykka_is_measured_and_leaves_no_thread() -> None:
    before = threading.active_count()
    assert pykka_ask() > 0
    assert pykka_start() > 0
    assert threading.active_count() == before


def test_thespian_is_measured_and_leaves_no_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THESPIAN], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
