"""The console's process: it works while somebody looks, and does no harm when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.placement.placement import Limits
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import KILL, NORMAL, VM, run_virtual
from aybiza.gateway.console.actions import Console
from aybiza.gateway.console.console_actor import NAME, TICK_SECONDS, ConsoleActor
from aybiza.gateway.console.hub import POINT_SECONDS, Hub, hub
from aybiza.supervisors import Supervisor, child


async def control(vm: VM, request: dict[str, Any]) -> dict[str, Any]:
    return {"members": []}


@asynccontextmanager
async def console() -> AsyncIterator[tuple[VM, Hub]]:
    async with VM("test") as vm:
        board(vm).limits = Limits(calls=1)
        root = await vm.start(Supervisor, [child(ConsoleActor, Console(control), name=NAME)])
        held = hub(vm)
        assert held is not None
        yield vm, held
        assert root is not None
        await vm.stop(root, NORMAL)


def test_it_ticks_five_times_a_second_while_somebody_looks_and_never_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = 0
    tick = Hub.tick

    async def counted(self: Hub) -> None:
        nonlocal ticks
        ticks += 1
        await tick(self)

    monkeypatch.setattr(Hub, "tick", counted)

    async def run() -> None:
        async with console() as (vm, held):
            await asyncio.sleep(2 * POINT_SECONDS + 1)
            assert (ticks, len(held.points)) == (0, 2)
            viewer = held.enter("")
            for _ in range(5):
                vm.cast(NAME, "look")
            await asyncio.sleep(10 * TICK_SECONDS)
            assert 9 <= ticks <= 11
            held.leave(viewer)
            await asyncio.sleep(1)
            before = ticks
            await asyncio.sleep(5)
            assert ticks == before

    run_virtual(run())


def test_its_death_is_not_noticed_by_who_looks() -> None:
    async def run() -> None:
        async with console() as (vm, held):
            viewer = held.enter("")
            vm.cast(NAME, "look")
            assert await viewer.next()
            pid = vm.whereis(NAME)
            assert pid is not None
            vm.exit(pid, KILL)
            await vm.join(pid)
            await asyncio.sleep(0.1)
            held.heard.tell("call", "told by its successor")
            data: str | None = ""
            while data is not None and "successor" not in data:
                data = await viewer.next()
            assert data is not None

    run_virtual(run())


def test_a_look_that_fails_is_told_and_takes_nobody_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: Hub) -> None:
        raise ValueError("broken on purpose")

    monkeypatch.setattr(Hub, "tick", fail)

    async def run() -> None:
        async with console() as (vm, held):
            before = vm.whereis(NAME)
            with capture_logs() as logs:
                viewer = held.enter("")
                vm.cast(NAME, "look")
                assert await viewer.next() is None
            assert [entry["why"] for entry in logs] == ["crashed with ValueError"]
            assert vm.whereis(NAME) == before

    run_virtual(run())


def test_an_orderly_end_lets_go_of_who_looks() -> None:
    async def run() -> None:
        async with console() as (_, held):
            viewer = held.enter("")
        assert viewer.closed

    run_virtual(run())
