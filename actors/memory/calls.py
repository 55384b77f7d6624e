"""The calls that stores have: searched, read and forgotten, by commands and not on a call's path.

    Calls(stores).find(wanted, limit)   those of all stores, each once, the newest first
    Calls(stores).read(call_id)         the longest journal
    Calls(stores).forget(caller, now)   what has become of each store, and which calls go on

A caller's number is looked for as it is given, and without what people put between digits.

Waits for disks and networks: not for the loop.
Errors: `StoreError` from `find` and `read` where no store can be read; where some cannot, `failed`
has their names and reasons, and the others are told of. `forget` tells them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, TypeVar

from aybiza.actors.memory.store import CallRecord, JournalStore, Row, StoreError, Wanted
from aybiza.config.caller_number import bare

PAUSES: Final = (0.0, 0.5, 1.5)
"""An index of DynamoDB follows its table within a second or so."""
MOST: Final = 1_000_000
GOES_ON_SECONDS: Final = 900.0
"""A call without an end whose last entry is younger than this may be going on."""


NATIONAL: Final = "(0)"
"""How people write a digit that is dialled in the country alone: `+49 (0)30 …`."""

Told = TypeVar("Told")


@dataclass(slots=True)
class Forgotten:
    """What has become of the calls of a caller: how many are gone, by the stores' names; why a
    store failed; calls that were going on, which their nodes may write again; and the ids of all
    of them."""

    gone: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    going_on: list[str] = field(default_factory=list)
    call_ids: list[str] = field(default_factory=list)


class Calls:
    """See the module."""

    def __init__(self, stores: Sequence[JournalStore]) -> None:
        self._stores = stores
        self.failed: dict[str, str] = {}

    def find(self, wanted: Wanted, limit: int = MOST) -> list[CallRecord]:
        """See the module. Of a call in several stores what was written last is told."""
        found: dict[str, CallRecord] = {}
        for records in self._each(lambda store: _found(store, wanted, limit)):
            for record in records:
                known = found.get(record.call_id)
                if known is None or record.updated > known.updated:
                    found[record.call_id] = record
        return sorted(found.values(), key=lambda record: -record.opened)[:limit]

    def read(self, call_id: str) -> list[Row]:
        """See the module; empty if no store has the call."""
        return max(self._each(lambda store: store.read(call_id)), key=len, default=[])

    def forget(self, caller: str, now: float) -> Forgotten:
        """Delete the calls of this number at unix time `now`, and look whether they are gone."""
        told = Forgotten()
        wanted = Wanted(caller=caller)
        records: dict[str, CallRecord] = {}
        for store in self._stores:
            try:
                records |= {record.call_id: record for record in _found(store, wanted, MOST)}
            except StoreError as error:
                told.failed[store.name] = str(error)
        for store in self._stores:
            if store.name not in told.failed:
                self._forget(store, wanted, list(records), told)
        told.call_ids = list(records)
        young = now - GOES_ON_SECONDS
        told.going_on = [
            record.call_id
            for record in records.values()
            if not record.outcome and record.updated > young
        ]
        return told

    def _each(self, ask: Callable[[JournalStore], list[Told]]) -> list[list[Told]]:
        """What the stores tell that can be read."""
        told: list[list[Told]] = []
        for store in self._stores:
            if store.name in self.failed:
                continue
            try:
                told.append(ask(store))
            except StoreError as error:
                self.failed[store.name] = str(error)
        if self._stores and not told:
            raise StoreError("; ".join(self.failed.values()))
        return told

    def _is_gone(
        self, store: JournalStore, wanted: Wanted, call_ids: list[str], pause: float
    ) -> bool:
        """Whether nothing of it is found any more, `pause` seconds from now."""
        time.sleep(pause)
        return not (_found(store, wanted, 1) or any(store.read(call_id) for call_id in call_ids))

    def _forget(
        self, store: JournalStore, wanted: Wanted, call_ids: list[str], told: Forgotten
    ) -> None:
        try:
            told.gone[store.name] = store.forget(call_ids)
            if not any(self._is_gone(store, wanted, call_ids, pause) for pause in PAUSES):
                told.failed[store.name] = "some of it is still there; say it again"
        except StoreError as error:
            told.failed[store.name] = str(error)


def spellings(caller: str) -> list[str]:
    """A caller as stores may have it: carriers write numbers as E.164 does, switches also without
    the plus sign, or with 00 in its place.

    >>> spellings("+1 (415) 555-0123")
    ['+1 (415) 555-0123', '+14155550123', '14155550123', '0014155550123']
    >>> spellings("0049 30 1234567")[1:]
    ['+49301234567', '49301234567', '0049301234567']
    >>> spellings("sip:ann@example.org")
    ['sip:ann@example.org']
    >>> "+49301234567" in spellings("+49 (0)30 1234567")
    True
    """
    found = [caller]
    # Italy keeps the digit, so the number with it may be meant, too.
    for written in (caller, caller.replace(NATIONAL, "", 1)):
        plain = bare(written)
        digits = plain.removeprefix("+").removeprefix("00")
        found += [f"+{digits}", digits, f"00{digits}"] if digits.isdecimal() else [plain]
    return list(dict.fromkeys(found))


def _found(store: JournalStore, wanted: Wanted, limit: int) -> list[CallRecord]:
    if not wanted.caller:
        return store.find(wanted, limit)
    each = [store.find(wanted._replace(caller=one), limit) for one in spellings(wanted.caller)]
    return sorted(chain(*each), key=lambda record: -record.opened)[:limit]
