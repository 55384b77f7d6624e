"""`Arrival`: how a call has come to `/incoming`, as the query of the webhook tells. Pure.

The carrier brings the query back unchanged, so whatever node answers next knows what it has to,
though the last one be dead. Numbers that are not to be read count as absent.

    again   how often the caller has come back from a stream, soon after one another
    since   unix time at which the call began
    at      unix time at which the last stream was given
    node    the node that has the call's journal
    hops    how many nodes have sent the call on in a row
    waits   how often the caller has been asked to wait in a row
    route   by which the call has its agent (`aybiza.config.routes`)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

MAX_RETURNS = 5
"""A caller who comes back more often in a row has a call that no node can carry."""
MAX_HOPS = 3
"""Nodes that send a call on; the next one takes it or says that all are busy."""
MAX_WAITS = 10
"""Seconds that a caller who comes back is held while nobody has room."""
HELD_SECONDS = 60.0
"""A stream that has held for so long makes earlier returns forgotten."""

_MAX = 10**12
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Arrival:
    """See the module."""

    again: int = 0
    since: int = 0
    at: int = 0
    node: str = ""
    hops: int = 0
    waits: int = 0
    route: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], now: float) -> Arrival:
        """What the query says, at unix time `now`."""
        again, since, at, hops, waits = (_number(query.get(name, "")) for name in _NUMBERS)
        node = query.get("node", "")
        if again > 1 and at and now - at > HELD_SECONDS:
            again = 1
        since = since if 0 < since <= now else int(now)
        named = (name if _NODE.match(name) else "" for name in (node, query.get("route", "")))
        return cls(again, since, at, next(named), hops, waits, next(named))

    @property
    def is_hopeless(self) -> bool:
        """Whether the call has come back too often."""
        return self.again > MAX_RETURNS

    @property
    def may_go_on(self) -> bool:
        """Whether the call may be sent to another node."""
        return self.hops < MAX_HOPS

    def back(self, now: float, node: str) -> str:
        """The query for the way back from a stream on `node`."""
        again = self.again + 1
        return replace(self, again=again, at=int(now), node=node, hops=0, waits=0)._query()

    @property
    def may_wait(self) -> bool:
        """Whether the caller may be held a little longer."""
        return self.again > 0 and self.waits < MAX_WAITS

    def later(self) -> str:
        """The query with which to ask again in a second."""
        return replace(self, hops=0, waits=self.waits + 1)._query()

    def onward(self) -> str:
        """The query for the way to another node."""
        return replace(self, hops=self.hops + 1)._query()

    def finally_here(self) -> str:
        """The query for the way back from a node that cannot be reached."""
        return replace(self, hops=MAX_HOPS)._query()

    def _query(self) -> str:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return urlencode({name: value for name, value in fields.items() if value})


_NUMBERS = ("again", "since", "at", "hops", "waits")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < len(str(_MAX)) else 0
