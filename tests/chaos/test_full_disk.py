"""A disk that is full: calls go on from the process's own copy, and what they said is written when
there is room.

The disk is a small tmpfs, which root may mount; elsewhere SQLite's own limit stands for it, which
is the same error to all above it.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from aybiza.actors import names
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.memory_actor import Load, MemoryActor, kept
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import StoreError
from aybiza.actors.runtime import VM
from tests.slowness import slowness

pytestmark = pytest.mark.real_time

LIMIT = 60.0
DISK_KILOBYTES = 256
TEXT = "What are your opening hours on Monday? " * 25


def run(*command: str) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    except OSError:
        return False
    return done.returncode == 0


@contextmanager
def small_disk(folder: Path) -> Iterator[tuple[SqliteStore, Callable[[], None]]]:
    """A store on a small disk, and what makes the disk larger."""
    disk = folder / "disk"
    disk.mkdir()
    store = SqliteStore(disk / "memory.sqlite3")
    options = f"size={DISK_KILOBYTES}k"
    if run("mount", "-t", "tmpfs", "-o", options, "aybiza-test", str(disk)):
        try:
            yield store, lambda: _check(run("mount", "-o", "remount,size=64m", str(disk)))
        finally:
            store.close()
            _check(run("umount", str(disk)))
    else:
        store.write([])
        connection = store._connection
        assert connection is not None
        pages = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={DISK_KILOBYTES * 1024 // pages}")
        yield store, lambda: connection.execute("PRAGMA max_page_count=100000").close()
        store.close()


def _check(done: bool) -> None:
    assert done


async def said(vm: VM) -> int:
    """How many entries the call has, as a CallActor that comes back is told."""
    return len(await vm.call(names.MEMORY, Load("CA1"), LIMIT))


async def test_calls_go_on_without_room_and_what_they_said_is_written_when_there_is(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path) as (store, enlarge), capture_logs() as logs:
        async with VM() as vm, asyncio.timeout(LIMIT):
            await vm.start(MemoryActor, store, name=names.MEMORY)
            number = 0
            while not (full := [log for log in logs if log["event"] == "memory_not_written"]):
                for _ in range(20):
                    number += 1
                    append(vm, "CA1", number, 0, [{"text": f"{number} {TEXT}"}])
                await kept(vm, "CA1")
                assert number < DISK_KILOBYTES * 4, "nothing is told of a disk that is full"
            assert "full" in full[0]["reason"]
            began = vm.now()
            append(vm, "CA1", number + 1, 0, [{"text": "said on a full disk"}])
            await kept(vm, "CA1")
            assert vm.now() - began < 2.0 * slowness()
            assert await said(vm) == number + 1
            enlarge()
            while len(store.read("CA1")) < number + 1:  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.05)
            texts = [row.entry["text"] for row in store.read("CA1")]
            assert texts[-1] == "said on a full disk"
            assert [text.split()[0] for text in texts[:-1]] == [str(n + 1) for n in range(number)]
        assert not [log for log in logs if log["event"] == "process_crashed"]


def test_the_store_names_the_file_and_the_reason(tmp_path: Path) -> None:
    from aybiza.actors.memory.store import Part, Row

    with small_disk(tmp_path) as (store, _):
        rows = [Row("CA1", number, 0, 0.0, {"text": TEXT}) for number in range(2000)]
        with pytest.raises(StoreError, match=r"memory\.sqlite3: database or disk is full"):
            store.write([Part("CA1", 1, None, rows)])
        assert store.read("CA1") == []
