"""Who reads at once shares one reading, whichever stores answer."""

from __future__ import annotations

import asyncio

from aybiza.actors import names
from aybiza.actors.memory.memory_actor import Claim, Load, MemoryActor
from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.memory.reader import PATIENCE_SECONDS, told
from aybiza.actors.memory.store import Part, Row
from aybiza.actors.runtime import VM, virtual_time

ROWS = [Row("CA1", 1, 7, 1.0, {"text": "a"})]


class Hanging(ProcessStore):
    """A store that does not answer."""

    async def hang(self) -> None:
        await asyncio.Event().wait()


def test_rows_are_told_with_their_events() -> None:
    assert told(ROWS) == [(7, {"text": "a"})]


@virtual_time
async def test_a_store_that_hangs_is_waited_for_a_moment_when_another_one_has_answered() -> None:
    good, hanging = ProcessStore(), Hanging()
    good.name = "good"
    good.write([Part("CA1", 1, None, ROWS)])
    async with VM() as vm:
        blocking = vm.run_blocking

        async def run(function, *args):  # type: ignore[no-untyped-def]
            if getattr(function, "__self__", None) is hanging:
                await hanging.hang()
            return await blocking(function, *args)

        vm.run_blocking = run  # type: ignore[method-assign]
        await vm.start(MemoryActor, good, hanging, name=names.MEMORY)
        for request in (Load("CA1"), Claim("CA1")):
            began = vm.now()
            assert await vm.call(names.MEMORY, request, 60.0) == told(ROWS)
            assert vm.now() - began == PATIENCE_SECONDS
