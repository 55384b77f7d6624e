"""What VMs say to each other inside a connection, and how each signal becomes bytes.

A signal is pickled by itself, once, when it is sent: what cannot be pickled, or is longer than
`MAX_BYTES`, raises there. `ref` numbers are the asking VM's own.

What one process says to another travels as bytes inside its signal, so that a class which the
other node does not have spoils that one message: it is read as `Unreadable`, and whoever waits for
an answer to it is told. All the rest of a signal is the cluster's own, and a node that cannot read
it (`ProtocolError`) has missed something that others rely on: it gives that connection up.

Nodes of two versions meet in a rolling upgrade. A kind of signal that a node does not know is
passed over (`UnknownKind`), and its log says so: a new version may say new things, and must live
with their having no effect on older nodes. A kind that is known keeps its fields for ever; what
needs others gets a name of its own.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from aybiza.actors.cluster.membership import Card
from aybiza.actors.runtime.crash_report import brief
from aybiza.actors.runtime.errors import PROGRAM_ENDS
from aybiza.actors.runtime.messages import Call, From, System
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.reasons import Crashed, Reason, RemoteCrash, Shutdown

MAX_BYTES = 8 * 1024 * 1024
"""Longest message to another node."""
REASON_BYTES = 64 * 1024
"""Longest exit reason; a longer one becomes its kind and the beginning of its text."""
TEXT_CHARACTERS = 500
PIECE = 250
"""Names or memberships in one signal: what a loop takes in within a millisecond."""


class ProtocolError(Exception):
    """Another node has sent what is no signal; the message says what it was."""


class UnknownKind(Exception):
    """Another node, of a later version, has sent a signal of this kind."""


class TooLong(ValueError):
    """What was to be sent is longer than `MAX_BYTES`."""


class Unreadable(NamedTuple):
    """Stands for a message that this node cannot read; `why` is a text for people."""

    why: str


class Send(NamedTuple):
    """`VM.send`."""

    dest: Pid | str
    message: Any

    def __reduce__(self) -> tuple[Any, ...]:
        return _send, (self.dest, _dumped(self.message, MAX_BYTES))


class Cast(NamedTuple):
    """`VM.cast`."""

    dest: Pid | str
    request: Any

    def __reduce__(self) -> tuple[Any, ...]:
        return _cast, (self.dest, _dumped(self.request, MAX_BYTES))


class Ask(NamedTuple):
    """A request that wants an `Answer` or `Failed`; `system` names one of the `sys` module."""

    ref: int
    caller: Pid | None
    dest: Pid | str
    request: Any
    system: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        request = _dumped(self.request, MAX_BYTES)
        return _ask, (self.ref, self.caller, self.dest, request, self.system)


class AwaitEnd(NamedTuple):
    """`VM.join`: the answer is the reason for which the process has ended."""

    ref: int
    dest: Pid | str
    stop_with: tuple[Reason] | None = None
    """`VM.stop`: the reason with which the server is to end."""


class Answer(NamedTuple):
    """The reply to an `Ask`."""

    ref: int
    value: Any

    def __reduce__(self) -> tuple[Any, ...]:
        return _answer, (self.ref, _dumped(self.value, MAX_BYTES))


class Failed(NamedTuple):
    """The callee has ended, or cannot be asked."""

    ref: int
    reason: Reason


class Forget(NamedTuple):
    """The caller does not wait any more."""

    ref: int


class Replied(NamedTuple):
    """The reply to a call whose `From` was lent to the sending node, by `creation` of this one."""

    creation: int
    ref: int
    value: Any

    def __reduce__(self) -> tuple[Any, ...]:
        return _replied, (self.creation, self.ref, _dumped(self.value, MAX_BYTES))


class NotReplied(NamedTuple):
    """Such a call gets no reply."""

    creation: int
    ref: int
    reason: Reason


class Monitor(NamedTuple):
    """The sending node's process watches `dest`."""

    ref: int
    dest: Pid | str


class Demonitor(NamedTuple):
    """It does not any more."""

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
    """`source` undoes its link to `target`, which answers `Unlinked` with the same `number`."""

    source: Pid
    target: Pid
    number: int = 0


class Unlinked(NamedTuple):
    """The answer: `source` has no link to `target` either."""

    source: Pid
    target: Pid
    number: int


class ExitSignal(NamedTuple):
    """An exit signal of `source`, by its end (`linked`) or its will."""

    source: Pid | None
    target: Pid | str
    reason: Reason
    linked: bool


class Introduce(NamedTuple):
    """The other nodes that the sender can reach: the first signal of a connection."""

    cards: tuple[Card, ...]


class Complete(NamedTuple):
    """The receiver now has all names and groups of the sender."""


class ForNames(NamedTuple):
    """For the table of names."""

    message: Any


class ForGroups(NamedTuple):
    """For the table of groups."""

    message: Any


KINDS: Final = frozenset(
    kind
    for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, tuple) and kind not in (Unreadable, Card, Pid)
)


def packed(signal: Any) -> bytes:
    """The signal as bytes; raises what pickling it raises, and `TooLong`."""
    return _dumped(signal, MAX_BYTES)


def read(item: bytes) -> Any:
    """The signal that these bytes are; raises `ProtocolError` and `UnknownKind`."""
    if len(item) > MAX_BYTES:
        raise ProtocolError(f"a signal of {len(item)} bytes, where {MAX_BYTES} are the most")
    try:
        signal = pickle.loads(item)
    except PROGRAM_ENDS:
        raise
    except BaseException as error:
        if (kind := _unknown_kind(item)) is not None:
            raise UnknownKind(kind) from None
        raise ProtocolError(f"a signal that cannot be read: {text_of(error)}") from error
    if type(signal) not in KINDS:
        raise ProtocolError(f"{type(signal).__name__} is no signal")
    return signal


def portable(reason: Reason) -> Reason:
    """The reason, or what stands for it if it does not travel: its kind and a short text.

    `Shutdown` stays one, so that it stays an orderly end.
    """
    if type(reason) is str and len(reason) <= TEXT_CHARACTERS:
        return reason
    try:
        pickle.loads(_dumped(reason, min(REASON_BYTES, MAX_BYTES // 2)))
    except PROGRAM_ENDS:
        raise
    except BaseException:
        if type(reason) is Shutdown:
            return Shutdown(text_of(reason.detail))
        told = reason.exception if type(reason) is Crashed else reason
        return Crashed(RemoteCrash(f"{type(told).__name__}: {text_of(told)}"))
    return reason


lender: ContextVar[Callable[[From], tuple[Any, ...]] | None] = ContextVar("lender", default=None)
"""Says how the `From` of a call travels, while signals are packed (see `replies`)."""


def lent(from_: From) -> tuple[Any, ...]:
    """How a `From` is pickled; raises TypeError outside a signal."""
    lend = lender.get()
    if lend is None:
        raise TypeError("a From travels to other nodes of its cluster only")
    return lend(from_)


class _Pickler(pickle.Pickler):
    dispatch_table = {  # noqa: RUF012 - pickle looks for an instance variable
        **copyreg.dispatch_table,
        From: lent,
        Call: lent,
        System: lent,
    }


class _Bounded:
    """A file that takes no more than so many bytes, so that pickling ends early."""

    __slots__ = ("left", "limit", "parts")

    def __init__(self, limit: int) -> None:
        self.limit = self.left = limit
        self.parts: list[bytes] = []

    def write(self, data: Any) -> None:
        part = bytes(data)
        self.left -= len(part)
        if self.left < 0:
            raise TooLong(f"a message of more than {self.limit} bytes is too long for another node")
        self.parts.append(part)


def _dumped(value: Any, limit: int) -> bytes:
    file = _Bounded(limit)
    _Pickler(file, pickle.HIGHEST_PROTOCOL).dump(value)
    return file.parts[0] if len(file.parts) == 1 else b"".join(file.parts)


def _loaded(data: bytes) -> Any:
    try:
        return pickle.loads(data)
    except PROGRAM_ENDS:
        raise
    except BaseException as error:
        return Unreadable(text_of(error))


def _send(dest: Pid | str, message: bytes) -> Send:
    return Send(dest, _loaded(message))


def _cast(dest: Pid | str, request: bytes) -> Cast:
    return Cast(dest, _loaded(request))


def _ask(ref: int, caller: Pid | None, dest: Pid | str, request: bytes, system: str | None) -> Ask:
    return Ask(ref, caller, dest, _loaded(request), system)


def _answer(ref: int, value: bytes) -> Answer:
    return Answer(ref, _loaded(value))


def _replied(creation: int, ref: int, value: bytes) -> Replied:
    return Replied(creation, ref, _loaded(value))


def _unknown_kind(item: bytes) -> str | None:
    """The kind of a signal that only a later version of this module knows."""
    found: list[tuple[str, str]] = []

    class Finder(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            found.append((module, name))
            raise LookupError(name)

    try:
        Finder(io.BytesIO(item)).load()
    except PROGRAM_ENDS:
        raise
    except BaseException:
        pass
    if found and found[0][0] == __name__ and found[0][1] not in globals():
        return found[0][1].lstrip("_")
    return None


def text_of(value: Any) -> str:
    """The beginning of its text, however long it is and whatever `repr` of it does."""
    if isinstance(value, BaseException):
        value = value.args[0] if len(value.args) == 1 else value.args
    if isinstance(value, str | bytes):
        value = value[:TEXT_CHARACTERS]
    try:
        return (value if isinstance(value, str) else brief.repr(value))[:TEXT_CHARACTERS]
    except PROGRAM_ENDS:
        raise
    except BaseException as error:
        return f"<not shown: its text raises {type(error).__name__}>"


def described(error: BaseException) -> str:
    """An error for people: its kind and the beginning of its text."""
    return f"{type(error).__name__}: {text_of(error)}"
