"""Many callers at once, and what is told of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from aybiza.benchmarks.load_caller import Asked, Caller
from aybiza.benchmarks.load_test import Plan, load_test, summed
from tests.benchmarks.test_load_caller import Line, server

pytestmark = pytest.mark.real_time


async def answers(line: Line) -> None:
    await line.asked.wait()
    await line.say(20)


async def test_calls_are_placed_at_once_and_their_answers_measured() -> None:
    ended: list[int] = []
    async with server(answers) as (url, lines):
        told = await load_test(
            url, Plan(3, seconds=2.5, ramp=0.05, every=60.0, greeting=0.0), lambda: ended.append(1)
        )
    assert (told["calls"], told["failed"], told["asked"], told["unanswered"]) == (3, 0, 3, 0)
    assert told["response_ms"]["p50"] is not None and told["failures"] == {}
    assert len(lines) == len(ended) == 3


async def test_who_is_not_reached_is_counted_by_cause() -> None:
    told = await load_test("ws://127.0.0.1:9/media", Plan(3, ramp=0.05, seconds=0.9, every=60.0))
    assert told["failed"] == 3 and list(told["failures"].values()) == [3]
    assert told["asked"] == 0 and told["response_ms"]["p50"] is None


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


@asynccontextmanager
async def refusing() -> AsyncIterator[int]:
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as serving:
        yield serving.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("scheme", "told"), [("ws", "403"), ("http", "the webhook answers 403")])
async def test_a_refusal_is_told_with_its_status(scheme: str, told: str) -> None:
    async with refusing() as port:
        outcome = await load_test(f"{scheme}://127.0.0.1:{port}/x", Plan(2, ramp=0.0, seconds=0.5))
    ((cause, count),) = outcome["failures"].items()
    assert told in cause and count == 2


def test_a_question_that_the_end_cut_short_is_none() -> None:
    caller = Caller(1, 5.0)
    caller.turns = [Asked("a", 1.0, 1.5, gaps=1), Asked("b", 2.0), Asked("c", 3.0)]
    told = summed([caller], 9.0)
    assert (told["asked"], told["unanswered"], told["gaps"]) == (2, 1, 1)
    assert told["response_ms"]["p99"] == 500.0


async def test_a_call_by_the_webhook_is_the_same_accounts_on_its_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posted: list[dict[str, str]] = []
    async with server(answers) as (url, lines):

        async def post(_: str, fields: dict[str, str], __: str | None) -> tuple[int, str]:
            posted.append(fields)
            return 200, f'<Response><Connect><Stream url="{url}"/></Connect></Response>'

        monkeypatch.setattr("aybiza.benchmarks.load_test.post", post)
        told = await load_test("http://127.0.0.1/incoming", Plan(1, ramp=0.0, seconds=0.2))
    assert told["failed"] == 0
    ((fields,), (line,)) = posted, lines
    assert line.start["accountSid"] == fields["AccountSid"]
    assert line.start["callSid"] == fields["CallSid"]
