"""Placement: which node takes a call. Pure.

A call starts on the node that took it, unless that node refuses: it is draining, or over one of
its limits. Then the call goes to the node with the largest share of its room left. Each node has a
`Board`: its own load, and the row that each other node has told of itself.

With isolation the calls of a machine have one-call nodes: a gateway node takes no stream itself
but lends a caller one of those that are free.

Times are those of a clock that is handed in, in seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

ADMITTED_SECONDS = 5.0
"""How long a call that was let in is counted before its stream comes."""
LAG_SAMPLES = 10

BUSIER_SECONDS = 0.01
REFUSING_SECONDS = 0.25
"""How long a node leaves those who knock at a door of the whole machine to its other nodes: when
one of them carries a smaller share of its calls, and when this node takes none."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a node carries at most: `calls` at a time, mean lateness of its loop in milliseconds,
    memory in MB."""

    calls: int = 100
    lag_ms: int = 250
    memory_mb: int = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is: Twilio finds its webhooks at `http`, without a slash at the end, and its
    media door at `media`. `machine`: its actor system. `one_call`: it has no webhook and ends after
    one call; `isolated`: its calls go to such nodes of its machine."""

    http: str = ""
    media: str = ""
    machine: str = ""
    one_call: bool = False
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What a node tells of itself. `refusal` is why it takes no call, "" while it does."""

    node: str
    place: Place
    calls: int
    max_calls: int
    lag_ms: float
    memory_mb: int
    draining: bool
    refusal: str

    @property
    def room(self) -> int:
        """How many calls more it takes."""
        return 0 if self.refusal else max(0, self.max_calls - self.calls)


@dataclass(slots=True)
class Board:
    """See the module. `others` holds the rows of the other nodes by their names, `calls` the calls
    that this node carries itself; `ending`: it drains to end."""

    node: str
    limits: Limits = field(default_factory=Limits)
    place: Place = field(default_factory=Place)
    calls: int = 0
    memory_mb: int = 0
    draining: bool = False
    ending: bool = False
    others: dict[str, Row] = field(default_factory=dict)
    _lags: deque[float] = field(default_factory=lambda: deque(maxlen=LAG_SAMPLES))
    _admitted: dict[str, float] = field(default_factory=dict)
    _lent: dict[str, float] = field(default_factory=dict)

    @property
    def lag_ms(self) -> float:
        """The mean lateness of the loop over the last samples; those yet to come were in time, so
        that one hiccup is no reason at the beginning either."""
        return sum(self._lags) / LAG_SAMPLES

    def late(self, seconds: float) -> None:
        """The loop woke so much later than it was asked to."""
        self._lags.append(max(0.0, seconds) * 1000.0)

    def opened(self) -> None:
        """The node takes calls from now on; how late its loop was while it started is no reason to
        send the first of them away."""
        self._lags.clear()

    def admit(self, call_id: str, now: float) -> None:
        """A call has been let in; its stream is yet to come."""
        self._admitted[call_id] = now + ADMITTED_SECONDS

    def arrived(self, call_id: str) -> bool:
        """The stream of a call is there, or will not come; whether this node had let it in."""
        return self._admitted.pop(call_id, None) is not None

    def expected(self, now: float, but: str = "") -> int:
        """How many calls have been let in whose streams are yet to come, `but` this one."""
        for call_id in [each for each, until in self._admitted.items() if until <= now]:
            del self._admitted[call_id]
        return len(self._admitted) - (but in self._admitted)

    def carried(self, now: float, but: str = "") -> tuple[int, int]:
        """How many calls this node carries or expects, `but` this one, and how many it may."""
        if not self.place.isolated:
            return self.calls + self.expected(now, but), self.limits.calls
        rooms = self.rooms()
        return sum(not self._is_free(row, now) for row in rooms), len(rooms)

    def rooms(self) -> list[Row]:
        """The one-call nodes of this machine."""
        machine = self.place.machine
        rows = self.others.values()
        return [row for row in rows if row.place.one_call and row.place.machine == machine]

    def lend(self, now: float) -> Row | None:
        """A one-call node for the next call; None if all have one."""
        row = next((row for row in self.rooms() if self._is_free(row, now)), None)
        if row is not None:
            self._lent[row.node] = now + ADMITTED_SECONDS
        return row

    def _is_free(self, row: Row, now: float) -> bool:
        return row.room > 0 and self._lent.get(row.node, now) <= now

    def refusal(self, calls: int, most: int, *, back: bool = False) -> str:
        """Why a node that carries so many calls and may so many takes none; "" if it does.

        `back`: a caller whom nobody else takes comes back to a conversation. A node that drains
        keeps them if it does not end.
        """
        limits = self.limits
        reasons = (
            (self.draining and (self.ending or not back), "draining"),
            (calls >= most, f"full: {calls} calls"),
            (self.lag_ms > limits.lag_ms, f"slow: its loop is {self.lag_ms:.0f} ms late"),
            (self.memory_mb > limits.memory_mb, f"short of memory: {self.memory_mb} MB used"),
        )
        return next((text for holds, text in reasons if holds), "")

    def row(self, now: float) -> Row:
        """What this node tells of itself."""
        calls, most = self.carried(now)
        return Row(
            self.node,
            self.place,
            calls,
            most,
            round(self.lag_ms, 1),
            self.memory_mb,
            self.draining,
            self.refusal(calls, most),
        )

    def told(self, row: Row) -> None:
        """Another node tells of itself."""
        self.others[row.node] = row

    def keep(self, nodes: Iterable[str]) -> None:
        """These are the other nodes that can be reached."""
        for node in set(self.others).difference(nodes):
            self.down(node)

    def down(self, node: str) -> None:
        """A node cannot be reached any more."""
        self.others.pop(node, None)
        self._lent.pop(node, None)

    def here(self) -> list[Row]:
        """The other nodes of this machine to which callers can be sent."""
        own = self.place.machine
        return [row for row in self._doors() if row.place.machine == own != ""]

    def patience(self, now: float) -> float:
        """How many seconds this node leaves who knocks at a door of its whole machine to the other
        nodes there; 0 if none of them has more room."""
        others = [row.calls / row.max_calls for row in self.here() if row.room]
        if not others:
            return 0.0
        calls, most = self.carried(now)
        if self.refusal(calls, most):
            return REFUSING_SECONDS
        return BUSIER_SECONDS if calls / most > min(others) else 0.0

    def elsewhere(self) -> Row | None:
        """The other node with the most room; None if nobody has any."""
        rows = [row for row in self._doors() if row.room]
        return max(rows, key=lambda row: (row.room / row.max_calls, row.node), default=None)

    def room_elsewhere(self) -> int:
        """How many calls the other nodes take."""
        return sum(row.room for row in self._doors())

    def _doors(self) -> list[Row]:
        """The nodes to which callers can be sent."""
        rows = self.others.values()
        return [row for row in rows if row.place.http and not row.place.one_call]

    def sent(self, node: str) -> None:
        """A call has been sent there; it is counted before the node tells of it itself."""
        row = self.others.get(node)
        if row is not None:
            fields = {name: getattr(row, name) for name in Row.__slots__}
            self.others[node] = Row(**(fields | {"calls": row.calls + 1}))
