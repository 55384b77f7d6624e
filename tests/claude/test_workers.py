"""The bounded threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import structlog.testing

from aybiza.claude.workers import AllBusy, Closed, WorkerPool

LIMIT_S = 60.0


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(2, name="test-worker")
    yield pool
    pool.close()
    assert pool.join(LIMIT_S)


class Gate:
    """A job that waits until it is let go."""

    def __init__(self, pool: WorkerPool) -> None:
        self.go = threading.Event()
        self.over = threading.Event()
        self.give_up: Callable[[], None] = pool.run(lambda: self.go.wait(LIMIT_S), self.over.set)

    def finish(self) -> None:
        self.go.set()
        assert self.over.wait(LIMIT_S)


def test_a_thread_is_used_again(pool: WorkerPool) -> None:
    names = []
    for _ in range(3):
        over = threading.Event()
        pool.run(lambda: names.append(threading.current_thread().name), over.set)
        assert over.wait(LIMIT_S)
    assert names == ["test-worker-1"] * 3


def test_the_place_is_free_when_after_is_called(pool: WorkerPool) -> None:
    over = threading.Event()
    busy: list[int] = []

    def after() -> None:
        busy.append(pool.statistics().busy)
        over.set()

    pool.run(lambda: None, after)
    assert over.wait(LIMIT_S)
    assert busy == [0]


def test_a_job_beyond_the_size_is_refused_and_not_queued(pool: WorkerPool) -> None:
    gates = [Gate(pool), Gate(pool)]
    ran = threading.Event()
    with pytest.raises(AllBusy):
        pool.run(ran.set, lambda: None)
    for gate in gates:
        gate.finish()
    assert not ran.is_set()
    statistics = pool.statistics()
    assert (statistics.busy, statistics.idle) == (0, 2)


def test_an_abandoned_thread_gives_its_place_to_another_and_ends_with_its_job(
    pool: WorkerPool,
) -> None:
    gates = [Gate(pool), Gate(pool)]
    gates[0].give_up()
    assert pool.statistics().abandoned == 1
    third = Gate(pool)
    for gate in (*gates, third):
        gate.finish()
    statistics = pool.statistics()
    assert (statistics.busy, statistics.idle, statistics.abandoned) == (0, 2, 0)


def test_giving_up_a_thread_whose_job_is_over_does_nothing(pool: WorkerPool) -> None:
    gate = Gate(pool)
    gate.finish()
    gate.give_up()
    assert pool.statistics().abandoned == 0


def test_abandoned_threads_are_bounded_too(pool: WorkerPool) -> None:
    gates = []
    with pytest.raises(AllBusy):
        while True:
            gates.append(Gate(pool))
            gates[-1].give_up()
    assert len(gates) == 3
    for gate in gates:
        gate.finish()


def test_a_job_that_raises_is_logged_and_its_thread_lives_on(pool: WorkerPool) -> None:
    over = threading.Event()
    with structlog.testing.capture_logs() as logs:
        pool.run(lambda: 1 / 0, over.set)
        assert over.wait(LIMIT_S)
    assert [entry["event"] for entry in logs] == ["worker_job_failed"]
    Gate(pool).finish()
    assert pool.statistics().idle == 1


def test_close_ends_idle_threads_at_once_and_busy_ones_after_their_job() -> None:
    pool = WorkerPool(2, name="test-worker")
    first, second = Gate(pool), Gate(pool)
    first.finish()
    pool.close()
    with pytest.raises(Closed):
        pool.run(lambda: None, lambda: None)
    assert not pool.join(0.01)
    second.finish()
    assert pool.join(LIMIT_S)


def test_a_pool_without_threads_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        WorkerPool(0, name="test-worker")


def test_threads_may_be_there_before_their_first_job(pool: WorkerPool) -> None:
    pool.prestart(1)
    pool.prestart(1)
    assert pool.statistics().idle == 1
    gate = Gate(pool)
    pool.prestart(9)
    statistics = pool.statistics()
    assert (statistics.busy, statistics.idle) == (1, 1)
    gate.finish()


def test_a_closed_pool_starts_no_thread(pool: WorkerPool) -> None:
    pool.close()
    pool.prestart(2)
    assert pool.statistics().idle == 0
