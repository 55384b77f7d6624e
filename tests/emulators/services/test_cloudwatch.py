"""CloudWatch's PutMetricData."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import httpx
import pytest

from aybiza.emulators.services import ServicesEmulator
from tests.emulators.services.kit import signed

TARGET = {"x-amz-target": "GraniteServiceVersion20100801.PutMetricData"}
DATUM: dict[str, Any] = {"MetricName": "latency_ms", "Value": 5, "Unit": "Milliseconds"}


async def put(client: httpx.AsyncClient, namespace: str, *data: Any) -> httpx.Response:
    asked = {"Namespace": namespace, "MetricData": list(data)}
    return await client.post("/", json=asked, headers={**signed("monitoring"), **TARGET})


async def test_what_is_put_is_received_in_order(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    at = time.time() - 60
    told = {**DATUM, "Timestamp": at, "Dimensions": [{"Name": "model", "Value": "haiku"}]}
    assert (await put(client, "AYBIZA", told, DATUM)).status_code == 200
    first, second = services.metrics.received
    assert (first.namespace, first.name, first.value) == ("AYBIZA", "latency_ms", 5.0)
    assert (first.unit, first.dimensions, first.at) == ("Milliseconds", {"model": "haiku"}, at)
    assert second.dimensions == {}
    assert list(services.metrics.batches) == [2]


async def test_a_compressed_request_is_read(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    body = gzip.compress(json.dumps({"Namespace": "A", "MetricData": [DATUM]}).encode())
    headers = {**signed("monitoring"), **TARGET, "Content-Encoding": "gzip"}
    assert (await client.post("/", content=body, headers=headers)).status_code == 200
    assert len(services.metrics.received) == 1


@pytest.mark.parametrize(
    ("namespace", "data"),
    [
        ("AWS/Own", [DATUM]),
        ("", [DATUM]),
        ("A", []),
        ("A", [DATUM] * 1001),
        ("A", [{"MetricName": "x"}]),
        ("A", [{**DATUM, "MetricName": ""}]),
        ("A", [{**DATUM, "Value": "NaN"}]),
        ("A", [{**DATUM, "Unit": "Parsecs"}]),
        ("A", [{**DATUM, "Timestamp": 5}]),
        ("A", [{**DATUM, "Dimensions": [{"Name": "model", "Value": ""}]}]),
        ("A", ["x"]),
    ],
)
async def test_what_cloudwatch_does_not_take_is_refused_whole(
    services: ServicesEmulator, client: httpx.AsyncClient, namespace: str, data: list[Any]
) -> None:
    answer = await put(client, namespace, *data)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (
        400,
        "InvalidParameterValue",
    )
    assert not services.metrics.received


async def test_other_operations_and_unsigned_requests_are_refused(
    client: httpx.AsyncClient,
) -> None:
    other = {"x-amz-target": "GraniteServiceVersion20100801.ListMetrics"}
    answer = await client.post("/", json={}, headers={**signed("monitoring"), **other})
    assert answer.headers["x-amzn-errortype"] == "UnknownOperationException"
    assert (await client.post("/", json={}, headers=TARGET)).status_code == 403
