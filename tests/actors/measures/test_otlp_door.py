"""A collector's door: what goes out to it, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.measures.otlp_door import OtlpDoor, attributes, double, nanoseconds


def door(answer: Any) -> OtlpDoor:
    """A door of which this function is the collector."""
    made = OtlpDoor("http://collector:4318/", "/v1/traces", node="vm-1", headers={"x-key": "k"})
    headers = made._client.headers
    made._client.close()
    made._client = httpx.Client(transport=httpx.MockTransport(answer), headers=headers)
    return made


def test_a_request_goes_to_its_path_with_its_headers() -> None:
    asked: list[httpx.Request] = []

    def collector(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    made = door(collector)
    made.send({"resourceSpans": []})
    made.close()
    (request,) = asked
    assert str(request.url) == "http://collector:4318/v1/traces"
    assert request.headers["x-key"] == "k"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"resourceSpans": []}


@pytest.mark.parametrize(
    ("status", "again"), [(400, False), (401, False), (429, True), (500, False), (503, True)]
)
def test_refusals_for_a_time_are_tried_again(status: int, again: bool) -> None:
    made = door(lambda _: httpx.Response(status))
    with pytest.raises(SinkError, match=str(status)) as refused:
        made.send({})
    made.close()
    assert refused.value.again == again


def test_a_collector_that_asks_to_be_left_alone_is_heard() -> None:
    made = door(lambda _: httpx.Response(503, headers={"retry-after": "9"}))
    with pytest.raises(SinkError) as refused:
        made.send({})
    made.close()
    assert refused.value.wait == 9.0


def test_silence_is_tried_again() -> None:
    def collector(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    made = door(collector)
    with pytest.raises(SinkError, match="ReadTimeout") as refused:
        made.send({})
    made.close()
    assert refused.value.again


@pytest.mark.parametrize(
    ("body", "rejected"),
    [
        (b'{"partialSuccess": {"rejectedDataPoints": "3", "errorMessage": "old"}}', 3),
        (b'{"partialSuccess": {"rejectedSpans": 2}}', 2),
        (b'{"partialSuccess": {"errorMessage": "a warning"}}', 0),
        (b'{"partialSuccess": {"rejectedSpans": "many"}}', 0),
        (b'{"partialSuccess": null}', 0),
        (b"[]", 0),
        (b"", 0),
        (b"\xff no json", 0),
    ],
)
def test_what_a_collector_did_not_take_is_told_and_not_tried_again(
    body: bytes, rejected: int
) -> None:
    made = door(lambda _: httpx.Response(200, content=body))
    if rejected:
        with pytest.raises(SinkError, match=f"did not take {rejected}") as refused:
            made.send({})
        assert not refused.value.again
    else:
        made.send({})
    made.close()


def test_values_are_what_the_protocol_says() -> None:
    told = {"a": 1, "b": 1.5, "c": "x", "d": ["y"], "e": True, "f": float("inf"), "none": None}
    assert {each["key"]: each["value"] for each in attributes(told)} == {
        "a": {"intValue": "1"},
        "b": {"doubleValue": 1.5},
        "c": {"stringValue": "x"},
        "d": {"arrayValue": {"values": [{"stringValue": "y"}]}},
        "e": {"boolValue": True},
        "f": {"doubleValue": "Infinity"},
    }
    assert (double(float("nan")), double(float("-inf"))) == ("NaN", "-Infinity")
    assert nanoseconds(1_800_000_000.25) == "1800000000250000000"
