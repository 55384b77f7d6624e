"""A collector's door: one request of OTLP over HTTP, in its JSON form, which every collector takes.

    door = OtlpDoor("http://127.0.0.1:4318", "/v1/traces", node="vm-1", headers={})
    door.send({"resourceSpans": […]})                  in a thread

Contract: one request, within the limits of its connection, and nothing is tried again.
Errors: `SinkError`; `again` without a connection, after silence and after a refusal for a time
(429, 502, 503, 504), not after another one, nor where a collector says that it took a part only.
Source: OpenTelemetry, "OTLP specification" (OTLP/HTTP, JSON Protobuf encoding, partial success).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

import httpx

from aybiza.actors.measures.exported import whole
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.config.asked_waits import asked_wait
from aybiza.config.plain_answers import PLAIN, beginning

SECONDS: Final = 5.0
ANSWER_BYTES: Final = 64 * 1024
"""A collector has little to say: of how much it has not taken it."""
FOR_A_TIME: Final = frozenset((429, 502, 503, 504))
_REJECTED: Final = ("rejectedSpans", "rejectedDataPoints")


class OtlpDoor:
    """See the module. headers: such as a collector's key."""

    def __init__(
        self, endpoint: str, path: str, *, node: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._url = endpoint.rstrip("/") + path
        about = {"service.name": "aybiza", "service.instance.id": node}
        self.resource: Final = {"attributes": attributes(about)}
        self._client = httpx.Client(timeout=SECONDS, headers={**(headers or {}), **PLAIN})

    def send(self, request: Mapping[str, Any]) -> None:
        """Send a request. Raises SinkError."""
        try:
            with self._client.stream("POST", self._url, json=request) as answer:
                body = beginning(answer, ANSWER_BYTES)
        except httpx.HTTPError as failure:
            raise SinkError(f"OTLP: {type(failure).__name__}", again=True) from None
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            again = answer.status_code in FOR_A_TIME
            wait = asked_wait(answer.headers) if again else 0.0
            raise SinkError(f"OTLP answered {answer.status_code}", again=again, wait=wait)
        if rejected := _rejected(body):
            raise SinkError(f"OTLP did not take {rejected} of a batch", again=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _rejected(body: bytes) -> int:
    """Of how much the collector says that it did not take it."""
    try:
        told = json.loads(body)["partialSuccess"]
        return max(int(told.get(name, 0)) for name in _REJECTED)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return 0


def attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Attributes as the protocol has them; what is None is left out."""
    return [
        {"key": key, "value": _value(value)} for key, value in values.items() if value is not None
    ]


def nanoseconds(at: float) -> str:
    """To the microsecond, which is what a unix time in a float holds."""
    return f"{round(at * 1e6)}000"


def double(value: float) -> float | str:
    """A number in JSON, which has no infinity of its own."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": double(value)}
        case list():
            return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": whole(str(value))}
