"""OpenTelemetry as a sink: spans by OTLP over HTTP, in its JSON form, which every collector takes.

    child(MetricsSink, Otlp("http://127.0.0.1:4318", node="vm-1"))

Contract: `put` sends one batch in one request, within the limits of its connection, and tries
nothing again. A span that is sent twice has the same id, so silence is no reason not to send it
again. No word and no number of a caller is in a span.
Errors: `SinkError`; `again` without a connection, after silence and after a refusal for a time
(429, 502, 503, 504), not after another one.
Source: OpenTelemetry, "OTLP specification" (OTLP/HTTP, JSON Protobuf encoding).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import httpx

from aybiza.actors.measures import spans
from aybiza.actors.measures.exported import whole
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.measures.spans import Span, SpanMaker
from aybiza.actors.runtime.telemetry import Event

PATH: Final = "/v1/traces"
SECONDS: Final = 5.0
FOR_A_TIME: Final = frozenset((429, 502, 503, 504))
_INTERNAL, _CLIENT, _ERROR = 1, 3, 2


class Otlp:
    """See the module. headers: such as a collector's key."""

    name: ClassVar[str] = "otlp"
    events: ClassVar[Sequence[Event]] = spans.EVENTS
    seconds: ClassVar[float | None] = 2.0

    def __init__(
        self, endpoint: str, *, node: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._url = endpoint.rstrip("/") + PATH
        self._resource = {"service.name": "aybiza", "service.instance.id": node}
        self._maker = SpanMaker()
        self._client = httpx.Client(timeout=SECONDS, headers=dict(headers or {}))

    def hear(
        self, event: Event, measured: Mapping[str, Any], told: Mapping[str, Any], at: float
    ) -> Sequence[Span]:
        """The spans that are whole by an event."""
        return list(self._maker.hear(event, measured, told, at))

    def put(self, batch: Sequence[Span]) -> None:
        """Send a batch. Raises SinkError."""
        try:
            answer = self._client.post(self._url, json=payload(batch, self._resource))
        except httpx.HTTPError as failure:
            raise SinkError(f"OTLP: {type(failure).__name__}", again=True) from None
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            again = answer.status_code in FOR_A_TIME
            raise SinkError(f"OTLP answered {answer.status_code}", again=again)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def payload(batch: Sequence[Span], resource: Mapping[str, Any]) -> dict[str, Any]:
    """A request of OTLP, as JSON has it."""
    found = [
        {
            "traceId": span.trace.hex(),
            "spanId": span.id.hex(),
            "parentSpanId": span.parent.hex(),
            "name": whole(span.name),
            "kind": _CLIENT if span.client else _INTERNAL,
            "startTimeUnixNano": _nanoseconds(span.began),
            "endTimeUnixNano": _nanoseconds(span.ended),
            "attributes": _attributes(span.attributes),
            "status": {"code": _ERROR, "message": whole(span.error)} if span.error else {},
        }
        for span in batch
    ]
    scope = {"scope": {"name": "aybiza"}, "spans": found}
    about = {"attributes": _attributes(resource)}
    return {"resourceSpans": [{"resource": about, "scopeSpans": [scope]}]}


def _nanoseconds(at: float) -> str:
    """To the microsecond, which is what a unix time in a float holds."""
    return f"{round(at * 1e6)}000"


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": _value(value)} for key, value in values.items() if value is not None
    ]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": whole(str(value))}
