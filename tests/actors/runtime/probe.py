"""A server for tests that keeps what it is told, and what goes with it."""

from __future__ import annotations

import asyncio
from typing import Any

from aybiza.actors.runtime import VM, From, GenServer, Pid, Reason


class Probe(GenServer):
    """Keeps what it is told, and does what it is asked in its own name."""

    async def init(self, trap: bool = False) -> None:
        self.seen: list[Any] = []
        self.trap_exit(trap)

    async def handle_info(self, message: Any) -> None:
        self.seen.append(message)

    async def handle_cast(self, request: Any) -> None:
        self.seen.append(request)

    async def handle_call(self, request: Any, from_: From) -> Any:
        if request == "seen":
            return list(self.seen)
        outcome = request()
        return await outcome if asyncio.iscoroutine(outcome) else outcome

    async def terminate(self, reason: Reason) -> None:
        self.seen.append(("terminate", reason))


async def forever() -> None:
    await asyncio.Event().wait()


async def started(vm: VM, *args: Any, **options: Any) -> Pid:
    pid = await vm.start(Probe, *args, **options)
    assert pid is not None
    return pid
