"""What two nodes carry is told by the core that each of them takes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from aybiza.benchmarks.cores import Row, Share, filled, pin


def test_a_core_is_full_when_what_it_takes_idle_and_by_call_is_all_of_it() -> None:
    assert filled(Share(idle=0.0, busy=0.5, calls=10.0)) == pytest.approx(20)
    assert filled(Share(idle=0.1, busy=0.4, calls=10.0)) == pytest.approx(30)


def test_as_calls_were_dealt_out_the_first_core_that_is_full_ends_it() -> None:
    even, uneven = Share(0.0, 0.25, 10.0), Share(0.0, 0.5, 20.0)
    row = Row(nodes=[even, uneven])
    assert row.in_turn == pytest.approx(80)
    assert row.dealt == pytest.approx(60)
    assert "80 calls, 60 as dealt out" in row.line()


def test_a_process_is_pinned_with_all_its_threads() -> None:
    code = "import threading; threading.Thread(target=input).start(); print(flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:  # type: ignore[call-overload]
        try:
            process.stdout.readline()
            core = min(os.sched_getaffinity(0))
            pin(process.pid, core)
            threads = os.listdir(f"/proc/{process.pid}/task")
            assert len(threads) == 2
            assert all(os.sched_getaffinity(int(each)) == {core} for each in threads)
        finally:
            process.kill()
