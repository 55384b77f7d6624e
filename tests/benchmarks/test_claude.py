"""The measures of the way to the model and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aybiza.benchmarks import claude, turn
from aybiza.claude.client import BedrockClient
from aybiza.emulators.bedrock import BedrockEmulator


@asynccontextmanager
async def place() -> AsyncIterator[tuple[BedrockClient, str]]:
    async with BedrockEmulator() as bedrock, claude._client(bedrock.url) as client:
        yield client, bedrock.url


async def test_a_first_sentence_is_handed_on_and_a_thread_is_free_again() -> None:
    async with place() as (client, url):
        assert 0 < await claude.handed_on(client, url, 2) < 1_000
        assert 0 < await claude.free_again(client, url, 2) < 1_000
        assert client.statistics().busy == 0


async def test_many_streams_are_counted_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude, "STREAMS", 3)
    async with place() as (client, url):
        share, tokens = await claude.together(client, url, 0.2)
        assert 0 < share < 100
        assert 0 < tokens <= 3 * claude.TOKENS_A_SECOND * 2
        async with asyncio.timeout(60):
            while client.statistics().busy:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.005)


def fails(*_: object) -> turn.Overhead:
    return turn.Overhead(1)


def test_without_a_call_there_are_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "run", fails)
    with pytest.raises(RuntimeError, match="no turns"):
        claude.run(1, 1, 0.1)


def test_each_measure_becomes_a_figure_with_its_target(monkeypatch: pytest.MonkeyPatch) -> None:
    overhead = turn.Overhead(1)
    for name in turn.STAGES:
        overhead.stages[name] = [2.0, 2.5, 9.0]
    overhead.total = [6.0] * 3

    async def measured(url: str, rounds: int, seconds: float) -> Any:
        return 0.4, 0.3, (50.0, 5_000.0)

    monkeypatch.setattr(turn, "run", lambda calls, turns: overhead)
    monkeypatch.setattr(turn, "emulators", emulated)
    monkeypatch.setattr(claude, "_measure", measured)
    figures = claude.run(3, 1, 0.1)
    assert [(figure.value, figure.target) for figure in figures] == [
        (2.5, 3),
        (0.4, 1),
        (50.0, 60),
        (0.3, 5),
        (5_000.0, None),
    ]
    assert not any(figure.missed for figure in figures)


class emulated:
    """Providers that nobody asks."""

    def __enter__(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:9"}

    def __exit__(self, *_: object) -> None: ...
