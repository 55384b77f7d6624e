"""What a VM tells of its processes: observers and alarms."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from aybiza.actors.runtime import VM, Pid, Process, Reason, virtual_time
from aybiza.actors.runtime.news import ALARM_SECONDS
from tests.actors.runtime.probe import forever, started

Logs = list[MutableMapping[str, Any]]


def test_an_observer_that_fails_harms_nobody_and_is_told_once(logs: Logs) -> None:
    ended: list[Process] = []

    def fails(process: Process, reason: Reason) -> None:
        raise LookupError("in the observer")

    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            vm.observers += [fails, lambda process, _: ended.append(process)]
            watcher = await started(vm, True)
            for _ in range(2):
                child = await vm.call(watcher, lambda: vm.spawn(asyncio.sleep, 0, link=True))
                await vm.join(child)
            assert len(await vm.call(watcher, "seen")) == 2

    scenario()
    assert len(ended) == 3
    assert [entry["event"] for entry in logs] == ["observer_failed"]
    assert "in the observer" in logs[0]["exception"]


def test_observers_of_restarts_are_told_of_the_living_only(logs: Logs) -> None:
    told: list[Pid] = []

    def fails(process: Process) -> None:
        raise LookupError("in the observer")

    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            vm.restart_observers += [fails, lambda process: told.append(process.pid)]
            pid, dead = vm.spawn(forever), vm.spawn(asyncio.sleep, 0)
            await vm.join(dead)
            vm.restarted(dead)
            vm.restarted(pid)
            assert told == [pid]

    scenario()
    assert [entry["event"] for entry in logs] == ["observer_failed"]


def test_a_long_mailbox_is_named_and_not_again_at_once(logs: Logs) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM(mailbox_alarm=100) as vm:
            pid = await started(vm, name="slow")
            for _ in range(3):
                for _ in range(150):
                    vm.cast(pid, "x")
                await vm.call(pid, "seen")
            await asyncio.sleep(ALARM_SECONDS)
            for _ in range(150):
                vm.cast(pid, "x")

    scenario()
    alarms = [entry for entry in logs if entry["event"] == "mailbox_alarm"]
    assert [(alarm["name"], alarm["length"]) for alarm in alarms] == [("slow", 100)] * 2
