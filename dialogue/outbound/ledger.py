"""The ledger of calls that the node has placed, or was about to: the fold of its entries.

An entry is written before what it stands for is done, so an attempt that was asked of the carrier
stands here whatever becomes of the process that asks. `encode` makes a JSON-able dict of an entry,
`decode` reads it back; what this version does not know decodes to None and is passed over.

Contract: pure; the same entries give the same ledger. Times are unix times. Errors: none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, TypeAlias

from aybiza.dialogue.outbound.permission import Past

# What is known of an attempt that goes on: it stands in the ledger; the carrier has it; it rings;
# somebody has answered.
ASKED, PLACED, RINGING, ANSWERED = "asked", "placed", "ringing", "answered"
LIVE: Final = frozenset((ASKED, PLACED, RINGING, ANSWERED))
COMPLETED: Final = "completed"
# What became of one that never was a call: it was not sent, or turned away for the moment, and
# counts for nothing; the carrier refused it; nobody knows of it.
NOT_PLACED, REFUSED, LOST = "not_placed", "refused", "lost"
OVER: Final = frozenset((COMPLETED, "busy", "no_answer", "failed", "canceled", REFUSED, LOST))
HUMAN, MACHINE, UNKNOWN = "human", "machine", "unknown"
MESSAGE_LEFT: Final = "message_left"
DONE: Final = frozenset((HUMAN, MESSAGE_LEFT, UNKNOWN, REFUSED))
"""Outcomes behind which a campaign does not try the number again."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """`to` is to be called from `from_number`; `route`: who speaks; `campaign`: "" for none."""

    id: str
    to: str
    from_number: str
    route: str
    campaign: str
    at: float
    ring_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Moved:
    """The attempt has come to this `status`; `call_id`: the carrier's, once it is known; `code`: of
    what went wrong; `seconds`: for how long it was a call."""

    id: str
    status: str
    at: float
    call_id: str = ""
    code: str = ""
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Met:
    """Who has answered (`HUMAN`, `MACHINE`, `UNKNOWN`), and whether a message was left."""

    id: str
    by: str
    message_left: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """A campaign runs, or runs again, with all that is needed to go on with it."""

    name: str
    at: float
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Halted:
    """A campaign runs no more: `stopped` by somebody, or `done`."""

    name: str
    at: float
    why: str


Entry: TypeAlias = Attempted | Moved | Met | Begun | Halted
_TYPES: Final[Mapping[str, type[Any]]] = {
    "attempted": Attempted,
    "moved": Moved,
    "met": Met,
    "begun": Begun,
    "halted": Halted,
}
_NAMES: Final = {kind: name for name, kind in _TYPES.items()}
_FITS: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "dict[str, Any]": (dict,),
}


def encode(entry: Entry) -> dict[str, Any]:
    """See the module."""
    return {"type": _NAMES[type(entry)], **asdict(entry)}


def decode(body: Any) -> Entry | None:
    """See the module."""
    kind = _TYPES.get(str(body.get("type"))) if isinstance(body, dict) else None
    if kind is None:
        return None
    known = kind.__dataclass_fields__
    fields = {name: value for name, value in body.items() if name in known}
    if not all(isinstance(value, _FITS[known[name].type]) for name, value in fields.items()):
        return None
    try:
        entry: Entry = kind(**fields)
    except TypeError:
        return None
    return entry


@dataclass(slots=True)
class Attempt:
    """What is known of an attempt; see the entries."""

    begun: Attempted
    status: str = ASKED
    call_id: str = ""
    code: str = ""
    seconds: int = 0
    by: str = ""
    message_left: bool = False
    changed: float = 0.0

    @property
    def is_live(self) -> bool:
        """Whether it goes on, as far as is known."""
        return self.status in LIVE

    @property
    def outcome(self) -> str:
        """What came of it, in a word; while it goes on, how far it is."""
        if self.status != COMPLETED:
            return self.status
        return MESSAGE_LEFT if self.message_left else self.by or UNKNOWN


@dataclass(slots=True)
class Tally:
    """The attempts of a campaign in their order, and how many have come to each outcome."""

    attempts: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Campaign:
    """A campaign that was begun. `halted`: why it runs no more, "" while it does; then nothing is
    left of its spec but how many `numbers` it had."""

    begun: Begun
    numbers: int
    halted: str = ""


@dataclass(slots=True)
class Ledger:
    """See the module. Attempts by their ids, in their order; `tallies` by the campaign, "" for
    single calls: nothing has to look through all attempts to tell how they went."""

    attempts: dict[str, Attempt] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    _by_number: dict[str, list[str]] = field(default_factory=dict, repr=False)
    _live: dict[str, None] = field(default_factory=dict, repr=False)
    _live_of: Counter[str] = field(default_factory=Counter, repr=False)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Ledger:
        """The ledger of these entries."""
        ledger = cls()
        for entry in entries:
            ledger.apply(entry)
        return ledger

    def apply(self, entry: Entry) -> None:
        """Fold one entry."""
        match entry:
            case Attempted():
                made = self.attempts[entry.id] = Attempt(entry, changed=entry.at)
                self._by_number.setdefault(entry.to, []).append(entry.id)
                self.tally(entry.campaign).attempts.append(entry.id)
                self._count(made, 1)
            case Moved() if (attempt := self.attempts.get(entry.id)) is not None:
                self._count(attempt, -1)
                attempt.status, attempt.changed = entry.status, entry.at
                attempt.call_id = entry.call_id or attempt.call_id
                attempt.code = entry.code or attempt.code
                attempt.seconds = entry.seconds or attempt.seconds
                self._count(attempt, 1)
            case Met() if (attempt := self.attempts.get(entry.id)) is not None:
                self._count(attempt, -1)
                attempt.by = entry.by
                attempt.message_left = attempt.message_left or entry.message_left
                self._count(attempt, 1)
            case Begun():
                self.campaigns[entry.name] = Campaign(entry, _numbers(entry.spec))
            case Halted() if (campaign := self.campaigns.get(entry.name)) is not None:
                campaign.halted = entry.why
                campaign.begun = replace(campaign.begun, spec={})

    def _count(self, attempt: Attempt, by: int) -> None:
        """Have it counted, or not any more, before it changes."""
        of, id_ = attempt.begun.campaign, attempt.begun.id
        self.tally(of).outcomes[attempt.outcome] += by
        if attempt.is_live:
            self._live_of[of] += by
        if attempt.is_live and by > 0:
            self._live[id_] = None
        else:
            self._live.pop(id_, None)

    def tally(self, campaign: str) -> Tally:
        """What has come of its attempts."""
        return self.tallies.setdefault(campaign, Tally())

    def past(self, number: str) -> list[Past]:
        """The attempts at a number that count."""
        found = (self.attempts[one] for one in self._by_number.get(number, ()))
        return [
            Past(one.begun.at, one.begun.campaign, one.is_live)
            for one in found
            if one.status != NOT_PLACED
        ]

    def last(self, number: str, campaign: str) -> Attempt | None:
        """The last attempt of a campaign at a number that counts."""
        for one in reversed(self._by_number.get(number, ())):
            attempt = self.attempts[one]
            if attempt.begun.campaign == campaign and attempt.status != NOT_PLACED:
                return attempt
        return None

    def live(self) -> Iterator[Attempt]:
        """The attempts that go on."""
        return (self.attempts[one] for one in list(self._live))

    def live_of(self, campaign: str | None = None) -> int:
        """How many attempts go on, of a campaign or in all."""
        if campaign is None:
            return len(self._live)
        return self._live_of[campaign]


def _numbers(spec: Mapping[str, Any]) -> int:
    found = spec.get("numbers")
    return len(found) if isinstance(found, list | tuple) else 0
