"""`Requests`: calls from this node to others, and from others to this one.

A call has an end in every case: its answer, the callee's death, the loss of the node, or the
caller's time limit, of which the callee's node is told. A request or reply that the other node
cannot read ends that call: `CallExit` with `(UNREADABLE_REQUEST, why)` or `(UNREADABLE_REPLY,
why)`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.replies import UNPICKLABLE_REPLY, UNREADABLE_REPLY
from aybiza.actors.runtime.errors import PROGRAM_ENDS, CallExit
from aybiza.actors.runtime.messages import Call, From, System
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process, current_process
from aybiza.actors.runtime.reasons import NOCONNECTION, NOPROC, TIMEOUT, Reason
from aybiza.actors.runtime.vm import VM

Envelope = Callable[[Pid | None, asyncio.Future[Any], Any], Call]
UNREADABLE_REQUEST = "unreadable_request"
UNDELIVERABLE_REQUEST = "undeliverable_request"

log = structlog.get_logger(__name__)


class Requests:
    """See the module. `ask` sends a request to a node, and may refuse it by raising; `say` sends
    all else. Both raise if a signal cannot be pickled, and are False if the node is down."""

    def __init__(
        self, vm: VM, ask: Callable[[str, Any], bool], say: Callable[[str, Any], bool]
    ) -> None:
        self._vm = vm
        self._ask = ask
        self._say = say
        self._refs = itertools.count(1)
        self._asked: dict[int, tuple[str, asyncio.Future[Any], Any]] = {}
        self._answering: dict[tuple[str, int], tuple[Process, From]] = {}

    def statistics(self) -> dict[str, int]:
        """How many calls are under way: `asked` by this node, `answering` for others."""
        return {"asked": len(self._asked), "answering": len(self._answering)}

    async def ask(
        self, node: str, dest: Any, request: Any, envelope: Envelope, timeout: float | None
    ) -> Any:
        """The reply of a process of another node; raises `CallExit`."""
        caller = current_process.get()
        future: asyncio.Future[Any] = self._vm.loop.create_future()
        draft = envelope(caller.pid if caller else None, future, request)
        system = draft.name if isinstance(draft, System) else None
        try:
            return await self._wait(
                node,
                dest,
                future,
                lambda ref: signals.Ask(ref, draft.pid, dest, request, system),
                timeout,
            )
        except TimeoutError:
            raise CallExit(TIMEOUT, dest, request) from None

    async def await_end(
        self, node: str, dest: Any, stop_with: tuple[Reason] | None, timeout: float | None
    ) -> Reason:
        """Wait for the end of a process of another node; raises TimeoutError."""
        future: asyncio.Future[Any] = self._vm.loop.create_future()
        try:
            return await self._wait(
                node,
                dest,
                future,
                lambda ref: signals.AwaitEnd(ref, dest, stop_with),
                timeout,
            )
        except CallExit as ended:
            return ended.reason

    def end_of(self, node: str, pid: Pid) -> asyncio.Future[Any]:
        """Fails with `CallExit` and the reason when a process of another node has ended."""
        future: asyncio.Future[Any] = self._vm.loop.create_future()
        ref = next(self._refs)
        self._asked[ref] = (node, future, pid)
        if not self._say(node, signals.AwaitEnd(ref, pid)):
            self.failed(ref, NOCONNECTION)
        return future

    async def _wait(
        self,
        node: str,
        dest: Any,
        future: asyncio.Future[Any],
        signal: Callable[[int], Any],
        timeout: float | None,
    ) -> Any:
        ref = next(self._refs)
        if not self._ask(node, signal(ref)):
            raise CallExit(NOCONNECTION, dest)
        self._asked[ref] = (node, future, dest)
        try:
            async with asyncio.timeout(timeout):
                return await future
        finally:
            if self._asked.pop(ref, None) is not None:
                self._say(node, signals.Forget(ref))

    def answered(self, ref: int, value: Any) -> None:
        """The reply to a call of ours."""
        if type(value) is signals.Unreadable:
            self.failed(ref, (UNREADABLE_REPLY, value.why))
            return
        asked = self._asked.pop(ref, None)
        if asked is not None and not asked[1].done():
            asked[1].set_result(value)

    def failed(self, ref: int, reason: Reason) -> None:
        """A call of ours gets no reply."""
        asked = self._asked.pop(ref, None)
        if asked is not None and not asked[1].done():
            asked[1].set_exception(CallExit(reason, asked[2]))

    def asked_by(self, node: str, ask: signals.Ask) -> None:
        """A call of another node's process, or of its code outside all processes."""
        if type(ask.request) is signals.Unreadable:
            log.error("message_not_read", node=node, error=ask.request.why)
            self._say(node, signals.Failed(ask.ref, (UNREADABLE_REQUEST, ask.request.why)))
            return
        target = self._vm.find(ask.dest)
        if target is None:
            self._say(node, signals.Failed(ask.ref, NOPROC))
            return
        future = self._expect(node, ask.ref)
        if ask.system is None:
            call = Call(ask.caller, future, ask.request)
        else:
            call = System(ask.caller, future, ask.system, ask.request)
        self._hold(node, ask.ref, target, call)
        target.deliver(call)

    def end_awaited_by(self, node: str, wanted: signals.AwaitEnd) -> None:
        """Another node waits for the end of a local process."""
        target = self._vm.find(wanted.dest)
        if target is None:
            self._say(node, signals.Failed(wanted.ref, NOPROC))
            return
        self._hold(node, wanted.ref, target, From(None, self._expect(node, wanted.ref)))
        if wanted.stop_with is not None:
            target.deliver(System(None, None, "terminate", wanted.stop_with[0]))

    def refuse(self, node: str, ref: int, error: BaseException) -> None:
        """What another node asked for cannot be done."""
        reason = (UNDELIVERABLE_REQUEST, signals.described(error))
        self._say(node, signals.Failed(ref, reason))

    def forget(self, node: str, ref: int) -> None:
        """Another node does not wait for this answer any more."""
        held = self._answering.pop((node, ref), None)
        if held is None:
            return
        target, from_ = held
        if target.callers:
            target.callers.pop(from_, None)
        if from_._future is not None:
            from_._future.cancel()  # nobody waits, here or where the From was lent to

    def node_down(self, node: str) -> None:
        """A node cannot be reached."""
        for ref in [ref for ref, (where, *_) in self._asked.items() if where == node]:
            self.failed(ref, NOCONNECTION)
        for where, ref in [key for key in self._answering if key[0] == node]:
            self.forget(where, ref)

    def _expect(self, node: str, ref: int) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._vm.loop.create_future()
        future.add_done_callback(partial(self._answer, node, ref))
        return future

    def _hold(self, node: str, ref: int, target: Process, from_: From) -> None:
        self._answering[node, ref] = (target, from_)
        target.add_caller(from_)

    def _answer(self, node: str, ref: int, future: asyncio.Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if (node, ref) not in self._answering:
            return
        self.forget(node, ref)
        if isinstance(error, CallExit):
            self._say(node, signals.Failed(ref, signals.portable(error.reason)))
        elif error is not None:
            self._say(node, signals.Failed(ref, signals.portable(error)))
        else:
            try:
                self._say(node, signals.Answer(ref, future.result()))
            except PROGRAM_ENDS:
                raise
            except BaseException as failure:
                reason = (UNPICKLABLE_REPLY, signals.described(failure))
                log.error("reply_not_sent", node=node, error=reason[1])
                self._say(node, signals.Failed(ref, reason))
