"""A node's console with many processes and calls that go on, for measures.

    async with crowd() as (vm, held):     1,000 processes, 200 of them calls, and a `Hub`
        stir(vm)                          what a fifth of a second of calls does to them
    python -m aybiza.benchmarks.console_crowd     the same behind a door, as a process of its own

The calls are stand-ins: what the console reads of a `CallActor` is there and changes, what costs a
node more than the console itself is not. The process writes a line of JSON, with the `url` of its
door, and another one for each that it reads: the `cpu` seconds that it has taken. It ends with its
input. Four times in three seconds something happens that has the time of its beginning in its name
(`BELL`): a piece of news, a process that starts, a call that changes.

Errors: none.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any, Final

import structlog

from aybiza.actors.placement.placement import Limits
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM, GenServer, Pid
from aybiza.actors.runtime.loops import new_event_loop
from aybiza.actors.switchboard import Answering, Switchboard
from aybiza.claude.choice import Policy
from aybiza.config.agents import Agent
from aybiza.config.catalogue import shipped
from aybiza.config.ports import bound
from aybiza.config.settings import load
from aybiza.dialogue.toolbox import NoTools
from aybiza.gateway.console.actions import Console
from aybiza.gateway.console.console_actor import NAME as CONSOLE
from aybiza.gateway.console.console_actor import TICK_SECONDS, ConsoleActor
from aybiza.gateway.console.hub import Hub, hub
from aybiza.gateway.http import HttpDoor, http_app
from aybiza.gateway.http_server import HttpServer

PROCESSES: Final = 1000
CALLS: Final = 200
PHASES: Final = ("listening", "thinking", "speaking")
SHARE: Final = 8
"""Ticks in which each call goes on once."""

BELL: Final = "bell-"
BELLS: Final = ("news", "process", "call")
BELL_SECONDS: Final = 0.73
"""No multiple of a tick: the bells fall on all of its parts."""


AGENT: Final = Agent(name="Desk", system_prompt="You answer.", greeting="Hello.")


class Idle(GenServer):
    """Stands for what does nothing."""


class CallActor(GenServer):
    """Stands for a call."""

    async def init(self, number: int) -> None:
        self.number = self.turn = number
        self.caller = "…23"
        self.machine = None

    def get_state(self) -> dict[str, Any]:
        return {
            "call_id": f"CA{self.number:032x}",
            "phase": PHASES[self.turn % len(PHASES)],
            "turn": self.turn // len(PHASES),
            "caller": self.caller,
            "seconds": 60,
        }

    async def handle_info(self, message: Any) -> None:
        match message:
            case ("bell", str(bell)):
                self.caller = bell
            case _:
                self.turn += 1


async def members() -> list[dict[str, Any]]:
    """The cluster of a node that is alone."""
    return [{"node": "crowd", "state": "here"}]


def stir(vm: VM) -> None:
    """Each call goes on once in two seconds, and takes its messages."""
    vm.tables["stirred"] = turn = (vm.tables.get("stirred", 0) + 1) % SHARE
    for pid in vm.tables["calls"][turn::SHARE]:
        vm.send(pid, "go on")


async def _fill(vm: VM) -> None:
    board(vm).limits = Limits(calls=CALLS)
    calls: list[Pid] = []
    for number in range(CALLS):
        calls.append(_started(await vm.start(CallActor, number)))
    vm.tables["calls"] = calls
    for number in range(PROCESSES - CALLS):
        await vm.start(Idle, name=f"idle-{number}")


def _started(pid: Pid | None) -> Pid:
    assert pid is not None
    return pid


@asynccontextmanager
async def crowd() -> AsyncIterator[tuple[VM, Hub]]:
    """See the module."""
    async with VM("crowd") as vm:
        await _fill(vm)
        yield vm, Hub(vm, members, {"faults": False})


@asynccontextmanager
async def served() -> AsyncIterator[tuple[VM, str]]:
    """The crowd behind a door of its own; its address."""

    async def control(_: VM, __: dict[str, Any]) -> dict[str, Any]:
        return {"members": await members()}

    async with VM("crowd") as vm:
        await _fill(vm)
        console = Console(control)
        policy = Policy.of(load({}), shipped(), today=date.today())
        who = Answering(
            Agent(name="Desk", system_prompt="You answer.", greeting="Hello."),
            NoTools(),
            policy,
            "desk",
        )
        with bound("127.0.0.1", 0) as door:
            url = f"http://127.0.0.1:{door.getsockname()[1]}"
            media = "ws://127.0.0.1:9/media"
            http = http_app(HttpDoor(vm, media, url, Switchboard.of_one(who), console=console))
            await vm.start(HttpServer, door, http)
            await vm.start(ConsoleActor, console, name=CONSOLE)
            yield vm, url


async def ring(vm: VM, number: int) -> None:
    """Have something happen that bears the time of now."""
    bell = f"{BELL}{BELLS[number % len(BELLS)]}-{int(time.time() * 1000)}"
    match BELLS[number % len(BELLS)]:
        case "news":
            held = hub(vm)
            assert held is not None
            held.heard.tell("bell", bell)
        case "process":
            pid = _started(await vm.start(Idle, name=bell))
            asyncio.get_running_loop().call_later(3 * TICK_SECONDS, vm.exit, pid, "shutdown")
        case "call":
            vm.send(vm.tables["calls"][number % CALLS], ("bell", bell))


async def _every(seconds: float, work: Any) -> None:
    number = 0
    while True:
        await asyncio.sleep(seconds)
        await work(number)
        number += 1


async def main() -> None:
    """See the module."""
    async with served() as (vm, url):

        async def stirred(_: int) -> None:
            stir(vm)

        async def rung(number: int) -> None:
            await ring(vm, number)

        _say({"url": url})
        async with asyncio.TaskGroup() as tasks:
            working = [
                tasks.create_task(_every(TICK_SECONDS, stirred)),
                tasks.create_task(_every(BELL_SECONDS, rung)),
            ]
            while await asyncio.to_thread(sys.stdin.readline):
                _say({"cpu": time.process_time()})
            for task in working:
                task.cancel()


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    # What it writes to its output is read by a program.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
