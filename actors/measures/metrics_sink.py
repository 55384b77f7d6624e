"""`MetricsSink`: takes what `put_metric` is told out of the node, in batches.

    child(MetricsSink, CloudWatch(namespace, …))
    put_metric(vm, "Claude4Performance", {"model": "…", "latency_ms": 812})

A name's numbers become `Datum`s, which wait in a queue of the VM: it outlives the actor and is
bounded, the oldest go first. One batch at a time is sent, in a thread of the sink's own, every
`FLUSH_SECONDS` or at once while a whole batch waits. What could not be sent for a time is sent
later; what was refused, or may have arrived, is not sent again. Without a sink nothing is kept.

Errors: none reach the sender. Failures are counted (`aybiza_sink_failures_total`), so is what was
given up (`aybiza_sink_lost_total`), and both are logged once in `LOG_SECONDS`.
Source: specification 001, "Performance Metrics" (`CloudWatch.put_metric`); 000, section 4.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.runtime import NORMAL, VM, Exit, GenServer, Pid, Shutdown, Stop, Task
from aybiza.claude.workers import AllBusy, WorkerPool
from aybiza.config.numbers import finite

TABLE: Final = "metrics_sink"
CAPACITY: Final = 20_000
BATCH: Final = 250
FLUSH_SECONDS = 10.0
SEND_SECONDS = 10.0
LAST_SEND_SECONDS = 1.0
LOG_SECONDS = 60.0
DIMENSIONS: Final = ("model", "operation", "region", "tenant_id")
"""Which texts a datum is told apart by; a call's id would make a metric of every call."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Datum:
    """One value of a metric. at: unix time."""

    name: str
    value: float
    dimensions: tuple[tuple[str, str], ...]
    at: float


class SinkError(Exception):
    """A batch was not taken. again: whether it may be sent once more."""

    def __init__(self, text: str, *, again: bool) -> None:
        super().__init__(text)
        self.again = again


class Service(Protocol):
    """Where batches go. `put` blocks, with limits of its own; raises SinkError."""

    def put(self, batch: Sequence[Datum]) -> None:
        """Send a batch."""


@dataclass(slots=True)
class _Queue:
    waiting: deque[Datum] = field(default_factory=lambda: deque(maxlen=CAPACITY))
    lost: int = 0
    """How many have gone for want of room and are not counted yet."""
    threads: WorkerPool | None = None


def put_metric(vm: VM, name: str, metrics: Mapping[str, Any], *, at: float | None = None) -> None:
    """Every number of `metrics` as the metric `name.key`, told apart by its `DIMENSIONS`.

    Never raises, never waits. at: unix time, now by default.
    """
    queue = vm.tables.get(TABLE)
    if not isinstance(queue, _Queue):
        return
    moment = time.time() if at is None else at
    dimensions = tuple((key, str(metrics[key])) for key in DIMENSIONS if metrics.get(key))
    for key, value in metrics.items():
        if (number := finite(value)) is not None:
            queue.lost += len(queue.waiting) == queue.waiting.maxlen
            queue.waiting.append(Datum(f"{name}.{key}", number, dimensions, moment))


class MetricsSink(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, service: Service) -> None:
        self._service = service
        self._queue: _Queue = self.vm.tables.setdefault(TABLE, _Queue())
        # A second thread for the last batch, should the first one hang. Killed, the actor leaves
        # them to its successor.
        self._threads = self._queue.threads or WorkerPool(2, name="metrics-sink")
        self._queue.threads = self._threads
        self._sender: Pid | None = None
        self._batch: list[Datum] = []
        self._failures = self._lost = 0
        self._logged = -math.inf
        self.send_after("flush", FLUSH_SECONDS)

    async def handle_info(self, message: Any) -> None:
        match message:
            case "flush" if self._sender is None:
                self._flush()
            case Exit(pid, reason) if pid == self._sender:
                self._sender = None
                self._sent(reason)

    def _flush(self) -> None:
        if self._queue.lost:
            self._give_up(self._queue.lost)
            self._queue.lost = 0
        self._batch = self._take()
        if self._batch:
            self._sender = Task.start(self.vm, self._send, self._batch, SEND_SECONDS).pid
        else:
            self.send_after("flush", FLUSH_SECONDS)

    def _take(self) -> list[Datum]:
        waiting = self._queue.waiting
        return [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]

    async def _send(self, batch: Sequence[Datum], seconds: float) -> None:
        """Have a thread send the batch; ends with the reason why that failed."""
        loop = self.vm.loop
        over: asyncio.Future[SinkError | None] = loop.create_future()

        def settle(error: SinkError | None) -> None:
            if not over.done():
                over.set_result(error)

        def job() -> None:
            error: SinkError | None = None
            try:
                self._service.put(batch)
            except SinkError as failure:
                error = failure
            except Exception as failure:
                error = SinkError(repr(failure), again=False)
            with contextlib.suppress(RuntimeError):  # the loop has closed
                loop.call_soon_threadsafe(settle, error)

        try:
            give_up = self._threads.run(job, _nothing)
        except AllBusy:
            raise Stop(Shutdown(("again", "its threads hang"))) from None
        try:
            async with asyncio.timeout(seconds):
                error = await over
        except TimeoutError:
            raise Stop(Shutdown(("lost", f"no answer within {seconds:g} s"))) from None
        finally:
            if not over.done():
                give_up()
        if error is not None:
            raise Stop(Shutdown(("again" if error.again else "lost", str(error))))

    def _sent(self, reason: Any) -> None:
        batch, self._batch = self._batch, []
        if reason == NORMAL:
            more = len(self._queue.waiting) >= BATCH
            self.send_after("flush", 0.0 if more else FLUSH_SECONDS)
            return
        self._failed(batch, reason)
        self.send_after("flush", FLUSH_SECONDS)

    def _failed(self, batch: list[Datum], reason: Any) -> None:
        """What may be sent again goes back to the head of the queue, as far as there is room."""
        kept = 0
        match reason:
            case Shutdown(("again", text)):
                room = CAPACITY - len(self._queue.waiting)
                kept = min(room, len(batch))
                self._queue.waiting.extendleft(reversed(batch[len(batch) - kept :]))
            case Shutdown((_, text)):
                pass
            case _:
                text = str(reason)
        self._failures += 1
        emit(self.vm, events.SINK_FAILED, reason=text)
        self._give_up(len(batch) - kept)
        if self.vm.now() - self._logged >= LOG_SECONDS:
            self._logged = self.vm.now()
            log.warning("metrics_not_sent", reason=text, failures=self._failures, lost=self._lost)
            self._failures = self._lost = 0

    def _give_up(self, number: int) -> None:
        self._lost += number
        emit(self.vm, events.SINK_LOST, count=number)

    async def terminate(self, reason: Any) -> None:
        batch = self._batch or self._take()
        if self._sender is None and batch:
            with contextlib.suppress(Stop):
                await self._send(batch, LAST_SEND_SECONDS)
        self._threads.close()
        self._queue.threads = None


def _nothing() -> None:
    """After a job there is nothing to do."""
