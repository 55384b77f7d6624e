"""The reconnect policy: bounded attempts, an end in every case, and no patience with open doors."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech.reconnect import (
    Begun,
    Closed,
    GiveUp,
    Limits,
    Opened,
    OpenIn,
    Reconnect,
    Refused,
    Replace,
    SpeakUp,
    Tick,
    TimedOut,
    Unwanted,
    Waiting,
    Wanted,
    Worked,
)

LIMITS = Limits(stall=3.0)
FAILURES = (Closed(), Refused(), TimedOut())


def policy(jitter: float = 0.0) -> Reconnect:
    made = Reconnect(LIMITS, lambda: jitter)
    assert made.handle(Begun(), 0.0) == [OpenIn(0.0)]
    return made


def wait(tried: Reconnect, failure: Any, now: float) -> float:
    """How long after the failure the next socket is opened."""
    [command] = tried.handle(failure, now)
    assert isinstance(command, OpenIn)
    return command.seconds


class World:
    """A network that does with each socket what it is told; the policy's orders are carried out."""

    def __init__(self, jitter: float = 0.0) -> None:
        self.now = 0.0
        self.policy = Reconnect(LIMITS, lambda: jitter)
        self.opening: float | None = None
        self.openings: list[float] = []
        self.told: list[float] = []
        self.given_up: float | None = None
        self.tell(Begun())

    def tell(self, event: Any) -> list[Any]:
        commands = self.policy.handle(event, self.now)
        for command in commands:
            match command:
                case OpenIn(seconds):
                    assert self.given_up is None
                    self.opening = self.now + seconds
                case Replace():
                    self.tell(Closed())
                case SpeakUp():
                    self.told.append(self.now)
                case GiveUp():
                    self.given_up, self.opening = self.now, None
        return commands

    def until(self, end: float, answer: Any = None) -> None:
        """Let time pass; each socket is answered with the event `answer`, 10 ms later."""
        while True:
            times = [t for t in (self.opening, self.policy.due) if t is not None and t <= end]
            if not times:
                self.now = end
                return
            self.now = max(self.now, min(times))
            if self.opening is not None and self.opening <= self.now:
                self.openings.append(self.now)
                self.opening = None
                if answer is not None:
                    self.now += 0.01
                    for event in answer if isinstance(answer, tuple) else (answer,):
                        self.tell(event)
            else:
                assert self.tell(Tick()), "a tick that is due does something"


def most_in(window: float, times: list[float]) -> int:
    return max((sum(at <= other < at + window for other in times) for at in times), default=0)


@pytest.mark.parametrize(
    "answer",
    [*FAILURES, (Opened(), Closed()), Opened(), None],
    ids=["closed", "refused", "timed out", "opened and closed", "opened and silent", "no answer"],
)
def test_where_no_socket_works_the_caller_is_told_within_five_seconds_and_let_go(
    answer: Any,
) -> None:
    world = World()
    world.tell(Wanted())
    world.until(60.0, answer)
    assert world.told[0] <= 5.0
    assert all(later - told <= 4.1 for told, later in pairwise(world.told))
    assert world.given_up is not None and world.given_up <= 15.0
    assert most_in(10.0, world.openings) <= 5
    assert all(at < world.given_up for at in world.openings)


def test_an_open_socket_does_not_make_up_for_failures_but_one_that_works_does() -> None:
    tried = policy()
    waits = []
    for now in (1.0, 2.0, 3.0):
        waits.append(wait(tried, Closed(), now))
        tried.handle(Opened(), now + 0.1)
    assert waits == sorted(set(waits)) and tried.failing
    tried.handle(Worked(), 4.0)
    assert not tried.failing
    assert tried.handle(Closed(), 30.0) == [OpenIn(0.0)]


def test_a_service_that_asks_to_be_left_alone_is_but_not_for_longer_than_a_caller_waits() -> None:
    assert wait(policy(), Refused(1.5), 0.1) == 1.5
    assert wait(policy(), Refused(60.0), 0.1) == LIMITS.most_asked < LIMITS.words
    late = policy()
    for now in (0.1, 0.2, 0.3):
        last = wait(late, Refused(1.0), now)
    assert last > 1.0
    turns = Reconnect(Limits(stall=2.0, most_asked=0.0), lambda: 0.0)
    turns.handle(Begun(), 0.0)
    assert wait(turns, Refused(60.0), 0.1) == 0.0


def test_the_waits_are_spread_at_random() -> None:
    waits = []
    for jitter in (0.0, 1.0):
        tried = policy(jitter)
        tried.handle(Refused(), 0.1)
        waits.append(wait(tried, Refused(), 0.2))
    assert waits == pytest.approx([waits[0], waits[0] * 1.5])


def test_a_socket_that_is_silent_when_it_should_not_be_is_replaced() -> None:
    tried = Reconnect(Limits(stall=2.5), lambda: 0.0)
    tried.handle(Begun(), 0.0)
    tried.handle(Opened(), 0.1)
    assert tried.due is None, "nothing is wanted"
    tried.handle(Wanted(), 10.0)
    assert tried.due == 12.5
    assert tried.handle(Tick(), 12.4) == []
    assert tried.handle(Tick(), 12.5) == [Replace()]
    assert tried.handle(Closed(), 12.5) == [OpenIn(0.0)]


def test_a_service_that_is_slow_each_time_is_waited_for_longer_until_it_is_in_time() -> None:
    tried = Reconnect(Limits(stall=2.0, stall_again=4.0, words=9.0), lambda: 0.0)
    for event, now in ((Begun(), 0.0), (Opened(), 0.0), (Wanted(), 1.0), (Tick(), 3.0)):
        replaced = tried.handle(event, now)
    assert replaced == [Replace()]
    tried.handle(Closed(), 3.0)
    tried.handle(Opened(), 3.0)
    assert tried.due == 7.0
    for came, patience in ((6.0, 4.0), (8.5, 4.0), (9.5, 2.0)):
        tried.handle(Worked(), came)
        # The pieces behind the first one come quickly, or there is a pause in their midst.
        tried.handle(Wanted(), came)
        assert tried.due == came + 4.0, came
        tried.handle(Worked(), came + 0.01)
        tried.handle(Unwanted(), came)
        # What is wanted and then is not, says nothing of how slow it would have been.
        tried.handle(Wanted(), came)
        tried.handle(Unwanted(), came)
        tried.handle(Wanted(), came)
        assert tried.due == came + patience, came


def test_a_service_that_was_in_time_is_slow_when_two_sockets_in_a_row_were() -> None:
    tried = Reconnect(Limits(stall=2.0, stall_again=4.0, words=9.0), lambda: 0.0)
    for event, now in ((Begun(), 0.0), (Opened(), 0.0), (Wanted(), 1.0), (Worked(), 1.2)):
        tried.handle(event, now)
    tried.handle(Unwanted(), 1.2)
    tried.handle(Wanted(), 2.0)
    for at, due in ((4.0, 6.0), (6.0, 10.0)):
        assert tried.handle(Tick(), at) == [Replace()]
        tried.handle(Closed(), at)
        tried.handle(Opened(), at)
        assert tried.due == due


def test_a_service_that_begins_in_time_and_then_pauses_is_waited_for_each_time() -> None:
    tried = Reconnect(Limits(stall=2.0, stall_again=4.5, words=9.0), lambda: 0.0)
    for event, now in ((Begun(), 0.0), (Opened(), 0.0), (Wanted(), 1.0), (Worked(), 1.1)):
        tried.handle(event, now)
    tried.handle(Wanted(), 1.1)
    assert tried.handle(Tick(), 3.1) == [Replace()]
    tried.handle(Closed(), 3.1)
    tried.handle(Opened(), 3.2)
    for began in (3.3, 10.0):
        tried.handle(Wanted(), began)
        tried.handle(Worked(), began)
        tried.handle(Wanted(), began)
        assert tried.due == began + 4.5
        tried.handle(Worked(), began + 4.0)
        tried.handle(Unwanted(), began + 4.0)


def test_what_is_not_wanted_any_more_is_not_waited_for() -> None:
    tried = policy()
    tried.handle(Wanted(), 0.0)
    tried.handle(Refused(), 1.0)
    tried.handle(Unwanted(), 2.0)
    assert tried.due is None
    assert tried.handle(Tick(), 100.0) == []
    tried.handle(Wanted(), 100.0)
    assert tried.due == 100.0 + LIMITS.words


def test_a_socket_that_nobody_needs_is_had_again_and_never_given_up() -> None:
    world = World()
    world.until(120.0, Refused())
    assert world.given_up is None and world.told == []
    assert most_in(10.0, world.openings) <= 5
    assert world.openings[-1] > 100.0


def test_a_socket_that_works_between_its_failures_is_never_given_up() -> None:
    world = World()
    for _ in range(100):
        world.tell(Wanted())
        world.until(world.now + 1.0, (Opened(), Worked(), Closed()))
    assert world.given_up is None and len(world.openings) > 40
    assert most_in(10.0, world.openings) <= 5


EVENTS = st.sampled_from(
    [Begun(), Wanted(), Unwanted(), Opened(), Worked(), Closed(), Refused(), TimedOut(), Tick()]
)


@given(st.lists(st.tuples(EVENTS, st.floats(0.0, 8.0)), max_size=80), st.floats(0.0, 1.0))
def test_in_any_order_of_events_attempts_are_bounded_and_there_is_an_end(
    events: list[tuple[Any, float]], jitter: float
) -> None:
    world = World(jitter)
    for event, later in events:
        world.tell(event)
        world.until(world.now + later)
    assert most_in(10.0, world.openings) <= 5
    world.tell(Wanted())
    before = world.now
    world.until(before + LIMITS.end + 60.0)
    # Whatever came before: what is wanted and does not come from now on, ends.
    assert world.given_up is not None and world.given_up <= before + LIMITS.end
    for event in (*FAILURES, Opened(), Wanted(), Tick(), Begun()):
        assert world.policy.handle(event, world.now) == []


def test_who_has_another_service_turns_to_it_sooner_and_is_patient_with_that() -> None:
    made = Reconnect(Limits(stall=2.0, first_stall=1.5), lambda: 0.0)
    for event, now in ((Begun(), 0.0), (Opened(), 0.1), (Wanted(), 1.0)):
        made.handle(event, now)
    assert made.due == 2.5 and made.handle(Tick(), 2.4) == []
    assert made.handle(Tick(), 2.5) == [Replace()]
    assert made.handle(Closed(), 2.5) == [OpenIn(0.0)]
    made.handle(Opened(), 2.6)
    assert made.due == 4.0, "the caller is to be told something"
    assert made.handle(Tick(), 4.0) == [SpeakUp()] and made.due == 4.6
    assert made.handle(Tick(), 4.6) == [Replace()]


def test_sockets_that_a_call_had_before_count() -> None:
    openings = deque([95.0, 96.0, 97.0, 98.0, 99.0], maxlen=LIMITS.sockets)
    made = Reconnect(LIMITS, lambda: 0.0, openings)
    assert made.handle(Begun(), 100.0) == [OpenIn(95.0 + LIMITS.window - 100.0)]
    assert list(openings)[-1] == 95.0 + LIMITS.window


def test_what_a_caller_waits_for_is_not_waited_for_anew_by_the_next_owner() -> None:
    waiting = Waiting()
    first = Reconnect(LIMITS, lambda: 0.0, None, waiting)
    first.handle(Begun(), 0.0)
    first.handle(Opened(), 0.1)
    first.handle(Wanted(), 1.0)
    assert first.handle(Closed(), 4.5) == [SpeakUp(), OpenIn(0.0)]

    second = Reconnect(LIMITS, lambda: 0.0, None, waiting)
    second.handle(Begun(), 6.0)
    second.handle(Opened(), 6.1)
    assert second.wanted_since == 1.0 and second.handle(Wanted(), 6.2) == []
    assert second.due == 8.5
    assert second.handle(Tick(), 8.5) == [SpeakUp()], "though nothing has failed on its socket"

    third = Reconnect(LIMITS, lambda: 0.0, None, waiting)
    third.handle(Begun(), 13.9)
    assert third.handle(Tick(), 14.0) == [GiveUp()]

    second.handle(Worked(), 14.0)
    assert waiting == Waiting() and second.due is None
