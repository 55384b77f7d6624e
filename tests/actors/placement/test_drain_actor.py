"""The actor that empties a node, with streams that do nothing but note what they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from aybiza.actors import names
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.memory_actor import MemoryActor, kept
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.placement.drain_actor import (
    Begin,
    DrainActor,
    Left,
    Take,
    Taken,
    Undo,
    end_stream,
    streams,
)
from aybiza.actors.placement.placement import Place, Row
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.registry_actor import RegistryActor
from aybiza.actors.registry_actor import names as registered
from aybiza.actors.runtime import KILL, VM, GenServer, Process, virtual_time
from tests.actors.cluster.kit import until


class Stream(GenServer):
    """Stands for a MediaStream. `stubborn`: does not end when it is told to."""

    traps_exits = True

    async def init(self, call_id: str, stubborn: bool = False) -> None:
        self.got: list[Any] = []
        self.stubborn = stubborn
        registered(self.vm).register(self._process, names.stream(call_id).key)

    async def handle_info(self, message: Any) -> None:
        self.got.append(message)

    async def terminate(self, reason: Any) -> None:
        while self.stubborn:
            await self._process.receive()


@asynccontextmanager
async def node(folder: Path) -> AsyncIterator[VM]:
    async with VM("here") as vm:
        store = SqliteStore(folder / "memory.sqlite3")
        await vm.start(RegistryActor, name="registry_actor")
        await vm.start(MemoryActor, store, name=names.MEMORY)
        await vm.start(DrainActor, name=names.DRAIN)
        yield vm
        store.close()


def stream(vm: VM, call_id: str) -> Stream:
    process: Process | None = vm.find(names.stream(call_id))
    assert process is not None and isinstance(process.server, Stream)
    return process.server


async def test_streams_are_asked_to_leave_and_may_stay_when_it_is_undone(tmp_path: Path) -> None:
    async with node(tmp_path) as vm:
        board(vm).told(Row("other", Place("http://other"), 0, 10, 1.0, 10, False, ""))
        await vm.start(Stream, "CA1")
        assert list(streams(vm)) == ["CA1"]
        with capture_logs() as logged:
            progress = await vm.call(names.DRAIN, Begin(0.0))
            await until(lambda: stream(vm, "CA1").got == ["leave"])
        assert (progress.state, progress.calls, board(vm).draining) == ("draining", 1, True)
        (line,) = [entry for entry in logged if entry["event"] == "drain_round"]
        assert (line["round"], line["calls"]) == (1, 1)
        assert (await vm.call(names.DRAIN, Undo())).state == "up"
        await until(lambda: stream(vm, "CA1").got == ["leave", "stay"])
        assert not board(vm).draining


async def test_the_journal_is_given_when_the_stream_has_ended_and_the_seam_is_told_once(
    tmp_path: Path,
) -> None:
    async with node(tmp_path) as vm:
        entry = {"type": "caller_turn", "turn": 1, "text": "hello"}
        append(vm, "CA1", 1, 7, [entry])
        await kept(vm, "CA1")
        await vm.start(Stream, "CA1")
        await vm.call(names.DRAIN, Begin(60.0))
        vm.cast(names.DRAIN, Left("CA1", at_seam=True))
        assert await vm.call(names.DRAIN, Take("CA1")) == Taken([(7, entry)], at_seam=True)
        assert streams(vm) == {}
        assert await vm.call(names.DRAIN, Take("CA1")) == Taken([(7, entry)], at_seam=False)

        async def drained() -> Any:
            progress = await vm.call(names.DRAIN, "progress")
            return progress if progress.state == "drained" else None

        progress = None
        while progress is None:
            progress = await drained()
        assert (progress.ended, progress.handed_over, progress.lost) == (0, 1, 0)


async def test_a_call_that_nobody_knows_has_no_journal(tmp_path: Path) -> None:
    async with node(tmp_path) as vm:
        assert await vm.call(names.DRAIN, Take("CA9")) == Taken([], at_seam=False)
        drain = vm.whereis(names.DRAIN)
        await vm.stop(names.MEMORY)
        assert await vm.call(names.DRAIN, Take("CA9")) == Taken([], at_seam=False)
        assert vm.whereis(names.DRAIN) == drain


async def test_a_stream_that_does_not_end_is_killed(tmp_path: Path) -> None:
    async with node(tmp_path) as vm:
        await vm.start(Stream, "CA1", stubborn=True)
        await end_stream(vm, "CA1")
        assert streams(vm) == {}


@virtual_time
async def test_who_does_not_drain_is_not_woken_and_a_drain_outlives_its_actor(
    tmp_path: Path,
) -> None:
    async with node(tmp_path) as vm:
        board(vm).told(Row("other", Place("http://other"), 0, 10, 1.0, 10, False, ""))
        await asyncio.sleep(60.0)
        process = vm.find(names.DRAIN)
        assert process is not None and not process.mailbox
        # Two timers are the memory's.
        assert len(vm.tied) == 2
        await vm.start(Stream, "CA1", name=None)
        await vm.call(names.DRAIN, Begin(60.0))
        vm.exit(process.pid, KILL)
        await vm.join(process.pid)
        await vm.start(DrainActor, name=names.DRAIN)
        assert len(vm.tied) == 3
        await vm.call(names.DRAIN, Undo())
        await asyncio.sleep(1.0)
        # Two timers are the memory's.
        assert len(vm.tied) == 2
