"""`PlacementActor`: tells the other nodes how much room this one has, and keeps what they tell.

`board(vm)` is the node's `Board`; it stands in the VM and outlives the actor.

Every `LOOK_SECONDS`, or as its `Gauge` says, it measures: the calls, how late the loop is, and the
memory. Its row goes to all nodes every `TELL_SECONDS`, at once when a call or a refusal is new, and
to a node that comes up. The row of a node that is down goes with it. Casts: a `Row`, `Arrived`, and
`"tell"` after a change of `Board.draining`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from aybiza.actors import names
from aybiza.actors.placement.placement import Board, Limits, Place, Row
from aybiza.actors.runtime import (
    VM,
    CallExit,
    FunctionClause,
    GenServer,
    NodeDown,
    NodeUp,
    RemoteBusy,
)

LOOK_SECONDS = 0.2
TELL_SECONDS = 1.0
ASK_SECONDS = 0.5

TABLE = "placement"
STATM = Path("/proc/self/statm")

Count = Callable[[VM], Awaitable[int]]

log = structlog.get_logger(__name__)


def board(vm: VM) -> Board:
    """What this node knows of its own room and that of the others."""
    held: Board = vm.tables.setdefault(TABLE, Board(vm.node))
    return held


@dataclass(frozen=True, slots=True)
class Arrived:
    """To the other nodes of a machine: the stream of this call is here, whoever let it in."""

    call_id: str


def arrived(vm: VM, call_id: str) -> None:
    """The stream of a call is here. Where nodes share a door, another one may have let it in, which
    would wait for it in vain, and take no other call in its place."""
    own = board(vm)
    if own.arrived(call_id):
        return
    for row in own.here():
        try:
            vm.cast((names.PLACEMENT, row.node), Arrived(call_id))
        except RemoteBusy:
            log.debug("arrival_not_told", node=row.node)


def resident_mb() -> int:
    """The memory that this process holds, in MB; blocks."""
    pages = int(STATM.read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // (1024 * 1024)


@dataclass(frozen=True, slots=True)
class Gauge:
    """How a node measures itself: how often, in seconds, and its memory, by what may block."""

    look_seconds: float = LOOK_SECONDS
    memory_mb: Callable[[], int] = resident_mb


class PlacementActor(GenServer):
    """See the module. `count` tells how many calls there are; it may fail as a call may."""

    async def init(
        self, limits: Limits, count: Count, place: Place | None = None, gauge: Gauge | None = None
    ) -> None:
        self._gauge = gauge or Gauge()
        self._board = board(self.vm)
        self._board.limits, self._board.place = limits, place or Place()
        self._count = count
        self._told: Row | None = None
        self._next_tell = self.vm.now()
        self.vm.monitor_nodes()
        self._board.keep(self.vm.nodes())
        self._wait()

    async def handle_cast(self, request: Any) -> None:
        match request:
            case Row():
                self._board.told(request)
            case Arrived(call_id):
                self._board.arrived(call_id)
            case "tell":
                self._tell()
            case _:
                raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case "look":
                await self._look()
                self._wait()
            case NodeUp(node):
                self._say(node, self._board.row(self.vm.now()))
            case NodeDown(node):
                self._board.down(node)

    def get_state(self) -> Row:
        """What this node tells of itself."""
        return self._board.row(self.vm.now())

    def _wait(self) -> None:
        self._due = self.vm.now() + self._gauge.look_seconds
        self.send_after("look", self._gauge.look_seconds)

    async def _look(self) -> None:
        now = self.vm.now()
        self._board.late(now - self._due)
        # While the supervisor of the calls restarts, the last count holds.
        with contextlib.suppress(CallExit):
            self._board.calls = await self._count(self.vm)
        if now >= self._next_tell:
            self._next_tell = now + TELL_SECONDS
            self._board.memory_mb = await self._memory_mb()
            self._tell()
        elif self._is_new(self._board.row(now)):
            self._tell()

    def _is_new(self, row: Row) -> bool:
        told = self._told
        if told is None:
            return True
        return replace(row, lag_ms=told.lag_ms, memory_mb=told.memory_mb) != told

    def _tell(self) -> None:
        self._told = row = self._board.row(self.vm.now())
        for node in self.vm.nodes():
            self._say(node, row)

    def _say(self, node: str, row: Row) -> None:
        try:
            self.vm.cast((names.PLACEMENT, node), row)
        except RemoteBusy:
            # The next row tells the same, later.
            log.debug("placement_not_told", node=node)

    async def _memory_mb(self) -> int:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await self.vm.run_blocking(self._gauge.memory_mb)
        except (TimeoutError, OSError):
            return self._board.memory_mb
