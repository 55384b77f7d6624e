"""Runs the cases of links, monitors, exit signals, names and the exits of calls."""

from __future__ import annotations

from typing import Any

from aybiza.actors.runtime import NORMAL
from tests.conformance import puppet
from tests.conformance.actor_world import CALL_MS, World, runner, seconds
from tests.conformance.gen_servers import Scripted
from tests.conformance.kit import Runner


class Processes(World):
    """Actors and scripted servers."""

    async def do_server(
        self,
        name: str,
        server: Any,
        who: str | None = None,
        link: bool = False,
        register: str | None = None,
    ) -> Any:
        return await self.started(
            who, name, link, lambda: self.vm.start(Scripted, server, [], name=register, link=link)
        )

    async def do_call(
        self,
        msg: Any,
        to: str | None = None,
        to_name: str | None = None,
        timeout: Any = CALL_MS,
    ) -> Any:
        return await self.vm.call(self.where(to, to_name), msg, seconds(timeout))

    def do_cast(self, msg: Any, to: str | None = None, to_name: str | None = None) -> str:
        self.vm.cast(self.where(to, to_name), msg)
        return "ok"

    async def do_stop(
        self,
        to: str | None = None,
        to_name: str | None = None,
        reason: Any = NORMAL,
        timeout: Any = "infinity",
    ) -> str:
        limit = seconds(timeout)
        await self.vm.stop(self.where(to, to_name), puppet.reason(reason), limit)
        return "ok"


FORMATS: dict[str, Runner] = {"process-cases/1": runner(Processes)}
