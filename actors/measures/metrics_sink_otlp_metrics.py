"""OpenTelemetry's metrics as a sink: those that Prometheus is told, by OTLP.

    child(MetricsSink, OtlpMetrics("http://127.0.0.1:4318", node="vm-1"))
    child(FiguresTeller, 60.0)                           whose snapshots it sends

Contract: names, labels and figures are those of `/metrics`. Counters and histograms are cumulative,
since the node's start, so a snapshot that is lost costs its moment alone. While a collector is away
`capacity` snapshots wait; the oldest go first and are counted. A point that is sent twice has the
same time and value. No word and no number of a caller is in a figure.
Errors: `SinkError`, as `aybiza.actors.measures.otlp_door` has it.
Source: OpenTelemetry, "OTLP specification", "Metrics data model".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, ClassVar, Final

from aybiza.actors.measures import events
from aybiza.actors.measures.exported import whole
from aybiza.actors.measures.figures import Figure, Snapshot
from aybiza.actors.measures.otlp_door import OtlpDoor, attributes, double, nanoseconds
from aybiza.actors.runtime.telemetry import Event

PATH: Final = "/v1/metrics"
CUMULATIVE: Final = 2
_UNITS: Final = {"_seconds": "s", "_bytes": "By", "_usd": "USD"}


class OtlpMetrics:
    """See the module."""

    name: ClassVar[str] = "otlp_metrics"
    events: ClassVar[Sequence[Event]] = (events.FIGURES,)
    seconds: ClassVar[float | None] = 2.0
    capacity: ClassVar[int] = 60
    batch: ClassVar[int] = 4

    def __init__(
        self, endpoint: str, *, node: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._door = OtlpDoor(endpoint, PATH, node=node, headers=headers)

    def hear(
        self, _: Event, __: Mapping[str, Any], told: Mapping[str, Any], ___: float
    ) -> Sequence[Snapshot]:
        """The snapshot of an event."""
        taken = told["snapshot"]
        return (taken,) if isinstance(taken, Snapshot) else ()

    def put(self, batch: Sequence[Snapshot]) -> None:
        """Send a batch. Raises SinkError."""
        self._door.send(payload(batch, self._door.resource))

    def close(self) -> None:
        """Close the connections."""
        self._door.close()


def payload(batch: Iterable[Snapshot], resource: Mapping[str, Any]) -> dict[str, Any]:
    """A request of OTLP, as JSON has it."""
    return {
        "resourceMetrics": [
            {
                "resource": resource,
                "scopeMetrics": [{"scope": {"name": "aybiza"}, "metrics": list(_metrics(taken))}],
            }
            for taken in batch
        ]
    }


def _metrics(taken: Snapshot) -> Iterable[dict[str, Any]]:
    for name, figures in groupby(taken.figures, key=lambda figure: figure.name):
        found = list(figures)
        points = [_point(figure, taken.at) for figure in found]
        about = {"name": name, "description": whole(found[0].meaning), "unit": _unit(name)}
        cumulative = {"dataPoints": points, "aggregationTemporality": CUMULATIVE}
        match found[0].kind:
            case "counter":
                yield {**about, "sum": {**cumulative, "isMonotonic": True}}
            case "histogram":
                yield {**about, "histogram": cumulative}
            case _:
                yield {**about, "gauge": {"dataPoints": points}}


def _point(figure: Figure, at: float) -> dict[str, Any]:
    point = {"attributes": attributes(figure.labels), "timeUnixNano": nanoseconds(at)}
    if figure.kind != "gauge":
        point["startTimeUnixNano"] = nanoseconds(min(figure.began, at))
    if figure.kind != "histogram":
        return {**point, "asDouble": double(figure.value)}
    return {
        **point,
        "count": str(figure.count),
        "sum": double(figure.value),
        "bucketCounts": [str(count) for count in figure.counts],
        "explicitBounds": figure.bounds,
    }


def _unit(name: str) -> str:
    """As the Unified Code for Units of Measure has it."""
    plain = name.removesuffix("_total")
    return next((unit for end, unit in _UNITS.items() if plain.endswith(end)), "1")
