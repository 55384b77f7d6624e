"""`sys`: look into a running server and stop its message loop, as Erlang's module of that name.

Every function waits at most `timeout` seconds and raises `CallExit` like `VM.call`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from actors.runtime.messages import System
from actors.runtime.messaging import CALL_TIMEOUT
from actors.runtime.pid import Dest, Pid
from actors.runtime.vm import VM


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
