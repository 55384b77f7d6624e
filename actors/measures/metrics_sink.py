"""`MetricsSink`: takes what the node's events tell out of the node, in batches.

    child(MetricsSink, CloudWatch(namespace, …))
    put_metric(vm, "Claude4Performance", {"model": "…", "latency_ms": 812})

A `Service` says which events it wants to hear and makes items of each, at once and on the loop.
They wait in a queue of the VM, one a service: it outlives the actor and is bounded, the oldest go
first. One batch at a time is sent, in a thread of the sink's own, every `seconds` of the service
or at once while a whole batch waits. What could not be sent for a time is sent later; what was
refused, or may have arrived, is not sent again. Without a sink nothing is kept.

Errors: none reach the sender. Failures are counted (`aybiza_sink_failures_total`), so is what was
given up (`aybiza_sink_lost_total`), and both are logged once in `LOG_SECONDS`. An event of which a
service cannot make its items is lost like what found no room.
Source: specification 001, "Performance Metrics" (`CloudWatch.put_metric`); 000, section 4.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

import structlog

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.runtime import NORMAL, VM, Exit, GenServer, Pid, Shutdown, Stop, Task
from aybiza.actors.runtime.telemetry import Event
from aybiza.claude.workers import AllBusy, WorkerPool

TABLE: Final = "metrics_sink"
CAPACITY: Final = 20_000
BATCH: Final = 250
FLUSH_SECONDS = 10.0
SEND_SECONDS = 10.0
LAST_SEND_SECONDS = 1.0
LOG_SECONDS = 60.0
MOST_ASKED_SECONDS = 120.0
"""So long who takes batches is left alone, if they ask for it."""
log = structlog.get_logger(__name__)


class SinkError(Exception):
    """A batch was not taken. again: whether it may be sent once more; wait: after how many seconds
    at the earliest, if its taker says so."""

    def __init__(self, text: str, *, again: bool, wait: float = 0.0) -> None:
        super().__init__(text)
        self.again = again
        self.wait = wait


class Service(Protocol):
    """Where items go: a `name` of its own, the `events` that it hears, and every how many
    `seconds` it is sent what waits, None for `FLUSH_SECONDS`. One whose items are large has a
    `capacity` and a `batch` of its own: how many of them may wait, and how many are sent at once.

    `hear` is called on the loop at every one of those events, with the unix time: it is quick and
    gives the items to be sent. `put` is called in a thread: it blocks, with limits of its own, and
    raises SinkError.
    """

    name: ClassVar[str]
    events: ClassVar[Sequence[Event]]
    seconds: ClassVar[float | None]

    def hear(
        self, event: Event, measurements: Mapping[str, Any], metadata: Mapping[str, Any], at: float
    ) -> Iterable[Any]:
        """The items of an event."""

    def put(self, batch: Sequence[Any]) -> None:
        """Send a batch."""


@dataclass(slots=True)
class _Queue:
    waiting: deque[Any]
    lost: int = 0
    """How many have gone for want of room and are not counted yet."""
    threads: WorkerPool | None = None

    def hear(
        self,
        event: Event,
        measurements: Mapping[str, Any],
        metadata: Mapping[str, Any],
        service: Service,
    ) -> None:
        """A handler of telemetry: have the service make its items of the event."""
        try:
            items = list(service.hear(event, measurements, metadata, time.time()))
        except Exception as error:
            self.lost += 1
            log.debug("event_not_understood", sink=service.name, event_=event, error=repr(error))
            return
        for item in items:
            self.lost += len(self.waiting) == self.waiting.maxlen
            self.waiting.append(item)


def put_metric(vm: VM, name: str, metrics: Mapping[str, Any], *, at: float | None = None) -> None:
    """Tell the sinks that take whole sets of figures of one. Never raises, never waits.

    at: unix time, now by default.
    """
    emit(vm, events.METRIC, name=name, metrics=metrics, at=time.time() if at is None else at)


def service_of(vm: VM, name: str) -> Any:
    """The service of this name whose sink the VM has; None where it has none."""
    key = f"{TABLE}.{name}"
    handlers = (each for each in vm.telemetry.list_handlers() if each.id == key)
    return next((each.config for each in handlers), None)


class MetricsSink(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, service: Service) -> None:
        self._service = service
        self._seconds = FLUSH_SECONDS if service.seconds is None else service.seconds
        self._capacity = getattr(service, "capacity", CAPACITY)
        self._most = getattr(service, "batch", BATCH)
        self._queue = self._laid(service)
        # A second thread for the last batch, should the first one hang. Killed, the actor leaves
        # them to its successor.
        self._threads = self._queue.threads or WorkerPool(2, name=f"sink-{service.name}")
        self._queue.threads = self._threads
        self._sender: Pid | None = None
        self._batch: list[Any] = []
        self._failures = self._lost = 0
        self._asked = 0.0
        self._logged = -math.inf
        self.send_after("flush", self._seconds)

    def _laid(self, service: Service) -> _Queue:
        """The service's queue, which hears its events for as long as the VM lives or the sink is
        not ended in order."""
        key = f"{TABLE}.{service.name}"
        queue = self.vm.tables.setdefault(key, _Queue(deque(maxlen=self._capacity)))
        assert isinstance(queue, _Queue)
        if not any(handler.id == key for handler in self.vm.telemetry.list_handlers()):
            self.vm.telemetry.attach_many(key, service.events, queue.hear, service)
        return queue

    async def handle_info(self, message: Any) -> None:
        match message:
            case "flush" if self._sender is None:
                self._flush()
            case Exit(pid, reason) if pid == self._sender:
                self._sender = None
                self._sent(reason)

    def _flush(self) -> None:
        self._count_lost()
        self._batch = self._take()
        if self._batch:
            self._sender = Task.start(self.vm, self._send, self._batch, SEND_SECONDS).pid
        else:
            self.send_after("flush", self._seconds)

    def _count_lost(self) -> None:
        lost, self._queue.lost = self._queue.lost, 0
        if lost:
            self._give_up(lost)

    def _take(self) -> list[Any]:
        waiting = self._queue.waiting
        return [waiting.popleft() for _ in range(min(self._most, len(waiting)))]

    async def _send(self, batch: Sequence[Any], seconds: float) -> None:
        """Have a thread send the batch; ends with the reason why that failed."""
        loop = self.vm.loop
        over: asyncio.Future[SinkError | None] = loop.create_future()

        errors: list[SinkError] = []

        def settle() -> None:
            if not over.done():
                over.set_result(errors[0] if errors else None)

        def job() -> None:
            try:
                self._service.put(batch)
            except SinkError as failure:
                errors.append(failure)
            except Exception as failure:
                errors.append(SinkError(repr(failure), again=False))

        def after() -> None:
            # Only now is the thread free for the next batch.
            with contextlib.suppress(RuntimeError):  # the loop has closed
                loop.call_soon_threadsafe(settle)

        try:
            give_up = self._threads.run(job, after)
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
            self._asked = min(error.wait, MOST_ASKED_SECONDS)
            raise Stop(Shutdown(("again" if error.again else "lost", str(error))))

    def _sent(self, reason: Any) -> None:
        batch, self._batch = self._batch, []
        if reason == NORMAL:
            more = len(self._queue.waiting) >= self._most
            self.send_after("flush", 0.0 if more else self._seconds)
            return
        self._failed(batch, reason)
        self.send_after("flush", max(self._seconds, self._asked))
        self._asked = 0.0

    def _failed(self, batch: list[Any], reason: Any) -> None:
        """What may be sent again goes back to the head of the queue, as far as there is room."""
        kept = 0
        match reason:
            case Shutdown(("again", text)):
                room = self._capacity - len(self._queue.waiting)
                kept = min(room, len(batch))
                self._queue.waiting.extendleft(reversed(batch[len(batch) - kept :]))
            case Shutdown((_, text)):
                pass
            case _:
                text = str(reason)
        self._failures += 1
        emit(self.vm, events.SINK_FAILED, sink=self._service.name, reason=text)
        self._give_up(len(batch) - kept)
        if self.vm.now() - self._logged >= LOG_SECONDS:
            self._logged = self.vm.now()
            log.warning(
                "sink_failed",
                sink=self._service.name,
                reason=text,
                failures=self._failures,
                lost=self._lost,
            )
            self._failures = self._lost = 0

    def _give_up(self, number: int) -> None:
        self._lost += number
        emit(self.vm, events.SINK_LOST, sink=self._service.name, count=number)

    async def terminate(self, reason: Any) -> None:
        self._count_lost()
        batch = self._batch or self._take()
        if self._sender is None and batch:
            with contextlib.suppress(Stop):
                await self._send(batch, LAST_SEND_SECONDS)
        self.vm.telemetry.detach(f"{TABLE}.{self._service.name}")
        self._threads.close()
        self._queue.threads = None
