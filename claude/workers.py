"""A bounded set of threads that never queues.

Purpose: boto3 blocks, the event loop must not. Contract: `run(job)` hands a job to an idle thread
(or starts one while there are fewer than `size`) and returns at once; when all are busy it raises
`AllBusy` instead of waiting. Threads are daemons and are kept. A thread that can not be made to
return is given up with `abandon`: its place is free again, and the thread ends with its job.
Errors: `AllBusy`, `Closed`. A job that raises is logged and harms neither its thread nor its
neighbours.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

import structlog

log = structlog.get_logger(__name__)

Job = Callable[[], object]


class AllBusy(Exception):
    """Every thread has a job."""


class Closed(Exception):
    """The threads have been told to end."""


@dataclass(frozen=True, slots=True)
class WorkerStatistics:
    """size: how many threads there may be. busy, idle: threads there are. abandoned: threads that
    were given up and still run."""

    size: int
    busy: int
    idle: int
    abandoned: int


class _Worker(threading.Thread):
    def __init__(self, name: str, done: Callable[[_Worker], bool]) -> None:
        super().__init__(name=name, daemon=True)
        self.inbox: SimpleQueue[tuple[Job, Job] | None] = SimpleQueue()
        self._done = done

    def run(self) -> None:
        while (work := self.inbox.get()) is not None:
            job, after = work
            self._attempt(job)
            stays = self._done(self)
            self._attempt(after)
            if not stays:
                return
            # Nothing of the last job may be held while the thread waits for the next.
            del work, job, after

    def _attempt(self, job: Job) -> None:
        try:
            job()
        except Exception:
            log.exception("worker_job_failed", thread=self.name)


class WorkerPool:
    """At most `size` threads; see the module."""

    def __init__(self, size: int, *, name: str) -> None:
        if size < 1:
            raise ValueError(f"a pool needs at least 1 thread, not {size}")
        self._size = size
        self._name = name
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._abandoned: set[_Worker] = set()
        self._threads: set[_Worker] = set()
        self._started = 0
        self._closed = False

    def run(self, job: Job, after: Job) -> Callable[[], None]:
        """Give `job` to a thread; returns the function that gives this thread up while it runs it.

        after: called in the thread when its place is free again. Raises AllBusy, Closed.
        """
        with self._lock:
            worker, is_new = self._claim()
        if is_new:
            worker.start()
        worker.inbox.put((job, after))
        return lambda: self._abandon(worker)

    def prestart(self, count: int) -> None:
        """Have `count` threads wait for a job, as far as `size` allows; those that do count too."""
        with self._lock:
            room = min(count, self._size - len(self._busy)) - len(self._idle)
            made = [] if self._closed else [self._new() for _ in range(room)]
            self._idle.extend(made)
            self._threads.update(made)
        for worker in made:
            worker.start()

    def close(self) -> None:
        """Tell all threads to end, the idle ones now and the busy ones after their job."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.inbox.put(None)

    def join(self, timeout: float) -> bool:
        """Block until all threads have ended, at most `timeout` seconds. False: some run on."""
        deadline = time.monotonic() + timeout
        with self._lock:
            workers = list(self._threads)
        for worker in workers:
            worker.join(max(deadline - time.monotonic(), 0.0))
        return not any(worker.is_alive() for worker in workers)

    def statistics(self) -> WorkerStatistics:
        """How many threads do what now."""
        with self._lock:
            return WorkerStatistics(
                self._size, len(self._busy), len(self._idle), len(self._abandoned)
            )

    def _claim(self) -> tuple[_Worker, bool]:
        if self._closed:
            raise Closed
        if self._idle:
            worker, is_new = self._idle.pop(), False
        elif len(self._busy) < self._size and len(self._abandoned) <= self._size:
            worker, is_new = self._new(), True
        else:
            raise AllBusy
        self._busy.add(worker)
        self._threads.add(worker)
        return worker, is_new

    def _new(self) -> _Worker:
        self._started += 1
        return _Worker(f"{self._name}-{self._started}", self._finished)

    def _abandon(self, worker: _Worker) -> None:
        with self._lock:
            if worker not in self._busy:
                return
            self._busy.remove(worker)
            self._abandoned.add(worker)
        log.warning("worker_abandoned", thread=worker.name)

    def _finished(self, worker: _Worker) -> bool:
        """Whether the thread is to wait for another job."""
        with self._lock:
            if worker in self._abandoned:
                self._abandoned.remove(worker)
                self._threads.remove(worker)
                return False
            self._busy.remove(worker)
            if self._closed:
                return False
            self._idle.append(worker)
            return True
