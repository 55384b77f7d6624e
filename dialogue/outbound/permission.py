"""Whether a number may be called now. One table of checks; the first that holds it back says why.

    held = held_back(asked, rules, past, now)     None: it may be called
    held.reason, held.words, held.again           for counts, for people, and whether later may do

`CHECKS` has them in order: what is never allowed stands before what may be allowed later, and
everything has to be allowed by the node's rules and by the campaign's. Hours, holidays and days are
those of whoever is called: where a number may be in several zones, every one has to allow it.

Contract: pure. `now` is unix time; `past` are the attempts at this number. Errors: none.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from aybiza.config.hours import Day, is_open
from aybiza.config.outbound import Limits
from aybiza.config.phone_numbers import Called, zone

MINUTE: Final = 60.0
SINGLE_DAYS: Final = 30
"""For so long a single call counts among those that a number may have."""


class Schedule(Protocol):
    """What the node's file and a campaign's have in common."""

    @property
    def hours(self) -> Mapping[Day, Sequence[str]]:
        """When people may be called."""

    @property
    def holidays(self) -> Sequence[date]:
        """When nobody is."""

    @property
    def limits(self) -> Limits:
        """How often."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the node's file says, with its lists."""

    own_numbers: Sequence[str]
    opt_in: frozenset[str] = field(repr=False)
    do_not_call: frozenset[str] = field(repr=False)
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that is to be placed: to whom, from which number, for which campaign ("": for none),
    whose own `schedule` holds besides."""

    to: Called
    from_number: str
    campaign: str = ""
    schedule: Schedule | None = None


class Past(NamedTuple):
    """An attempt at the number: when it began, for which campaign, and whether it goes on."""

    at: float
    campaign: str
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """Why not. `again`: unix time before which it need not be looked at again; None: never."""

    reason: str
    words: str
    again: float | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a check goes by."""

    asked: Asked
    standing: Standing
    past: Sequence[Past]
    now: float

    @property
    def schedules(self) -> Sequence[Schedule]:
        own = self.asked.schedule
        return (self.standing.schedule, *([own] if own is not None else []))

    @property
    def zones(self) -> Sequence[ZoneInfo]:
        return [found for name in self.asked.to.zones if (found := zone(name)) is not None]

    def there(self) -> list[datetime]:
        """What time it is where the number may be."""
        return [datetime.fromtimestamp(self.now, each) for each in self.zones]


def held_back(asked: Asked, standing: Standing, past: Sequence[Past], now: float) -> Held | None:
    """See the module."""
    case = _Case(asked, standing, past, now)
    return next((held for check in CHECKS.values() if (held := check(case)) is not None), None)


def _caller_id(case: _Case) -> Held | None:
    if case.asked.from_number in case.standing.own_numbers:
        return None
    return Held(
        "caller_id", f"{case.asked.from_number} is none of own_numbers: calls show who calls"
    )


def _itself(case: _Case) -> Held | None:
    if not _is_of(case.asked.to, case.standing.own_numbers):
        return None
    return Held("own_number", "it is one of own_numbers: the account does not call itself")


def _do_not_call(case: _Case) -> Held | None:
    if not _is_of(case.asked.to, case.standing.do_not_call):
        return None
    return Held("do_not_call", "it is on the list of those who are not to be called")


def _opt_in(case: _Case) -> Held | None:
    if case.asked.to.number in case.standing.opt_in:
        return None
    return Held("no_opt_in", "it is not on the list of those who have agreed to be called")


def _is_of(to: Called, numbers: Container[str]) -> bool:
    """Whether it stands there, however it is written."""
    return any(each in numbers for each in (to.number, *to.also))


def _zone(case: _Case) -> Held | None:
    names = case.asked.to.zones
    if names and len(case.zones) == len(names):
        return None
    return Held("no_zone", "nobody knows what time it is there")


def _attempts(case: _Case) -> Held | None:
    since = 0.0 if case.asked.campaign else case.now - SINGLE_DAYS * 24 * 60 * MINUTE
    tried = sum(one.campaign == case.asked.campaign and one.at > since for one in case.past)
    most = min(each.limits.attempts for each in case.schedules)
    if tried < most:
        return None
    if case.asked.campaign:
        return Held("attempts", f"{case.asked.campaign} may try it {_times(most)}, and has")
    words = f"single calls may try it {_times(most)} in {SINGLE_DAYS} days, and have"
    return Held("attempts", words)


def _live(case: _Case) -> Held | None:
    if not any(one.is_live for one in case.past):
        return None
    return Held("live", "it is being called already", case.now + MINUTE)


def _spacing(case: _Case) -> Held | None:
    minutes = max(each.limits.spacing_minutes for each in case.schedules)
    last = max((one.at for one in case.past), default=None)
    if last is None or case.now - last >= minutes * MINUTE:
        return None
    again = last + minutes * MINUTE
    return Held("too_soon", f"it was called less than {minutes} minutes ago", again)


def _attempts_a_day(case: _Case) -> Held | None:
    most = min(each.limits.attempts_a_day for each in case.schedules)
    for there in case.there():
        today = sum(_day(one.at, there) == there.date() for one in case.past)
        if today >= most:
            words = f"it may be called {_times(most)} a day, and was"
            return Held("attempts_a_day", words, _look_again(case.now))
    return None


def _holiday(case: _Case) -> Held | None:
    for there in case.there():
        if any(there.date() in each.holidays for each in case.schedules):
            words = f"it is {there.date().isoformat()} there, a holiday"
            return Held("holiday", words, _look_again(case.now))
    return None


def _hours(case: _Case) -> Held | None:
    for there in case.there():
        if not all(is_open(each.hours, there) for each in case.schedules):
            words = f"it is {there.strftime('%A')}, {there.strftime('%H:%M')} in {there.tzinfo}"
            return Held("hours", f"{words}: outside of the calling hours", _look_again(case.now))
    return None


def _day(at: float, there: datetime) -> date:
    return datetime.fromtimestamp(at, there.tzinfo).date()


def _look_again(now: float) -> float:
    """Hours and days begin at whole minutes."""
    return (now // MINUTE + 1) * MINUTE


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


CHECKS: Final[Mapping[str, Callable[[_Case], Held | None]]] = {
    "caller_id": _caller_id,
    "own_number": _itself,
    "do_not_call": _do_not_call,
    "no_opt_in": _opt_in,
    "no_zone": _zone,
    "attempts": _attempts,
    "live": _live,
    "too_soon": _spacing,
    "attempts_a_day": _attempts_a_day,
    "holiday": _holiday,
    "hours": _hours,
}
"""By the reason that each gives."""
