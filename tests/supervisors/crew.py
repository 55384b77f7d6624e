"""Servers for tests of supervisors, and what they did, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aybiza.actors.runtime import VM, GenServer, Reason, Stop
from aybiza.supervisors import ChildSpec, child


class Diary(list[str]):
    """What happened: `start a`, `terminate a`, `down a`."""

    def watch(self, vm: VM) -> None:
        """Write down the ends of crew members too."""

        def down(process: Any, reason: Reason) -> None:
            # A name goes with its process, so a label is kept by the server.
            label = getattr(process.server, "label", None)
            if label is not None:
                self.append(f"down {label}")

        vm.observers.append(down)

    def read(self) -> list[str]:
        """What happened since the last reading."""
        seen = list(self)
        self.clear()
        return seen


class Hand(GenServer):
    """A crew member that keeps the diary. `trouble` may raise at its start."""

    async def init(
        self,
        diary: Diary,
        label: str,
        *,
        trap: bool = False,
        last_words: float | None = 0.0,
        trouble: Callable[[], None] = lambda: None,
    ) -> None:
        """`last_words`: how long, in seconds, its terminate takes; None for ever."""
        self._diary = diary
        self._last_words = last_words
        self.trap_exit(trap)
        trouble()
        self.label = label
        diary.append(f"start {label}")

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return self.label

    async def handle_cast(self, request: Any) -> None:
        raise Stop(request)

    async def handle_info(self, message: Any) -> None:
        """Exit signals of others are nothing to it."""

    async def terminate(self, reason: Reason) -> None:
        self._diary.append(f"terminate {self.label}")
        if self._last_words is None:
            await self.vm.loop.create_future()
        else:
            await asyncio.sleep(self._last_words)


def crew(diary: Diary, *names: str, **options: Any) -> list[ChildSpec]:
    """The specs of crew members of these names; `options` are those of `child` and `Hand`."""
    return [child(Hand, diary, name, name=name, **options) for name in names]


async def rest() -> None:
    """Let everything happen that happens now: virtual time stands still until it has."""
    await asyncio.sleep(0.001)
