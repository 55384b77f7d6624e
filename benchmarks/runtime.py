"""What the runtime costs, beside what else a Python program could use.

Measures: a `GenServer.call` and its reply, a supervised start, a crash until the child runs again,
on asyncio's loop and on uvloop; the memory of an idle process, the longest collection, the end of
a topic's subscribers; and beside them a bare `asyncio.Queue` there and back, pykka, and Thespian's
two bases.
A figure is the median of many samples, each shorter than the time that an
operating system gives a process before it lets another run; the measures on the loop take turns.
So a busy machine troubles few samples, and all measures alike: compare within one run.

`run` gives `Figure`s; it needs the extra `bench` for memory and pykka.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import structlog
import uvloop

from aybiza.actors.runtime import KILL, VM, From, GenServer, Pid, Registry
from aybiza.actors.runtime.collector import Collector
from aybiza.benchmarks.peers import PEERS
from aybiza.supervisors import DynamicSupervisor, Supervisor, child

IDLE_PROCESSES = 10_000
SAMPLES_A_ROUND = 40
SUBSCRIBERS = 8_000
CALLS_A_SAMPLE = 100
STARTS_A_SAMPLE = 10
MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure. `value` and `target` (at most this; None: for comparison) are in `unit`."""

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def missed(self) -> bool:
        """Whether the target is not reached."""
        return self.target is not None and self.value > self.target


class Echo(GenServer):
    """Replies with the request."""

    async def handle_call(self, request: Any, from_: From) -> Any:
        return request


class Fragile(GenServer):
    """Crashes when told to; `born` is set when it starts."""

    async def init(self, born: asyncio.Event) -> None:
        born.set()

    async def handle_cast(self, request: Any) -> None:
        raise RuntimeError(request)


Sample = Callable[[], Awaitable[float]]

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "": asyncio.new_event_loop,
    " on uvloop": uvloop.new_event_loop,
}


def run(rounds: int, *, peers: bool = True) -> list[Figure]:
    """All figures, after `rounds` rounds of `SAMPLES_A_ROUND` samples of each measure."""
    with _quiet():
        # Memory first, in a process that has not yet had and freed any.
        size = asyncio.run(memory())
        pause = asyncio.run(longest_pause())
        end = statistics.median(asyncio.run(end_of_subscribers()) for _ in range(3))
        figures = []
        for kind, factory in LOOPS.items():
            with asyncio.Runner(loop_factory=factory) as runner:
                for figure in runner.run(_on_the_loop(rounds)):
                    figures.append(replace(figure, name=figure.name + kind))
    figures.append(Figure("memory of an idle process", size, "bytes", 3_000))
    figures.append(
        Figure(f"longest collection beside {IDLE_PROCESSES:,} processes", pause, "ms", 5)
    )
    figures.append(Figure(f"{SUBSCRIBERS:,} subscribers that end together", end, "ms", 50))
    if peers:
        figures += [Figure(name, measure(), "us") for name, measure in PEERS]
    return figures


@contextmanager
def _quiet() -> Iterator[None]:
    """No log: what is crashed here is meant to be."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


async def memory() -> float:
    """Bytes that the resident memory of this OS process grows by for each idle process."""
    import psutil

    own = psutil.Process()
    async with VM(block_warning_ms=None) as vm:
        for _ in range(IDLE_PROCESSES // 10):
            await vm.start(Echo)
        gc.collect()
        before = own.memory_info().rss
        for _ in range(IDLE_PROCESSES):
            await vm.start(Echo)
        gc.collect()
        return (own.memory_info().rss - before) / IDLE_PROCESSES


async def longest_pause() -> float:
    """The longest that a collection holds a node's loop with many processes, milliseconds."""
    longest = began = 0.0

    def watch(phase: str, _: dict[str, Any]) -> None:
        nonlocal longest, began
        if phase == "start":
            began = time.thread_time()
        else:
            longest = max(longest, time.thread_time() - began)

    collector = Collector()
    async with VM(block_warning_ms=None) as vm:
        collector.start(vm.loop)
        gc.callbacks.append(watch)
        try:
            pids = [await vm.start(Echo) for _ in range(IDLE_PROCESSES)]
            for pid in pids:
                assert pid is not None
                await vm.call(pid, [1])
            gc.collect()
        finally:
            gc.callbacks.remove(watch)
            collector.stop()
    return longest * 1000


async def end_of_subscribers() -> float:
    """What it takes until all subscribers of a topic have ended who are told to at once,
    milliseconds of the processor."""
    async with VM(block_warning_ms=None) as vm:
        topics = Registry("topics", keys="duplicate")
        pids = [await vm.start(Echo) for _ in range(SUBSCRIBERS)]
        for pid in pids:
            process = vm.find(pid) if pid is not None else None
            assert process is not None
            topics.register(process, "news")
        gc.collect()
        began = time.thread_time()
        for pid in pids:
            assert pid is not None
            vm.exit(pid, KILL)
        while topics.count():  # noqa: ASYNC110 - an event would be measured, too
            await asyncio.sleep(0)
        return (time.thread_time() - began) * 1000


async def _on_the_loop(rounds: int) -> list[Figure]:
    async with (
        VM(block_warning_ms=None) as vm,
        _call(vm) as call,
        _start(vm) as start,
        _restart(vm) as restart,
        _queue() as queue,
    ):
        measures: list[tuple[str, Sample, float | None]] = [
            ("GenServer.call and reply", call, 12),
            ("supervised start", start, 60),
            ("crash to restarted", restart, 300),
            ("asyncio.Queue there and back", queue, None),
        ]
        taken: dict[str, list[float]] = {name: [] for name, _, _ in measures}
        for _ in range(rounds):
            for name, sample, _ in measures:
                gc.collect()
                await sample()
                taken[name] += [await sample() for _ in range(SAMPLES_A_ROUND)]
    return [
        Figure(name, statistics.median(taken[name]), "us", target) for name, _, target in measures
    ]


@asynccontextmanager
async def _call(vm: VM) -> AsyncIterator[Sample]:
    """A request to a server and its reply, microseconds."""
    pid = await vm.start(Echo)
    assert pid is not None

    async def sample() -> float:
        began = time.perf_counter()
        for number in range(CALLS_A_SAMPLE):
            await vm.call(pid, number)
        return (time.perf_counter() - began) / CALLS_A_SAMPLE * MICROSECONDS

    yield sample


@asynccontextmanager
async def _start(vm: VM) -> AsyncIterator[Sample]:
    """A child started by a DynamicSupervisor, microseconds."""
    supervisor = await vm.start(DynamicSupervisor)
    assert supervisor is not None
    spec = child(Echo, restart="temporary")

    async def sample() -> float:
        began = time.perf_counter()
        started = [
            await DynamicSupervisor.start_child(vm, supervisor, spec)
            for _ in range(STARTS_A_SAMPLE)
        ]
        took = time.perf_counter() - began
        for pid in started:
            assert isinstance(pid, Pid)
            vm.exit(pid, KILL)
        await DynamicSupervisor.count_children(vm, supervisor)
        return took / STARTS_A_SAMPLE * MICROSECONDS

    yield sample


@asynccontextmanager
async def _restart(vm: VM) -> AsyncIterator[Sample]:
    """From a message that crashes a permanent child to the init of its successor, microseconds."""
    born = asyncio.Event()
    worker = child(Fragile, born, name="fragile")
    await vm.start(Supervisor, [worker], max_restarts=10**9, max_seconds=1)

    async def sample() -> float:
        born.clear()
        began = time.perf_counter()
        vm.cast("fragile", "crash")
        await born.wait()
        took = time.perf_counter() - began
        # The crash report is written meanwhile.
        await asyncio.sleep(0.001)
        return took * MICROSECONDS

    yield sample


@asynccontextmanager
async def _queue() -> AsyncIterator[Sample]:
    """An item through one queue to a task and back through another, microseconds."""
    there: asyncio.Queue[int] = asyncio.Queue()
    back: asyncio.Queue[int] = asyncio.Queue()

    async def echo() -> None:
        while True:
            await back.put(await there.get())

    async def sample() -> float:
        began = time.perf_counter()
        for number in range(CALLS_A_SAMPLE):
            await there.put(number)
            await back.get()
        return (time.perf_counter() - began) / CALLS_A_SAMPLE * MICROSECONDS

    task = asyncio.create_task(echo())
    try:
        yield sample
    finally:
        task.cancel()
