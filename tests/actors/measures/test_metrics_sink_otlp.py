"""Spans in OTLP's JSON, and what the collector's answers mean."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.measures.metrics_sink_otlp import Otlp, payload
from aybiza.actors.measures.spans import Span

SPAN = Span(
    trace=bytes(range(16)),
    id=bytes(range(8)),
    parent=b"",
    name="call",
    began=1_800_000_000.25,
    ended=1_800_000_001.5,
    attributes={"a": 1, "b": 1.5, "c": "x", "d": ["y"], "e": True, "none": None},
    client=True,
    error="throttling",
)


def test_a_span_is_what_the_protocol_says() -> None:
    (resource,) = payload([SPAN], {"service.name": "aybiza"})["resourceSpans"]
    name = {"key": "service.name", "value": {"stringValue": "aybiza"}}
    assert resource["resource"] == {"attributes": [name]}
    (span,) = resource["scopeSpans"][0]["spans"]
    assert span["traceId"] == "000102030405060708090a0b0c0d0e0f"
    assert (span["spanId"], span["parentSpanId"]) == ("0001020304050607", "")
    assert span["startTimeUnixNano"] == "1800000000250000000"
    assert (span["kind"], span["status"]["code"]) == (3, 2)
    values = {each["key"]: each["value"] for each in span["attributes"]}
    assert values == {
        "a": {"intValue": "1"},
        "b": {"doubleValue": 1.5},
        "c": {"stringValue": "x"},
        "d": {"arrayValue": {"values": [{"stringValue": "y"}]}},
        "e": {"boolValue": True},
    }


def sink(answer: Any) -> Otlp:
    """A sink whose collector is this function."""
    made = Otlp("http://collector:4318/", node="vm-1", headers={"x-key": "k"})
    made._client.close()
    made._client = httpx.Client(transport=httpx.MockTransport(answer), headers=made._client.headers)
    return made


def test_it_goes_to_the_path_of_traces_with_its_headers() -> None:
    asked: list[httpx.Request] = []

    def collector(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    made = sink(collector)
    made.put([SPAN])
    made.close()
    (request,) = asked
    assert str(request.url) == "http://collector:4318/v1/traces"
    assert request.headers["x-key"] == "k"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content)["resourceSpans"]


@pytest.mark.parametrize(
    ("status", "again"), [(400, False), (401, False), (429, True), (500, False), (503, True)]
)
def test_refusals_for_a_time_are_tried_again(status: int, again: bool) -> None:
    made = sink(lambda _: httpx.Response(status))
    with pytest.raises(SinkError, match=str(status)) as refused:
        made.put([SPAN])
    made.close()
    assert refused.value.again == again


def test_silence_is_tried_again() -> None:
    def collector(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    made = sink(collector)
    with pytest.raises(SinkError, match="ReadTimeout") as refused:
        made.put([SPAN])
    made.close()
    assert refused.value.again
