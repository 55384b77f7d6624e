"""PostgreSQL as a sink: a row an event, in a hypertable where TimescaleDB is there.

    child(MetricsSink, Postgres("postgresql://aybiza@db/metrics", node="vm-1"))

Contract: the table `aybiza_events` is made if there is none: `at`, `node`, `event`, `call_id`,
`measurements` and `metadata` (jsonb). A batch is written whole or not at all, within the limits of
its connection. No word and no number of a caller is in a row.
Errors: `SinkError`; `again` where the server is away, full, busy or starting, not for rows that it
refuses. A server that answers "no such database" or "wrong password" is tried again: an operator
mends it.
Source: PostgreSQL, "COPY", "Error codes"; TimescaleDB, `create_hypertable`; psycopg 3.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import psycopg

from aybiza.actors.measures.exported import EXPORTED, plain, row
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.runtime.telemetry import Event

CONNECT_SECONDS: Final = 3
STATEMENT_MS: Final = 5_000

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS aybiza_events (
    at timestamptz NOT NULL,
    node text NOT NULL,
    event text NOT NULL,
    call_id text,
    measurements jsonb NOT NULL,
    metadata jsonb NOT NULL
)
"""
INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS aybiza_events_event ON aybiza_events (event, at DESC)",
    "CREATE INDEX IF NOT EXISTS aybiza_events_call ON aybiza_events (call_id, at)",
)
HAS_TIMESCALE: Final = "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"
HYPERTABLE: Final = "SELECT create_hypertable('aybiza_events', 'at', if_not_exists => TRUE)"
COPY: Final = "COPY aybiza_events (at, node, event, call_id, measurements, metadata) FROM STDIN"


class Postgres:
    """See the module."""

    name: ClassVar[str] = "postgres"
    events: ClassVar[Sequence[Event]] = EXPORTED
    seconds: ClassVar[float | None] = 1.0

    def __init__(self, url: str, *, node: str) -> None:
        self._url = url
        self._node = node
        self._connection: psycopg.Connection[Any] | None = None

    def hear(
        self, event: Event, measured: Mapping[str, Any], told: Mapping[str, Any], at: float
    ) -> Sequence[dict[str, Any]]:
        """The row of an event."""
        return (row(event, measured, told, at, self._node),)

    def put(self, batch: Sequence[dict[str, Any]]) -> None:
        """Write a batch. Raises SinkError."""
        try:
            connection = self._connection = self._connection or self._open()
            with connection.transaction(), connection.cursor().copy(COPY) as copy:
                for each in batch:
                    copy.write_row(_values(each))
        except psycopg.Error as error:
            self.close()
            again = not isinstance(error, psycopg.DataError | psycopg.IntegrityError)
            # The server's words may hold a password that the address has.
            said = type(error).__name__ + (f" {error.sqlstate}" if error.sqlstate else "")
            raise SinkError(f"PostgreSQL: {said}", again=again) from None

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _open(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(
            self._url,
            connect_timeout=CONNECT_SECONDS,
            options=f"-c statement_timeout={STATEMENT_MS}",
            application_name="aybiza",
            autocommit=True,
        )
        try:
            connection.execute(SCHEMA)
            for index in INDEXES:
                connection.execute(index)
            if connection.execute(HAS_TIMESCALE).fetchone():
                connection.execute(HYPERTABLE)
        except psycopg.Error:
            connection.close()
            raise
        return connection


def _values(event: Mapping[str, Any]) -> tuple[Any, ...]:
    """The columns of a row."""
    return (
        datetime.fromtimestamp(event["at"], UTC),
        event["node"],
        event["event"],
        plain(event["call_id"]),
        json.dumps(event["measurements"]),
        json.dumps(event["metadata"]),
    )
