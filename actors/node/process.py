"""What Linux is asked for so that no process of a node outlives its parent and each death is seen.

Contract: Linux only (prctl, pidfd, /proc). A child process calls `die_with_parent` first of all;
the process at the top calls `adopt_orphans` once and `end_descendants` last of all.
"""

import contextlib
import ctypes
import multiprocessing
import os
import select
import signal
import time
from collections.abc import Collection, Iterator

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl({option}, {value}): {os.strerror(error)}")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends.

    So none can hide from `end_descendants`.
    """
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(limit: float = 5.0) -> None:
    """Have the kernel kill this multiprocessing child when the process that started it ends.

    Thespian's admin is started through a process in between that ends at once; this waits (at most
    `limit` seconds) until the starter has adopted it. Without a living parent this process ends
    here.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("die_with_parent: this process was not started by multiprocessing")
    until = time.monotonic() + limit
    while os.getppid() != parent.pid and time.monotonic() < until:
        time.sleep(0.001)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent.pid:
        os._exit(os.EX_UNAVAILABLE)


def stop_with_parent(parent: int) -> None:
    """Have the kernel send SIGTERM to this process when the thread that started it ends.

    `parent` is the process that it was started by; when that is gone already, SIGTERM comes now.
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def restore_fatal_signals() -> None:
    """Let a fault end the process: Thespian's handler would return into the fault for ever."""
    for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL):
        signal.signal(number, signal.SIG_DFL)


def has_ended(pidfd: int) -> bool:
    """Whether the process behind a pidfd has ended (reaped or not)."""
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(0))


def describe_exit(exitcode: int | None) -> str:
    """A multiprocessing exit code in words: `killed by SIGKILL`, `exit code 3`."""
    if exitcode is None:
        return "ended"
    if exitcode >= 0:
        return f"exit code {exitcode}"
    try:
        return f"killed by {signal.Signals(-exitcode).name}"
    except ValueError:
        return f"killed by signal {-exitcode}"


def children_by_parent() -> dict[int, list[int]]:
    """Every parent's children on this machine, zombies among them, read from /proc."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as stat:
                    fields = stat.read().rpartition(b")")[2].split()
            except OSError:  # ended since the folder was listed
                continue
            children.setdefault(int(fields[1]), []).append(int(entry))
    return children


def descendants(root: int, keep: Collection[int] = ()) -> Iterator[int]:
    """The pids of all processes below `root`, parents first, but the trees in `keep`."""
    children = children_by_parent()
    pending = [root]
    while pending:
        for child in children.get(pending.pop(), []):
            if child not in keep:
                yield child
                pending.append(child)


def end_descendants(keep: Collection[int] = (), limit: float = 1.0) -> list[int]:
    """Kill and reap every process below this one but the trees in `keep`.

    Returns the pids that are still there after `limit` seconds.
    """
    until = time.monotonic() + limit
    while alive := list(descendants(os.getpid(), keep)):
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            reap(pid)
        if time.monotonic() > until:
            return list(descendants(os.getpid(), keep))
        time.sleep(0.005)
    return []


def reap(pid: int) -> None:
    """Take an ended child out of the process table; without effect on other processes."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
