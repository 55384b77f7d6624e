"""PostgreSQL as a sink: what it does about servers that are not there, and about TimescaleDB."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from aybiza.actors.measures import events
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.measures.metrics_sink_postgres import HYPERTABLE, Postgres


def row(sink: Postgres) -> list[dict[str, Any]]:
    return list(sink.hear(events.TURN_START, {}, {"call_id": "CA1", "turn": 1}, 1.8e9))


def test_a_server_that_is_away_is_tried_again_and_its_password_is_not_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    sink = Postgres(f"postgresql://a:very-hidden@127.0.0.1:{port}/metrics", node="vm-1")
    with pytest.raises(SinkError) as refused:
        sink.put(row(sink))
    assert refused.value.again
    assert "very-hidden" not in str(refused.value)


class Connection:
    """A connection that notes what it is asked, and has the extension or not."""

    def __init__(self, extension: bool) -> None:
        self.asked: list[str] = []
        self._extension = extension

    def execute(self, statement: str) -> Connection:
        self.asked.append(statement)
        return self

    def fetchone(self) -> Any:
        return (1,) if self._extension else None


@pytest.mark.parametrize("extension", [True, False])
def test_the_table_is_a_hypertable_where_timescaledb_is_there(
    extension: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Connection(extension)
    monkeypatch.setattr("psycopg.connect", lambda *_, **__: made)
    Postgres("postgresql://a@b/c", node="vm-1")._open()
    assert (HYPERTABLE in made.asked) == extension
