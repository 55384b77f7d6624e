"""The parent's side: a worker that dies, hangs, is asked by many, and ends with its parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import psutil
import pytest

from aybiza.emulators.deepgram import worker_process
from aybiza.emulators.deepgram.worker import KNOWN, PLACE
from aybiza.emulators.deepgram.worker_process import WorkerProcess
from tests.emulators.deepgram.kit import SAID, recording
from tests.speech.kit import nothing_left, until, within

NOTHING_SAID = PLACE.pack(0)
WORK_SECONDS = 60.0


@pytest.fixture
async def worker(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WorkerProcess]:
    monkeypatch.setattr(worker_process, "RESTART_SECONDS", 0.0)
    worker = WorkerProcess()
    await within(worker.start())
    yield worker
    await within(worker.stop())


def process_id(worker: WorkerProcess) -> int:
    assert worker.pid is not None
    return worker.pid


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    return True


async def hear(worker: WorkerProcess, session: int, name: str) -> bytes:
    audio = recording(name)
    await within(worker.tell("A", session, PLACE.pack(0) + audio))
    # Words are what is asked for here; how long a busy machine takes over them is not.
    return await within(
        worker.ask("F", session, PLACE.pack(len(audio)), WORK_SECONDS), WORK_SECONDS
    )


async def test_many_ask_at_a_time_and_each_gets_its_own_answer(worker: WorkerProcess) -> None:
    names = list(SAID)[:6]
    heard = await asyncio.gather(*(hear(worker, n, name) for n, name in enumerate(names)))
    assert heard == [KNOWN + SAID[name].encode() for name in names]


async def test_a_worker_has_read_nothing_of_the_server_around_it(worker: WorkerProcess) -> None:
    maps = psutil.Process(process_id(worker)).memory_maps()
    read = " ".join(place.path for place in maps)
    assert "numpy" in read and "pydantic" not in read


async def test_who_gives_up_waiting_takes_nobody_elses_answer(worker: WorkerProcess) -> None:
    audio = recording("booking_day")
    await within(worker.tell("A", 1, PLACE.pack(0) + audio))
    for rounds in range(4):
        asking = asyncio.create_task(worker.ask("P", 1, PLACE.pack(len(audio))))
        for _ in range(rounds):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert await within(worker.ask("P", 2, NOTHING_SAID)) == KNOWN
    assert await hear(worker, 3, "bye_awb") == KNOWN + SAID["bye_awb"].encode()


async def test_a_worker_that_is_killed_is_replaced_by_the_next_question(
    worker: WorkerProcess,
) -> None:
    first = process_id(worker)
    os.kill(first, signal.SIGKILL)
    await until(lambda: is_gone(first))
    await within(worker.tell("A", 1, PLACE.pack(0) + bytes(1600)))
    # The question may meet the dead one, the next never does.
    await within(worker.ask("P", 1, NOTHING_SAID))
    assert await within(worker.ask("P", 1, NOTHING_SAID)) == KNOWN
    assert process_id(worker) != first


async def test_a_worker_that_dies_over_a_question_answers_with_nothing(
    worker: WorkerProcess,
) -> None:
    pid = process_id(worker)
    os.kill(pid, signal.SIGSTOP)
    asking = asyncio.create_task(worker.ask("P", 1, NOTHING_SAID))
    await asyncio.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    assert await within(asking) == b""
    assert await within(worker.ask("P", 1, NOTHING_SAID)) == KNOWN


async def test_a_worker_that_hangs_is_killed_and_replaced(worker: WorkerProcess) -> None:
    hanging = process_id(worker)
    os.kill(hanging, signal.SIGSTOP)
    assert await within(worker.ask("P", 1, NOTHING_SAID, 0.1)) == b""
    await until(lambda: worker.pid != hanging or is_gone(hanging))
    await within(worker.ask("P", 1, NOTHING_SAID))
    assert await within(worker.ask("P", 1, NOTHING_SAID)) == KNOWN


async def test_a_worker_that_reads_nothing_holds_nobody_up(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "ANSWER_SECONDS", 0.1)
    hanging = process_id(worker)
    os.kill(hanging, signal.SIGSTOP)
    for _ in range(5):
        await within(worker.tell("A", 1, bytes(200_000)), 5.0)
    await until(lambda: is_gone(hanging))


async def test_a_worker_that_dies_at_once_is_not_started_over_and_over(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "RESTART_SECONDS", 60.0)
    pid = process_id(worker)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: is_gone(pid))
    for _ in range(3):
        assert await within(worker.ask("P", 1, NOTHING_SAID)) == b""
    assert worker.pid is None


async def test_a_worker_that_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    command = (sys.executable, "-c", "raise SystemExit('no recogniser here')")
    monkeypatch.setattr(worker_process, "COMMAND", command)
    async with nothing_left():
        worker = WorkerProcess()
        with pytest.raises(OSError, match="did not start"):
            await within(worker.start())
        await within(worker.stop())


async def test_after_stop_there_is_no_process_and_none_is_started() -> None:
    async with nothing_left():
        worker = WorkerProcess()
        await within(worker.start())
        pid = process_id(worker)
        asking = asyncio.create_task(worker.ask("P", 1, NOTHING_SAID))
        await within(worker.stop())
        assert is_gone(pid)
        await within(asking)
        assert await within(worker.ask("P", 1, NOTHING_SAID)) == b""
        await within(worker.tell("C", 1))
        await within(worker.stop())
        assert worker.pid is None


async def test_ctrl_c_is_not_for_the_worker(worker: WorkerProcess) -> None:
    os.kill(process_id(worker), signal.SIGINT)
    assert await within(worker.ask("P", 1, NOTHING_SAID)) == KNOWN


def test_a_worker_ends_when_its_parent_is_killed() -> None:
    code = (
        "import asyncio\n"
        "from aybiza.emulators.deepgram.worker_process import WorkerProcess\n"
        "async def main():\n"
        "    worker = WorkerProcess()\n"
        "    await worker.start()\n"
        "    print(worker.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    _, complaint = parent.communicate(timeout=60)
    deadline = time.monotonic() + 15
    while not is_gone(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert is_gone(pid)
    assert complaint == b""
