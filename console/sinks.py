"""Which sinks a node has: what its settings name, and the records and the audit trail always.

    services = sinks(settings)                        reads files, imports what is asked for
    specs = children(services, settings)
    close(services)                                   in a thread, when the node has ended

Errors: `SinkMissing` where a setting asks for a package that is not installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aybiza.actors.measures.audit import AuditTrail, path_of
from aybiza.actors.measures.figures import FiguresTeller
from aybiza.actors.measures.metrics_sink import MetricsSink, Service
from aybiza.actors.measures.metrics_sink_json import JsonLines
from aybiza.actors.measures.metrics_sink_otlp import Otlp
from aybiza.actors.measures.metrics_sink_otlp_metrics import OtlpMetrics
from aybiza.actors.measures.records import NAME, Records
from aybiza.config.settings import Settings
from aybiza.supervisors.child_spec import ChildSpec, child


class SinkMissing(ValueError):
    """A sink was asked for whose package is not installed; the text is for people."""


def sinks(settings: Settings) -> list[Any]:
    """The services of the node's sinks."""
    node, folder = settings.node_name, settings.memory_path.parent
    found: list[Any] = [
        Records(folder / NAME, node=node, days=settings.records_days),
        AuditTrail(path_of(settings), node=node),
    ]
    if settings.cloudwatch_namespace is not None:
        found.append(_cloudwatch(settings))
    if settings.events_file is not None:
        found.append(JsonLines(settings.events_file, node=node))
    if settings.otlp_endpoint is not None:
        headers = headers_of(settings)
        endpoint = str(settings.otlp_endpoint)
        found.append(Otlp(endpoint, node=node, headers=headers))
        found.append(OtlpMetrics(endpoint, node=node, headers=headers))
    if settings.postgres_url is not None:
        found.append(
            _postgres(settings.postgres_url.get_secret_value(), node, settings.records_days)
        )
    return found


def children(services: Sequence[Any], settings: Settings) -> list[ChildSpec]:
    """The children that carry the services, and what some of them hear."""
    specs = [_sink(service) for service in services]
    if any(isinstance(service, OtlpMetrics) for service in services):
        # Behind the sinks: at the end it tells them the last figures before they end.
        seconds = settings.otlp_metrics_ms / 1000
        specs.append(child(FiguresTeller, seconds, name="figures_teller"))
    return specs


def _sink(service: Service) -> ChildSpec:
    return child(MetricsSink, service, name=f"sink_{service.name}", id=f"sink_{service.name}")


def close(services: Sequence[Any]) -> None:
    """Close what the services have open."""
    for service in services:
        service.close()


def headers_of(settings: Settings) -> dict[str, str]:
    """The collector's headers, as OpenTelemetry writes them: name=value, separated by commas."""
    if settings.otlp_headers is None:
        return {}
    pairs = (pair.partition("=") for pair in settings.otlp_headers.get_secret_value().split(","))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _cloudwatch(settings: Settings) -> Any:
    from aybiza.actors.measures.metrics_sink_cloudwatch import CloudWatch

    assert settings.cloudwatch_namespace is not None
    keys = settings.aws_credentials
    return CloudWatch(settings.cloudwatch_namespace, region=settings.aws_region, credentials=keys)


def _postgres(url: str, node: str, days: int) -> Any:
    try:
        from aybiza.actors.measures.metrics_sink_postgres import Postgres
    except ImportError:
        raise SinkMissing(
            "AYBIZA_POSTGRES_URL is set and psycopg is missing: pip install 'aybiza[postgres]'"
        ) from None
    return Postgres(url, node=node, days=days)
