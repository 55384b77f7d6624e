"""`spawn`: start a server on any node of the cluster, under that node's supervisor.

    pid = await spawn(vm, "back", child(Counter, 5))

The server's class, and its arguments, travel by name and value: every node runs the same code.
Errors: those of `DynamicSupervisor.start_child`; `CallExit(NOCONNECTION)` if the node is down.
"""

from __future__ import annotations

from typing import Any

from aybiza.actors.runtime import VM, Pid
from aybiza.supervisors.base import OPERATION_SECONDS
from aybiza.supervisors.child_spec import AnySpec
from aybiza.supervisors.dynamic_supervisor import DynamicSupervisor

SPAWN_SUPERVISOR = "spawn_supervisor"
"""The name of each node's SpawnSupervisor."""


class SpawnSupervisor(DynamicSupervisor):
    """What other nodes have started on this one."""


async def spawn(
    vm: VM, node: str, spec: AnySpec, *, timeout: float | None = OPERATION_SECONDS
) -> Pid | tuple[Pid, Any] | None:
    """Start a child on `node`; its pid, or None when its start was ignored."""
    return await DynamicSupervisor.start_child(vm, (SPAWN_SUPERVISOR, node), spec, timeout=timeout)
