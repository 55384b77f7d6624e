"""Amazon CloudWatch's PutMetricData, into a list.

Contract: `Metrics.received` holds what was put, oldest first. What CloudWatch refuses is refused:
a namespace of its own, more than 1000 data, a name, value or time that it does not take.
Source: Amazon CloudWatch, PutMetricData (AWS JSON 1.0; the body may be compressed by gzip).
"""

from __future__ import annotations

import gzip
import json
import math
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from aybiza.emulators.bedrock.connection import HttpRequest
from aybiza.emulators.services.answer import Answer, Refused, as_json

TARGET: Final = "GraniteServiceVersion20100801."
KEPT: Final = 100_000
_MOST_DATA: Final = 1_000
_MOST_DIMENSIONS: Final = 30
_MOST_BYTES: Final = 1_048_576
_LONGEST_NAME: Final = 255
_OLDEST_SECONDS: Final = 14 * 86_400
_YOUNGEST_SECONDS: Final = 2 * 3_600
_UNITS: Final = {"Seconds", "Milliseconds", "Count", "Percent", "None"}


@dataclass(frozen=True, slots=True)
class Received:
    """One datum."""

    namespace: str
    name: str
    value: float
    unit: str
    dimensions: dict[str, str]
    at: float


class Metrics:
    """See the module."""

    def __init__(self) -> None:
        self.received: deque[Received] = deque(maxlen=KEPT)
        self.batches: deque[int] = deque(maxlen=KEPT)
        """How many data each request had."""

    async def serve(self, request: HttpRequest) -> Answer:
        """PutMetricData."""
        operation = request.headers.get("x-amz-target", "").removeprefix(TARGET)
        if operation != "PutMetricData":
            raise Refused(400, "UnknownOperationException", operation)
        packed = request.headers.get("content-encoding", "") == "gzip"
        if len(request.body) > _MOST_BYTES:
            raise Refused(413, "RequestEntityTooLarge", f"{len(request.body)} bytes")
        try:
            asked = json.loads(gzip.decompress(request.body) if packed else request.body)
            namespace, data = str(asked["Namespace"]), asked["MetricData"]
            received = [_datum(namespace, datum) for datum in data]
        except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError) as fault:
            raise Refused(400, "InvalidParameterValue", repr(fault)) from None
        if not namespace or namespace.startswith("AWS/"):
            raise Refused(400, "InvalidParameterValue", f"The namespace {namespace!r}.")
        if not 0 < len(received) <= _MOST_DATA:
            raise Refused(400, "InvalidParameterValue", f"{len(received)} data.")
        self.received.extend(received)
        self.batches.append(len(received))
        return as_json({}, kind="application/x-amz-json-1.0")


def _datum(namespace: str, given: dict[str, Any]) -> Received:
    name, value = given["MetricName"], float(given["Value"])
    unit, at = given.get("Unit", "None"), float(given.get("Timestamp", time.time()))
    dimensions = {pair["Name"]: pair["Value"] for pair in given.get("Dimensions", ())}
    if not name or len(name) > _LONGEST_NAME or not name.isascii():
        raise ValueError(f"MetricName {name!r}")
    if not math.isfinite(value) or abs(value) > 2.0**360:
        raise ValueError(f"Value {value}")
    if unit not in _UNITS:
        raise ValueError(f"Unit {unit!r}")
    if not -_OLDEST_SECONDS < at - time.time() < _YOUNGEST_SECONDS:
        raise ValueError(f"Timestamp {at}")
    if len(dimensions) > _MOST_DIMENSIONS or not all(dimensions.values()):
        raise ValueError(f"Dimensions {dimensions}")
    return Received(namespace, name, value, unit, dimensions, at)
