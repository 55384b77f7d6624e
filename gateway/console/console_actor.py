"""`ConsoleActor`: makes the console's picture while somebody looks, and notes how it goes always.

The node's `Hub` stands in the VM and outlives the actor. Casts: `"look"`: somebody
has come to look. While somebody does the actor ticks every `TICK_SECONDS`, without it every
`POINT_SECONDS` puts down a point for the plots, and does nothing else.

Errors: none. A tick that fails is logged and ends the viewers, which come again.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import structlog

from aybiza.actors.runtime import VM, FunctionClause, GenServer, is_orderly
from aybiza.gateway.console.actions import Console
from aybiza.gateway.console.happenings import through, why
from aybiza.gateway.console.hub import POINT_SECONDS, TABLE, Hub, hub

TICK_SECONDS: Final = 0.2
NAME: Final = "console"

log = structlog.get_logger(__name__)


class ConsoleActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, console: Console) -> None:
        held = hub(self.vm)
        if held is None:
            members = partial(_members, self.vm, console)
            about = {"start": self.pid.start, "faults": console.faults}
            held = self.vm.tables[TABLE] = Hub(self.vm, members, about)
        self._hub = held
        held.heard.attach(self.vm)
        self._ticking = False
        self.send_interval("point", POINT_SECONDS)
        self._look()

    async def handle_cast(self, request: Any) -> None:
        if request != "look":
            raise FunctionClause(self, request)
        self._look()

    async def handle_info(self, message: Any) -> None:
        match message:
            case "tick":
                self._ticking = False
                began = self.vm.now()
                await self._tick()
                self._look(self.vm.now() - began)
            case "point":
                self._hub.point()

    async def _tick(self) -> None:
        try:
            await self._hub.tick()
        except Exception as failure:
            # Who only looks must not take the doors down: they come again by themselves.
            log.error("console_failed", why=why(failure), through=through(failure))
            self._hub.close()

    async def terminate(self, reason: Any) -> None:
        if is_orderly(reason):
            self._hub.close()

    def get_state(self) -> Any:
        """For people: how many look."""
        return {"viewers": len(self._hub.viewers)}

    def _look(self, took: float | None = None) -> None:
        """Tick, at once for who has come, and on while somebody looks."""
        if self._hub.viewers and not self._ticking:
            self._ticking = True
            self.send_after("tick", 0.0 if took is None else max(0.0, TICK_SECONDS - took))


async def _members(vm: VM, console: Console) -> list[dict[str, Any]]:
    answer = await console.control(vm, {"op": "members"})
    found: list[dict[str, Any]] = answer["members"]
    return found
