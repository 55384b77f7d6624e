"""`relay`: a process that calls a function with what a server of another node is traced to.

It ends with the trace: when that is full, when the server has ended or its node is lost, when the
function raises, and when this VM traces the server anew (`part`).
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Any

from aybiza.actors.runtime.debug import Traced, Tracer, set_trace
from aybiza.actors.runtime.errors import PROGRAM_ENDS, CallExit
from aybiza.actors.runtime.messages import Down, System
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import SHUTDOWN
from aybiza.actors.runtime.vm import VM

RELAYS = "trace_relays"
"""The table of the VM that has them, by the address of the server."""


def relay(vm: VM, dest: Dest, function: Tracer) -> Pid:
    """Start one; its pid is what the server is to be traced to."""

    async def body(process: Process) -> None:
        vm.monitor(dest)
        try:
            while not await _told(vm, dest, function, await process.receive()):
                pass
        finally:
            if _relays(vm).get(dest) == process.pid:
                del _relays(vm)[dest]

    process = vm.spawn_process(body, label="TraceRelay")
    _relays(vm)[dest] = process.pid
    return process.pid


def part(vm: VM, dest: Dest) -> None:
    """End the one for this server, if there is one."""
    pid = _relays(vm).pop(dest, None)
    if pid is not None:
        vm.exit(pid, SHUTDOWN)


async def _told(vm: VM, dest: Dest, function: Tracer, message: Any) -> bool:
    """Pass a message on; True if it was the last one."""
    if not isinstance(message, Traced):
        return type(message) is Down
    try:
        function(message)
    except PROGRAM_ENDS:
        raise
    except BaseException as failure:
        vm.report_failed_observer(function, failure)
        await _end(vm, dest)
        return True
    return message.event == "end"


async def _end(vm: VM, dest: Dest) -> None:
    def envelope(pid: Pid | None, future: asyncio.Future[Any], request: Any) -> System:
        return System(pid, future, "debug", request)

    with contextlib.suppress(CallExit):  # of a server that is gone, and its trace with it
        await vm.request(dest, partial(set_trace, False, 0), envelope)


def _relays(vm: VM) -> dict[Dest, Pid]:
    relays: dict[Dest, Pid] = vm.tables.setdefault(RELAYS, {})
    return relays
