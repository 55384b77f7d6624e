"""Work beside calls that nobody waits for: a few tasks at a time, and a bounded queue behind them.

    backlog = Backlog(vm, work, at_once=2, most=100)     of a server that traps exits
    backlog.put(key, item)                  have `work(vm, item)` done; False: too many wait
    backlog.ended(exit)                     in handle_info: what it was about, and the next begins

What waits or is being done under a key is not put again. A task is linked to the server that has
begun it: they end together, and what waits is then lost.

Errors: none; how a task has ended is told by `ended`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Final, Generic, NamedTuple, TypeVar

from aybiza.actors.runtime import NORMAL, VM, Exit, Pid, Task

AT_ONCE: Final = 2
MOST_WAITING: Final = 100

W = TypeVar("W")


class Over(NamedTuple, Generic[W]):
    """A piece of work has ended; `why` it failed, None: it did not."""

    item: W
    why: str | None


class Backlog(Generic[W]):
    """See the module."""

    def __init__(
        self,
        vm: VM,
        work: Callable[[VM, W], Coroutine[Any, Any, None]],
        *,
        at_once: int = AT_ONCE,
        most: int = MOST_WAITING,
    ) -> None:
        self._vm = vm
        self._work = work
        self._at_once = at_once
        self._most = most
        self._waiting: OrderedDict[Hashable, W] = OrderedDict()
        self._doing: dict[Pid, tuple[Hashable, W]] = {}

    @property
    def state(self) -> dict[str, Any]:
        """For people: how many are done, and how many wait."""
        return {"doing": len(self._doing), "waiting": len(self._waiting)}

    def put(self, key: Hashable, item: W) -> bool:
        """See the module."""
        if key in self._waiting or any(key == doing for doing, _ in self._doing.values()):
            return True
        if len(self._waiting) >= self._most:
            return False
        self._waiting[key] = item
        self._begin()
        return True

    def ended(self, end: Exit) -> Over[W] | None:
        """See the module; None for a process that is none of its tasks."""
        done = self._doing.pop(end.pid, None) if isinstance(end.pid, Pid) else None
        if done is None:
            return None
        self._begin()
        return Over(done[1], None if end.reason == NORMAL else str(end.reason))

    def _begin(self) -> None:
        while self._waiting and len(self._doing) < self._at_once:
            key, item = self._waiting.popitem(last=False)
            self._doing[Task.start(self._vm, self._work, self._vm, item).pid] = key, item
