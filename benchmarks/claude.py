"""What lies between a caller's words and the model, and between the model and a sentence.

Measures, each with its target:

    from the final transcript to the request at Bedrock, in a node that carries a call (the stage
    `hear` of `aybiza.benchmarks.turn`)
    from the first piece of an answer, as it is sent, to the first sentence handed on
    the processor time of many streams at a time, for the pace of a model that speaks
    from the cancellation of a stream until its thread is free

The model is the loopback emulator in a process of its own; its pieces of text count as tokens. The
processor time is that of this process for one event, times the events of all streams in a second,
so that a machine that is busy with something else does not flatter it.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aybiza.benchmarks import turn
from aybiza.benchmarks.runtime import Figure
from aybiza.claude.client import BedrockClient
from aybiza.claude.converse import converse_request
from aybiza.claude.stream import Sentence, StreamDecoder

STREAMS: Final = 100
TOKENS_A_SECOND: Final = 50
# Each piece of it has a whole sentence in it and the begin of the next.
SHORT: Final = "Yes. We are open today, and tomorrow from eight to six in the evening as well."
MODEL: Final = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
REGION: Final = "us-east-1"
MILLISECONDS: Final = 1e3

_KEYS = {"aws_access_key_id": "EMULATED", "aws_secret_access_key": "emulated"}
_REQUEST = converse_request(MODEL, [{"role": "user", "content": "Hello?"}], max_tokens=4_000)
_FIRST_LEFT_OUT: Final = 5
_ANSWER_SENTENCES: Final = 1_000
_LIMIT_SECONDS: Final = 30.0


def run(turns: int, rounds: int, seconds: float) -> list[Figure]:
    """All figures: `turns` measured turns of a call, `rounds` streams for the short measures, the
    many streams for about so many `seconds`. RuntimeError if the call did not come about."""
    overhead = turn.run(1, turns)
    if overhead.failures or not overhead.total:
        raise RuntimeError(f"the measured call failed: {overhead.failures or 'no turns'}")
    hear = overhead.percentile(overhead.stages["hear"], 0.5)
    with turn.emulators() as urls:
        url = urls["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
        handed_on, free, (share, tokens) = asyncio.run(_measure(url, rounds, seconds))
    return [
        Figure("final transcript to request, p50", hear, "ms", 3),
        Figure("first token to sentence handed on, p50", handed_on, "ms", 1),
        Figure(f"{STREAMS} streams at {TOKENS_A_SECOND} tokens/s, of one core", share, "%", 60),
        Figure("cancel to thread free, p50", free, "ms", 5),
        Figure("tokens a second in that measure", tokens, "1/s"),
    ]


async def _measure(url: str, rounds: int, seconds: float) -> tuple[float, float, Any]:
    async with _client(url) as client:
        return (
            await handed_on(client, url, rounds),
            await free_again(client, url, rounds),
            await together(client, url, seconds),
        )


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[BedrockClient]:
    async with BedrockClient(
        region=REGION, endpoint_url=url, pool_size=STREAMS, credentials=_KEYS
    ) as client:
        await client.warm()
        yield client


async def handed_on(client: BedrockClient, url: str, rounds: int) -> float:
    """Milliseconds from the first event sent to the first sentence handed on, the median."""
    await _control(url, "pace", {})
    await _control(url, "responder", {"mode": "scripted", "answers": [SHORT]})
    taken: list[float] = []
    for number in range(rounds + _FIRST_LEFT_OUT):
        at = await _first_sentence(client)
        record = (await _asked(url))[-1]
        if number >= _FIRST_LEFT_OUT:
            taken.append((at - record["first_event_sent"]) * MILLISECONDS)
    return statistics.median(taken)


async def _first_sentence(client: BedrockClient) -> float:
    """When the first sentence of an answer was there; the rest is read, too."""
    decoder = StreamDecoder()
    at = 0.0
    async with asyncio.timeout(_LIMIT_SECONDS):
        async for event in client.stream(_REQUEST):
            parts = decoder.feed(event)
            if not at and any(isinstance(part, Sentence) for part in parts):
                at = time.monotonic()
    return at


async def free_again(client: BedrockClient, url: str, rounds: int) -> float:
    """Milliseconds from a cancellation in mid-answer until the thread is free, the median."""
    await _control(url, "pace", {"per_delta_ms": 1_000 / TOKENS_A_SECOND})
    await _control(url, "responder", {"mode": "long", "sentences": _ANSWER_SENTENCES})
    taken = []
    for number in range(rounds + _FIRST_LEFT_OUT):
        stream = client.stream(_REQUEST)
        async with asyncio.timeout(_LIMIT_SECONDS):
            while "contentBlockDelta" not in await anext(stream):
                pass
            began = time.perf_counter()
            stream.cancel()
            await stream.released()
        if number >= _FIRST_LEFT_OUT:
            taken.append((time.perf_counter() - began) * MILLISECONDS)
    return statistics.median(taken)


async def together(client: BedrockClient, url: str, seconds: float) -> tuple[float, float]:
    """The share of one core, in percent, that all streams take at their pace, and how many tokens
    a second really came."""
    await _control(url, "pace", {"per_delta_ms": 1_000 / TOKENS_A_SECOND})
    await _control(url, "responder", {"mode": "long", "sentences": _ANSWER_SENTENCES})
    counts = [0] * STREAMS

    async def consume(number: int) -> None:
        decoder = StreamDecoder()
        async for event in client.stream(_REQUEST):
            decoder.feed(event)
            counts[number] += "contentBlockDelta" in event

    consumers = [asyncio.create_task(consume(number)) for number in range(STREAMS)]
    try:
        async with asyncio.timeout(_LIMIT_SECONDS + seconds):
            while not all(counts):  # noqa: ASYNC110 - a look now and then disturbs least
                await asyncio.sleep(0.05)
            cpu, began, before = time.process_time(), time.perf_counter(), sum(counts)
            await asyncio.sleep(seconds)
            cpu = time.process_time() - cpu
            took, tokens = time.perf_counter() - began, sum(counts) - before
    finally:
        for consumer in consumers:
            consumer.cancel()
        await asyncio.gather(*consumers, return_exceptions=True)
    return 100 * cpu / tokens * STREAMS * TOKENS_A_SECOND, tokens / took


async def _control(url: str, door: str, members: dict[str, Any]) -> None:
    await asyncio.to_thread(_ask, f"{url}/_emulator/{door}", members)


async def _asked(url: str) -> list[dict[str, Any]]:
    answer = await asyncio.to_thread(_ask, f"{url}/_emulator/requests", None)
    requests: list[dict[str, Any]] = answer["requests"]
    return requests


def _ask(url: str, members: dict[str, Any] | None) -> Any:
    data = None if members is None else json.dumps(members).encode()
    request = urllib.request.Request(url, data=data, method="GET" if data is None else "PUT")
    with urllib.request.urlopen(request, timeout=_LIMIT_SECONDS) as answer:
        return json.load(answer)
