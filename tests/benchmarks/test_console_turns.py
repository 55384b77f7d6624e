"""Turns beside consoles and without them are compared in one run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aybiza.benchmarks import console_turns
from aybiza.benchmarks.console_crowd import served
from aybiza.benchmarks.console_turns import CONSOLES, compare
from aybiza.benchmarks.turn import Overhead
from aybiza.gateway.console.hub import hub


@pytest.mark.real_time
async def test_rounds_with_consoles_and_without_alternate_on_one_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []

    async with served() as (vm, url):
        held = hub(vm)
        assert held is not None
        viewers = held.viewers

        class Bench:
            http = url

            async def round(self, calls: int, turns: int) -> Overhead:
                beside = len(looked) % 2 == 0 and len(looked) > 0
                looked_at = [viewer.call_id for viewer in viewers]
                async with asyncio.timeout(20):
                    while not (len(looked_at) == CONSOLES * beside and all(looked_at)):
                        await asyncio.sleep(0.01)
                        looked_at = [viewer.call_id for viewer in viewers]
                looked.append(len(viewers))
                overhead = Overhead(calls)
                overhead.total.append(10.0 + beside)
                return overhead

        @contextmanager
        def bench() -> Iterator[Bench]:
            yield Bench()

        monkeypatch.setattr(console_turns, "bench", bench)
        compared, frames = await compare(pairs=2)
    assert looked == [0, 0, CONSOLES, 0, CONSOLES]
    assert (compared.ratio, compared.noise) == (1.1, 0.0)
    assert frames >= 2 * CONSOLES
