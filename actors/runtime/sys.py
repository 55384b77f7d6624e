"""`sys`: look into a running server and stop its message loop, as Erlang's module of that name.

    await sys.trace(vm, "counter")                 # each message, reply and new state to the log
    await sys.trace(vm, "counter", events.append)  # … to a function
    await sys.trace(vm, "counter", False)

Every function waits at most `timeout` seconds and raises `CallExit` like `VM.call`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from aybiza.actors.runtime.debug import Statistics, Tracer, set_count, set_trace
from aybiza.actors.runtime.messages import System
from aybiza.actors.runtime.messaging import CALL_TIMEOUT
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.trace_relay import part, relay
from aybiza.actors.runtime.vm import VM

TRACE_EVENTS = 10_000


async def _ask(vm: VM, dest: Dest, name: str, payload: Any, timeout: float) -> Any:
    def envelope(pid: Pid | None, future: asyncio.Future[Any], request: Any) -> System:
        return System(pid, future, name, request)

    return await vm.request(dest, payload, envelope, timeout)


async def get_state(vm: VM, dest: Dest, timeout: float = CALL_TIMEOUT) -> Any:
    """The server's state: its public attributes as a dict, unless it shows another."""
    return await _ask(vm, dest, "get_state", None, timeout)


async def replace_state(
    vm: VM, dest: Dest, function: Callable[[Any], Any], timeout: float = CALL_TIMEOUT
) -> Any:
    """Set the attributes that `function(state)` returns; returns the new state."""
    return await _ask(vm, dest, "replace_state", function, timeout)


async def get_status(vm: VM, dest: Dest, timeout: float = CALL_TIMEOUT) -> dict[str, Any]:
    """Class, name, parent, mailbox length, reductions and state."""
    status: dict[str, Any] = await _ask(vm, dest, "get_status", None, timeout)
    return status


async def suspend(vm: VM, dest: Dest, timeout: float = CALL_TIMEOUT) -> None:
    """Stop handling messages; they wait in the mailbox until `resume`."""
    await _ask(vm, dest, "suspend", None, timeout)


async def resume(vm: VM, dest: Dest, timeout: float = CALL_TIMEOUT) -> None:
    """Go on after `suspend`."""
    await _ask(vm, dest, "resume", None, timeout)


async def trace(
    vm: VM,
    dest: Dest,
    to: bool | Tracer | Dest = True,
    *,
    limit: int = TRACE_EVENTS,
    timeout: float = CALL_TIMEOUT,
) -> None:
    """Tell of each message that the server gets, of its replies, new states and what it sends.

    `to` is True for the log (event `trace`, with shapes of values unless the VM shows values), a
    function that is called on the loop with each `Traced`, or a process that gets them as messages;
    False ends it. After `limit`
    events, or when the function raises or the process is gone, the trace ends by itself. What is
    said on a call may stand in messages and states: trace a caller's processes with care.

    A server of another node is traced into the log of its node; a function is called on this one,
    by a process that ends with the trace. What cannot be sent here comes as its text.
    """

    tracer = to
    part(vm, dest)
    if callable(to) and (remote := vm.remote) is not None and remote.place(dest) is not None:
        tracer = relay(vm, dest, to)
    await _ask(vm, dest, "debug", partial(set_trace, tracer, limit), timeout)


async def statistics(
    vm: VM, dest: Dest, on: bool | None = None, timeout: float = CALL_TIMEOUT
) -> Statistics | None:
    """What has been counted, None when nothing is; `on` begins or ends the counting."""

    counted: Statistics | None = await _ask(vm, dest, "debug", partial(set_count, on), timeout)
    return counted
