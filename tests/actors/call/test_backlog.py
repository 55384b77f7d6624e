"""Work beside calls: a few at a time, a bounded queue, each key once."""

from __future__ import annotations

import asyncio
from typing import Any

from aybiza.actors.call.backlog import Backlog, Over
from aybiza.actors.runtime import VM, Exit, GenServer


class Server(GenServer):
    """Has things done, and notes how they end."""

    traps_exits = True

    async def init(self, gate: asyncio.Event, done: list[Any]) -> None:
        async def work(vm: VM, item: str) -> None:
            done.append(item)
            await gate.wait()
            if item == "bad":
                raise ValueError(item)

        self.backlog = Backlog(self.vm, work, at_once=2, most=2)
        self.overs: list[Over[str]] = []

    async def handle_call(self, request: Any, from_: Any) -> Any:
        match request:
            case "overs":
                return self.overs
            case "state":
                return self.backlog.state
        return self.backlog.put(*request)

    async def handle_info(self, message: Any) -> None:
        if isinstance(message, Exit) and (over := self.backlog.ended(message)) is not None:
            self.overs.append(over)


async def test_two_are_done_two_wait_and_the_next_is_refused() -> None:
    gate, done = asyncio.Event(), list[Any]()
    async with VM("n") as vm:
        pid = await vm.start(Server, gate, done)
        assert pid is not None
        put = [await vm.call(pid, (key, key)) for key in ("a", "bad", "c", "d", "e")]
        assert put == [True, True, True, True, False]
        assert [await vm.call(pid, (key, key)) for key in ("a", "c")] == [True, True]
        assert await vm.call(pid, "state") == {"doing": 2, "waiting": 2}
        await asyncio.sleep(0)
        assert done == ["a", "bad"]
        gate.set()
        async with asyncio.timeout(5):
            while len(overs := await vm.call(pid, "overs")) < 4:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0)
        assert sorted(over.item for over in overs) == ["a", "bad", "c", "d"]
        assert [over.item for over in overs if over.why] == ["bad"]
        assert await vm.call(pid, "state") == {"doing": 0, "waiting": 0}
        assert await vm.call(pid, ("a", "a"))
