"""Methods that a part of an object does."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from aybiza.actors.runtime import VM
from aybiza.actors.runtime.delegation import of


class Engine:
    """A part."""

    def start(self, key: str, *, choke: bool = False) -> tuple[Any, ...]:
        """Start it."""
        return self, key, choke


class Car:
    """A whole."""

    start = of("_engine", Engine.start)

    def __init__(self) -> None:
        self._engine = Engine()


def test_the_part_does_it_with_what_it_is_given() -> None:
    car = Car()
    assert car.start("k", choke=True) == (car._engine, "k", True)
    assert car.start("k") == (car._engine, "k", False)


def test_each_whole_has_its_own_part() -> None:
    one, other = Car(), Car()
    assert one.start("k")[0] is one._engine
    assert other.start("k")[0] is other._engine


def test_it_is_bound_once_so_that_it_costs_no_call_more() -> None:
    car = Car()
    assert car.start("k")[0] is car._engine
    assert vars(car)["start"] == car._engine.start


def test_the_class_shows_the_parts_text_and_signature() -> None:
    assert Car.start.__doc__ == "Start it."
    assert list(inspect.signature(VM.send).parameters) == ["self", "dest", "message"]


def test_a_derived_class_may_override_it_and_still_reach_the_part() -> None:
    class Taxi(Car):
        def start(self, key: str, *, choke: bool = False) -> tuple[Any, ...]:
            return ("taxi", *super().start(key, choke=choke))

    taxi = Taxi()
    for _ in range(2):
        assert taxi.start("k") == ("taxi", taxi._engine, "k", False)


async def test_the_class_does_it_for_the_whole_that_it_is_given() -> None:
    assert Car.start(car := Car(), "k") == (car._engine, "k", False)
    async with VM() as vm:
        pid = vm.spawn(asyncio.sleep, 10)
        VM.register(vm, "sleeper", pid)
        assert VM.whereis(vm, "sleeper") == pid
        assert VM.processes(vm) == [pid]
        VM.exit(vm, pid, "shutdown")
        assert await VM.join(vm, pid) == "shutdown"


def test_it_is_seen_on_the_class_which_methods_are_awaited() -> None:
    assert inspect.iscoroutinefunction(VM.join)
    assert not inspect.iscoroutinefunction(VM.send)
    assert VM.send.__qualname__ == "VM.send"
