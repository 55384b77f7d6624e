"""WorkerProcess: the parent's side of a worker process.

A process that dies or does not answer in time is replaced by the next question. Whoever asked is
answered with nothing; the protocol of `aybiza.emulators.deepgram.worker` then lets the asker notice
that another process does not know its utterance.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass, field

import structlog

from aybiza.emulators.deepgram.processes import kill
from aybiza.emulators.deepgram.worker import PLACE, REPLY, REQUEST

COMMAND = (sys.executable, "-m", "aybiza.emulators.deepgram.worker")
START_SECONDS = 20.0
ANSWER_SECONDS = 5.0
STOP_SECONDS = 2.0
# A process that died sooner than this after its start is replaced no sooner.
RESTART_SECONDS = 0.5

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Running:
    """A process, the answers that are waited for, and the task that reads them."""

    process: Process
    answers: dict[int, asyncio.Future[bytes]] = field(default_factory=dict)
    reader: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        return self.process.returncode is None and not (self.reader and self.reader.done())


class WorkerProcess:
    """See the module. Waits in it are bounded; cancelling one leaves the others alone."""

    def __init__(self) -> None:
        self._running: _Running | None = None
        self._numbers = itertools.count(1)
        self._starting = asyncio.Lock()
        self._started_at = float("-inf")
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._running.process.pid if self._running else None

    async def start(self) -> None:
        """Start the process and wait until it answers."""
        if not await self.ask("P", 0, PLACE.pack(0), START_SECONDS):
            raise OSError("a speech worker did not start; its own message stands above")

    async def stop(self) -> None:
        """End the process for good; what is asked from now on is answered with nothing."""
        self._stopped = True
        async with self._starting:
            await self._end()

    async def tell(self, operation: str, session: int, payload: bytes = b"") -> None:
        """A request without a reply; lost when there is no process."""
        running = self._running
        if running is not None and running.alive:
            await self._write(running, operation, session, 0, payload)

    async def ask(
        self, operation: str, session: int, payload: bytes = b"", limit: float = ANSWER_SECONDS
    ) -> bytes:
        """A request and its reply; nothing when there is none within `limit` seconds."""
        running = await self._process(limit)
        if running is None:
            return b""
        number = next(self._numbers)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        running.answers[number] = answer
        try:
            await self._write(running, operation, session, number, payload)
            async with asyncio.timeout(limit):
                return await answer
        except TimeoutError:
            log.warning("speech_worker_hangs", pid=running.process.pid, seconds=limit)
            kill(running.process)
            return b""
        finally:
            running.answers.pop(number, None)

    async def _write(
        self, running: _Running, operation: str, session: int, number: int, payload: bytes
    ) -> None:
        stdin = running.process.stdin
        assert stdin is not None
        try:
            stdin.write(REQUEST.pack(len(payload), ord(operation), session, number) + payload)
            async with asyncio.timeout(ANSWER_SECONDS):
                await stdin.drain()
        except ConnectionError:
            # It has died; the reader finds that out too and answers whoever waits.
            pass
        except TimeoutError:
            log.warning("speech_worker_hangs", pid=running.process.pid, seconds=ANSWER_SECONDS)
            kill(running.process)

    async def _process(self, limit: float) -> _Running | None:
        async with self._starting:
            if self._running is not None and self._running.alive:
                return self._running
            await self._end()
            early = RESTART_SECONDS - (time.monotonic() - self._started_at)
            if self._stopped or early > limit:
                return None
            await asyncio.sleep(max(early, 0.0))
            self._started_at = time.monotonic()
            process = await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE, stdout=PIPE)
            self._running = running = _Running(process)
            running.reader = asyncio.create_task(_read(running))
            return running

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        if not self._stopped:
            process = running.process
            log.warning("speech_worker_lost", pid=process.pid, code=process.returncode)
        kill(running.process)
        assert running.reader is not None
        await asyncio.wait((running.reader,), timeout=STOP_SECONDS)


async def _read(running: _Running) -> None:
    """Hand on answers until the process ends; then answer whoever still waits with nothing."""
    stdout, stdin = running.process.stdout, running.process.stdin
    assert stdout is not None and stdin is not None
    try:
        while True:
            length, number = REPLY.unpack(await stdout.readexactly(REPLY.size))
            payload = await stdout.readexactly(length)
            answer = running.answers.get(number)
            if answer is not None and not answer.done():
                answer.set_result(payload)
    except (asyncio.IncompleteReadError, ConnectionError):
        kill(running.process)
        await running.process.wait()
    finally:
        stdin.close()
        for answer in running.answers.values():
            if not answer.done():
                answer.set_result(b"")
