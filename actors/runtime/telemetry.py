"""Events with measurements and metadata, as Elixir's `:telemetry`.

    def slow(event, measurements, metadata, config):
        if measurements["seconds"] > config:
            print(metadata["call_id"], measurements["seconds"])

    vm.telemetry.attach("slow answers", ("aybiza", "turn", "answered"), slow, 1.5)
    vm.telemetry.execute(("my", "thing", "done"), {"seconds": 0.2}, {"which": "first"})

    with vm.telemetry.span(("my", "work"), {"which": "second"}):   ("my", "work", "start") and then
        …                                            "stop" or, if it raises, "exception"

Handlers run at once, in the order in which they were attached, on the loop of the sender: they must
be quick, and hand over to a process what is not. One that raises is detached, for all its events,
and reported; the sender never notices. They get read-only views of what the sender gave.
Handlers are no coroutines. At most `MAX_HANDLERS` can be attached; events that handlers execute may
lead to others, `MAX_DEPTH` deep. What nobody listens to costs
one look into a dict: a sender in a hot place asks `heard` first.

Errors: `ValueError` for an id that is attached already, for what is no event, and where there are
too many handlers; `TypeError` for a handler that cannot be called, or is a coroutine function.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from aybiza.actors.runtime.errors import PROGRAM_ENDS

MAX_HANDLERS = 1000
MAX_DEPTH = 20

Event: TypeAlias = tuple[str, ...]
Measurements: TypeAlias = Mapping[str, Any]
Metadata: TypeAlias = Mapping[str, Any]
Function: TypeAlias = Callable[[Event, Measurements, Metadata, Any], Any]

FAILURE: Final[Event] = ("telemetry", "handler", "failure")
"""Executed when a handler was detached because it raised; its metadata are `event`, `handler_id`,
`config` and `error`."""

# What the runtime executes; `aybiza.actors.measures.events` says what these tell.
PROCESS_START: Final[Event] = ("aybiza", "process", "start")
PROCESS_STOP: Final[Event] = ("aybiza", "process", "stop")
PROCESS_CRASH: Final[Event] = ("aybiza", "process", "crash")
SUPERVISOR_RESTART: Final[Event] = ("aybiza", "supervisor", "restart")
MAILBOX_ALARM: Final[Event] = ("aybiza", "mailbox", "alarm")
LOOP_BLOCKED: Final[Event] = ("aybiza", "loop", "blocked")
REMOTE_QUEUE_FULL: Final[Event] = ("aybiza", "remote", "queue_full")

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Handler(NamedTuple):
    """What `list_handlers` tells."""

    id: Hashable
    event: Event
    function: Function
    config: Any


class Telemetry:
    """The handlers of a VM; see the module. `failed` is told of each handler that raised."""

    def __init__(self, failed: Callable[[Handler, BaseException], None]) -> None:
        self._failed = failed
        self._heard: dict[Event, list[Handler]] = {}
        self._ids: dict[Hashable, Sequence[Event]] = {}
        self._depth = 0

    def attach(self, id: Hashable, event: Event, function: Function, config: Any = None) -> None:
        """Call `function(event, measurements, metadata, config)` at each `event`."""
        self.attach_many(id, [event], function, config)

    def attach_many(
        self, id: Hashable, events: Sequence[Event], function: Function, config: Any = None
    ) -> None:
        """`attach` for several events; `detach` ends it for all of them."""
        if not callable(function):
            raise TypeError(f"a handler is a function, not {function!r}")
        called = getattr(function, "__call__", None)  # noqa: B004 - of an object that is called
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):
            raise TypeError(f"a handler is no coroutine function: {function!r}; send to a process")
        for event in events:
            _check(event)
        if id in self._ids:
            raise ValueError(f"a handler is attached as {id!r} already")
        if len(self._ids) >= MAX_HANDLERS:
            raise ValueError(f"{MAX_HANDLERS} handlers are attached; {id!r} would be one too many")
        self._ids[id] = tuple(dict.fromkeys(events))
        for event in self._ids[id]:
            self.heard(event).append(Handler(id, event, function, config))

    def detach(self, id: Hashable) -> bool:
        """Undo `attach` or `attach_many`; whether there was one."""
        events = self._ids.pop(id, None)
        for event in events or ():
            handlers = self._heard[event]
            handlers[:] = [handler for handler in handlers if handler.id != id]
        return events is not None

    def list_handlers(self, prefix: Event = ()) -> list[Handler]:
        """The handlers of all events that begin with `prefix`."""
        return [
            handler
            for event, handlers in self._heard.items()
            if event[: len(prefix)] == prefix
            for handler in handlers
        ]

    def heard(self, event: Event) -> list[Handler]:
        """The handlers of `event`: a list that stays the same object, empty while nobody listens.

        A sender in a hot place keeps it, and calls `execute` only if there is something in it.
        """
        return self._heard.setdefault(event, [])

    def execute(
        self,
        event: Event,
        measurements: Measurements = _NOTHING,
        metadata: Metadata = _NOTHING,
    ) -> None:
        """Tell the handlers of `event`. Never raises what a handler raises."""
        handlers = self._heard.get(event)
        if not handlers:
            return
        measured, described = MappingProxyType(measurements), MappingProxyType(metadata)
        self._depth += 1
        try:
            for handler in tuple(handlers):
                try:
                    if self._depth > MAX_DEPTH:
                        raise RecursionError(f"{event} was executed by its own handlers")
                    handler.function(event, measured, described, handler.config)
                except PROGRAM_ENDS:
                    raise
                except BaseException as error:
                    self._give_up(handler, error)
        finally:
            self._depth -= 1

    @contextmanager
    def span(self, prefix: Event, metadata: Metadata = _NOTHING) -> Iterator[dict[str, Any]]:
        """Execute `(*prefix, "start")`, and at the end of the block `(*prefix, "stop")` or, if it
        raises, `(*prefix, "exception")`, whose metadata has the `error`; that goes on.

        What is put into the dict that it gives is metadata of the end. Measurements are
        `monotonic` (s) and, at the end, `seconds`, how long it took.
        """
        began = time.monotonic()
        ends = dict(metadata)
        self.execute((*prefix, "start"), {"monotonic": began}, metadata)
        try:
            yield ends
        except BaseException as error:
            self._end(prefix, "exception", began, {**ends, "error": error})
            raise
        self._end(prefix, "stop", began, ends)

    def _end(self, prefix: Event, how: str, began: float, metadata: Metadata) -> None:
        now = time.monotonic()
        self.execute((*prefix, how), {"monotonic": now, "seconds": now - began}, metadata)

    def _give_up(self, handler: Handler, error: BaseException) -> None:
        self.detach(handler.id)
        self._failed(handler, error)
        told = {
            "event": handler.event,
            "handler_id": handler.id,
            "config": handler.config,
            "error": error,
        }
        self.execute(FAILURE, {"monotonic": time.monotonic()}, told)


def _check(event: Any) -> None:
    if type(event) is not tuple or not event or not all(isinstance(part, str) for part in event):
        raise ValueError(f'an event is a tuple of names, ("my", "thing", "done"), not {event!r}')
