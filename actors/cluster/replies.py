"""`Replies`: the `From` of a call that travels to another node, and the reply that comes back.

    async def handle_call(self, request, from_):
        self.vm.cast(("helper", "back"), (request, from_))   # the helper calls reply(from_, value)
        return NO_REPLY

A `From` that is sent away is lent: the other node gets a number in its place, and a reply to that
number is handed to the one who waits here. The number is forgotten when the call is over. As in
Elixir, the caller's call ends with the server that it called, not with the helper.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import structlog

from aybiza.actors.cluster import signals
from aybiza.actors.runtime.errors import PROGRAM_ENDS, CallExit
from aybiza.actors.runtime.messages import From
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.reasons import Reason
from aybiza.actors.runtime.vm import VM

UNPICKLABLE_REPLY = "unpicklable_reply"
UNREADABLE_REPLY = "unreadable_reply"

log = structlog.get_logger(__name__)


class RemoteFrom(From):
    """Who waits for a reply on the node `node`."""

    __slots__ = ("_way", "creation", "node", "ref")

    def __init__(self, pid: Pid | None, node: str, creation: int, ref: int) -> None:
        super().__init__(pid, None)
        self.node = node
        self.creation = creation
        self.ref = ref
        here = reader.get()
        self._way: Callable[[RemoteFrom, Any, Reason | None], None] | None = (
            here.answer if here else None
        )

    def answer(self, value: Any) -> None:
        """Send `value` to the caller's node."""
        way, self._way = self._way, None
        if way is not None:
            way(self, value, None)

    def fail(self, error: BaseException) -> None:
        """Tell the caller's node that there is no reply."""
        way, self._way = self._way, None
        if way is not None:
            reason = error.reason if isinstance(error, CallExit) else error
            way(self, None, signals.portable(reason))

    @property
    def waiting(self) -> bool:
        """Whether nobody has answered here; whether the caller still waits is not known."""
        return self._way is not None

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (self.pid, self.node, self.creation, self.ref)


class Replies:
    """See the module. `say` sends a signal that must not be refused."""

    def __init__(self, vm: VM, say: Callable[[str, Any], bool]) -> None:
        self._vm = vm
        self._say = say
        self._refs = itertools.count(1)
        self._lent: dict[int, From] = {}
        self._refs_of: dict[From, int] = {}

    @property
    def lent(self) -> int:
        """How many calls may be answered from other nodes."""
        return len(self._lent)

    def lend(self, from_: From) -> tuple[Any, ...]:
        """How a `From` of this node travels."""
        ref = self._refs_of.get(from_)
        future = from_._future
        if ref is None and future is not None and not future.done():
            ref = self._refs_of[from_] = next(self._refs)
            self._lent[ref] = from_
            future.add_done_callback(partial(self._over, ref))
        return _received, (from_.pid, self._vm.node, self._vm.creation, ref or 0)

    def hold(self, from_: From) -> None:
        """Let this travel until it is released."""
        ref = self._refs_of[from_] = next(self._refs)
        self._lent[ref] = from_

    def release(self, from_: From) -> bool:
        """What comes back for it is not taken any more; False if it is not held."""
        ref = self._refs_of.pop(from_, None)
        return ref is not None and self._lent.pop(ref, None) is not None

    def received(self, pid: Pid | None, node: str, creation: int, ref: int) -> From:
        """A `From` that has come in; one of this node comes home."""
        if (node, creation) == (self._vm.node, self._vm.creation):
            return self._lent.get(ref) or From(pid, None)
        return RemoteFrom(pid, node, creation, ref)

    def answer(self, from_: RemoteFrom, value: Any, failed: Reason | None) -> None:
        """Send a reply, or why there is none, to the node that lent this."""
        signal: Any = signals.Replied(from_.creation, from_.ref, value)
        if failed is not None:
            signal = signals.NotReplied(from_.creation, from_.ref, failed)
        try:
            self._say(from_.node, signal)
        except PROGRAM_ENDS:
            raise
        except BaseException as error:
            reason = (UNPICKLABLE_REPLY, signals.described(error))
            log.error("reply_not_sent", node=from_.node, error=reason[1])
            self._say(from_.node, signals.NotReplied(from_.creation, from_.ref, reason))

    def replied(self, reply: signals.Replied) -> None:
        """Another node has answered a call of this one."""
        from_ = self._lent.get(reply.ref) if reply.creation == self._vm.creation else None
        if from_ is None:
            return
        if type(reply.value) is signals.Unreadable:
            from_.fail(CallExit((UNREADABLE_REPLY, reply.value.why), self._vm.node))
        else:
            from_.answer(reply.value)

    def not_replied(self, reply: signals.NotReplied) -> None:
        """Another node says that a call of this one gets no reply."""
        from_ = self._lent.get(reply.ref) if reply.creation == self._vm.creation else None
        if from_ is not None:
            from_.fail(CallExit(reply.reason, self._vm.node))

    def _over(self, ref: int, _: asyncio.Future[Any]) -> None:
        from_ = self._lent.pop(ref)
        del self._refs_of[from_]


reader: ContextVar[Replies | None] = ContextVar("reader", default=None)
"""The node that reads, while signals are read."""


def _received(pid: Pid | None, node: str, creation: int, ref: int) -> From:
    here = reader.get()
    return here.received(pid, node, creation, ref) if here else From(pid, None)
