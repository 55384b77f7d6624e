"""A server for tests that notes each of its callbacks and does what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aybiza.actors.runtime import (
    VM,
    From,
    GenServer,
    Pid,
    Reason,
)

Log = list[Any]


class Recorder(GenServer):
    """Notes each callback; a request that is a function is run and its result returned."""

    async def init(self, log: Log, then: Any = None, trap: bool = False) -> Any:
        self.log = log
        self.saved: list[From] = []
        self.trap_exit(trap)
        return then

    async def handle_call(self, request: Any, from_: From) -> Any:
        self.log.append(("call", _shown(request)))
        return await _run(request, self, from_)

    async def handle_cast(self, request: Any) -> Any:
        self.log.append(("cast", _shown(request)))
        return await _run(request, self, None)

    async def handle_info(self, message: Any) -> Any:
        self.log.append(("info", _shown(message)))
        return await _run(message, self, None)

    async def handle_continue(self, value: Any) -> Any:
        self.log.append(("continue", _shown(value)))
        return await _run(value, self, None)

    async def terminate(self, reason: Reason) -> None:
        self.log.append(("terminate", reason))


def _shown(request: Any) -> Any:
    return getattr(request, "__name__", request)


async def _run(request: Any, server: Recorder, from_: From | None) -> Any:
    if not callable(request):
        return None
    outcome = request(server, from_)
    return await outcome if asyncio.iscoroutine(outcome) else outcome


async def forever() -> None:
    await asyncio.Event().wait()


async def started(vm: VM, log: Log, *args: Any, **options: Any) -> Pid:
    pid = await vm.start(Recorder, log, *args, **options)
    assert pid is not None
    return pid


def raises(error: BaseException) -> Callable[..., Any]:
    def fail(_: Any, __: Any) -> Any:
        raise error

    return fail
