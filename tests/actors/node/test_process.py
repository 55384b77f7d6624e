"""Processes that end with their parent, and parents that end their processes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from aybiza.actors.node.process import describe_exit
from tests.actors.node.kit import LIMIT, ROOT, is_alive, until

PROCESSES = """\
import multiprocessing, os, signal, time
from aybiza.actors.node import process

def say(words):
    os.write(1, f"{words}\\n".encode())

def child(linked):
    if linked:
        process.die_with_parent()
    say(os.getpid())
    time.sleep(3600)

def parent(linked):
    start(child, linked)
    say(os.getpid())
    time.sleep(3600)

def start(function, linked):
    multiprocessing.get_context("fork").Process(target=function, args=[linked]).start()

def below():
    return sorted(process.descendants(os.getpid()))
"""


@contextmanager
def running(script: str) -> "Iterator[subprocess.Popen[str]]":
    """A process that has the functions above, and nothing left of it afterwards."""
    with subprocess.Popen(
        [sys.executable, "-c", PROCESSES + script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def tell(process: "subprocess.Popen[str]", *numbers: int) -> None:
    assert process.stdin is not None
    print(*numbers, sep="\n", file=process.stdin, flush=True)


def test_a_linked_child_is_killed_with_its_parent() -> None:
    with running("parent(True)") as parent:
        pids = {int(line) for line in lines(parent, 2)}
        (child,) = (psutil.Process(pid) for pid in pids - {parent.pid})
        parent.kill()
        parent.wait(LIMIT)
        until(lambda: not is_alive(child), "the child has ended")


def test_a_process_stops_in_order_when_the_one_that_started_it_is_killed() -> None:
    script = """
def orderly(parent):
    signal.signal(signal.SIGTERM, lambda *_: (say("in order"), os._exit(0)))
    process.stop_with_parent(parent)
    say(os.getpid())
    time.sleep(3600)

multiprocessing.get_context("fork").Process(target=orderly, args=[os.getpid()]).start()
time.sleep(3600)
"""
    with running(script) as parent:
        (child,) = lines(parent, 1)
        parent.kill()
        assert lines(parent, 1) == ["in order"]
        until(lambda: not psutil.pid_exists(int(child)), "the child has ended")


def test_a_process_whose_starter_is_gone_already_stops_at_once() -> None:
    script = """
signal.signal(signal.SIGTERM, lambda *_: (say("in order"), os._exit(0)))
process.stop_with_parent(os.getppid() + 1)
time.sleep(3600)
"""
    with running(script) as started:
        assert lines(started, 1) == ["in order"]


def test_orphans_are_adopted_and_ended() -> None:
    script = """
process.adopt_orphans()
start(parent, False)
middle = int(input())
os.kill(middle, signal.SIGKILL)
os.waitpid(middle, 0)
say(below())
say((process.end_descendants(), below()))
"""
    with running(script) as top:
        pids = {int(line) for line in lines(top, 2)}
        (middle,) = (child.pid for child in psutil.Process(top.pid).children())
        tell(top, middle)
        (orphan,) = pids - {middle}
        assert lines(top, 2) == [f"[{orphan}]", "([], [])"]
        assert top.wait(LIMIT) == 0
        assert not psutil.pid_exists(orphan)


def test_a_tree_that_is_kept_is_not_ended() -> None:
    script = """
process.adopt_orphans()
start(parent, False)
start(child, False)
kept = int(input())
say((process.end_descendants(keep={kept}), below()))
say((process.end_descendants(), below()))
"""
    with running(script) as top:
        pids = {int(line) for line in lines(top, 3)}
        (kept,) = (child.pid for child in psutil.Process(top.pid).children() if child.children())
        (below,) = (child.pid for child in psutil.Process(kept).children())
        tell(top, kept)
        assert lines(top, 2) == [f"([], {sorted([kept, below])})", "([], [])"]
        assert top.wait(LIMIT) == 0
        assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.parametrize(
    ("exitcode", "words"),
    [
        (0, "exit code 0"),
        (70, "exit code 70"),
        (-signal.SIGKILL, "killed by SIGKILL"),
        (-signal.SIGSEGV, "killed by SIGSEGV"),
        (-50, "killed by signal 50"),
        (None, "ended"),
    ],
)
def test_an_exit_code_in_words(exitcode: int | None, words: str) -> None:
    assert describe_exit(exitcode) == words
