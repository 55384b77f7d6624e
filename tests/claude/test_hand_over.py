"""From threads to the loop: everything, in order, at few wake-ups."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.claude.hand_over import HandOver

LIMIT_S = 60.0


async def test_what_threads_post_comes_in_each_threads_order() -> None:
    to_loop, done = HandOver(), asyncio.Event()
    threads, each = 8, 500
    taken: list[tuple[int, int]] = []

    def arrived(thread: int, number: int) -> None:
        taken.append((thread, number))
        if len(taken) == threads * each:
            done.set()

    def post(thread: int) -> None:
        for number in range(each):
            assert to_loop.post(partial(arrived, thread, number))

    workers = [threading.Thread(target=post, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    await asyncio.wait_for(done.wait(), LIMIT_S)
    for worker in workers:
        worker.join(LIMIT_S)
    for thread in range(threads):
        assert [number for t, number in taken if t == thread] == [*range(each)]


async def test_what_comes_together_wakes_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    to_loop, loop = HandOver(), asyncio.get_running_loop()
    wakes: list[Any] = []
    wake = loop.call_soon_threadsafe

    def counted(callback: Any, *args: Any, **kwargs: Any) -> Any:
        wakes.append(callback)
        return wake(callback, *args, **kwargs)

    monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    came: list[int] = []
    for number in range(10):
        to_loop.post(partial(came.append, number))
    await asyncio.sleep(0)
    assert (came, len(wakes)) == ([*range(10)], 1)
    to_loop.post(partial(came.append, 10))
    await asyncio.sleep(0)
    assert (came[-1], len(wakes)) == (10, 2)


async def test_what_a_callback_posts_comes_after_it() -> None:
    to_loop = HandOver()
    came: list[int] = []

    def first() -> None:
        came.append(1)
        to_loop.post(partial(came.append, 2))

    to_loop.post(first)
    await asyncio.sleep(0)
    assert came == [1]
    await asyncio.sleep(0)
    assert came == [1, 2]


async def test_a_callback_that_raises_harms_no_other() -> None:
    to_loop = HandOver()
    came: list[int] = []
    with capture_logs() as logs:
        to_loop.post(lambda: 1 / 0)
        to_loop.post(partial(came.append, 1))
        await asyncio.sleep(0)
    assert came == [1]
    assert [entry["event"] for entry in logs] == ["hand_over_failed"]


def test_a_closed_loop_takes_nothing() -> None:
    async def make() -> HandOver:
        return HandOver()

    to_loop = asyncio.run(make())
    assert not to_loop.post(lambda: None)
    assert not to_loop.post(lambda: None)
