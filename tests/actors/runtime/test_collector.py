"""Collections stay short however many processes live, and nothing is kept that could be freed."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from aybiza.actors.runtime import VM, From, GenServer, Pid, collector, virtual_time
from aybiza.actors.runtime.collector import (
    FULL_SECONDS,
    LOOK_SECONDS,
    Collector,
    give_back,
    old,
)
from aybiza.supervisors import DynamicSupervisor, child


class Echo(GenServer):
    async def handle_call(self, request: Any, from_: From) -> Any:
        return request


class Knot:
    """Refers to itself."""

    def __init__(self) -> None:
        self.knot = self


@contextmanager
def pauses() -> Iterator[list[float]]:
    """How long the loop's thread has worked in each collection, milliseconds."""
    took: list[float] = []
    began = 0.0

    def watch(phase: str, _: dict[str, Any]) -> None:
        nonlocal began
        if phase == "start":
            began = time.thread_time()
        else:
            took.append((time.thread_time() - began) * 1000)

    gc.callbacks.append(watch)
    try:
        yield took
    finally:
        gc.callbacks.remove(watch)


@contextmanager
def collecting(**options: Any) -> Iterator[None]:
    collector = Collector(**options)
    collector.start(asyncio.get_running_loop())
    try:
        yield
    finally:
        collector.stop()


def fulls() -> int:
    """How many collections have looked at everything."""
    return int(gc.get_stats()[2]["collections"])


def full() -> float:
    """How long a collection takes that looks at everything, milliseconds."""
    gc.unfreeze()
    with pauses() as took:
        gc.collect()
    return took[-1]


async def calls_beside_many_processes() -> float:
    """How many times longer than the longest pause of 100 callers beside 10,000 processes a full
    collection is; for a Python process of its own."""
    async with VM(block_warning_ms=None) as vm:
        with collecting():
            for _ in range(10_000):
                await vm.start(Echo)
            with pauses() as took:
                servers = [await vm.start(Echo) for _ in range(100)]

                async def ask(server: Pid | None) -> None:
                    assert server is not None
                    for number in range(300):
                        assert await vm.call(server, [number]) == [number]

                await asyncio.gather(*(ask(server) for server in servers))
                gc.collect(1)
            return full() / max(took)


async def come_and_go(count: int = 15_000) -> float:
    """The same while `count` supervised processes start and stop, 1,000 living at a time."""
    async with VM(block_warning_ms=None) as vm:
        with collecting():
            supervisor = await vm.start(DynamicSupervisor)
            assert supervisor is not None
            spec = child(Echo, restart="temporary")
            living: list[Any] = []
            grown, looks = 0, fulls()
            with pauses() as took:
                for number in range(count):
                    living.append(await DynamicSupervisor.start_child(vm, supervisor, spec))
                    if len(living) == 1000:
                        for pid in living:
                            vm.exit(pid, "shutdown")
                        living.clear()
                        await DynamicSupervisor.count_children(vm, supervisor)
                    if number == count // 2:
                        grown = old()
            assert fulls() == looks, "somebody has looked at everything"
            assert old() < grown * 1.1 + 50_000, "what is old grows"
            return full() / max(took)


@pytest.mark.parametrize(
    ("what", "times"), [("calls_beside_many_processes", 20), ("come_and_go", 3)]
)
@pytest.mark.timeout(240)
def test_no_collection_holds_the_loop(what: str, times: float) -> None:
    code = (
        "import asyncio\n"
        f"from tests.actors.runtime.test_collector import {what}\n"
        f"print(asyncio.run({what}()))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=200
    )
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) > times


@virtual_time
async def test_cycles_among_what_is_old_are_freed_when_it_is_quiet() -> None:
    quiet = False
    with collecting(quiet=lambda: quiet):
        knot = Knot()
        gone = weakref.ref(knot)
        gc.collect(1)
        del knot
        await asyncio.sleep(FULL_SECONDS + LOOK_SECONDS)
        assert gone() is not None, "nobody has looked at it"
        quiet = True
        await asyncio.sleep(2 * LOOK_SECONDS)
        assert gone() is None


@virtual_time
async def test_where_it_is_never_quiet_much_that_has_grown_old_is_looked_at_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collector, "MOST_GROWN", 15_000)
    with collecting(quiet=lambda: False):
        knot = Knot()
        gone = weakref.ref(knot)
        others = [Knot() for _ in range(2_500)]
        gc.collect(1)
        del knot
        await asyncio.sleep(FULL_SECONDS + LOOK_SECONDS)
        assert gone() is not None
        others += [Knot() for _ in range(20_000)]
        gc.collect(1)
        await asyncio.sleep(FULL_SECONDS)
        assert gone() is None


@virtual_time
async def test_what_is_shared_with_the_keeper_is_never_looked_at() -> None:
    """What was there at the start stays frozen, and what has grown old is looked at once."""

    with collecting(quiet=lambda: True):
        frozen, before = gc.get_freeze_count(), fulls()
        gc.collect(1)
        await asyncio.sleep(10 * FULL_SECONDS)
        assert fulls() == before + 1
        assert gc.get_freeze_count() >= 0.99 * frozen


@virtual_time
async def test_what_is_free_goes_back_to_the_system_when_calls_are_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[float] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(collector, "give_back", lambda: given.append(loop.time()))
    quiet = False
    with collecting(quiet=lambda: quiet):
        gc.collect(1)
        await asyncio.sleep(FULL_SECONDS)
        assert given == []
        quiet, over = True, loop.time()
        await asyncio.sleep(FULL_SECONDS)
        assert len(given) == 1
        assert given[0] - over <= 2 * LOOK_SECONDS


def test_pages_that_nothing_lies_on_go_back_to_the_system() -> None:
    def resident_mb() -> float:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    pieces = [bytes(3_000) for _ in range(10_000)]
    lasting = pieces[::100]
    del pieces
    before = resident_mb()
    give_back()
    assert before - resident_mb() > 15
    assert len(lasting) == 100


@virtual_time
async def test_a_collector_that_has_stopped_leaves_everything_as_it_was() -> None:
    before = list(gc.callbacks)
    with collecting():
        assert gc.get_freeze_count() > 0
    assert gc.callbacks == before
    assert gc.get_freeze_count() == 0
    loop: Any = asyncio.get_running_loop()
    assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
