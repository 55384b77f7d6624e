"""`StateMachine`: what a state machine does next, as Erlang's `gen_statem` decides it. Pure.

It is handed events and yields commands; who carries them out sends back what the callbacks return:

    steps = machine.handle(Event("cast", "flip"))
    command = next(steps)           # Invoke(Event("cast", "flip"), state, data)
    command = steps.send(result)    # Answer, StartTimer, CancelTimer; Invoke for an enter call
    event = machine.next_event()    # what has to be handled before the next message

The order of things in a transition: actions one by one, where replies go out at once; the enter
call, if the state changes or is repeated; then the event is postponed, the event time-out is
cancelled, with a change of state the state time-out is cancelled too and what was postponed comes
back, time-outs are started, and the inserted events go to the front.

What ends the machine is raised as `Stop`; `state` and `data` are then those that `terminate` gets.
A result or an action without a meaning is such an end, with the reasons that `gen_statem` gives.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from aybiza.actors.runtime.errors import UNSET, Stop
from aybiza.actors.runtime.messages import From
from aybiza.actors.runtime.reasons import NORMAL, Reason

EventType: TypeAlias = Any
"""`"cast"`, `"info"`, `"internal"`, `"enter"`, `"state_timeout"`, `"timeout"`, `("call", from_)` or
`("timeout", name)`."""

Time: TypeAlias = float | Literal["infinity", "update", "cancel"]

_TYPES: Final = ("cast", "info", "internal", "state_timeout", "timeout")
_WORDS: Final = ("infinity", "update", "cancel")


class Event(NamedTuple):
    """What a machine is to handle. The content of an enter call is the state before."""

    type: EventType
    content: Any


# What callbacks return


@dataclass(frozen=True, slots=True)
class Begin:
    """From `init`: begin in `state` with `data`, and do `actions`."""

    state: Any
    data: Any = None
    actions: Any = ()


@dataclass(frozen=True, slots=True)
class NextState:
    """Go to `state`, which may be the present one; left out, the data stay."""

    state: Any
    data: Any = UNSET
    actions: Any = ()


@dataclass(frozen=True, slots=True)
class KeepState:
    """Stay in this state; with nothing else to say, return None."""

    data: Any = UNSET
    actions: Any = ()


@dataclass(frozen=True, slots=True)
class RepeatState:
    """Stay in this state, and make its enter call again."""

    data: Any = UNSET
    actions: Any = ()


@dataclass(frozen=True, slots=True)
class StopMachine:
    """End with `reason`, after `replies` (`ReplyTo`) were sent."""

    reason: Reason = NORMAL
    data: Any = UNSET
    replies: Any = ()


# Actions


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Answer a call; `from_` came with its event, `("call", from_)`."""

    from_: From
    value: Any


@dataclass(frozen=True, slots=True)
class Postpone:
    """Handle this event again after the next change of state; with False, not after all."""

    on: bool = True


@dataclass(frozen=True, slots=True)
class NextEvent:
    """Handle this event next, before what waits in the mailbox."""

    type: EventType
    content: Any


@dataclass(frozen=True, slots=True)
class StateTimeout:
    """An event `"state_timeout"` in `seconds`, unless the state changes before.

    A time of 0 comes before the next message. `"cancel"` and `"infinity"` take it back, `"update"`
    gives the one that runs another content; if none does, it comes at once.
    """

    seconds: Time
    content: Any = None


@dataclass(frozen=True, slots=True)
class EventTimeout:
    """An event `"timeout"` in `seconds`, unless there is another event before; else as above."""

    seconds: Time
    content: Any = None


@dataclass(frozen=True, slots=True)
class NamedTimeout:
    """An event `("timeout", name)` in `seconds`, whatever comes before; else as above."""

    name: Hashable
    seconds: Time
    content: Any = None


class Hibernate:
    """Erlang's `hibernate`. It changes nothing here: an idle process holds no heap of its own."""

    def __repr__(self) -> str:
        return "HIBERNATE"


HIBERNATE: Final = Hibernate()


# Commands


class Invoke(NamedTuple):
    """Call the callback for `event` in `state` with `data`, and send its result back."""

    event: Event
    state: Any
    data: Any


class Answer(NamedTuple):
    """Give `value` to a caller."""

    from_: From
    value: Any


class StartTimer(NamedTuple):
    """Hand `key` and `number` to `StateMachine.expired` in `seconds`."""

    key: EventType
    number: int
    seconds: float


class CancelTimer(NamedTuple):
    """The timer of `key` is not wanted any more; if it has expired, what it said is void."""

    key: EventType


Command: TypeAlias = Invoke | Answer | StartTimer | CancelTimer
Steps: TypeAlias = Generator[Command, Any, None]


@dataclass(slots=True)
class _Transition:
    """What the results of a callback and of the enter calls behind it amount to."""

    state: Any
    data: Any
    postpone: bool = False
    inserted: list[Event] = field(default_factory=list)
    timeouts: dict[EventType, tuple[Time, Any]] = field(default_factory=dict)


class StateMachine:
    """See the module. `state` and `data` are those from before the transition under way."""

    def __init__(self, state: Any, data: Any = None, *, enter_calls: bool = False) -> None:
        self.state = state
        self.data = data
        self._enter_calls = enter_calls
        self._queue: deque[Event] = deque()
        self._postponed: list[Event] = []
        # Contents by key, the numbers of running timers, and in their order those that are due.
        self._timeouts: dict[EventType, Any] = {}
        self._running: dict[EventType, int] = {}
        self._due: dict[EventType, None] = {}
        self._number = 0

    @property
    def postponed(self) -> tuple[Event, ...]:
        """The events that wait for a change of state, oldest first."""
        return tuple(self._postponed)

    def begin(self, actions: Any = ()) -> Steps:
        """What comes before the first event: the actions of `init`, and the first enter call."""
        transition = _Transition(self.state, self.data)
        yield from self._act(transition, actions, entering=False)
        # There is no event yet that could be postponed.
        transition.postpone = False
        yield from self._enter(transition, self._enter_calls)
        yield from self._finish(transition, None)

    def handle(self, event: Event) -> Steps:
        """Handle `event`: its callback, and all that follows from the result."""
        transition = _Transition(self.state, self.data)
        result = yield Invoke(event, self.state, self.data)
        enter = yield from self._take(transition, result, entering=False)
        yield from self._enter(transition, enter and self._enter_calls)
        yield from self._finish(transition, event)

    def next_event(self) -> Event | None:
        """The event that comes before any message, None when there is none."""
        if self._queue:
            return self._queue.popleft()
        for key in self._due:
            del self._due[key]
            return Event(key, self._timeouts.pop(key))
        return None

    def expired(self, key: EventType, number: int) -> Event | None:
        """The event of a timer that is over; None if it was cancelled or replaced meanwhile."""
        if self._running.get(key) != number:
            return None
        del self._running[key]
        return Event(key, self._timeouts.pop(key))

    def replace(self, state: Any, data: Any) -> None:
        """Put the machine into another state, without a transition: for `sys.replace_state`."""
        self.state, self.data = state, data

    # A transition

    def _enter(self, transition: _Transition, enter: bool) -> Steps:
        while enter:
            event = Event("enter", self.state)
            result = yield Invoke(event, transition.state, transition.data)
            enter = yield from self._take(transition, result, entering=True)

    def _take(
        self, transition: _Transition, result: Any, *, entering: bool
    ) -> Generator[Command, Any, bool]:
        """Understand what a callback returned, and say whether an enter call follows."""
        if result is None:
            return False
        kind = type(result)
        if kind is StopMachine:
            yield from self._stop(transition, result)
        if kind not in (NextState, KeepState, RepeatState):
            self._end(transition, "bad_return_from_state_function", result)
        changes = kind is NextState and result.state != transition.state
        if changes and entering:
            self._end(transition, "bad_state_enter_return_from_state_function", result)
        if kind is NextState:
            transition.state = result.state
        if result.data is not UNSET:
            transition.data = result.data
        yield from self._act(transition, result.actions, entering=entering)
        return changes or kind is RepeatState

    def _act(self, transition: _Transition, actions: Any, *, entering: bool) -> Steps:
        for action in _listed(actions):
            kind = type(action)
            if kind is ReplyTo and isinstance(action.from_, From):
                yield Answer(action.from_, action.value)
            elif kind is Postpone:
                if action.on and entering:
                    self._end(transition, "bad_state_enter_action_from_state_function", action)
                transition.postpone = bool(action.on)
            elif kind is NextEvent:
                if entering:
                    self._end(transition, "bad_state_enter_action_from_state_function", action)
                if not _is_type(action.type):
                    self._end(transition, "bad_action_from_state_function", action)
                transition.inserted.append(Event(action.type, action.content))
            elif kind in _KEYS and _is_time(action.seconds):
                key = _KEYS[kind](action)
                # The last one counts, and has its place in the order.
                transition.timeouts.pop(key, None)
                transition.timeouts[key] = (action.seconds, action.content)
            elif kind is not Hibernate:
                self._end(transition, "bad_action_from_state_function", action)

    def _finish(self, transition: _Transition, event: Event | None) -> Steps:
        if transition.postpone and event is not None:
            self._postponed.append(event)
        yield from self._cancel("timeout")
        if transition.state != self.state:
            yield from self._cancel("state_timeout")
            self._queue.extendleft(reversed(self._postponed))
            self._postponed.clear()
        self.state, self.data = transition.state, transition.data
        for key, (seconds, content) in transition.timeouts.items():
            yield from self._set(key, seconds, content)
        self._queue.extendleft(reversed(transition.inserted))

    def _set(self, key: EventType, seconds: Time, content: Any) -> Steps:
        if seconds == "update" and key in self._timeouts:
            self._timeouts[key] = content
            return
        yield from self._cancel(key)
        if seconds in ("cancel", "infinity"):
            return
        self._timeouts[key] = content
        if isinstance(seconds, str) or seconds == 0:
            self._due[key] = None
        else:
            self._number += 1
            self._running[key] = self._number
            yield StartTimer(key, self._number, seconds)

    def _cancel(self, key: EventType) -> Steps:
        self._timeouts.pop(key, None)
        self._due.pop(key, None)
        if self._running.pop(key, None) is not None:
            yield CancelTimer(key)

    def _stop(self, transition: _Transition, result: StopMachine) -> Steps:
        if result.data is not UNSET:
            transition.data = result.data
        for reply in _listed(result.replies):
            if type(reply) is not ReplyTo or not isinstance(reply.from_, From):
                self._end(transition, "bad_reply_action_from_state_function", reply)
            yield Answer(reply.from_, reply.value)
        self.state, self.data = transition.state, transition.data
        raise Stop(result.reason)

    def _end(self, transition: _Transition, why: str, what: Any) -> None:
        self.state, self.data = transition.state, transition.data
        raise Stop((why, what))


_KEYS: Final[dict[type, Any]] = {
    StateTimeout: lambda action: "state_timeout",
    EventTimeout: lambda action: "timeout",
    NamedTimeout: lambda action: ("timeout", action.name),
}


def _listed(actions: Any) -> Iterable[Any]:
    """`actions`, where one alone may stand for itself."""
    return actions if isinstance(actions, list | tuple) else (actions,)


def _is_type(type_: Any) -> bool:
    match type_:
        case ("call", From()) | ("timeout", _):
            return True
    return isinstance(type_, str) and type_ in _TYPES


def _is_time(seconds: Any) -> bool:
    if isinstance(seconds, str):
        return seconds in _WORDS
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return False
    return 0 <= seconds < math.inf
