"""Stands between a node and a program of its own, so that the program never outlives the node.

    python -I -S mcp_guard.py PARENT COMMAND [ARGS…]

It runs COMMAND with its own input and output and in its own process group, and ends with the
command's exit code. When the thread that started it is gone with its process, however that ended,
it kills the group: a program that looks neither at its input's end nor at a signal would run on.
A SIGTERM while the process PARENT lives is the program's to deal with, which is told it, too.

Contract: the leader of a process group. Imports nothing that takes long. Elsewhere than on Linux,
where no node runs but tools may be tried, nobody tells it of the end.
Errors: exit code 127, and a line on the standard error, for a command that cannot be run.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1
NOT_RUN: Final = 127


def guarded(parent: int, command: list[str]) -> int:
    """Run the command to its end; its exit code."""

    def told(*_: object) -> None:
        if os.getppid() != parent:
            os.killpg(os.getpgrp(), signal.SIGKILL)

    signal.signal(signal.SIGTERM, told)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    told()
    try:
        child = os.posix_spawnp(command[0], command, os.environ)
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror}", file=sys.stderr)
        return NOT_RUN
    for descriptor in (0, 1, 2):
        os.close(descriptor)  # their ends are the program's to make
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(guarded(int(sys.argv[1]), sys.argv[2:]))
