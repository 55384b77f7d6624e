"""Amazon CloudWatch as a sink of metrics: PutMetricData through boto3.

    service = CloudWatch("AYBIZA", region="us-east-1")
    service.warm()                                       in a thread, before there are calls
    child(MetricsSink, service)

Contract: `put` sends one batch in one request, within the limits of its connection, and tries
nothing again. Units come from the names: `…_ms`, `…_seconds`, anything else is a count. Endpoint,
credentials and proxies are boto3's own, unless credentials are given.
Errors: `SinkError`; `again` after a refusal for a time (throttling, a fault of the service) or
without a connection, not after a refusal for good or silence.
Source: Amazon CloudWatch, PutMetricData; boto3: configuration and errors.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)

from aybiza.actors.measures import events
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.runtime.telemetry import Event
from aybiza.config.aws_answers import bounded
from aybiza.config.numbers import finite

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 5.0

DIMENSIONS: Final = ("model", "operation", "region", "tenant_id")
"""Which texts a datum is told apart by; a call's id would make a metric of every call."""

_UNITS: Final = {"_ms": "Milliseconds", "_seconds": "Seconds", "_percent": "Percent"}
_MAX_NAME: Final = 255
_MAX_DIMENSION: Final = 1024
_SERVER_FAULT: Final = 500


@dataclass(frozen=True, slots=True)
class Datum:
    """One value of a metric. at: unix time."""

    name: str
    value: float
    dimensions: tuple[tuple[str, str], ...]
    at: float


class CloudWatch:
    """See the module. All methods but `hear` block: they are for threads."""

    name: ClassVar = "cloudwatch"
    events: ClassVar[Sequence[Event]] = (events.METRIC,)
    seconds: ClassVar = None

    def __init__(
        self,
        namespace: str,
        *,
        region: str,
        credentials: Mapping[str, str] | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self._namespace = namespace
        self._options: dict[str, Any] = {
            "region_name": region,
            "endpoint_url": endpoint_url,
            **(credentials or {}),
        }
        self._building = threading.Lock()
        self._client: Any = None

    def warm(self) -> None:
        """Make the client, so that no call's event loop waits for that."""
        with self._building:
            if self._client is None:
                config = Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                    retries={"total_max_attempts": 1, "mode": "standard"},
                )
                make: Any = boto3.Session().client
                self._client = make("cloudwatch", config=config, **self._options)
                bounded(self._client)

    def hear(
        self, _: Event, __: Mapping[str, Any], metadata: Mapping[str, Any], ___: float
    ) -> Iterator[Datum]:
        """Every number of a set as the metric `name.key`, told apart by its `DIMENSIONS`."""
        name, metrics, at = (metadata[key] for key in ("name", "metrics", "at"))
        dimensions = tuple((key, str(metrics[key])) for key in DIMENSIONS if metrics.get(key))
        for key, value in metrics.items():
            if (number := finite(value)) is not None:
                yield Datum(f"{name}.{key}", number, dimensions, at)

    def put(self, batch: Sequence[Datum]) -> None:
        """Send a batch. Raises SinkError."""
        self.warm()
        data = [_datum(datum) for datum in batch]
        try:
            self._client.put_metric_data(Namespace=self._namespace, MetricData=data)
        except ClientError as refusal:
            code = str(refusal.response.get("Error", {}).get("Code", ""))
            status = refusal.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            again = status >= _SERVER_FAULT or "throttl" in code.lower()
            raise SinkError(f"CloudWatch answered {status} {code}", again=again) from None
        except (EndpointConnectionError, ConnectTimeoutError) as failure:
            raise SinkError(f"CloudWatch: {type(failure).__name__}", again=True) from None
        except BotoCoreError as failure:
            raise SinkError(f"CloudWatch: {type(failure).__name__}", again=False) from None

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()


def _datum(datum: Datum) -> dict[str, Any]:
    unit = next((unit for end, unit in _UNITS.items() if datum.name.endswith(end)), "Count")
    return {
        "MetricName": datum.name[:_MAX_NAME],
        "Value": datum.value,
        "Unit": unit,
        "Timestamp": datetime.fromtimestamp(datum.at, UTC),
        "Dimensions": [
            {"Name": name, "Value": value[:_MAX_DIMENSION]} for name, value in datum.dimensions
        ],
    }
