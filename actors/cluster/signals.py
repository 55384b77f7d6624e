"""What VMs say to each other inside a connection; each is pickled by itself, once, when it is sent.

`ref` numbers are the asking VM's own.
"""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

from aybiza.actors.cluster.membership import Card
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.reasons import Crashed, Reason, RemoteCrash


class Send(NamedTuple):
    """`VM.send`."""

    dest: Pid | str
    message: Any


class Cast(NamedTuple):
    """`VM.cast`."""

    dest: Pid | str
    request: Any


class Ask(NamedTuple):
    """A request that wants an `Answer` or `Failed`; `system` names one of the `sys` module."""

    ref: int
    caller: Pid | None
    dest: Pid | str
    request: Any
    system: str | None = None


class AwaitEnd(NamedTuple):
    """`VM.join`: the answer is the reason for which the process has ended."""

    ref: int
    dest: Pid | str
    stop_with: tuple[Reason] | None = None
    """`VM.stop`: the reason with which the server is to end."""


class Answer(NamedTuple):
    ref: int
    value: Any


class Failed(NamedTuple):
    """The callee has ended, or cannot be asked."""

    ref: int
    reason: Reason


class Forget(NamedTuple):
    """The caller does not wait any more."""

    ref: int


class Monitor(NamedTuple):
    ref: int
    dest: Pid | str


class Demonitor(NamedTuple):
    ref: int


class Died(NamedTuple):
    """The monitored process has ended, or nobody lives there."""

    ref: int
    reason: Reason


class LinkTo(NamedTuple):
    """`source` of the sending node links itself to `target`."""

    source: Pid
    target: Pid


class Unlink(NamedTuple):
    source: Pid
    target: Pid


class ExitSignal(NamedTuple):
    """An exit signal of `source`, by its end (`linked`) or its will."""

    source: Pid | None
    target: Pid | str
    reason: Reason
    linked: bool


class Introduce(NamedTuple):
    """The other nodes that the sender can reach."""

    cards: tuple[Card, ...]


class ForNames(NamedTuple):
    """For the table of names."""

    message: Any


class ForGroups(NamedTuple):
    """For the table of groups."""

    message: Any


MAX_BYTES = 8 * 1024 * 1024
"""Longest message to another node."""


def packed(signal: Any) -> bytes:
    """The signal as bytes; raises what pickling it raises, and ValueError if it is too long."""
    data = pickle.dumps(signal, pickle.HIGHEST_PROTOCOL)
    if len(data) > MAX_BYTES:
        raise ValueError(
            f"a message of {len(data)} bytes is too long for another node: at most {MAX_BYTES}"
        )
    return data


def portable(reason: Reason) -> Reason:
    """The reason, or its text if it does not travel."""
    try:
        pickle.loads(pickle.dumps(reason))
    except Exception:
        return Crashed(RemoteCrash(f"{type(reason).__name__}: {reason}"))
    return reason
