"""PostgreSQL as a sink: a row an event, in a hypertable where TimescaleDB is there.

    child(MetricsSink, Postgres("postgresql://aybiza@db/metrics", node="vm-1", days=90))

Contract: the table `aybiza_events` is made if there is none: `at`, `node`, `event`, `call_id`,
`measurements` and `metadata` (jsonb). A batch is written whole or not at all, within the limits of
its connection. No word and no number of a caller is in a row. Rows older than `days` go: by a
policy of TimescaleDB where that is there, else `PRUNE_ROWS` at a time.
A table that had rows before TimescaleDB came stays a plain one, and the log says so once.
Errors: `SinkError`; `again` where the server is away, full, busy or starting, not for rows that it
refuses. A server that answers "no such database" or "wrong password" is tried again: an operator
mends it.
Source: PostgreSQL, "COPY", "Error codes"; TimescaleDB, `create_hypertable`,
`add_retention_policy`; psycopg 3.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import psycopg
import structlog
from psycopg import sql

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
    "CREATE INDEX IF NOT EXISTS aybiza_events_at ON aybiza_events (at DESC)",
)
TIMESCALE: Final = """
SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'timescaledb'
"""
"""In which schema the extension is; no row where it is not there."""
HYPERTABLE: Final = (
    "SELECT {schema}.create_hypertable('aybiza_events'::regclass, 'at'::name,"
    " if_not_exists => TRUE)"
)
RETENTION: Final = (
    "SELECT {schema}.add_retention_policy('aybiza_events'::regclass,"
    " make_interval(days => {days}), if_not_exists => TRUE)"
)
OTHER_RETENTION: Final = "SELECT {schema}.remove_retention_policy('aybiza_events'::regclass, TRUE)"
PRUNE: Final = """
DELETE FROM aybiza_events WHERE ctid IN (
    SELECT ctid FROM aybiza_events WHERE at < now() - make_interval(days => %s) LIMIT %s
    FOR UPDATE SKIP LOCKED
)
"""
PRUNE_SECONDS: Final = 3_600.0
PRUNE_ROWS: Final = 20_000
COPY: Final = "COPY aybiza_events (at, node, event, call_id, measurements, metadata) FROM STDIN"


log = structlog.get_logger(__name__)


class Postgres:
    """See the module."""

    name: ClassVar[str] = "postgres"
    events: ClassVar[Sequence[Event]] = EXPORTED
    seconds: ClassVar[float | None] = 1.0

    def __init__(self, url: str, *, node: str, days: int = 90) -> None:
        self._url = url
        self._node = node
        self._days = days
        self._hypertable = self._told = False
        self._pruned = -math.inf
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
            self._prune(connection)
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
            if found := connection.execute(TIMESCALE).fetchone():
                self._partition(connection, found[0])
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def _partition(self, connection: psycopg.Connection[Any], schema: str) -> None:
        """Make the table a hypertable, whose old parts TimescaleDB drops by itself."""
        names = {"schema": sql.Identifier(schema), "days": sql.Literal(self._days)}
        try:
            connection.execute(sql.SQL(HYPERTABLE).format(**names))
            # A policy of other days would stay in force.
            with connection.transaction():
                connection.execute(sql.SQL(OTHER_RETENTION).format(**names))
                connection.execute(sql.SQL(RETENTION).format(**names))
            self._hypertable = True
        except (psycopg.NotSupportedError, psycopg.ProgrammingError) as refusal:
            if not self._told:
                log.warning("events_not_partitioned", why=refusal.diag.message_primary)
            self._told = True

    def _prune(self, connection: psycopg.Connection[Any]) -> None:
        """Have old rows go; the batch is written whatever comes of it."""
        now = time.monotonic()
        if self._hypertable or now - self._pruned < PRUNE_SECONDS:
            return
        try:
            gone = connection.execute(PRUNE, (self._days, PRUNE_ROWS)).rowcount
        except psycopg.Error as error:
            log.warning("events_not_pruned", why=type(error).__name__, sqlstate=error.sqlstate)
            gone = 0
            if connection.closed:
                self.close()
        if gone < PRUNE_ROWS:
            self._pruned = now


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
