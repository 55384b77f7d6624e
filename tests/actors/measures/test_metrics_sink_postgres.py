"""PostgreSQL as a sink: what it does about servers that are not there, and about TimescaleDB."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from aybiza.actors.measures import events, metrics_sink_postgres
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.measures.metrics_sink_postgres import Postgres
from tests.actors.measures.postgres_server import postgres_server, program

STAND_IN = Path(__file__).with_name("timescale.sql")


def row(sink: Postgres) -> list[dict[str, Any]]:
    return list(sink.hear(events.TURN_START, {}, {"call_id": "CA1", "turn": 1}, time.time()))


def test_a_server_that_is_away_is_tried_again_and_its_password_is_not_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    sink = Postgres(f"postgresql://a:very-hidden@127.0.0.1:{port}/metrics", node="vm-1")
    with pytest.raises(SinkError) as refused:
        sink.put(row(sink))
    assert refused.value.again
    assert "very-hidden" not in str(refused.value)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if program("initdb") is None:
        pytest.skip("PostgreSQL is not installed: its sink is NOT tested here")
    with postgres_server() as url:
        yield url


@pytest.fixture
def database(server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A new database."""
    name = f"d{abs(hash(request.node.name))}"
    said(server, f"CREATE DATABASE {name}")
    yield server.replace("/postgres", f"/{name}")


@pytest.fixture
def timescale(database: str) -> str:
    """A database in which a stand-in of TimescaleDB is an extension."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(STAND_IN.read_text(encoding="utf-8"))
    return database


def said(url: str, statement: LiteralString) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def write(url: str, days: int = 90) -> Postgres:
    sink = Postgres(url, node="vm-1", days=days)
    sink.put(row(sink))
    sink.close()
    return sink


HYPERTABLES: LiteralString = 'SELECT relation::text, time_column FROM "Time Scale".hypertables'
POLICIES: LiteralString = 'SELECT relation::text, drop_after FROM "Time Scale".policies'
COUNT: LiteralString = "SELECT count(*) FROM aybiza_events"


def test_the_table_is_a_hypertable_with_a_policy_where_timescaledb_is_there(timescale: str) -> None:
    write(timescale)
    assert said(timescale, HYPERTABLES) == [("aybiza_events", "at")]
    assert said(timescale, POLICIES) == [("aybiza_events", timedelta(days=90))]
    write(timescale, days=7)
    assert said(timescale, POLICIES) == [("aybiza_events", timedelta(days=7))]
    assert said(timescale, COUNT) == [(2,)]


def test_a_table_that_had_rows_before_stays_a_plain_one_and_the_log_says_so(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(STAND_IN.read_text(encoding="utf-8"))
    sink = write(database)
    sink.put(row(sink))
    sink.close()
    assert said(database, HYPERTABLES) == [] and said(database, COUNT) == [(3,)]
    told = capsys.readouterr().out
    assert told.count("events_not_partitioned") == 1 and "table is not empty" in told


def test_where_the_license_has_no_policies_rows_are_deleted(timescale: str) -> None:
    said(
        timescale,
        'CREATE OR REPLACE FUNCTION "Time Scale".remove_retention_policy('
        " relation regclass, if_exists boolean = FALSE) RETURNS void LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'not supported under the license' USING ERRCODE = '0A000'; END $$",
    )
    write(timescale)
    assert said(timescale, HYPERTABLES) == [("aybiza_events", "at")]
    age(timescale)
    write(timescale)
    assert said(timescale, COUNT) == [(1,)]


def age(url: str) -> None:
    """Have all rows be old."""
    said(url, "UPDATE aybiza_events SET at = now() - interval '100 days'")


def test_old_rows_go_once_an_hour_a_part_at_a_time(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_sink_postgres, "PRUNE_ROWS", 2)
    sink = Postgres(database, node="vm-1", days=90)
    sink.put([*row(sink)] * 5)
    age(database)
    sink._pruned = -math.inf
    left = []
    for _ in range(4):
        sink.put(row(sink))
        left.append(said(database, COUNT)[0][0])
    # Two go at a time, one comes each time; then it waits for an hour.
    assert left == [4, 3, 3, 4]
    sink.close()


def test_rows_that_cannot_be_deleted_are_no_reason_to_send_a_batch_again(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_sink_postgres, "PRUNE", "DELETE FROM nosuch WHERE %s < %s")
    sink = Postgres(database, node="vm-1")
    sink.put(row(sink))
    sink.put(row(sink))
    sink.close()
    assert said(database, COUNT) == [(2,)]
    assert capsys.readouterr().out.count("events_not_pruned") == 1
