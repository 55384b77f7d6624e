"""The stores that the settings name (`AYBIZA_MEMORY`), the fastest first.

    stores(settings)           the stores
    await warm(stores, now)    opens them, and deletes the calls whose time is up

Contract: `stores(settings)` opens nothing; a store opens what it needs when it is first used. What
a store needs (redis, boto3) is imported only where it is named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import structlog

from aybiza.actors.memory.store import JournalStore, StoreError
from aybiza.config.plugs import MEMORY_STORES, Plugged
from aybiza.config.settings import Settings

WARM_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


def stores(settings: Settings, *, looking: bool = False) -> list[JournalStore]:
    """See the module. `looking`: for who only looks; a damaged file stays where it is."""
    from aybiza.actors.memory.sqlite_store import SqliteStore

    makers: Plugged[Any] = Plugged(MEMORY_STORES)
    made: list[JournalStore] = [makers[name].of(settings) for name in settings.memory]
    for store in made:
        if isinstance(store, SqliteStore):
            store.sets_aside = not looking
    return made


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
