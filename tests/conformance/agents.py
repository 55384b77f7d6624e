"""Runs the cases of agents: processes that keep a value, and those who ask them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aybiza.actors.runtime import KILL, NORMAL, Agent, BadReturnValue, ExitError
from tests.conformance import puppet
from tests.conformance.actor_world import CALL_MS, World, runner, seconds
from tests.conformance.kit import Runner

START_MS = 5000


class Agents(World):
    """Actors and agents."""

    async def do_agent(
        self,
        name: str,
        init: Any,
        who: str | None = None,
        link: bool = False,
        register: str | None = None,
        timeout: Any = START_MS,
        if_dead: bool = False,
    ) -> Any:
        if if_dead and name in self.pids and self.vm.alive(self.pids[name]):
            return "alive"
        function = self.function(init)
        return await self.started(
            who,
            name,
            link,
            lambda: Agent.start(
                self.vm, function, None, name=register, link=link, timeout=seconds(timeout)
            ),
        )

    async def do_get(self, fun: Any, timeout: Any = CALL_MS, **to: str) -> Any:
        function, limit = self.function(fun), seconds(timeout)
        return await Agent.get(self.vm, self.where(**_to(to)), function, timeout=limit)

    async def do_update(self, fun: Any, timeout: Any = CALL_MS, **to: str) -> str:
        function, limit = self.function(fun), seconds(timeout)
        await Agent.update(self.vm, self.where(**_to(to)), function, timeout=limit)
        return "ok"

    async def do_get_and_update(self, fun: Any, timeout: Any = CALL_MS, **to: str) -> Any:
        function, limit = self.function(fun), seconds(timeout)
        return await Agent.get_and_update(self.vm, self.where(**_to(to)), function, timeout=limit)

    def do_agent_cast(self, fun: Any, **to: str) -> str:
        Agent.cast(self.vm, self.where(**_to(to)), self.function(fun))
        return "ok"

    async def do_agent_stop(
        self, reason: Any = NORMAL, timeout: Any = "infinity", **to: str
    ) -> str:
        dest, limit = self.where(**_to(to)), seconds(timeout)
        await Agent.stop(self.vm, dest, puppet.reason(reason), limit)
        return "ok"

    def function(self, fun: Sequence[Any]) -> Callable[[Any], Awaitable[Any]]:
        """A FUN of the files, as a function of an agent's value."""

        async def run(value: Any) -> Any:
            return await self._run(fun, value)

        return run

    async def _run(self, fun: Sequence[Any], value: Any) -> Any:
        match fun:
            case ["state"]:
                return value
            case ["const", constant]:
                return constant
            case ["add", number]:
                return value + number
            case ["append", item]:
                return [*value, item]
            case ["pair", one, other]:
                return await self._run(one, value), await self._run(other, value)
            case ["sleep", ms, then]:
                await asyncio.sleep(ms / 1000)
                return await self._run(then, value)
            case ["raise"]:
                raise RuntimeError
            case ["exit", reason]:
                raise ExitError(puppet.reason(reason))
            case ["throw", thrown]:
                # A server takes what is thrown for what its callback returns.
                raise ExitError(BadReturnValue(thrown))
            case ["kill_self"]:
                self.vm.exit(self._self(), KILL)
                return await asyncio.sleep(0)
            case ["get_self"]:
                return await Agent.get(self.vm, self._self(), lambda value: value)
        raise ValueError(f"no function is known as {fun}")

    def _self(self) -> Any:
        return self.vm.self()


def _to(to: dict[str, str]) -> dict[str, Any]:
    return {"to": None, **to}


FORMATS: dict[str, Runner] = {"agent-cases/1": runner(Agents)}
