"""The dialler: decides which calls are placed when. A pure machine over the ledger.

`handle(event, now)` gives the commands to carry out, in order. What is to be kept (`Keep`) stands
ahead of what follows from it, so a crash anywhere leaves an attempt in the ledger: it is never
asked for twice. An attempt whose outcome nobody knows is looked up at the carrier (`LookUp`), a
few times and ever more seldom; one that is not found then is `lost`, and counts.

A campaign's numbers wait in a queue; at each `Ticked` some of them are looked at
(`LOOKED_AT_ONCE`), and called if the rules (`aybiza.dialogue.outbound.permission`), the calls at a
time and the calls a second allow it. A number that may be called later waits for its time.
Campaigns begin in turn, so that none waits for the whole of another. So many may run
(`MOST_RUNNING`), with so many numbers in all (`MOST_WAITING`): one more is refused in words.

Contract: no I/O and no clock; `now` is unix time. Errors: none.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from aybiza.config.outbound import Limits
from aybiza.config.phone_numbers import Called
from aybiza.dialogue.outbound.ledger import (
    ANSWERED,
    ASKED,
    DONE,
    LOST,
    NOT_PLACED,
    PLACED,
    REFUSED,
    RINGING,
    Attempted,
    Begun,
    Entry,
    Halted,
    Ledger,
    Met,
    Moved,
)
from aybiza.dialogue.outbound.permission import Asked, Held, Schedule, Standing, held_back

LOOKED_AT_ONCE: Final = 50
MOST_RUNNING: Final = 100
MOST_WAITING: Final = 200_000
"""Campaigns that run, and their numbers."""
LOOK_AFTER: Final = (5.0, 15.0, 60.0, 300.0)
"""Seconds to each look-up of an attempt of which the carrier has told nothing."""
AGAIN_SECONDS: Final = 5.0
AGAIN_MOST: Final = 300.0
"""A carrier that turns a call away for the moment is left alone for so long, and twice as long each
time, up to the most."""
SILENT_SECONDS: Final = 60.0
"""An attempt that has rung so much longer than it may is looked up."""
ANSWERED_SECONDS: Final = 900.0
"""So often an answered one is, whose end was not told."""
BACKWARDS: Final = {ASKED: 0, PLACED: 1, RINGING: 2, ANSWERED: 3}
"""What is told late does not take an attempt back."""


@dataclass(frozen=True, slots=True)
class RulesRead:
    """The node's file is this now; None: it cannot be used, so nothing is called; `why` says so."""

    standing: Standing | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class DialAsked:
    """One call is wanted; `id` is new."""

    id: str
    asked: Asked
    route: str


@dataclass(frozen=True, slots=True)
class CampaignAsked:
    """A campaign is to run, or to run again. `spec`: all of it, as it is kept."""

    name: str
    route: str
    from_number: str
    schedule: Schedule
    numbers: tuple[Called, ...]
    spec: dict[str, Any]
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class StopAsked:
    """A campaign is to begin no further call."""

    name: str


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has gone on. `room`: whether some node would carry one more call."""

    room: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """The carrier was asked to place the call. `call_id`: it has; `code` and `words`: why not;
    `again`: only for the moment; neither: nobody knows whether it has."""

    id: str
    call_id: str = ""
    code: str = ""
    words: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """The carrier tells where the call is, of its own accord or because it was looked up; `status`
    as in the ledger, "": it knows of none."""

    id: str
    status: str
    call_id: str = ""
    code: str = ""
    seconds: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """The call itself tells who has answered, and whether a message was left."""

    id: str
    by: str
    message_left: bool = False


Event: TypeAlias = (
    RulesRead | DialAsked | CampaignAsked | StopAsked | Ticked | Answer | Told | Heard
)


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep the entry before anything that follows is done."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Place:
    """Have the carrier place the call, and tell its `Answer`."""

    attempt: Attempted


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the carrier what it knows of the attempt, and tell it as `Told`."""

    attempt: Attempted
    call_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The call is not placed; `campaign`: whose it was to be."""

    id: str
    held: Held
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """It is known what came of an attempt."""

    id: str
    outcome: str
    campaign: str = ""


Command: TypeAlias = Keep | Place | LookUp | Refused | Settled


@dataclass(slots=True)
class Running:
    """A campaign that runs: who is to be looked at now, and who from when on. `passed`: numbers
    that are not called, by the reason."""

    asked: CampaignAsked
    waiting: deque[int]
    later: list[tuple[float, int]] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    held: dict[str, str] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    def hold(self, number: str, reason: str = "") -> bool:
        """Note why it is held back, "" for not at all; whether it was for another reason."""
        before = self.held.pop(number, "")
        if before:
            self.reasons[before] -= 1
        if reason:
            self.held[number] = reason
            self.reasons[reason] += 1
        return before != reason

    def due(self, now: float) -> int | None:
        """The number that is to be looked at next; None: nobody is just now."""
        if self.later and self.later[0][0] <= now:
            return heapq.heappop(self.later)[1]
        return self.waiting.popleft() if self.waiting else None


class Dialler:
    """See the module. `new_id` names an attempt."""

    def __init__(self, ledger: Ledger, new_id: Callable[[], str]) -> None:
        self.ledger = ledger
        self.campaigns: dict[str, Running] = {}
        self._standing: Standing | None = None
        self._why = "the rules have not been read yet"
        self._new_id = new_id
        self._next_at: dict[str, float] = {}
        self._looks: dict[str, tuple[float, int]] = {}
        self._turned_away = 0
        self._commands: list[Command] = []
        self._after_crash = {one.begun.id for one in ledger.live()}

    def handle(self, event: Event, now: float) -> list[Command]:
        """See the module."""
        self._commands = []
        _ACTS[type(event)](self, event, now)
        return self._commands

    def _do(self, *commands: Command) -> None:
        for command in commands:
            if isinstance(command, Keep):
                self.ledger.apply(command.entry)
        self._commands.extend(commands)

    # What is wanted

    def _rules_read(self, event: RulesRead, _: float) -> None:
        self._standing, self._why = event.standing, event.why

    def _dial(self, event: DialAsked, now: float) -> None:
        held = self._held(event.asked, now) or self._crowded("", None, now)
        if held is not None:
            self._do(Refused(event.id, held))
        else:
            self._begin(event.id, event.asked, event.route, now)

    def _campaign(self, event: CampaignAsked, now: float) -> None:
        running = self.campaigns.get(event.name)
        # Who asks once more has its people looked at once more, and nothing written.
        if not event.is_kept and (running is None or running.asked.spec != event.spec):
            if (held := self._full(event)) is not None:
                self._do(Refused("", held, event.name))
                return
            self._do(Keep(Begun(event.name, now, event.spec)))
        self.campaigns[event.name] = Running(event, deque(range(len(event.numbers))))

    def _full(self, event: CampaignAsked) -> Held | None:
        """Whether as many campaigns or numbers as may are there besides this one."""
        others = [one.asked for name, one in self.campaigns.items() if name != event.name]
        if len(others) >= MOST_RUNNING:
            words = f"{len(others)} campaigns run, as many as may: stop one, or wait for its end"
            return Held("campaigns", words)
        numbers = sum(len(one.numbers) for one in others)
        if numbers + len(event.numbers) > MOST_WAITING:
            words = f"campaigns that run have {numbers:,} numbers, of {MOST_WAITING:,} that may"
            return Held("campaigns", f"{words}: stop one, or wait for its end")
        return None

    def _stop(self, event: StopAsked, now: float) -> None:
        if self.campaigns.pop(event.name, None) is not None:
            self._do(Keep(Halted(event.name, now, "stopped")))

    # What is called

    def _tick(self, event: Ticked, now: float) -> None:
        self._look(now)
        if not event.room:
            return
        looked = 0
        if self.campaigns:
            first = next(iter(self.campaigns))
            self.campaigns[first] = self.campaigns.pop(first)
        for name, running in list(self.campaigns.items()):
            while looked < LOOKED_AT_ONCE and self._crowded(name, running, now) is None:
                index = running.due(now)
                if index is None:
                    break
                looked += 1
                self._consider(name, running, index, now)
            live = self.ledger.live_of(name)
            if not (running.waiting or running.later or live):
                del self.campaigns[name]
                self._do(Keep(Halted(name, now, "done")))

    def _consider(self, name: str, running: Running, index: int, now: float) -> None:
        asked = running.asked
        to = asked.numbers[index]
        last = self.ledger.last(to.number, name)
        if last is not None and last.outcome in DONE:
            running.hold(to.number)
            return
        wanted = Asked(to, asked.from_number, name, asked.schedule)
        held = self._held(wanted, now)
        if held is None:
            running.hold(to.number)
            self._begin(self._new_id(), wanted, asked.route, now)
            # Whatever comes of it, it is looked at again then.
            heapq.heappush(running.later, (now + 1.0, index))
            return
        if held.again is not None:
            heapq.heappush(running.later, (max(held.again, now + 1.0), index))
        elif held.reason != "attempts":
            running.passed[held.reason] += 1
        if running.hold(to.number, held.reason):
            self._do(Refused("", held, name))

    def _held(self, asked: Asked, now: float) -> Held | None:
        if self._standing is None:
            return Held("rules", f"nobody is called: {self._why}", now + 60.0)
        return held_back(asked, self._standing, self.ledger.past(asked.to.number), now)

    def _crowded(self, name: str, running: Running | None, now: float) -> Held | None:
        """Whether the node, or the campaign, has as many calls as it may."""
        for scope, limits in self._scopes(name, running):
            live = self.ledger.live_of(scope or None)
            if live >= limits.concurrency:
                words = f"{live} calls are going on, as many as may"
                return Held("concurrency", words, now + 1.0)
            if now < self._next_at.get(scope, 0.0):
                words = f"{limits.calls_a_second:g} calls a second are placed, and no more"
                return Held("rate", words, self._next_at[scope])
        return None

    def _scopes(self, name: str, running: Running | None) -> Iterable[tuple[str, Limits]]:
        if self._standing is not None:
            yield "", self._standing.schedule.limits
        if running is not None:
            yield name, running.asked.schedule.limits

    def _begin(self, id_: str, asked: Asked, route: str, now: float) -> None:
        running = self.campaigns.get(asked.campaign)
        ring = [limits.ring_seconds for _, limits in self._scopes(asked.campaign, running)]
        for scope, limits in self._scopes(asked.campaign, running):
            self._next_at[scope] = now + 1.0 / limits.calls_a_second
        attempt = Attempted(
            id_, asked.to.number, asked.from_number, route, asked.campaign, now, min(ring)
        )
        self._looks[id_] = (now + SILENT_SECONDS, 0)
        self._do(Keep(attempt), Place(attempt))

    # What becomes of it

    def _answered(self, event: Answer, now: float) -> None:
        attempt = self.ledger.attempts.get(event.id)
        if attempt is None or not attempt.is_live:
            return
        if event.call_id:
            self._turned_away = 0
            self._moved(Moved(event.id, PLACED, now, event.call_id))
        elif not event.code:
            self._looks[event.id] = (now + LOOK_AFTER[0], 0)
        elif attempt.status == ASKED:
            status = NOT_PLACED if event.again else REFUSED
            if event.again:
                wait = min(AGAIN_MOST, AGAIN_SECONDS * 2.0 ** min(self._turned_away, 10))
                self._turned_away += 1
                self._next_at[""] = max(self._next_at.get("", 0.0), now + wait)
            self._moved(Moved(event.id, status, now, code=event.code))

    def _told(self, event: Told, now: float) -> None:
        attempt = self.ledger.attempts.get(event.id)
        if attempt is None or (event.call_id and attempt.call_id not in ("", event.call_id)):
            return
        if event.by and not attempt.by:
            self._do(Keep(Met(event.id, event.by)))
        if not attempt.is_live:
            return
        if not event.status:
            # It may be slow to know; when it was asked so often, nothing will be found any more.
            if self._looks.get(event.id, (now, 0))[1] >= len(LOOK_AFTER):
                self._moved(Moved(event.id, LOST, now))
            return
        moved = Moved(event.id, event.status, now, event.call_id, event.code, event.seconds)
        self._moved(moved)

    def _moved(self, moved: Moved) -> None:
        attempt = self.ledger.attempts[moved.id]
        before, after = BACKWARDS.get(attempt.status), BACKWARDS.get(moved.status)
        now = moved.at
        if after is not None and before is not None and after <= before:
            if moved.call_id and not attempt.call_id:
                self._do(Keep(Moved(moved.id, attempt.status, now, moved.call_id)))
        else:
            self._do(Keep(moved))
        if not attempt.is_live:
            self._looks.pop(moved.id, None)
            self._do(Settled(moved.id, attempt.outcome, attempt.begun.campaign))
        elif attempt.status == ANSWERED:
            self._looks[moved.id] = (now + ANSWERED_SECONDS, 0)
        elif attempt.status == RINGING or moved.call_id:
            self._looks[moved.id] = (now + attempt.begun.ring_seconds + SILENT_SECONDS, 0)

    def _heard(self, event: Heard, _: float) -> None:
        attempt = self.ledger.attempts.get(event.id)
        if attempt is None:
            return
        if (attempt.by, attempt.message_left) != (event.by, event.message_left):
            self._do(Keep(Met(event.id, event.by, event.message_left)))

    def _look(self, now: float) -> None:
        """Look up what nobody tells of."""
        for id_ in self._after_crash:
            self._looks.setdefault(id_, (now + LOOK_AFTER[0], 0))
        self._after_crash.clear()
        for id_, (at, tries) in list(self._looks.items()):
            if at > now:
                continue
            attempt = self.ledger.attempts[id_]
            self._do(LookUp(attempt.begun, attempt.call_id))
            wait = LOOK_AFTER[min(tries + 1, len(LOOK_AFTER) - 1)]
            self._looks[id_] = (now + wait, tries + 1)


_ACTS: Final[dict[type[Any], Callable[[Dialler, Any, float], None]]] = {
    RulesRead: Dialler._rules_read,
    DialAsked: Dialler._dial,
    CampaignAsked: Dialler._campaign,
    StopAsked: Dialler._stop,
    Ticked: Dialler._tick,
    Answer: Dialler._answered,
    Told: Dialler._told,
    Heard: Dialler._heard,
}
