"""Spans in OTLP's JSON, as a collector reads them."""

from __future__ import annotations

from typing import Any

from aybiza.actors.measures.metrics_sink_otlp import Otlp, payload
from aybiza.actors.measures.spans import Span
from tests.actors.measures.otlp_receiver import Collector, labels

SPAN = Span(
    trace=bytes(range(16)),
    id=bytes(range(8)),
    parent=b"",
    name="call",
    began=1_800_000_000.25,
    ended=1_800_000_001.5,
    attributes={"a": 1, "b": 1.5, "c": "x", "e": True, "none": None},
    client=True,
    error="throttling",
)


def test_a_span_is_what_the_protocol_says() -> None:
    resource: dict[str, Any] = {"attributes": []}
    (told,) = payload([SPAN], resource)["resourceSpans"]
    assert told["resource"] is resource
    collector = Collector()
    with collector.open() as url:
        sink = Otlp(f"{url}/", node="vm-1")
        sink.put([SPAN])
        sink.close()
    assert not collector.wrong
    (span,) = collector.spans
    assert span["traceId"] == "000102030405060708090a0b0c0d0e0f"
    assert (span["spanId"], span["parentSpanId"]) == ("0001020304050607", "")
    assert span["startTimeUnixNano"] == 1_800_000_000_250_000_000
    assert (span["kind"], span["status"]["code"]) == (3, 2)
    assert labels(span) == {"a": 1, "b": 1.5, "c": "x", "e": True}
