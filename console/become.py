"""What `aybiza run` becomes when all it was given is checked: a smaller process in its place.

The checks import most of what a node needs. What keeps nodes needs little of it, and its three
processes last as long as the nodes. So the process replaces itself (execve): it keeps its pid, its
parent, its descriptors and its environment, and has imported no more than it uses.

Contract: `become` returns never; the process ends with the run's exit code. The order goes along in
memory, for it holds the cluster's cookie, and what stands on a command line can be read by all.
Errors: `OSError` where the interpreter cannot be started once more.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

SMALL = ("structlog", "httpx")
WITHOUT = ("rich", "click", "pygments")
"""What the packages of `SMALL` import where it is installed, with all it brings: 7 MB for a
traceback in colours, and for a command line of httpx's own, which nothing here uses."""


@dataclass(frozen=True)
class Order:
    """What is run: `runner` are the arguments of `Runner`. `outside`: the node main is found in the
    folder where the command is given, as by `python -m`."""

    log_level: Any
    log_format: Any
    outside: bool
    runner: dict[str, Any] = field(repr=False)


def become(order: Order) -> NoReturn:
    """Carry out the order in this process, started anew."""
    from aybiza.config import logs

    logs.stop()
    told = os.memfd_create("aybiza-run", 0)
    with os.fdopen(os.dup(told), "wb") as file:
        pickle.dump(order, file)
    os.lseek(told, 0, os.SEEK_SET)
    # What lies in the folder where the command is given takes no module's place.
    flags = [*subprocess._args_from_interpreter_flags(), "-P"]  # type: ignore[attr-defined]
    # Its own arguments behind, for whoever looks at the processes of the machine.
    command = [sys.executable, *flags, "-m", __name__, str(told), *sys.argv[1:]]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, command)


def carry_out(order: Order) -> int:
    """Run until the end; the exit code."""
    from aybiza.config import logs
    from aybiza.console.runner import Runner

    logs.start(order.log_level, order.log_format)
    try:
        return Runner(**order.runner).execute()
    finally:
        logs.stop()


@contextlib.contextmanager
def absent(name: str) -> Iterator[None]:
    """Have the import of a module that is not there yet fail meanwhile."""
    hides = name not in sys.modules
    if hides:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hides:
            del sys.modules[name]


def preload() -> None:
    """Import `SMALL` without what they would bring."""
    with contextlib.ExitStack() as meanwhile:
        for name in WITHOUT:
            meanwhile.enter_context(absent(name))
        for name in SMALL:
            # A node of one's own may do without httpx.
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module(name)


def main() -> None:
    """Carry out the order that `become` has left."""
    preload()
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        order = pickle.load(file)
    if order.outside:
        sys.path.insert(0, os.getcwd())
    sys.exit(carry_out(order))


if __name__ == "__main__":
    main()
