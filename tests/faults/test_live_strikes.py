"""What breaks around the actors of a running node, and what of it is refused."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from aybiza.faults.fault import KINDS, Fault
from aybiza.faults.live_strikes import Emulators, refusals
from aybiza.faults.plan import Plan

EMULATORS = Emulators("http://127.0.0.1:1", "http://127.0.0.1:2")


def refused(what: str, emulators: Emulators | None) -> list[str]:
    fault = Fault(what, message="Speak") if KINDS[what].group == "message" else Fault(what, at=0.0)
    return list(refusals(Plan(faults=[fault]), emulators))


@pytest.mark.parametrize(
    "what", ["line.drop", "disk.full", "disk.slow", "redis.gone", "clock.jump", "speak.deaf"]
)
def test_what_cannot_be_done_on_a_running_node_is_refused_by_name(what: str) -> None:
    (line,) = refused(what, EMULATORS)
    assert line.startswith(f"fault 1: {what} cannot be done on a running node: ")


def test_providers_are_broken_only_where_they_are_emulators() -> None:
    for what in ("bedrock.stall", "listen.close", "speak.refuse"):
        assert "--emulated" in refused(what, None)[0]
        assert refused(what, EMULATORS) == []


def test_everything_else_can_be_done() -> None:
    groups = ("process", "message")
    names = [name for name, kind in KINDS.items() if kind.group in groups]
    assert [
        line for name in (*names, "node.freeze", "node.kill") for line in refused(name, None)
    ] == []


FROZEN = """\
import threading, time
from aybiza.faults.live_strikes import freeze
gaps, last, over = [], time.monotonic(), False
def watch():
    global last
    while not over:
        now = time.monotonic()
        gaps.append(now - last)
        last = now
        time.sleep(0.01)
watching = threading.Thread(target=watch)
watching.start()
freeze(0.7)
over = True
watching.join()
print(max(gaps))
"""


def test_a_frozen_process_runs_none_of_its_threads_and_then_goes_on() -> None:
    began = time.monotonic()
    command = [sys.executable, "-c", FROZEN]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert 0.6 < float(done.stdout) < time.monotonic() - began
