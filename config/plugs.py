"""What a node may be told to use by name: one row each, and nothing of it is imported before.

    MEMORY_STORES["sqlite"]              where the store's class is
    Plugged(MEMORY_STORES)["sqlite"]     the class itself

A row is `package.module:attribute`. So the settings know the names without the floors above them,
and what a store or a carrier needs is imported where it is used.

Errors: `KeyError` for a name without a row; what the import raises.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

MEMORY_STORES: Final[dict[str, str]] = {
    "memory": "aybiza.actors.memory.process_store:ProcessStore",
    "sqlite": "aybiza.actors.memory.sqlite_store:SqliteStore",
    "redis": "aybiza.actors.memory.redis_store:RedisStore",
    "dynamodb": "aybiza.actors.memory.dynamodb_store:DynamoDbStore",
}
"""What `AYBIZA_MEMORY` may name: classes with a `of(settings)` that makes a
`aybiza.actors.memory.store.JournalStore`."""

CARRIERS: Final[dict[str, str]] = {
    "twilio": "aybiza.gateway.carriers.twilio_codec:CARRIER",
    "telnyx": "aybiza.gateway.carriers.telnyx_codec:CARRIER",
    "signalwire": "aybiza.gateway.carriers.signalwire_codec:CARRIER",
    "freeswitch": "aybiza.gateway.carriers.freeswitch_codec:CARRIER",
}
"""What `AYBIZA_CARRIERS` may name: each an `aybiza.gateway.carriers.carrier.Carrier`."""

T_co = TypeVar("T_co", covariant=True)


class Plugged(Mapping[str, T_co]):
    """A table of rows as what they lead to; a row that is added later is there, too.

    >>> Plugged({"dates": "datetime:date"})["dates"](2026, 3, 2).isoformat()
    '2026-03-02'
    """

    def __init__(self, rows: Mapping[str, str]) -> None:
        self._rows = rows

    def __getitem__(self, name: str) -> T_co:
        module, _, attribute = self._rows[name].partition(":")
        found: Any = getattr(importlib.import_module(module), attribute)
        return found  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
