"""`Programs`: requests of Thespian programs for processes of this node (`ToProcess`)."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.carrier import Carrier, ProcessReply, ToProcess
from aybiza.actors.runtime.vm import VM

SERVED = 1000
"""Requests that may be under way; more are refused."""

log = structlog.get_logger(__name__)


class Programs:
    """Serves them, each within its own time limit."""

    def __init__(self, vm: VM, carrier: Carrier) -> None:
        self._vm = vm
        self._carrier = carrier
        self._tasks: set[asyncio.Task[None]] = set()

    def serve(self, wanted: ToProcess, sender: Any) -> None:
        """Begin with a request; `sender` gets the `ProcessReply` to a call."""
        if len(self._tasks) >= SERVED:
            error = f"{SERVED} requests of programs are under way; try again later"
            self._reply(wanted, sender, ProcessReply(error=error))
            return
        task = self._vm.loop.create_task(self._serve(wanted, sender))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End those that are under way."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)

    async def _serve(self, wanted: ToProcess, sender: Any) -> None:
        vm, reply = self._vm, ProcessReply()
        try:
            if wanted.kind == "call":
                reply = ProcessReply(await vm.call(wanted.name, wanted.request, wanted.limit))
                signals.packed(reply)
            elif wanted.kind == "cast":
                vm.cast(wanted.name, wanted.request)
            else:
                vm.send(wanted.name, wanted.request)
        except Exception as error:
            told = getattr(error, "told", None) or str(error) or type(error).__name__
            reply = ProcessReply(error=told)
        self._reply(wanted, sender, reply)

    def _reply(self, wanted: ToProcess, sender: Any, reply: ProcessReply) -> None:
        if wanted.kind != "call":
            return
        try:
            self._carrier.tell(sender, reply)
        except Exception as error:
            log.error("reply_not_sent", to=str(sender), error=signals.text_of(error))
