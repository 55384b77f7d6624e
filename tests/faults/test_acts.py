"""What a fault does to the process that it strikes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import VM, GenServer
from aybiza.faults.acts import ACTS, FILLER
from aybiza.faults.fault import Fault


class Counts(GenServer):
    """Counts what it does not understand."""

    async def init(self) -> None:
        self.count = 0

    async def handle_info(self, message: Any) -> None:
        self.count += message == FILLER

    async def handle_call(self, request: Any, from_: Any) -> int:
        return self.count


@pytest.mark.asyncio
async def test_a_mailbox_gets_as_many_messages_as_the_fault_says() -> None:
    async with VM("a") as vm:
        pid = await vm.start(Counts)
        assert pid is not None
        process = vm.find(pid)
        assert process is not None
        ACTS["fill"](Fault("fill", "Counts", at=0.0, count=50), process)
        assert process.mailbox_length == 50
        assert await vm.call(pid, "count") == 50


@pytest.mark.asyncio
@pytest.mark.parametrize("what", ["kill", "exit", "crash"])
async def test_who_is_struck_is_told_where_the_end_is_the_faults_own_doing(what: str) -> None:
    async with VM("a") as vm:

        async def waits() -> None:
            await asyncio.sleep(100)

        pid = vm.spawn(waits)
        await asyncio.sleep(0)
        process = vm.find(pid)
        assert process is not None
        assert ACTS[what](Fault(what, at=0.0), process) == (pid.serial,)
        await vm.join(pid, 1.0)
        assert not vm.alive(pid)
