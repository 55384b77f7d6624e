"""A node's console with many processes and calls that go on, for measures.

    async with crowd() as (vm, held):     1,000 processes, 200 of them calls, and a `Hub`
        stir(vm)                          what a quarter of a second of calls does to them

The calls are stand-ins: what the console reads of a `CallActor` is there and changes, what costs a
node more than the console itself is not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aybiza.actors.placement.placement import Limits
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM, GenServer
from aybiza.gateway.console.hub import Hub

PROCESSES: Final = 1000
CALLS: Final = 200
PHASES: Final = ("listening", "thinking", "speaking")


class Idle(GenServer):
    """Stands for what does nothing."""


class CallActor(GenServer):
    """Stands for a call."""

    async def init(self, number: int) -> None:
        self.number = self.turn = number
        self.machine = None

    def get_state(self) -> dict[str, Any]:
        return {
            "call_id": f"CA{self.number:032x}",
            "phase": PHASES[self.turn % len(PHASES)],
            "turn": self.turn // len(PHASES),
            "caller": "…23",
            "seconds": 60,
        }

    async def handle_info(self, message: Any) -> None:
        self.turn += 1


async def members() -> list[dict[str, Any]]:
    return [{"node": "crowd", "state": "here"}]


def stir(vm: VM) -> None:
    """Each call goes on once in two seconds, and takes its messages."""
    calls = [pid for pid in vm.processes() if _is_call(vm, pid)]
    for pid in calls[stir_from(vm) :: 8]:
        vm.send(pid, "go on")


def stir_from(vm: VM) -> int:
    vm.tables["stirred"] = stirred = (vm.tables.get("stirred", 0) + 1) % 8
    return int(stirred)


def _is_call(vm: VM, pid: Any) -> bool:
    process = vm.find(pid)
    return process is not None and process.label == "CallActor"


@asynccontextmanager
async def crowd() -> AsyncIterator[tuple[VM, Hub]]:
    """See the module."""
    async with VM("crowd") as vm:
        board(vm).limits = Limits(calls=CALLS)
        for number in range(CALLS):
            await vm.start(CallActor, number)
        for number in range(PROCESSES - CALLS):
            await vm.start(Idle, name=f"idle-{number}")
        yield vm, Hub(vm, members, {"faults": False})
