"""A memory in virtual time, for the tests of its actor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from structlog.testing import capture_logs

from aybiza.actors import names
from aybiza.actors.memory.journals import append, journals
from aybiza.actors.memory.memory_actor import Claim, Load, MemoryActor, kept
from aybiza.actors.memory.store import JournalStore
from aybiza.actors.runtime import KILL, VM

LIMIT = 60.0


@contextmanager
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    with capture_logs() as logs:
        yield logs


async def start(vm: VM, *stores: JournalStore) -> None:
    journals(vm).wall = lambda: 1.5
    await vm.start(MemoryActor, *stores, name=names.MEMORY)


async def restart(vm: VM, *stores: JournalStore) -> None:
    vm.exit(names.MEMORY, KILL)
    await vm.join(names.MEMORY, LIMIT)
    await start(vm, *stores)


def note(vm: VM, call_id: str, first: int, *texts: str, event: int = 0) -> None:
    append(vm, call_id, first, event, [{"text": text} for text in texts])


async def keep(vm: VM, call_id: str, first: int, *texts: str, event: int = 0) -> None:
    note(vm, call_id, first, *texts, event=event)
    await kept(vm, call_id)


async def load(vm: VM, call_id: str, keep: bool = False) -> list[str]:
    journal = await vm.call(names.MEMORY, Claim(call_id) if keep else Load(call_id), LIMIT)
    return [entry["text"] for _, entry in journal]


async def steps() -> None:
    """Let the actors do what they can; no time passes."""
    for _ in range(10):
        await asyncio.sleep(0)


def held(vm: VM) -> set[str]:
    """The calls of which the process has a copy."""
    return set(journals(vm))


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what a thread of the store's brings about."""
    for _ in range(int(LIMIT / 0.002)):
        if holds():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come about")
