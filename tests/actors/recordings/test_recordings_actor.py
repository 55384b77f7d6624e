"""The actor that has recordings written: what is waited for, what is bounded, what outlives it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aybiza.actors import names
from aybiza.actors.recordings.recordings_actor import (
    MOST_OVER,
    TABLE,
    RecordingsActor,
    begin,
    is_recorded,
    listen,
    wait,
)
from aybiza.actors.recordings.shelf import Part, Shelf
from aybiza.actors.runtime import VM, virtual_time
from aybiza.speech.line import Line


class Sink:
    def media(self, mulaw: bytes) -> None: ...
    def mark(self, name: str) -> None: ...
    def clear(self) -> None: ...


class Away(Shelf):
    """A folder that is away."""

    def write(self, part: Part, size: int, stereo: bytes) -> int:
        raise OSError(5, "Input/output error")


def recorded_line(vm: VM, call_id: str) -> Line:
    line = Line(call_id, Sink(), clock=vm.now)
    wait(vm, line)
    assert begin(vm, line, 0.0)
    line.hear(b"c" * 800)
    return line


@virtual_time
async def test_a_node_without_it_records_nothing() -> None:
    async with VM() as vm:
        line = Line("CA1", Sink(), clock=vm.now)
        wait(vm, line)
        assert line.tape is None
        assert not begin(vm, line, 0.0)


@virtual_time
async def test_what_is_begun_twice_is_one_recording(tmp_path: Path) -> None:
    async with VM() as vm:
        await vm.start(RecordingsActor, Shelf(tmp_path), name=names.RECORDINGS)
        line = recorded_line(vm, "CA1")
        assert not begin(vm, line, 0.0)
        await asyncio.sleep(5)
        assert len(Shelf(tmp_path).parts("CA1")) == 1


@virtual_time
async def test_an_end_in_order_writes_what_there_is(tmp_path: Path) -> None:
    async with VM() as vm:
        pid = await vm.start(RecordingsActor, Shelf(tmp_path), name=names.RECORDINGS)
        assert pid is not None
        line = recorded_line(vm, "CA1")
        line.hear(b"d" * 8_000)
        await vm.stop(pid)
        (path,) = Shelf(tmp_path).parts("CA1")
        assert path.read_bytes()[44::2] == b"c" * 800 + b"d" * 8_000


@virtual_time
async def test_only_so_many_calls_that_are_over_wait_for_a_disk(tmp_path: Path) -> None:
    async with VM() as vm:
        await vm.start(RecordingsActor, Away(tmp_path), name=names.RECORDINGS)
        for _ in range(5):
            for number in range(MOST_OVER):
                recorded_line(vm, f"CA{number}")
            await asyncio.sleep(30)
        table = vm.tables[TABLE]
        assert len(table.running) <= MOST_OVER
        assert len(table.batch) <= MOST_OVER


@virtual_time
async def test_who_listens_in_hears_what_is_recorded_and_nothing_before_or_after(
    tmp_path: Path,
) -> None:
    async with VM() as vm:
        await vm.start(RecordingsActor, Shelf(tmp_path), name=names.RECORDINGS)
        waits = Line("CA1", Sink(), clock=vm.now)
        wait(vm, waits)
        heard: list[bytes] = []
        assert not is_recorded(vm, "CA1")
        assert listen(vm, "CA1", heard.append) is None
        waits.hear(b"w" * 800)
        assert begin(vm, waits, 0.0)
        end = listen(vm, "CA1", heard.append)
        assert end is not None
        waits.hear(b"c" * 8_000)
        await asyncio.sleep(4)
        assert b"".join(heard)[: 2 * 8_000 : 2] == b"c" * 8_000
        end()
        end()
        count = len(heard)
        waits.hear(b"d" * 80_000)
        await asyncio.sleep(4)
        assert len(heard) == count
        assert vm.tables[TABLE].ears == {}


@virtual_time
async def test_who_listens_in_hears_no_key_that_is_pressed(tmp_path: Path) -> None:
    async with VM() as vm:
        await vm.start(RecordingsActor, Shelf(tmp_path), name=names.RECORDINGS)
        line = recorded_line(vm, "CA1")
        heard: list[bytes] = []
        listen(vm, "CA1", heard.append)
        line.press(1, "7")
        line.hear(b"k" * 8_000)
        await asyncio.sleep(4)
        assert heard
        assert b"k" not in b"".join(heard)
