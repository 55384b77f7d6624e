"""Processes that end with their parent, and parents that end their processes."""

import signal
import subprocess
import sys

import psutil
import pytest

from actors.node.process import describe_exit
from tests.actors.node.kit import LIMIT, ROOT, is_alive, until

CHILD = """\
import multiprocessing, os, signal, time
from actors.node import process

def child(linked):
    if linked:
        process.die_with_parent()
    print(os.getpid(), flush=True)
    time.sleep(3600)

def parent(linked):
    multiprocessing.get_context("fork").Process(target=child, args=[linked]).start()
    print(os.getpid(), flush=True)
    time.sleep(3600)
"""


def run(script: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def test_a_linked_child_is_killed_with_its_parent() -> None:
    with run("parent(True)") as parent:
        pids = {int(line) for line in lines(parent, 2)}
        (child,) = (psutil.Process(pid) for pid in pids - {parent.pid})
        parent.kill()
        parent.wait(LIMIT)
        until(lambda: not is_alive(child), "the child has ended")


def test_descendants_and_their_orphans_are_ended() -> None:
    script = """
process.adopt_orphans()
multiprocessing.get_context("fork").Process(target=parent, args=[False]).start()
os.kill(int(input()), signal.SIGKILL)
while len(list(process.descendants(os.getpid()))) == 2:
    for pid in process.descendants(os.getpid()):
        process.reap(pid)
print(list(process.descendants(os.getpid())), flush=True)
print(process.end_descendants(), list(process.descendants(os.getpid())), flush=True)
"""
    top = subprocess.Popen(
        [sys.executable, "-c", CHILD + script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with top:
        pids = {int(line) for line in lines(top, 2)}
        (middle,) = (child.pid for child in psutil.Process(top.pid).children())
        assert top.stdin is not None
        print(middle, file=top.stdin, flush=True)
        (orphan,) = pids - {middle}
        assert lines(top, 2) == [f"[{orphan}]", "[] []"]
        assert top.wait(LIMIT) == 0
        assert not psutil.pid_exists(orphan)


def test_a_tree_that_is_kept_is_not_ended() -> None:
    script = """
multiprocessing.get_context("fork").Process(target=parent, args=[False], daemon=False).start()
(kept, below) = (int(input()), int(input()))
print(process.end_descendants(keep={kept}), sorted(process.descendants(os.getpid())), flush=True)
process.end_descendants()
"""
    top = subprocess.Popen(
        [sys.executable, "-c", CHILD + script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with top:
        pids = sorted(int(line) for line in lines(top, 2))
        (middle,) = (child.pid for child in psutil.Process(top.pid).children())
        assert top.stdin is not None
        print(middle, *(pid for pid in pids if pid != middle), sep="\n", file=top.stdin, flush=True)
        assert lines(top, 1) == [f"[] {pids}"]
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
