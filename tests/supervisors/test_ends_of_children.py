"""What those who watch the children see when a supervisor ends them, as OTP's and Elixir's own
tests ask it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    KILLED,
    NORMAL,
    SHUTDOWN,
    VM,
    Down,
    Exit,
    ExitError,
    GenServer,
    Pid,
    Reason,
    Shutdown,
    virtual_time,
)
from aybiza.supervisors import DynamicSupervisor, Supervisor, child
from tests.actors.runtime.probe import started

NEVER = 10.0**6


class Last(GenServer):
    """Traps exits or not; `terminate` takes its time and ends with a reason of its own."""

    async def init(self, trap: bool = False, seconds: float = 0.0, last: Reason = None) -> None:
        self.seconds, self.last = seconds, last
        self.trap_exit(trap)

    async def handle_cast(self, supervisor: Pid) -> None:
        self.vm.unlink(supervisor)

    async def terminate(self, reason: Reason) -> None:
        await asyncio.sleep(self.seconds)
        if self.last is not None:
            raise ExitError(self.last)


async def three(vm: VM, kind: Any, **options: Any) -> tuple[Pid, list[Any]]:
    """A supervisor and the pids of three such children."""
    specs = [child(Last, id=number, **options) for number in range(3)]
    supervisor = await vm.start(kind, *([specs] if kind is Supervisor else []), link=True)
    assert supervisor is not None
    if kind is DynamicSupervisor:
        for spec in specs:
            await DynamicSupervisor.start_child(vm, supervisor, spec)
    return supervisor, [info.pid for info in await kind.which_children(vm, supervisor)]


@pytest.mark.parametrize("kind", [Supervisor, DynamicSupervisor])
@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({"shutdown": "brutal_kill"}, KILLED),
        ({"shutdown": "infinity"}, SHUTDOWN),
        ({"shutdown": 1.0}, SHUTDOWN),
        ({"shutdown": "infinity", "trap": True}, SHUTDOWN),
        ({"shutdown": "infinity", "trap": True, "last": Shutdown("oops")}, Shutdown("oops")),
        ({"shutdown": 1.0, "trap": True, "last": Shutdown("oops")}, Shutdown("oops")),
        ({"shutdown": 1.0, "trap": True, "last": NORMAL}, NORMAL),
        ({"shutdown": 1.0, "trap": True, "seconds": NEVER}, KILLED),
        ({"shutdown": 0.0, "trap": True, "seconds": NEVER}, KILLED),
    ],
)
@virtual_time
async def test_who_monitors_a_child_sees_how_it_ended_with_its_supervisor(
    kind: Any, options: dict[str, Any], seen: Reason
) -> None:
    async with VM() as vm:
        watcher = await started(vm, True)

        async def watch() -> tuple[Pid, list[Any]]:
            supervisor, pids = await three(vm, kind, **options)
            for pid in pids:
                vm.monitor(pid)
            vm.exit(supervisor, SHUTDOWN)
            return supervisor, pids

        supervisor, pids = await vm.call(watcher, watch)
        assert await vm.join(supervisor, None) == SHUTDOWN
        told = await vm.call(watcher, "seen")
        ends = {each.pid: each.reason for each in told if isinstance(each, Down)}
        assert ends == dict.fromkeys(pids, seen)
        assert [each for each in told if isinstance(each, Exit)] == [Exit(supervisor, SHUTDOWN)]


@pytest.mark.parametrize("kind", [Supervisor, DynamicSupervisor])
@virtual_time
async def test_a_child_that_has_unlinked_its_supervisor_ends_with_it_all_the_same(
    kind: Any,
) -> None:
    async with VM() as vm:
        starter = await started(vm, True)
        supervisor, pids = await vm.call(starter, lambda: three(vm, kind, shutdown=1.0))
        for pid in pids:
            vm.cast(pid, supervisor)
        await asyncio.sleep(1)
        vm.exit(pids[0], KILL)
        await asyncio.sleep(1)
        # Nobody has told the supervisor.
        assert {info.pid for info in await kind.which_children(vm, supervisor)} == set(pids)
        await vm.stop(supervisor)
        assert not any(map(vm.alive, pids))
