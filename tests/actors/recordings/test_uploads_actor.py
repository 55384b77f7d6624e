"""The actor that moves recordings to a bucket: when, and what happens where it is not taken."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.recordings.bucket import Bucket, BucketError, Where
from aybiza.actors.recordings.recordings_actor import RecordingsActor, begin, wait
from aybiza.actors.recordings.shelf import Part, Shelf
from aybiza.actors.recordings.uploads_actor import LEFT_SECONDS, MOST_SECONDS, UploadsActor
from aybiza.actors.runtime import VM, Pid, virtual_time
from aybiza.speech.line import Line


class Sink:
    def media(self, mulaw: bytes) -> None: ...
    def mark(self, name: str) -> None: ...
    def clear(self) -> None: ...


class Kept(Bucket):
    """A bucket in memory, which refuses as long as `away`."""

    def __init__(self, now: Callable[[], float] = float) -> None:
        super().__init__(Where("calls", "", "us-east-1"))
        self.away = False
        self.never = ""
        """The beginning of names that are never taken."""
        self.objects: dict[str, bytes] = {}
        self.asked: list[float] = []
        self.now = now

    def put(self, path: Path) -> None:
        self.asked.append(self.now())
        if self.away or (self.never and path.name.startswith(self.never)):
            raise BucketError("s3://calls/ has not done put_object: AccessDenied: Access Denied")
        self.objects[path.name] = path.read_bytes()

    def delete(self, name: str) -> int:
        return int(self.objects.pop(name, None) is not None)

    def sweep(self, now: float) -> int:
        return 0


def left(shelf: Shelf, call_id: str, seconds_ago: float) -> Path:
    """A recording that another node has left."""
    shelf.write(Part(call_id, 1.0, 0.0), 0, bytes(320))
    (path,) = shelf.parts(call_id)
    at = time.time() - seconds_ago
    os.utime(path, (at, at))
    return path


async def started(vm: VM, tmp_path: Path) -> tuple[Shelf, Kept, list[tuple[str, object]]]:
    heard: list[tuple[str, object]] = []
    shelf, bucket = Shelf(tmp_path), Kept(vm.now)
    for event in (events.RECORDING_NOT_UP, events.RECORDINGS_WAITING):
        vm.telemetry.attach(str(event), event, lambda e, told, *_: heard.append((e[-1], told)))
    await vm.start(UploadsActor, shelf, bucket, name=names.UPLOADS)
    return shelf, bucket, heard


async def a_call(vm: VM) -> tuple[Line, Pid]:
    """A call that is recorded, and the process whose end is its end."""
    owner = await vm.start(UploadsActor, Shelf(Path("/nowhere")), Kept())
    assert owner is not None
    line = Line("CA1", Sink(), clock=vm.now, owner=owner)
    wait(vm, line)
    assert begin(vm, line, 0.0)
    line.hear(b"c" * 800)
    return line, owner


@virtual_time
async def test_a_recording_is_moved_when_its_last_piece_is_written_and_not_before(
    tmp_path: Path,
) -> None:
    async with VM() as vm:
        shelf, bucket, _ = await started(vm, tmp_path)
        await vm.start(RecordingsActor, shelf, name=names.RECORDINGS)
        _, owner = await a_call(vm)
        await asyncio.sleep(60)
        assert len(shelf.parts("CA1")) == 1 and not bucket.objects
        await vm.stop(owner)
        await asyncio.sleep(15)
        assert len(bucket.objects) == 1 and shelf.parts("CA1") == []


@virtual_time
async def test_what_another_node_left_is_moved_when_nobody_writes_to_it_any_more(
    tmp_path: Path,
) -> None:
    async with VM() as vm:
        shelf, bucket, _ = await started(vm, tmp_path)
        fresh = left(shelf, "CA1", LEFT_SECONDS / 2)
        old = left(shelf, "CA2", LEFT_SECONDS + 1)
        await asyncio.sleep(30)
        assert list(bucket.objects) == [old.name]
        assert fresh.exists() and not old.exists()


@virtual_time
async def test_a_bucket_that_refuses_is_asked_less_and_less_often_and_loses_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with VM() as vm:
        shelf, bucket, heard = await started(vm, tmp_path)
        for number in range(3):
            left(shelf, f"CA{number}", LEFT_SECONDS + 1)
        bucket.away = True
        await asyncio.sleep(3600)
        waits = [after - before for before, after in pairwise(bucket.asked)]
        assert waits == sorted(waits) and round(waits[-1]) == MOST_SECONDS
        assert len(shelf.files()) == 3
        assert len([event for event, _ in heard if event == "not_up"]) == len(bucket.asked)
        assert ("waiting", {"waiting": 3}) in heard
        bucket.away = False
        await asyncio.sleep(MOST_SECONDS + 10)
        assert len(bucket.objects) == 3 and shelf.files() == []
        assert heard[-1] == ("waiting", {"waiting": 0})
    assert capfd.readouterr().out.count("recordings_not_uploaded") == 1


@virtual_time
async def test_a_bucket_that_asks_to_be_left_alone_is(tmp_path: Path) -> None:
    async with VM() as vm:
        shelf, bucket, _ = await started(vm, tmp_path)
        left(shelf, "CA1", LEFT_SECONDS + 1)
        put = bucket.put

        def busy(path: Path) -> None:
            bucket.put = put  # type: ignore[method-assign]
            bucket.asked.append(bucket.now())
            refusal = BucketError("SlowDown")
            refusal.wait = 100.0
            raise refusal

        bucket.put = busy  # type: ignore[method-assign]
        await asyncio.sleep(200)
        assert [round(after - before) for before, after in pairwise(bucket.asked)] == [100]
        assert len(bucket.objects) == 1


@virtual_time
async def test_a_recording_that_is_never_taken_keeps_no_other_from_the_bucket(
    tmp_path: Path,
) -> None:
    async with VM() as vm:
        shelf, bucket, _ = await started(vm, tmp_path)
        names = [left(shelf, f"CA{n}", LEFT_SECONDS + 60 - n).name for n in range(3)]
        bucket.never = names[0]
        await asyncio.sleep(60)
        assert sorted(bucket.objects) == sorted(names[1:])
        assert [path.name for path in shelf.files()] == names[:1]


@virtual_time
async def test_who_is_forgotten_while_a_recording_goes_up_is_forgotten_there_too(
    tmp_path: Path,
) -> None:
    async with VM() as vm:
        shelf, bucket, _ = await started(vm, tmp_path)
        left(shelf, "CA1", LEFT_SECONDS + 1)
        put = bucket.put

        def forgotten_meanwhile(path: Path) -> None:
            put(path)
            assert shelf.forget(["CA1"]) == 1

        bucket.put = forgotten_meanwhile  # type: ignore[method-assign]
        await asyncio.sleep(10)
        assert bucket.asked and not bucket.objects


@virtual_time
async def test_what_another_node_puts_there_at_this_moment_is_left_to_it(tmp_path: Path) -> None:
    async with VM() as vm:
        shelf, bucket, _ = await started(vm, tmp_path)
        path = left(shelf, "CA1", LEFT_SECONDS + 1)
        with path.open("rb") as theirs:
            fcntl.flock(theirs, fcntl.LOCK_EX)
            await asyncio.sleep(20)
            assert not bucket.asked
        await asyncio.sleep(10)
        assert list(bucket.objects) == [path.name]
