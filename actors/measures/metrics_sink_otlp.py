"""OpenTelemetry's traces as a sink: the spans of calls, by OTLP.

    child(MetricsSink, Otlp("http://127.0.0.1:4318", node="vm-1"))

Contract: `put` sends one batch in one request (`aybiza.actors.measures.otlp_door`). A span that is
sent twice has the same id, so silence is no reason not to send it again. No word and no number of a
caller is in a span.
Errors: `SinkError`, as that door has it.
Source: OpenTelemetry, "OTLP specification".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from aybiza.actors.measures import spans
from aybiza.actors.measures.exported import whole
from aybiza.actors.measures.otlp_door import OtlpDoor, attributes, nanoseconds
from aybiza.actors.measures.spans import Span, SpanMaker
from aybiza.actors.runtime.telemetry import Event

PATH: Final = "/v1/traces"
_INTERNAL, _CLIENT, _ERROR = 1, 3, 2


class Otlp:
    """See the module."""

    name: ClassVar[str] = "otlp"
    events: ClassVar[Sequence[Event]] = spans.EVENTS
    seconds: ClassVar[float | None] = 2.0

    def __init__(
        self, endpoint: str, *, node: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._door = OtlpDoor(endpoint, PATH, node=node, headers=headers)
        self._maker = SpanMaker()

    def hear(
        self, event: Event, measured: Mapping[str, Any], told: Mapping[str, Any], at: float
    ) -> Sequence[Span]:
        """The spans that are whole by an event."""
        return list(self._maker.hear(event, measured, told, at))

    def put(self, batch: Sequence[Span]) -> None:
        """Send a batch. Raises SinkError."""
        self._door.send(payload(batch, self._door.resource))

    def close(self) -> None:
        """Close the connections."""
        self._door.close()


def payload(batch: Sequence[Span], resource: Mapping[str, Any]) -> dict[str, Any]:
    """A request of OTLP, as JSON has it."""
    found = [
        {
            "traceId": span.trace.hex(),
            "spanId": span.id.hex(),
            "parentSpanId": span.parent.hex(),
            "name": whole(span.name),
            "kind": _CLIENT if span.client else _INTERNAL,
            "startTimeUnixNano": nanoseconds(span.began),
            "endTimeUnixNano": nanoseconds(span.ended),
            "attributes": attributes(span.attributes),
            "status": {"code": _ERROR, "message": whole(span.error)} if span.error else {},
        }
        for span in batch
    ]
    scope = {"scope": {"name": "aybiza"}, "spans": found}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}
