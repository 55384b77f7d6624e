"""What a node consists of at a moment: to see that a call has left nothing behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aybiza.actors.measures import costs
from aybiza.actors.memory.journals import Journals
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime.time_limit import TimeLimit
from aybiza.dialogue.journal import Ended
from aybiza.faults.acts import Planned
from aybiza.faults.entries import entries_of
from aybiza.faults.network import LoopCarrier

if TYPE_CHECKING:
    from aybiza.faults.world import World


class Level:
    """Processes, tasks, timers, journals, sockets and streams of a world when this was made."""

    def __init__(self, world: World) -> None:
        self._before = self._now(world)

    def left(self, world: World) -> list[str]:
        """What there is now that was not there before."""
        now = self._now(world)
        labels, before = list(now.pop("processes")), dict(self._before)
        for label in before.pop("processes"):
            if label in labels:
                labels.remove(label)
        left = [f"process {label}" for label in labels]
        return left + [f"{now[k] - before[k]} more {k}" for k in before if now[k] > before[k]]

    def _now(self, world: World) -> dict[str, Any]:
        loop: Any = asyncio.get_running_loop()
        own = asyncio.current_task()
        return {
            "processes": world.labels(),
            "tasks": sum(task is not own for task in asyncio.all_tasks()),
            # A node that drains is woken for it until it is told to stay.
            "timers": sum(map(_is_own, loop.timers()))
            - sum(board(vm).draining for vm in world.vms),
            "journals": sum(_kept(node.journals) for node in world.nodes if not node.is_lost),
            "sockets": len(world.deepgram.ends),
            "streams": len(world.asked.streams)
            + len(world.chat_line.open)
            + len(world.eleven_line.open),
            "costs": sum(_is_ended(world, c) for vm in world.vms for c in costs.ledger(vm).calls),
        }


def _kept(journals: Journals) -> int:
    """How many journals there are; a private one may be held for a caller who comes back."""
    now = journals.wall()
    return sum(journal.held_until <= now for journal in journals.values())


def _is_ended(world: World, call_id: str) -> bool:
    """Whether a call is known to be over. One whose line has gone may be back, and has then spent
    what it had; its cost leaves the ledger when that is full."""
    entries = entries_of(world.journals, call_id)
    return bool(entries) and isinstance(entries[-1], Ended)


def _is_own(timer: asyncio.TimerHandle) -> bool:
    """Whether somebody still waits for a timer; those of all calls' limits, and what is under way
    between nodes, go by themselves. What the plan is yet to do is no call's."""
    callback: Any = timer._callback  # type: ignore[attr-defined]
    if isinstance(callback, Planned):
        return False
    shared = isinstance(getattr(callback, "__self__", None), TimeLimit | LoopCarrier)
    return not shared
