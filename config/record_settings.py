"""Settings of what a node keeps and exports of its calls: records, events, traces, the trail."""

from pydantic import BaseModel

from aybiza.config.fields import (
    AbsolutePath,
    HttpUrl,
    Secret,
    number,
    secret,
    setting,
)


class RecordSettings(BaseModel):
    """Records and sinks."""

    records_days: int = number(
        "AYBIZA_RECORDS_DAYS",
        90,
        1,
        3_650,
        "Days for which the figures of turns, costs and calls are kept, for `aybiza report`.",
    )
    events_file: AbsolutePath | None = setting(
        "AYBIZA_EVENTS_FILE",
        None,
        "an absolute path of a file",
        "File to which each event of the calls is written as a line of JSON; unset: to none.",
    )
    otlp_endpoint: HttpUrl | None = setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        None,
        "an http or https URL",
        "OpenTelemetry collector that gets a trace a call, such as http://127.0.0.1:4318.",
    )
    otlp_headers: Secret | None = secret(
        "OTEL_EXPORTER_OTLP_HEADERS", "Headers for it: name=value, separated by commas."
    )
    postgres_url: Secret | None = secret(
        "AYBIZA_POSTGRES_URL",
        "PostgreSQL database that gets each event as a row: postgresql://user:password@host/name.",
    )
