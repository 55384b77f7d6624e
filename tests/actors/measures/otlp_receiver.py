"""An OpenTelemetry collector's door for tests: it reads OTLP's JSON as the protocol defines it, and
answers 400 to what is not so.

    with Collector().open() as url: …
    collector.spans, collector.points("aybiza_turns_total"), collector.wrong
"""

from __future__ import annotations

import http.server
import itertools
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

PATHS: Final = {
    "/v1/traces": "ExportTraceServiceRequest",
    "/v1/metrics": "ExportMetricsServiceRequest",
}
_SCOPED: Final = {"scope": "InstrumentationScope", "schemaUrl": "string"}
_POINT: Final = {
    "attributes": ["KeyValue"],
    "startTimeUnixNano": "fixed64",
    "timeUnixNano": "fixed64",
    "flags": "uint32",
}
_DATA: Final = ("gauge", "sum", "histogram")
MESSAGES: Final[Mapping[str, Mapping[str, Any]]] = {
    "ExportTraceServiceRequest": {"resourceSpans": ["ResourceSpans"]},
    "ExportMetricsServiceRequest": {"resourceMetrics": ["ResourceMetrics"]},
    "ResourceSpans": {"resource": "Resource", "scopeSpans": ["ScopeSpans"], "schemaUrl": "string"},
    "ResourceMetrics": {
        "resource": "Resource",
        "scopeMetrics": ["ScopeMetrics"],
        "schemaUrl": "string",
    },
    "Resource": {"attributes": ["KeyValue"], "droppedAttributesCount": "uint32"},
    "ScopeSpans": {**_SCOPED, "spans": ["Span"]},
    "ScopeMetrics": {**_SCOPED, "metrics": ["Metric"]},
    "InstrumentationScope": {"name": "string", "version": "string", "attributes": ["KeyValue"]},
    "KeyValue": {"key": "string", "value": "AnyValue"},
    "AnyValue": {
        "stringValue": "string",
        "boolValue": "bool",
        "intValue": "int64",
        "doubleValue": "double",
        "arrayValue": "ArrayValue",
    },
    "ArrayValue": {"values": ["AnyValue"]},
    "Span": {
        "traceId": "trace",
        "spanId": "span",
        "parentSpanId": "parent",
        "name": "string",
        "kind": "enum",
        "startTimeUnixNano": "fixed64",
        "endTimeUnixNano": "fixed64",
        "attributes": ["KeyValue"],
        "status": "Status",
    },
    "Status": {"message": "string", "code": "enum"},
    "Metric": {
        "name": "string",
        "description": "string",
        "unit": "string",
        "gauge": "Gauge",
        "sum": "Sum",
        "histogram": "Histogram",
    },
    "Gauge": {"dataPoints": ["NumberDataPoint"]},
    "Sum": {
        "dataPoints": ["NumberDataPoint"],
        "aggregationTemporality": "enum",
        "isMonotonic": "bool",
    },
    "Histogram": {"dataPoints": ["HistogramDataPoint"], "aggregationTemporality": "enum"},
    "NumberDataPoint": {**_POINT, "asDouble": "double", "asInt": "int64"},
    "HistogramDataPoint": {
        **_POINT,
        "count": "fixed64",
        "sum": "double",
        "bucketCounts": ["fixed64"],
        "explicitBounds": ["double"],
    },
}
"""The fields of each message, by their names in JSON; in a list: many of them."""

ONE_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "AnyValue": tuple(MESSAGES["AnyValue"]),
    "Metric": _DATA,
    "NumberDataPoint": ("asDouble", "asInt"),
}


class Wrong(Exception):
    """What was sent is no OTLP."""


def decoded(kind: Any, value: Any, where: str = "") -> Any:
    """A value as the protocol reads it: numbers as numbers, whatever is left out as its empty
    value. Raises Wrong."""
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise Wrong(f"{where}: no list: {value!r:.80}")
        return [decoded(kind[0], each, f"{where}[{at}]") for at, each in enumerate(value)]
    if kind in MESSAGES:
        return _message(kind, value, where)
    return _scalar(kind, value, where)


def _message(kind: str, value: Any, where: str) -> dict[str, Any]:
    fields = MESSAGES[kind]
    if not isinstance(value, dict) or set(value) - set(fields):
        raise Wrong(f"{where}: no {kind}: {value!r:.80}")
    found = {name: decoded(fields[name], each, f"{where}.{name}") for name, each in value.items()}
    if kind in ONE_OF and len([name for name in ONE_OF[kind] if name in found]) != 1:
        raise Wrong(f"{where}: not one of {ONE_OF[kind]}")
    _meant(kind, found, where)
    return found


def _meant(kind: str, found: Mapping[str, Any], where: str) -> None:
    """What the data model asks for beyond the types."""
    match kind:
        case "KeyValue" if not found.get("key"):
            raise Wrong(f"{where}: an attribute without a key")
        case "Sum" | "Histogram" if found.get("aggregationTemporality") not in (1, 2):
            raise Wrong(f"{where}: no temporality")
        case "Metric" if not found.get("name"):
            raise Wrong(f"{where}: a metric without a name")
        case "HistogramDataPoint":
            counts, bounds = found["bucketCounts"], found["explicitBounds"]
            rising = all(low < high for low, high in itertools.pairwise(bounds))
            if len(counts) != len(bounds) + 1 or sum(counts) != found["count"] or not rising:
                raise Wrong(f"{where}: buckets that do not fit")
    keys = [each["key"] for each in found.get("attributes", [])]
    if len(keys) != len(set(keys)):
        raise Wrong(f"{where}: an attribute twice")
    if "startTimeUnixNano" in found and "timeUnixNano" in found:
        began, at = found["startTimeUnixNano"], found["timeUnixNano"]
        if not 10**18 < began <= at:
            raise Wrong(f"{where}: it begins at {began} and is of {at}")


_HEX: Final = {"trace": 32, "span": 16, "parent": 16}
_WHOLE: Final = {"fixed64": (0, 2**64), "int64": (-(2**63), 2**63), "uint32": (0, 2**32)}
_ODD: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def _scalar(kind: str, value: Any, where: str) -> Any:
    match kind, value:
        case "string", str():
            return value
        case "bool", bool():
            return value
        case "enum", int() if not isinstance(value, bool):
            return value
        case "double", int() | float() if not isinstance(value, bool):
            return float(value)
        case "double", str() if value in _ODD:
            return _ODD[value]
        case "parent", "":
            return value
        case "trace" | "span" | "parent", str():
            if re.fullmatch(f"[0-9a-f]{{{_HEX[kind]}}}", value) and set(value) != {"0"}:
                return value
        case "fixed64" | "int64" | "uint32", str() if re.fullmatch(r"-?\d+", value):
            low, high = _WHOLE[kind]
            if low <= int(value) < high:
                return int(value)
    raise Wrong(f"{where}: no {kind}: {value!r:.80}")


@dataclass
class Collector:
    """See the module. status: what it answers; wrong: what it was sent that is no OTLP; snapshots:
    the metrics of each resource that came."""

    status: int = 200
    spans: list[dict[str, Any]] = field(default_factory=list)
    snapshots: list[list[dict[str, Any]]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.hangs.set()

    def points(self, name: str, snapshot: int = -1) -> list[dict[str, Any]]:
        """The points of a metric in a snapshot, the last one by default."""
        return [
            {**point, "labels": labels(point)}
            for metric in self.snapshots[snapshot]
            if metric["name"] == name
            for kind in _DATA
            for point in metric.get(kind, {}).get("dataPoints", [])
        ]

    def take(self, path: str, body: bytes) -> int:
        """Take in a request; the status of the answer."""
        if self.status != 200:
            return self.status
        try:
            told = decoded(PATHS[path], json.loads(body), path)
        except (Wrong, ValueError, KeyError) as error:
            self.wrong.append(str(error))
            return 400
        for resource in told.get("resourceSpans", ()):
            for scope in resource["scopeSpans"]:
                self.spans += scope["spans"]
        for resource in told.get("resourceMetrics", ()):
            self.snapshots += [scope["metrics"] for scope in resource["scopeMetrics"]]
        return 200

    @contextmanager
    def open(self) -> Iterator[str]:
        """The address of the door."""
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.hangs.wait(60)
                with suppress(ConnectionError):  # who sent it has given up
                    self.send_response(collector.take(self.path, body))
                    self.send_header("content-length", "2")
                    self.end_headers()
                    self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                self.hangs.set()
                server.shutdown()
                thread.join()


def labels(point: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a point or span, by their keys."""
    return {each["key"]: next(iter(each["value"].values())) for each in point["attributes"]}
