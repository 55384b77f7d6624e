"""`SwitchboardActor`: takes up changes of the agents' files and the routes' without a restart.

    child(SwitchboardActor, switchboard, load, ready, name=names.SWITCHBOARD)

Every `LOOK_SECONDS` a thread looks at the times and sizes of the files; where one has changed, and
has stood still since the look before, `load()` reads them all: half a file may be one that can be
used, without the keys that were to come. Calls that come from then on are answered by what it
gives, once `ready(table)` has made what its agents need. Nobody waits for it. Files that cannot be
used leave what was in force, with one line in the log (`agents_refused`) that has the first of
their problems, and one count of `aybiza_agent_files_total{outcome="refused"}`, until they change
again.

Errors: none reach a call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.runtime import NORMAL, Exit, GenServer, Pid, Task
from aybiza.actors.switchboard import Switchboard, Table
from aybiza.config.routes import Routes, RoutesError, stamps

LOOK_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


async def _nothing(_: Table) -> None:
    """All that agents need is there."""


class SwitchboardActor(GenServer):
    """See the module. `load` blocks, and raises RoutesError; `ready` raises nothing."""

    traps_exits = True

    async def init(
        self,
        switchboard: Switchboard,
        load: Callable[[], Routes],
        ready: Callable[[Table], Awaitable[None]] = _nothing,
    ) -> None:
        self._ready = ready
        self._switchboard = switchboard
        self._load = load
        self._files = switchboard.routes.files
        self._seen = self._files
        self._looking: Pid | None = None
        self._look()

    async def handle_info(self, message: Any) -> None:
        match message:
            case "look":
                self._look()
            case Exit(pid, reason) if pid == self._looking:
                self._looking = None
                if reason != NORMAL:
                    log.error("agents_not_looked_at", reason=str(reason))
                self.send_after("look", LOOK_SECONDS)

    def _look(self) -> None:
        self._looking = Task.start(self.vm, self._take_up).pid

    async def _take_up(self) -> None:
        """Take up what has changed since the last time."""
        found = await self.vm.run_blocking(stamps, self._files)
        if found == self._files:
            return
        if found != self._seen:
            # Somebody may be in the midst of writing.
            self._seen = found
            return
        # Whatever comes of it: what nobody foresaw is told once, and not at each look.
        self._files = found
        try:
            table = await self.vm.run_blocking(self._made)
        except RoutesError as error:
            self._files = error.files
            log.error("agents_refused", problems=len(error.problems), first=error.problems[0])
            emit(self.vm, events.AGENT_FILES, outcome="refused")
            return
        self._files = table.routes.files
        await self._ready(table)
        self._switchboard.put(table)
        log.info("agents_taken_up", agents=len(table.answering))
        emit(self.vm, events.AGENT_FILES, outcome="taken")
        self.vm.cast(names.PHRASES, "fill")

    def _made(self) -> Table:
        routes = self._load()
        try:
            return self._switchboard.made(routes)
        except ValueError as error:
            raise RoutesError([str(error)], routes.files) from None
