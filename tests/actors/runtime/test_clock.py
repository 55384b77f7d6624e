"""Virtual time."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from aybiza.actors.runtime import VM, VirtualTimeLoop, run_virtual, virtual_time


def test_hours_pass_in_milliseconds() -> None:
    async def wait() -> float:
        await asyncio.sleep(100 * 3600)
        return asyncio.get_running_loop().time()

    began = time.perf_counter()
    assert run_virtual(wait()) == pytest.approx(100 * 3600)
    assert time.perf_counter() - began < 5


@virtual_time
async def test_timers_run_in_the_order_of_their_times() -> None:
    ran: list[float] = []
    loop = asyncio.get_running_loop()
    for delay in (3.0, 1.0, 2.0, 86_400.0 * 3):
        loop.call_later(delay, ran.append, delay)
    await asyncio.sleep(86_400 * 4)
    assert ran == [1.0, 2.0, 3.0, 86_400.0 * 3]


@virtual_time
async def test_time_stands_still_while_something_is_ready() -> None:
    for _ in range(1000):
        await asyncio.sleep(0)
    assert asyncio.get_running_loop().time() == 0


@virtual_time
async def test_a_time_limit_comes_due() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()
    assert asyncio.get_running_loop().time() == pytest.approx(3600)


@virtual_time
async def test_time_stands_still_while_a_thread_of_the_vm_works() -> None:
    async with VM() as vm:
        asyncio.get_running_loop().call_later(10, pytest.fail, "the clock jumped over the thread")
        await vm.run_blocking(time.sleep, 0.05)
        assert vm.now() == 0
    assert asyncio.get_running_loop().time() == 0


@virtual_time
async def test_time_stands_still_while_a_thread_of_asyncio_works() -> None:
    async with asyncio.timeout(0.01):
        await asyncio.to_thread(time.sleep, 0.05)
    assert asyncio.get_running_loop().time() == 0.0


@virtual_time
async def test_another_thread_can_wake_a_loop_without_timers() -> None:
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(loop.call_soon_threadsafe, woken.set)
        await woken.wait()


def test_what_is_run_returns_raises_and_closes_its_loop() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def fail() -> None:
        loops.append(asyncio.get_running_loop())
        raise LookupError("as it was")

    with pytest.raises(LookupError, match="as it was"):
        run_virtual(fail())
    assert isinstance(loops[0], VirtualTimeLoop)
    assert loops[0].is_closed()


def test_the_decorator_keeps_name_arguments_and_result() -> None:
    @virtual_time
    async def double(number: int, *, by: int = 2) -> int:
        await asyncio.sleep(1)
        return number * by

    assert double.__name__ == "double"
    assert double(4) == 8
    assert double(4, by=3) == 12


@virtual_time
async def test_a_wait_too_short_for_the_clock_lets_time_go_on_all_the_same() -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(57.76)
    due = loop.time() + 1e-12
    for _ in range(10):
        if loop.time() >= due:
            return
        await asyncio.sleep(due - loop.time())
    pytest.fail("time stands still")
