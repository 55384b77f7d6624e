"""Turns with the whole analysis and with none are compared on nodes that differ in nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aybiza.benchmarks import analysis_turns
from aybiza.benchmarks.analysis_turns import ALL, compare
from aybiza.benchmarks.turn import Overhead
from aybiza.config.analysis import Analysis


def test_all_that_the_analysis_has_is_on() -> None:
    analysis = Analysis.model_validate(tomllib.loads(ALL)["analysis"])
    assert all(getattr(analysis, field) for field in Analysis.model_fields)


async def test_rounds_with_analysis_and_without_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[tuple[str, int, int]] = []

    class Bench:
        def __init__(self, more: str) -> None:
            self._more = more

        async def round(self, calls: int, turns: int) -> Overhead:
            rounds.append((self._more, calls, turns))
            overhead = Overhead(calls)
            overhead.total.append(12.0 if self._more else 10.0)
            return overhead

    @contextmanager
    def bench(more: str = "") -> Iterator[Bench]:
        yield Bench(more)

    monkeypatch.setattr(analysis_turns, "bench", bench)
    compared = await compare(pairs=2, calls=3, turns=4)
    assert rounds == [("", 1, 1), (ALL, 1, 1), *[("", 3, 4), (ALL, 3, 4)] * 2]
    assert compared.ratio == 1.2
