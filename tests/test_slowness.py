"""How slow the machine is, is what others take from it."""

import time

import pytest

from tests.slowness import slowness


def test_a_machine_whose_processors_are_shared_is_so_many_times_slower(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter(range(1000))
    monkeypatch.setattr(time, "thread_time", lambda: next(now) / 100)
    wall = iter((10.0, 10.0 + 3 * 0.07))
    monkeypatch.setattr(time, "monotonic", lambda: next(wall))
    assert slowness() == pytest.approx(3.0, rel=0.2)


def test_no_machine_is_faster_than_its_work() -> None:
    began = time.thread_time()
    assert slowness() >= 1.0
    assert time.thread_time() - began < 1.0
