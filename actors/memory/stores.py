"""The stores that the settings name (`AYBIZA_MEMORY`), the fastest first.

    stores(settings)           the stores
    await warm(stores, now)    opens them, and deletes the calls whose time is up

Contract: `stores(settings)` opens nothing; a store opens what it needs when it is first used. What
a store needs (redis, boto3) is imported only where it is named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import structlog

from aybiza.actors.memory.store import JournalStore, StoreError
from aybiza.config.settings import Settings

if TYPE_CHECKING:
    from aybiza.actors.memory.dynamodb_store import DynamoDbStore

WARM_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


def stores(settings: Settings, *, looking: bool = False) -> list[JournalStore]:
    """See the module. `looking`: for who only looks; a damaged file stays where it is."""
    from aybiza.actors.memory.sqlite_store import SqliteStore

    made = [MAKERS[name](settings) for name in settings.memory]
    for store in made:
        if isinstance(store, SqliteStore):
            store.sets_aside = not looking
    return made


def _memory(settings: Settings) -> JournalStore:
    from aybiza.actors.memory.process_store import ProcessStore

    return ProcessStore()


def _sqlite(settings: Settings) -> JournalStore:
    from aybiza.actors.memory.sqlite_store import SqliteStore

    return SqliteStore(settings.memory_path)


def _sweep(store: JournalStore, now: float) -> None:
    while store.sweep(now):
        pass


async def warm(made: Iterable[JournalStore], now: float | None) -> None:
    """See the module; at most `WARM_SECONDS` each. Calls are taken without a store, too. With `now`
    None they are opened only: nodes of one call each have others that delete."""
    for store in made:
        try:
            async with asyncio.timeout(WARM_SECONDS):
                if now is None:
                    await asyncio.to_thread(store.read, "a call that nobody has")
                else:
                    await asyncio.to_thread(_sweep, store, now)
        except (StoreError, TimeoutError) as error:
            log.error("memory_not_ready", store=store.name, reason=str(error) or "no answer")


def _redis(settings: Settings) -> JournalStore:
    from aybiza.actors.memory.redis_store import RedisStore

    assert settings.redis_url is not None
    return RedisStore(settings.redis_url)


def dynamodb(settings: Settings) -> DynamoDbStore:
    """The store in DynamoDB."""
    from aybiza.actors.memory.dynamodb_store import DynamoDbStore

    url = settings.dynamodb_url
    return DynamoDbStore(
        settings.dynamodb_table,
        settings.aws_region,
        str(url) if url else None,
        settings.aws_credentials,
    )


MAKERS: Final[dict[str, Callable[[Settings], JournalStore]]] = {
    "dynamodb": dynamodb,
    "memory": _memory,
    "redis": _redis,
    "sqlite": _sqlite,
}
"""Every store that the settings may name; `aybiza.config.fields.MEMORY_STORES` has the names."""
