"""`Reception`: what each signal of another node does here.

A message that cannot be read or delivered spoils nothing but itself: who waits for its answer is
told, the log says `message_not_read` or `message_not_delivered`. All other signals are the
cluster's own; what goes wrong with one of those is raised, and ends its connection, so that
everybody who relied on it is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.membership import Card
from aybiza.actors.cluster.replies import Replies, reader
from aybiza.actors.cluster.requests import Requests
from aybiza.actors.cluster.shared import Shared
from aybiza.actors.cluster.ties import Ties
from aybiza.actors.runtime.errors import PROGRAM_ENDS
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import KILL, KILLED
from aybiza.actors.runtime.vm import VM

UNKNOWN = 1000
"""Kinds of signals that are not known and are named in the log."""

log = structlog.get_logger(__name__)


class Reception:
    """See the module. `meet` is told of nodes that others name, `complete` of one whose names and
    groups are all here."""

    def __init__(
        self,
        vm: VM,
        parts: tuple[Requests, Replies, Ties, Shared],
        meet: Callable[[Card], None],
        complete: Callable[[str], None],
    ) -> None:
        self.vm = vm
        self.requests, self.replies, self.ties, self.shared = parts
        self.meet = meet
        self.complete = complete
        self._unknown: set[tuple[str, str]] = set()

    def take(self, node: str, item: bytes) -> None:
        """A signal of another node; raises `ProtocolError`, and what its own signals raise."""
        token = reader.set(self.replies)
        try:
            signal = signals.read(item)
        except signals.UnknownKind as unknown:
            self._pass_over(node, str(unknown))
            return
        finally:
            reader.reset(token)
        kind = type(signal)
        if kind in _MESSAGES:
            self._deliver(node, signal, _MESSAGES[kind])
        else:
            _OWN[kind](self, node, signal)

    def forget(self, node: str) -> None:
        """A node has gone down: its successor may know more."""
        self._unknown = {each for each in self._unknown if each[0] != node}

    def _deliver(self, node: str, signal: Any, act: Callable[[Reception, str, Any], None]) -> None:
        try:
            act(self, node, signal)
        except PROGRAM_ENDS:
            raise
        except BaseException as error:
            text = signals.described(error)
            log.error("message_not_delivered", node=node, to=str(signal.dest), error=text)
            if isinstance(signal, signals.Ask | signals.AwaitEnd):
                self.requests.refuse(node, signal.ref, error)

    def _pass_over(self, node: str, kind: str) -> None:
        if (node, kind) not in self._unknown and len(self._unknown) < UNKNOWN:
            self._unknown.add((node, kind))
            log.warning(
                "signal_not_understood",
                node=node,
                kind=kind,
                advice="that node runs a later version; bring this one up to it",
            )


def find_quietly(vm: VM) -> Callable[[Any], Process | None]:
    """`VM.find`, where an address that cannot be one is nobody's."""

    def find(dest: Any) -> Process | None:
        try:
            return vm.find(dest)
        except PROGRAM_ENDS:
            raise
        except BaseException:
            return None

    return find


def _readable(self: Reception, node: str, message: Any) -> bool:
    if type(message) is not signals.Unreadable:
        return True
    log.error("message_not_read", node=node, error=message.why)
    return False


def _send(self: Reception, node: str, signal: signals.Send) -> None:
    if _readable(self, node, signal.message):
        self.vm.send(signal.dest, signal.message)


def _cast(self: Reception, node: str, signal: signals.Cast) -> None:
    if _readable(self, node, signal.request):
        self.vm.cast(signal.dest, signal.request)


def _exit_signal(self: Reception, _node: str, signal: signals.ExitSignal) -> None:
    if not signal.linked:
        target = find_quietly(self.vm)(signal.target)
        if target is not None and isinstance(signal.reason, str) and signal.reason == KILL:
            target.end(KILLED)
        elif target is not None:
            target.signal(signal.source, signal.reason)
    elif signal.source is not None and isinstance(signal.target, Pid):
        self.ties.exited(signal.source, signal.target, signal.reason)


def _introduce(self: Reception, _node: str, signal: signals.Introduce) -> None:
    for card in signal.cards:
        self.meet(card)


_MESSAGES: dict[type, Callable[[Reception, str, Any], None]] = {
    signals.Send: _send,
    signals.Cast: _cast,
    signals.Ask: lambda self, node, signal: self.requests.asked_by(node, signal),
    signals.AwaitEnd: lambda self, node, signal: self.requests.end_awaited_by(node, signal),
}

_OWN: dict[type, Callable[[Reception, str, Any], None]] = {
    signals.Answer: lambda self, _, signal: self.requests.answered(signal.ref, signal.value),
    signals.Failed: lambda self, _, signal: self.requests.failed(signal.ref, signal.reason),
    signals.Forget: lambda self, node, signal: self.requests.forget(node, signal.ref),
    signals.Replied: lambda self, _, signal: self.replies.replied(signal),
    signals.NotReplied: lambda self, _, signal: self.replies.not_replied(signal),
    signals.Monitor: lambda self, node, s: self.ties.monitored_by(node, s.ref, s.dest),
    signals.Demonitor: lambda self, node, signal: self.ties.demonitored_by(node, signal.ref),
    signals.Died: lambda self, _, signal: self.ties.died(signal.ref, signal.reason),
    signals.LinkTo: lambda self, node, s: self.ties.linked_by(node, s.source, s.target),
    signals.Unlink: lambda self, _, s: self.ties.unlinked_by(s.source, s.target, s.number),
    signals.Unlinked: lambda self, _, s: self.ties.unlink_acknowledged(
        s.source, s.target, s.number
    ),
    signals.ExitSignal: _exit_signal,
    signals.Introduce: _introduce,
    signals.Complete: lambda self, node, _: self.complete(node),
    signals.ForNames: lambda self, node, signal: self.shared.take_names(node, signal.message),
    signals.ForGroups: lambda self, node, signal: self.shared.groups.receive(node, signal.message),
}
