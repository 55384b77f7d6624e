"""When a socket is opened again, and when no more: one policy for both of Deepgram's. Pure.

    policy = Reconnect(limits, jitter=random.random)
    policy.handle(Begun(), now)     -> [OpenIn(0.0)]
    policy.handle(Closed(), now)    -> [OpenIn(0.5)]
    policy.handle(Tick(), now)      -> [SpeakUp()], [Replace()], [GiveUp()], …

An open socket is not one that works: only `Worked` (a transcript, audio, the end of a flush) makes
up for failures. Until then the waits grow, with up to half as much again at random, and within any
`window` seconds no more than `sockets` are opened.

A service that refuses may ask to be left alone for a while. It is, for `most_asked` seconds at
most: somebody waits to be heard, or to hear.

Patience counts from the time at which something was needed and did not come (`Wanted`). After
`stall` seconds on an open socket it is replaced; after `words` seconds, if anything has failed,
the caller is to be told something, and again every `words_again` seconds; after `end` seconds it is
given up, for good. `due` is when to come back with a `Tick`, if nothing else happens. Times are
seconds of the owner's clock. What is waited for stands in a `Waiting`, which may be one that
another `Reconnect` has left: who waits does not wait anew because its owner is another.

Errors: none; an event that does not fit the state changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Limits:
    """See the module; `waits` are those before the first, second … opening after a failure.
    `first_stall`: the patience with a socket before which none has failed, of who has another
    service to turn to; None: as with any other. `stall_again`: the patience with the sockets behind
    one that was replaced; None: no other. A service that is slow each time would else never be
    heard: where something came that late, the patience stays until something comes in time. One
    that has been in time is slow when a second socket was replaced, too, for it may be the text; or
    has begun, for it may be a pause in its midst.
    `most_asked`: for how long a service that asks for it is left alone; 0.0: not at all, for
    another one is turned to."""

    stall: float
    words: float = 3.0
    words_again: float = 4.0
    end: float = 13.0
    sockets: int = 5
    # A second more than the ten that are promised: on their way two openings may come closer.
    window: float = 11.0
    waits: tuple[float, ...] = (0.0, 0.5, 1.5, 3.0, 4.0)
    first_stall: float | None = None
    stall_again: float | None = None
    # The next try comes before the caller is to be told something.
    most_asked: float = 2.0


@dataclass(slots=True)
class Waiting:
    """Since when something is wanted and does not come (None: nothing is), and how long after that
    the caller is to be told something next (None: as the limits say)."""

    since: float | None = None
    words: float | None = None

    def end(self) -> None:
        """It has come, or is not wanted."""
        self.since = self.words = None


@dataclass(frozen=True, slots=True)
class Begun:
    """The call is there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something is to come through the socket: audio of a text, words of the caller."""


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Nothing is to come for now."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The handshake was answered."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What was wanted has come, or a part of it."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The socket has ended."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The handshake was refused, or nobody could be reached. `wait`: for so many seconds the
    service asks to be left alone."""

    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The handshake, or something sent, was not taken in time."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """The socket was ended, by nobody's fault, to have another one."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event: TypeAlias = (
    Begun | Wanted | Unwanted | Opened | Worked | Closed | Refused | TimedOut | Renewed | Tick
)


@dataclass(frozen=True, slots=True)
class OpenIn:
    """Open a socket in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Replace:
    """The open socket is silent: end it, then report `Closed`."""


@dataclass(frozen=True, slots=True)
class SpeakUp:
    """The caller has waited too long: say something."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further socket is opened."""


Command: TypeAlias = OpenIn | Replace | SpeakUp | GiveUp


class _State(Enum):
    NEW, OPENING, OPEN, ENDING, OVER = range(5)


_LIVE = (_State.OPENING, _State.OPEN, _State.ENDING)


class Reconnect:
    """See the module. `jitter` gives a share from 0 to 1. `openings` are the times of the newest
    sockets, `limits.sockets` at most: of a call that had others before, those; `waiting` is what a
    call's former owner of a socket waited for."""

    def __init__(
        self,
        limits: Limits,
        jitter: Callable[[], float],
        openings: deque[float] | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        self._limits = limits
        self._jitter = jitter
        self._state = _State.NEW
        self._openings = deque(maxlen=limits.sockets) if openings is None else openings
        self._failures = 0
        self._waiting = Waiting() if waiting is None else waiting
        # What has not come to another owner is trouble, though nothing has failed here yet.
        self._inherited = self._waiting.since is not None
        self._asked = 0.0
        # Whether a socket was too slow, and the longest wait for what has come since then.
        self._slow = False
        self._slowest = 0.0
        # Whether what came last was in time.
        self._in_time = False
        # Whether something has come of what a socket before was too slow with.
        self._resumed = False

    @property
    def failing(self) -> bool:
        """Whether something has failed since it last worked."""
        return self._failures > 0

    @property
    def over(self) -> bool:
        """Whether it was given up."""
        return self._state is _State.OVER

    @property
    def wanted_since(self) -> float | None:
        """Since when something is wanted and does not come; None: nothing is."""
        return self._waiting.since

    @property
    def due(self) -> float | None:
        """When a `Tick` will do something at the earliest; None: not before another event."""
        since = self._waiting.since
        if since is None or self._state not in _LIVE:
            return None
        times = [since + self._limits.end]
        if self._state is _State.OPEN:
            times.append(self._asked + self._stall)
        if self._is_troubled:
            times.append(since + self._words)
        return min(times)

    @property
    def _stall(self) -> float:
        first, stall = self._limits.first_stall, self._limits.stall
        behind_its_time = not self._in_time or self._resumed or self._failures > 1
        is_slow = self._slow and behind_its_time
        if is_slow and self._limits.stall_again is not None:
            return self._limits.stall_again
        return stall if self.failing or first is None else first

    @property
    def _words(self) -> float:
        words = self._waiting.words
        return self._limits.words if words is None else words

    @property
    def _is_troubled(self) -> bool:
        return self.failing or self._inherited or self._state is not _State.OPEN

    def handle(self, event: Event, now: float) -> list[Command]:
        """What to do now that `event` has happened."""
        if self._state is _State.OVER:
            return []
        match event:
            case Begun() if self._state is _State.NEW:
                return [self._open(now, 0.0)]
            case Wanted() if self._state in _LIVE and self._waiting.since is None:
                self._waiting.since = self._asked = now
            case Unwanted():
                if self._slowest:
                    self._in_time = self._slowest <= self._limits.stall
                    self._slow = self._slow and not self._in_time
                self._slowest, self._resumed = 0.0, False
                self._has_come()
            case Opened() if self._state is _State.OPENING:
                self._state = _State.OPEN
                self._asked = now
            case Worked() if self._state is _State.OPEN:
                self._failures, self._resumed = 0, self._slow
                if self._waiting.since is not None:
                    # Of all that has come: pieces of what was late to begin come quickly.
                    self._slowest = max(self._slowest, now - self._asked)
                    # Of a slow one, first pieces in time say nothing of a pause behind them.
                    was = self._in_time or not self._slow
                    self._in_time = was and self._slowest <= self._limits.stall
                self._has_come()
            case Renewed() if self._state in _LIVE:
                return [self._open(now, 0.0)]
            case Refused(wait) if self._state in _LIVE:
                return self._failed(now, min(wait, self._limits.most_asked))
            case Closed() | TimedOut() if self._state in _LIVE:
                return self._failed(now)
            case Tick() if self._state in _LIVE:
                return self._look(now)
        return []

    def _has_come(self) -> None:
        self._waiting.end()
        self._inherited = False

    def _failed(self, now: float, asked: float = 0.0) -> list[Command]:
        wait = self._limits.waits[min(self._failures, len(self._limits.waits) - 1)]
        self._failures += 1
        late = self._look(now, lost=True)
        if self._state is _State.OVER:
            return late
        return [*late, self._open(now, max(asked, wait * (1.0 + self._jitter() / 2)))]

    def _open(self, now: float, wait: float) -> OpenIn:
        at = now + wait
        if len(self._openings) == self._limits.sockets:
            at = max(at, self._openings[0] + self._limits.window)
        self._openings.append(at)
        self._state = _State.OPENING
        return OpenIn(at - now)

    def _look(self, now: float, *, lost: bool = False) -> list[Command]:
        since, limits = self._waiting.since, self._limits
        if since is None:
            return []
        # Compared as `due` has it, to the last bit: a tick that is due does something.
        if now >= since + limits.end:
            self._state = _State.OVER
            return [GiveUp()]
        commands: list[Command] = []
        if self._state is _State.OPEN and not lost and now >= self._asked + self._stall:
            self._state = _State.ENDING
            self._slow, self._slowest, self._resumed = True, 0.0, False
            commands.append(Replace())
        if self._is_troubled and now >= since + self._words:
            self._waiting.words = now - since + limits.words_again
            commands.append(SpeakUp())
        return commands
