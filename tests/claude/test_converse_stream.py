"""One stream against a loopback server: real boto3, real sockets, real frames."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from typing import Any

import pytest

from aybiza.claude.client import BedrockClient
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.claude.stream import StreamCut, StreamDecoder
from tests.claude.bedrock_wire import (
    MESSAGE_END,
    MESSAGE_START,
    Reply,
    error_frame,
    exception_frame,
    text_delta,
)
from tests.claude.client_kit import (
    LIMIT_S,
    MODEL,
    REGION,
    REQUEST,
    bedrock,
    failure,
    hello,
    silence,
    silence_after_text,
    take,
    within,
)


class TestStream:
    async def test_the_events_of_an_answer_come_in_order_and_then_it_ends(self) -> None:
        async with bedrock(hello) as (_, client):
            events = await take(client.stream(REQUEST))
        kinds = [next(iter(event)) for event in events]
        assert kinds == [
            "messageStart",
            "contentBlockDelta",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata",
        ]
        assert events[1]["contentBlockDelta"]["delta"] == {"text": "Hello."}

    async def test_the_request_is_sent_once_signed_and_with_the_model_in_its_path(self) -> None:
        async with bedrock(hello) as (wire, client):
            await take(client.stream(REQUEST))
        (request,) = wire.requests
        assert request.target == f"/model/{MODEL.replace(':', '%3A')}/converse-stream"
        assert request.headers["amz-sdk-request"] == "attempt=1; max=1"
        assert f"/{REGION}/bedrock/aws4_request" in request.headers["authorization"]
        assert request.body["messages"] == REQUEST["messages"]
        assert request.body["inferenceConfig"] == {"maxTokens": 50}

    async def test_a_connection_is_used_again(self) -> None:
        async with bedrock(hello) as (wire, client):
            warmed = wire.connections
            for _ in range(3):
                await take(client.stream(REQUEST))
        assert (wire.connections, len(wire.requests)) == (warmed, 3)

    async def test_who_leaves_behind_the_last_event_leaves_the_connection_whole(self) -> None:
        async def slow_end(reply: Reply) -> None:
            await reply.start()
            await reply.send(MESSAGE_START + text_delta("Hi.") + MESSAGE_END)
            await asyncio.sleep(0.05)
            await reply.finish()

        async with bedrock(slow_end) as (wire, client):
            warmed = wire.connections
            for _ in range(3):
                async with client.stream(REQUEST) as stream:
                    async for event in stream:
                        if "metadata" in event:
                            break
                await within(stream.released())
            statistics = client.statistics()
        assert (wire.connections, statistics.finished) == (warmed, 3)

    async def test_a_body_without_end_is_not_waited_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("aybiza.claude.converse_stream._BODY_END_S", 0.02)

        async def no_end(reply: Reply) -> None:
            await reply.start()
            await reply.send(MESSAGE_START + text_delta("Hi.") + MESSAGE_END)
            await reply.client_gone()

        async with bedrock(no_end) as (_, client):
            async with client.stream(REQUEST) as stream:
                async for event in stream:
                    if "metadata" in event:
                        break
            await within(stream.released())
            assert (client.statistics().cancelled, client.statistics().busy) == (1, 0)

    async def test_a_stream_may_name_another_region(self) -> None:
        async with bedrock(hello) as (wire, client):
            await take(client.stream(REQUEST, region="eu-west-1"))
        assert "/eu-west-1/bedrock/" in wire.requests[0].headers["authorization"]

    async def test_streams_run_side_by_side(self) -> None:
        both = asyncio.Barrier(2)

        async def meet(reply: Reply) -> None:
            await within(both.wait())
            await reply.say("Hello.")

        async with bedrock(meet) as (_, client):
            streams = [client.stream(REQUEST), client.stream(REQUEST)]
            answers = await asyncio.gather(*(take(stream) for stream in streams))
        assert [len(events) for events in answers] == [5, 5]

    async def test_a_second_consumer_is_refused(self) -> None:
        async with bedrock(silence) as (_, client):
            stream = client.stream(REQUEST)
            waiting = asyncio.create_task(stream.__anext__())
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="one consumer"):
                await stream.__anext__()
            stream.cancel()
            with pytest.raises(BedrockError):
                await waiting


class TestFailures:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (429, "ThrottlingException", ErrorKind.THROTTLING),
            (503, "ServiceUnavailableException", ErrorKind.UNAVAILABLE),
            (400, "ValidationException", ErrorKind.VALIDATION),
        ],
    )
    async def test_a_refusal_is_classified_and_not_tried_again(
        self, status: int, code: str, kind: ErrorKind
    ) -> None:
        async def refuse(reply: Reply) -> None:
            await reply.refuse(status, code, "no")

        async with bedrock(refuse) as (wire, client):
            _, error = await failure(client.stream(REQUEST))
        assert (error.kind, error.code, error.http_status) == (kind, code, status)
        assert (error.model, error.region) == (MODEL, REGION)
        assert error.before_first_token
        assert len(wire.requests) == 1

    @pytest.mark.parametrize(
        ("ending", "kind"),
        [
            (exception_frame("throttlingException", "slow"), ErrorKind.THROTTLING),
            (exception_frame("modelStreamErrorException", "oops"), ErrorKind.STREAM_ERROR),
            (error_frame("InternalFailure", "oops"), ErrorKind.UNAVAILABLE),
            (text_delta("x")[:-1] + b"\x00", ErrorKind.TRANSPORT),
        ],
    )
    async def test_a_failure_in_the_stream_comes_after_the_events_before_it(
        self, ending: bytes, kind: ErrorKind
    ) -> None:
        async def fail(reply: Reply) -> None:
            await reply.start()
            await reply.send(MESSAGE_START + text_delta("Hello."))
            await reply.send(ending)
            await reply.finish()

        async with bedrock(fail) as (_, client):
            events, error = await failure(client.stream(REQUEST))
        assert len(events) == 2
        assert error.kind is kind
        assert not error.before_first_token

    async def test_text_that_has_come_counts_before_it_is_taken(self) -> None:
        async def fail(reply: Reply) -> None:
            await reply.start()
            await reply.send(text_delta("Hello."))
            await reply.hang_up()

        async with bedrock(fail) as (_, client):
            stream = client.stream(REQUEST)
            await within(stream.released())
            _, error = await failure(stream)
        assert not error.before_first_token

    async def test_a_failure_before_any_text_is_before_the_first_token(self) -> None:
        async def fail(reply: Reply) -> None:
            await reply.start()
            await reply.send(MESSAGE_START)
            await reply.send(exception_frame("throttlingException", "slow"))
            await reply.finish()

        async with bedrock(fail) as (_, client):
            _, error = await failure(client.stream(REQUEST))
        assert error.before_first_token

    @pytest.mark.parametrize("reset", [False, True])
    async def test_a_broken_connection_is_a_transport_error(self, reset: bool) -> None:
        async def hang_up(reply: Reply) -> None:
            await reply.start()
            await reply.send(MESSAGE_START)
            await reply.hang_up(reset=reset)

        async with bedrock(hang_up) as (_, client):
            _, error = await failure(client.stream(REQUEST))
        assert error.kind is ErrorKind.TRANSPORT

    async def test_a_clean_end_without_message_stop_is_seen_by_the_decoder(self) -> None:
        async def cut(reply: Reply) -> None:
            await reply.start()
            await reply.send(MESSAGE_START + text_delta("Hello. I"))
            await reply.finish()

        decoder = StreamDecoder()
        async with bedrock(cut) as (_, client):
            for event in await take(client.stream(REQUEST)):
                decoder.feed(event)
        assert decoder.end() == [StreamCut([{"text": "Hello. I"}], "I")]

    async def test_a_refused_connection_is_a_transport_error(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        async with BedrockClient(region=REGION, endpoint_url=url) as client:
            _, error = await failure(client.stream(REQUEST))
        assert (error.kind, error.code) == (ErrorKind.TRANSPORT, "EndpointConnectionError")

    @pytest.mark.parametrize("script", [silence, silence_after_text])
    async def test_silence_longer_than_the_read_timeout_is_a_timeout(self, script: Any) -> None:
        async with bedrock(script, read_timeout_ms=100) as (_, client):
            _, error = await failure(client.stream(REQUEST))
            assert error.kind is ErrorKind.TIMEOUT
            assert client.statistics().failed == 1

    async def test_missing_credentials_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        async with bedrock(hello) as (_, client):
            _, error = await failure(client.stream(REQUEST))
        assert error.kind is ErrorKind.ACCESS_DENIED
        assert "AWS_ACCESS_KEY_ID" in error.message


class TestDeadlines:
    async def test_a_first_event_that_is_late_is_a_timeout(self) -> None:
        async with bedrock(silence) as (_, client):
            stream = client.stream(REQUEST, first_event_timeout=0.05)
            _, error = await failure(stream)
            await within(stream.released())
            assert client.statistics().busy == 0
        assert error.kind is ErrorKind.TIMEOUT
        assert error.message == "no event within 0.05 s"

    async def test_a_stream_that_falls_silent_is_a_timeout(self) -> None:
        async with bedrock(silence_after_text) as (_, client):
            stream = client.stream(REQUEST, silence_timeout=0.05)
            events, error = await failure(stream)
            await within(stream.released())
            assert client.statistics().busy == 0
        assert len(events) == 2
        assert (error.kind, error.before_first_token) == (ErrorKind.TIMEOUT, False)
        assert error.message == "silent for 0.05 s in the middle of the answer"

    async def test_a_slow_stream_is_not_silent(self) -> None:
        async def slow(reply: Reply) -> None:
            await reply.start()
            await reply.send(MESSAGE_START)
            for _ in range(8):
                await asyncio.sleep(0.05)
                await reply.send(text_delta("x"))
            await reply.send(MESSAGE_END)
            await reply.finish()

        async with bedrock(slow) as (_, client):
            assert len(await take(client.stream(REQUEST, silence_timeout=0.2))) == 12

    async def test_a_stream_whose_events_nobody_takes_is_not_silent(self) -> None:
        taken = asyncio.Event()

        async def wait(reply: Reply) -> None:
            await reply.start()
            await reply.send(MESSAGE_START + text_delta("x") + text_delta("y"))
            await within(taken.wait())
            await reply.send(MESSAGE_END)
            await reply.finish()

        async with bedrock(wait) as (_, client):
            stream = client.stream(REQUEST, silence_timeout=0.4)
            await within(anext(stream))
            await asyncio.sleep(0.9)
            taken.set()
            assert len(await take(stream)) == 5

    async def test_a_stream_that_does_not_end_is_a_timeout(self) -> None:
        async with bedrock(silence_after_text) as (_, client):
            stream = client.stream(REQUEST, timeout=0.2)
            events, error = await failure(stream)
            await within(stream.released())
        assert len(events) == 2
        assert error.message == "not finished within 0.2 s"
        assert not error.before_first_token

    async def test_a_stream_that_nobody_takes_frees_its_thread_when_its_time_is_over(self) -> None:
        async with bedrock(silence_after_text) as (_, client):
            stream = client.stream(REQUEST, timeout=0.1)
            await within(stream.released())
            assert client.statistics().busy == 0
            assert client.statistics().failed == 1

    async def test_an_answer_in_time_is_not_disturbed_by_the_first_events_limit(self) -> None:
        late = asyncio.Event()

        async def slow(reply: Reply) -> None:
            await reply.start()
            await reply.send(MESSAGE_START)
            await within(late.wait())
            await reply.send(text_delta("Hi.") + MESSAGE_END)
            await reply.finish()

        async with bedrock(slow) as (_, client):
            stream = client.stream(REQUEST, first_event_timeout=0.1)
            assert await within(stream.__anext__()) == {"messageStart": {"role": "assistant"}}
            asyncio.get_running_loop().call_later(0.15, late.set)
            assert len(await take(stream)) == 4


class TestCancel:
    async def test_cancel_in_the_stream_frees_the_thread_and_drops_what_came(self) -> None:
        async with bedrock(silence_after_text) as (_, client):
            stream = client.stream(REQUEST)
            await within(stream.__anext__())
            stream.cancel()
            stream.cancel()
            events, error = await failure(stream)
            await within(stream.released())
            statistics = client.statistics()
        assert events == []
        assert (error.kind, error.retryable) == (ErrorKind.CANCELLED, False)
        assert (statistics.busy, statistics.cancelled, statistics.abandoned) == (0, 1, 0)

    async def test_cancel_before_the_answers_header_frees_the_thread(self) -> None:
        asked = asyncio.Event()
        gone = asyncio.Event()

        async def wait(reply: Reply) -> None:
            asked.set()
            await reply.client_gone()
            gone.set()

        async with bedrock(wait) as (_, client):
            stream = client.stream(REQUEST)
            await within(asked.wait())
            stream.cancel()
            await within(stream.released())
            await within(gone.wait())
            statistics = client.statistics()
            assert (statistics.busy, statistics.abandoned) == (0, 0)

    async def test_cancel_right_after_the_start_frees_the_thread(self) -> None:
        async with bedrock(silence) as (_, client):
            for _ in range(20):
                stream = client.stream(REQUEST)
                stream.cancel()
                await within(stream.released())
            statistics = client.statistics()
        assert (statistics.busy, statistics.cancelled, statistics.abandoned) == (0, 20, 0)

    async def test_a_cancelled_consumer_ends_the_stream(self) -> None:
        async with bedrock(silence) as (_, client):
            stream = client.stream(REQUEST)
            consumer = asyncio.create_task(take(stream))
            await asyncio.sleep(0)
            consumer.cancel()
            with pytest.raises(asyncio.CancelledError):
                await consumer
            await within(stream.released())
            assert client.statistics().cancelled == 1

    async def test_leaving_the_context_early_ends_the_stream(self) -> None:
        async with bedrock(silence_after_text) as (_, client):
            async with client.stream(REQUEST) as stream:
                await within(stream.__anext__())
            await within(stream.released())
            assert client.statistics().cancelled == 1

    async def test_cancelling_an_ended_stream_changes_nothing(self) -> None:
        async with bedrock(hello) as (_, client):
            stream = client.stream(REQUEST)
            await take(stream)
            stream.cancel()
            assert await take(stream) == []
            statistics = client.statistics()
        assert (statistics.finished, statistics.cancelled) == (1, 0)

    async def test_a_thread_that_cannot_be_woken_gives_up_its_place(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looking_up = asyncio.Event()
        answered = threading.Event()
        loop = asyncio.get_running_loop()

        def hang(*_: object, **__: object) -> None:
            loop.call_soon_threadsafe(looking_up.set)
            answered.wait(LIMIT_S)
            raise socket.gaierror("no such name")

        async with bedrock(hello, pool_size=1) as (_, client):
            with monkeypatch.context() as patch:
                patch.setattr(socket, "getaddrinfo", hang)
                # In a region that was not warmed, or the connection would be there.
                stream = client.stream(REQUEST, region="eu-west-1")
                await within(looking_up.wait())
                stream.cancel()
                await within(stream.released())
            statistics = client.statistics()
            assert (statistics.busy, statistics.abandoned) == (0, 1)
            assert len(await take(client.stream(REQUEST))) == 6
            answered.set()

    async def test_cancelling_some_streams_never_disturbs_the_others(self) -> None:
        dice = random.Random(7)

        async def slowly(reply: Reply) -> None:
            await reply.start()
            await reply.send(MESSAGE_START)
            for number in range(5):
                await asyncio.sleep(dice.random() * 0.003)
                await reply.send(text_delta(f"{number}"))
            await reply.send(MESSAGE_END)
            await reply.finish()

        async def one(client: BedrockClient, cancel_after: float | None) -> str:
            stream = client.stream(REQUEST)
            if cancel_after is None:
                events = await take(stream)
                deltas = (event.get("contentBlockDelta") for event in events)
                return "".join(delta["delta"]["text"] for delta in deltas if delta)
            await asyncio.sleep(cancel_after)
            stream.cancel()
            await within(stream.released())
            return "cancelled"

        async with bedrock(slowly, pool_size=8) as (_, client):
            for _ in range(15):
                plans = [dice.random() * 0.012 if dice.random() < 0.5 else None for _ in range(8)]
                outcomes = await asyncio.gather(*(one(client, plan) for plan in plans))
                assert outcomes == ["01234" if plan is None else "cancelled" for plan in plans]
            assert client.statistics().abandoned == 0


class TestHandOver:
    async def test_a_thread_waits_for_a_consumer_that_lags(self) -> None:
        sent = asyncio.Event()

        async def flood(reply: Reply) -> None:
            await reply.start()
            for number in range(500):
                await reply.send(text_delta(str(number)))
            await reply.send(MESSAGE_END)
            await reply.finish()
            sent.set()

        async with bedrock(flood) as (_, client):
            stream = client.stream(REQUEST)
            await within(sent.wait())
            async with asyncio.timeout(LIMIT_S):
                while stream.buffered < 64:  # noqa: ASYNC110 - the thread sets no event
                    await asyncio.sleep(0.001)
            await asyncio.sleep(0.02)
            assert stream.buffered == 64
            events = await take(stream)
        texts = [event["contentBlockDelta"]["delta"]["text"] for event in events[:500]]
        assert texts == [str(number) for number in range(500)]

    async def test_cancel_frees_a_thread_that_waits_for_its_consumer(self) -> None:
        async def flood(reply: Reply) -> None:
            await reply.start()
            await reply.send(b"".join(text_delta("x") for _ in range(200)))
            await reply.client_gone()

        async with bedrock(flood) as (_, client):
            stream = client.stream(REQUEST)
            async with asyncio.timeout(LIMIT_S):
                while stream.buffered < 64:  # noqa: ASYNC110 - the thread sets no event
                    await asyncio.sleep(0.001)
            stream.cancel()
            await within(stream.released())
            statistics = client.statistics()
            assert (statistics.busy, statistics.abandoned) == (0, 0)
