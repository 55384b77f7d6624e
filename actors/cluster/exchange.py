"""`Exchange`: the one loop of a node's cluster. Events in, effects out, nothing nested.

Whatever happens (a message has come in, time has passed, something waits to be sent) is put in as
an event. The loop takes one after another; what an event leads to is carried out, effect by
effect, before the next event is looked at. Nothing that is carried out calls back into the loop:
it can only put in further events and effects. So whoever changes the cluster's tables finds them
whole.

What fails, fails by itself: `blame` is told of the event or effect that raised, and the next one
is taken. The loop gives the event loop back after `SLICE` units of work.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from aybiza.actors.runtime.errors import PROGRAM_ENDS

SLICE = 250
"""Units of work in one turn of the event loop: some microseconds each."""


class Exchange:
    """See the module. `take` makes effects of an event, `perform` carries one out and returns the
    units of work that it was."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        take: Callable[[Any], Iterable[Any]],
        perform: Callable[[Any], int],
        blame: Callable[[Any, BaseException], None],
    ) -> None:
        self._loop = loop
        self._take = take
        self._perform = perform
        self._blame = blame
        self._events: deque[Any] = deque()
        self._effects: deque[Any] = deque()
        self._woken = False
        self._running = False
        self._closed = False

    @property
    def waiting(self) -> int:
        """Events and effects that wait for their turn."""
        return len(self._events) + len(self._effects)

    def event(self, event: Any) -> None:
        """Something has happened."""
        if not self._closed:
            self._events.append(event)
            self._wake()

    def effects(self, effects: Iterable[Any]) -> None:
        """Something is to be done before the next event is taken."""
        self._effects.extend(effects)
        if not self._closed:
            self._wake()

    def finish(self) -> None:
        """Carry out what is still to be done, and take no more events."""
        self._closed = True
        self._events.clear()
        if not self._running:
            self._carry_out()

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._woken = False
        self._running = True
        try:
            worked = self._carry_out()
            while self._events:
                if worked >= SLICE:
                    return
                event = self._events.popleft()
                try:
                    self._effects.extend(self._take(event))
                except PROGRAM_ENDS:
                    raise
                except BaseException as error:
                    self._blame(event, error)
                worked += 1 + self._carry_out()
        finally:
            self._running = False
            if self._events:
                self._wake()

    def _carry_out(self) -> int:
        worked = 0
        while self._effects:
            effect = self._effects.popleft()
            try:
                worked += self._perform(effect)
            except PROGRAM_ENDS:
                raise
            except BaseException as error:
                self._blame(effect, error)
        return worked
