"""PutMetricData by boto3 itself, at a CloudWatch that is emulated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from aybiza.actors.measures import metrics_sink_cloudwatch
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.measures.metrics_sink_cloudwatch import CloudWatch, Datum
from aybiza.emulators.services import ServicesEmulator

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
NOW = time.time()
DATUM = Datum("Claude4Performance.latency_ms", 812.5, (("model", "haiku"),), NOW)


def service(url: str) -> CloudWatch:
    return CloudWatch("AYBIZA", region="us-east-1", credentials=KEYS, endpoint_url=url)


@pytest.fixture
async def services() -> AsyncIterator[ServicesEmulator]:
    async with ServicesEmulator() as emulator:
        yield emulator


async def test_a_batch_arrives_in_one_request_with_units_times_and_dimensions(
    services: ServicesEmulator,
) -> None:
    names = ("a.latency_ms", "a.speech_seconds", "a.edge_percent", "a.input_tokens")
    data = [DATUM, *(Datum(name, 1.0, (), NOW) for name in names)]
    sink = service(services.url)
    await asyncio.to_thread(sink.put, data)
    sink.close()
    first, *rest = services.metrics.received
    assert (first.namespace, first.name, first.value) == ("AYBIZA", DATUM.name, 812.5)
    assert first.dimensions == {"model": "haiku"}
    assert first.at == pytest.approx(NOW, abs=1)
    assert [datum.unit for datum in rest] == ["Milliseconds", "Seconds", "Percent", "Count"]
    assert list(services.metrics.batches) == [5]


async def test_a_thousand_data_are_compressed_and_taken(services: ServicesEmulator) -> None:
    sink = service(services.url)
    await asyncio.to_thread(sink.put, [DATUM] * 1_000)
    sink.close()
    assert list(services.metrics.batches) == [1_000]
    assert services.journal[-1].headers["content-encoding"] == "gzip"


async def test_the_endpoint_may_come_from_boto3s_own_variable(
    services: ServicesEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in services.environment().items():
        monkeypatch.setenv(name, value)
    sink = CloudWatch("AYBIZA", region="us-east-1", credentials=KEYS)
    await asyncio.to_thread(sink.put, [DATUM])
    sink.close()
    assert len(services.metrics.received) == 1


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (400, "InvalidParameterValue", False),
        (403, "AccessDenied", False),
        (400, "Throttling", True),
        (400, "ThrottlingException", True),
        (500, "InternalServiceFault", True),
        (503, "ServiceUnavailable", True),
    ],
)
async def test_a_refusal_for_a_time_may_be_sent_again_and_one_for_good_not(
    services: ServicesEmulator, status: int, code: str, again: bool
) -> None:
    services.fail("cloudwatch", status, code)
    sink = service(services.url)
    with pytest.raises(SinkError, match=f"CloudWatch answered {status} {code}$") as caught:
        await asyncio.to_thread(sink.put, [DATUM])
    sink.close()
    assert caught.value.again is again
    assert len(services.journal) == 1


async def test_without_a_listener_it_may_be_sent_again() -> None:
    sink = service("http://127.0.0.1:9")
    with pytest.raises(SinkError, match="EndpointConnectionError") as caught:
        await asyncio.to_thread(sink.put, [DATUM])
    sink.close()
    assert caught.value.again


@pytest.mark.parametrize("fault", ["drop", "stall"])
async def test_what_may_have_arrived_is_not_sent_again(
    services: ServicesEmulator, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_sink_cloudwatch, "READ_SECONDS", 0.2)
    getattr(services, fault)("cloudwatch")
    sink = service(services.url)
    with pytest.raises(SinkError) as caught:
        await asyncio.to_thread(sink.put, [DATUM])
    sink.close()
    assert not caught.value.again
    assert len(services.metrics.received) == 1


async def test_no_key_stands_in_an_error(services: ServicesEmulator) -> None:
    keys = {"aws_access_key_id": "AKSECRET", "aws_secret_access_key": "s3cret"}
    sink = CloudWatch("A", region="us-east-1", credentials=keys, endpoint_url=services.url)
    services.fail("cloudwatch", 403, "InvalidClientTokenId")
    with pytest.raises(SinkError) as caught:
        await asyncio.to_thread(sink.put, [DATUM])
    sink.close()
    assert "SECRET" not in str(caught.value).upper()
