"""What stores keep their journals in, for the tests: each makes as many stores on it as it takes.

backing.store()     a store; those of one backing share their journals
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path

import pytest

from aybiza.actors.memory.dynamodb_store import DynamoDbStore
from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.memory.redis_store import RedisStore
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import About, JournalStore, Part, Row
from tests.actors.memory.servers import RedisServer

NAMES = ("process", "sqlite", "redis", "dynamodb")

CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
_TABLES = count()

OPENED = 1_760_000_000.0


class Backing:
    """See the module."""

    def __init__(self, make: Callable[[], JournalStore]) -> None:
        self._make = make
        self._made: list[JournalStore] = []

    def store(self) -> JournalStore:
        """See the module."""
        self._made.append(self._make())
        return self._made[-1]

    def close(self) -> None:
        """Close all that were made."""
        for store in self._made:
            store.close()


def backing(name: str, folder: Path, request: pytest.FixtureRequest) -> Backing:
    """A new one of this name; `request` has the servers."""
    if name == "dynamodb":
        url = request.getfixturevalue("dynamodb")
        table = f"conversations-{next(_TABLES)}"
        made = DynamoDbStore(table, "us-east-1", url, CREDENTIALS)
        made.make_table()
        made.close()
        return Backing(lambda: DynamoDbStore(table, "us-east-1", url, CREDENTIALS))
    if name == "redis":
        server: RedisServer = request.getfixturevalue("redis")
        server.client.flushall()
        return Backing(lambda: RedisStore(server.url))
    if name == "process":
        only = ProcessStore()
        return Backing(lambda: only)
    return Backing(lambda: SqliteStore(folder / "folder" / "memory.sqlite3"))


def rows(call_id: str, *numbers: int, **entry: object) -> list[Row]:
    """Rows with these numbers."""
    return [Row(call_id, n, n + 10, OPENED + n, {"n": n, **entry}) for n in numbers]


def part(
    call_id: str, *numbers: int, epoch: int = 1, about: About | None = None, **entry: object
) -> Part:
    """Rows with these numbers, from the owner of this epoch."""
    return Part(call_id, epoch, about, rows(call_id, *numbers, **entry))


def entries(call_id: str, *bodies: Mapping[str, object], epoch: int = 1, first: int = 1) -> Part:
    """These entries."""
    of = [Row(call_id, n, n, OPENED + n, dict(body)) for n, body in enumerate(bodies, first)]
    return Part(call_id, epoch, None, of)


def numbers(found: Sequence[Row]) -> list[int]:
    """The rows' numbers."""
    return [row.number for row in found]
