"""How many frames the processes of this machine's actor system have refused, by reason.

Each process refuses what reaches its own listener, and most of what strangers send reaches the
admin, which has no door for metrics. So the counts are shared: one eventfd a reason, made before
the first fork and inherited by all. The kernel adds, so no process that is stopped or killed holds
a lock, and no count is lost.

Source: eventfd(2); the value is read from /proc/self/fdinfo, because reading the descriptor would
put it back to zero. Linux only.
"""

import contextlib
import os
from collections.abc import Mapping

REASONS = (
    "cookie",
    "length",
    "digest",
    "receiver",
    "incarnation",
    "time",
    "replay",
    "slow",
    "connections",
)
"""Why a frame is refused; see `aybiza.actors.node.frames`."""

_counters: dict[str, int] = {}


def share() -> None:
    """Make the counters, once, before the processes that are to share them are forked."""
    for reason in REASONS:
        if reason not in _counters:
            _counters[reason] = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)


def add(reason: str) -> None:
    """Count one refused frame; without effect before `share`."""
    if reason in _counters:
        with contextlib.suppress(BlockingIOError):  # after 2**64 of them
            os.eventfd_write(_counters[reason], 1)


def counts() -> Mapping[str, int]:
    """The frames refused on this machine since its actor system was started, by reason."""
    return {reason: _value(descriptor) for reason, descriptor in _counters.items()}


def _value(descriptor: int) -> int:
    """A read of /proc: it waits for no disk."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name == "eventfd-count":
                return int(value, 16)
    raise OSError(f"the kernel does not tell the value of eventfd {descriptor}")
