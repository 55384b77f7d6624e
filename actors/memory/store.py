"""What a store of journals is: what it is given, what it tells, and who may write.

A journal is a call's entries, numbered from 1 without a gap. One node at a time has a call, and
proves it by its epoch, a number that grows each time the call is claimed: what an older owner
writes is refused, wherever it still believes that it has the call. What an owner of a newer epoch
writes takes the place of what stands there from its first number on.

Stores are used from worker threads only. `JournalStore` has their contract in words;
`tests/actors/memory/test_contract.py` holds all of them to it.

Errors: `StoreError`; what could not be written is the caller's to keep and to write again, which
changes nothing where it has been written after all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol

from aybiza.dialogue.journal import REACHED

TRANSFERRED: Final = "transfer"
NO_ENTRY: Final[Mapping[str, Any]] = {"type": "unreadable"}


class Row(NamedTuple):
    """An entry of a journal: the `number`th of its call, from 1.

    `event`: the number of the line's event it comes from; `at`: unix time; `entry`: a JSON object.
    """

    call_id: str
    number: int
    event: int
    at: float
    entry: dict[str, Any]


class About(NamedTuple):
    """What is known of a call beside its journal. Times are unix times.

    `caller`: the caller's number, "" if withheld; `expires`: when it is to be deleted, 0: never.
    """

    caller: str = ""
    agent: str = ""
    tenant: str = ""
    opened: float = 0.0
    expires: float = 0.0


UNKNOWN: Final = About()


class Part(NamedTuple):
    """New rows of one call's journal, at least one, in order, from the owner of this epoch."""

    call_id: str
    epoch: int
    about: About | None
    rows: Sequence[Row]


class Claimed(NamedTuple):
    """A call is its claimer's: the epoch to write with, and the journal so far."""

    epoch: int
    rows: list[Row]


class Head(NamedTuple):
    """Of a call in a store: its owner's epoch, the number of its last entry; 0 if there is none."""

    epoch: int = 0
    last: int = 0


class Written(NamedTuple):
    """What has become of a `Part`; `epoch` and `last` are the store's by now.

    `kept`: it is there. `refused`: the call has a newer owner. `behind`: the store lacks entries
    that come before (it has lost them); write from `last + 1` on.
    """

    call_id: str
    outcome: Literal["kept", "refused", "behind"]
    epoch: int
    last: int


class CallRecord(NamedTuple):
    """A call as it is listed. Times are unix times; `updated` is that of the last entry.

    `outcome`: how it ended, as in `aybiza.dialogue.journal.Ended`; "" while it goes on, and if it
    was cut off and never came back. `turns`: the number of the last turn.
    """

    call_id: str
    caller: str
    agent: str
    tenant: str
    opened: float
    updated: float
    outcome: str
    turns: int
    expires: float


class Wanted(NamedTuple):
    """Which calls: those to which all that is not None applies; `since` ≤ opened < `until`."""

    caller: str | None = None
    agent: str | None = None
    outcome: str | None = None
    since: float | None = None
    until: float | None = None

    def has(self, record: CallRecord) -> bool:
        """Whether the call is one of them."""
        return (
            self.caller in (None, record.caller)
            and self.agent in (None, record.agent)
            and self.outcome in (None, record.outcome)
            and (self.since is None or self.since <= record.opened)
            and (self.until is None or record.opened < self.until)
        )


class StoreError(Exception):
    """The store cannot be read or written; the text is for people and names the store."""


class Unreadable(ValueError):
    """What a store has given back is no row; the text names the call. Each store makes a
    `StoreError` of it."""


def entry_of(text: Any) -> dict[str, Any]:
    """The entry that `dumps` made this text of. What is none is no entry that anybody knows, so
    that the others of its call are not lost with it."""
    try:
        entry = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return dict(NO_ENTRY)
    return entry if isinstance(entry, dict) else dict(NO_ENTRY)


def number_of(value: Any) -> float:
    """The number that a store has written down for a call; 0 for what is none.

    >>> number_of("1700000000.5"), number_of("soon"), number_of("nan"), number_of(None)
    (1700000000.5, 0.0, 0.0, 0.0)
    """
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return number if math.isfinite(number) else 0.0


class JournalStore(Protocol):
    """See the module. `name` is what people call it; no password is in it."""

    name: str

    def claim(self, call_id: str, epoch: int, about: About) -> Claimed:
        """Own the call from now on, by this epoch or a greater one; an unknown call begins."""

    def write(self, parts: Sequence[Part]) -> list[Written]:
        """Keep the parts, each whole or not at all, and tell what has become of each."""

    def read(self, call_id: str) -> list[Row]:
        """The journal of a call in its order; empty if there is none."""

    def find(self, wanted: Wanted, limit: int) -> list[CallRecord]:
        """The calls, those that were opened last first."""

    def forget(self, call_ids: Iterable[str]) -> int:
        """Delete the calls with all that is known of them; how many there were."""

    def sweep(self, now: float) -> int:
        """Delete some of the calls whose time is up at unix time `now`; how many. Again, until it
        is 0, if all are to go."""

    def close(self) -> None:
        """Close what is open; a later use opens it again."""


def placed(head: Head, part: Part) -> tuple[Written, list[Row]]:
    """What becomes of a part in a store that is at `head`, and which of its rows are to be added.

    Where the part has a newer epoch, rows from its first number on are to be deleted before.

    >>> row = Row("CA1", 3, 1, 0.0, {})
    >>> placed(Head(7, 2), Part("CA1", 6, None, [row]))[0].outcome
    'refused'
    >>> placed(Head(7, 1), Part("CA1", 7, None, [row]))[0]
    Written(call_id='CA1', outcome='behind', epoch=7, last=1)
    """
    call_id, epoch, _, rows = part
    first, last = rows[0].number, rows[-1].number
    if epoch < head.epoch:
        return Written(call_id, "refused", *head), []
    if first > head.last + 1:
        return Written(call_id, "behind", *head), []
    if epoch > head.epoch:
        return Written(call_id, "kept", epoch, last), list(rows)
    new = [row for row in rows if row.number > head.last]
    return Written(call_id, "kept", epoch, max(last, head.last)), new


class Told(NamedTuple):
    """What rows tell of their call, as in `CallRecord`; None: nothing new."""

    outcome: str | None
    turns: int | None
    updated: float


def told_by(rows: Iterable[Row]) -> Told:
    """See `Told`."""
    outcome: str | None = None
    turns: int | None = None
    updated = 0.0
    for row in rows:
        entry: Mapping[str, Any] = row.entry
        updated = max(updated, row.at)
        match entry.get("type"):
            case "ended":
                outcome = str(entry.get("reason", ""))
            case "transferred":
                outcome = TRANSFERRED if entry.get("outcome") == REACHED else ""
            case "caller_turn" | "agent_sentence" | "withheld" if "turn" in entry:
                outcome = ""
                turn = entry.get("turn")
                turns = turn if isinstance(turn, int) else turns
    return Told(outcome, turns, updated)


def dumps(entry: Any) -> str:
    """The entry as JSON; one that is not quite JSON must not keep the others from being written.

    In ASCII: a model's words may hold half a surrogate pair, which no store would take.
    """
    return json.dumps(entry, default=repr, skipkeys=True, separators=(",", ":"))
