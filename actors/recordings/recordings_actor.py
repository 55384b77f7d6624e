"""RecordingsActor: has what is recorded of calls written, off the loop.

    child(RecordingsActor, Shelf(folder, key), name=names.RECORDINGS)
    wait(vm, line)              the call on this line may come to be recorded
    begin(vm, line, expires)    from now on the call on this line is recorded, until unix time
                                `expires`; 0: for ever
    listen(vm, call_id, hear)   who listens in is given the pieces as they are put down

What is to be recorded is put down on a `Tape` of the line. This actor takes the pieces once in
`EVERY_SECONDS` and has one thread write them, a batch at a time; a call waits for none of it. What
is being recorded stands in a table of the VM, so that a successor of this actor goes on with it.
While the disk is full or away, the batch is tried again every `RETRY_SECONDS`, and the tapes hold
`aybiza.speech.tape.MOST_SECONDS` and more of each call; what does not fit is lost, which is counted
(`aybiza_recording_lost_seconds_total`) and logged. A node without this actor records nothing.

Errors: none reach a call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.recordings.shelf import Part, Shelf
from aybiza.actors.runtime import NORMAL, VM, Exit, GenServer, Pid, Shutdown, Stop, Task
from aybiza.speech.line import Line
from aybiza.speech.tape import Tape

TABLE: Final = "recordings"
EVERY_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 5.0
SWEEP_SECONDS: Final = 3600.0
FLUSH_SECONDS: Final = 1.0
MOST_OVER: Final = 100
"""Calls that are over whose last seconds wait for a disk that is full."""
AT_ONCE: Final = 20
"""Tapes that are read without giving the loop back: some 50 µs each."""

log = structlog.get_logger(__name__)


Hear = Callable[[bytes], None]


@dataclass(slots=True)
class Running:
    """A recording that is being made: `size` of its file are written."""

    part: Part
    line: Line
    tape: Tape
    size: int = 0


@dataclass(slots=True)
class Recordings:
    """The table. `batch`: what is being written, or could not be; `ears`: who listens in, by the
    calls."""

    running: dict[str, Running] = field(default_factory=dict)
    batch: list[tuple[Running, bytes]] = field(default_factory=list)
    ears: dict[str, list[Hear]] = field(default_factory=dict)


def wait(vm: VM, line: Line) -> None:
    """See the module. Nothing of the caller is put down before `begin`."""
    if isinstance(vm.tables.get(TABLE), Recordings) and line.tape is None:
        line.tape = Tape(vm.now(), waits=True)


def begin(vm: VM, line: Line, expires: float) -> bool:
    """See the module; False where nothing is recorded on this node, or it is already."""
    table = vm.tables.get(TABLE)
    if not isinstance(table, Recordings) or line.tape is None or not line.tape.waits:
        return False
    part = Part(line.call_id, time.time(), expires)
    line.tape.open(vm.now())
    table.running[part.name] = Running(part, line, line.tape)
    return True


def is_recorded(vm: VM, call_id: str) -> bool:
    """Whether the call is being recorded: its caller was told, or has agreed."""
    table = vm.tables.get(TABLE)
    running = table.running.values() if isinstance(table, Recordings) else ()
    return any(one.part.call_id == call_id for one in running)


def listen(vm: VM, call_id: str, hear: Hear) -> Callable[[], None] | None:
    """Have `hear` given what is recorded of the call from now on, as `Tape` has it: some seconds
    later, without what was entered by keys, and only as long as it is recorded. Returns what ends
    that; None where the call is not recorded."""
    table = vm.tables.get(TABLE)
    if not isinstance(table, Recordings) or not is_recorded(vm, call_id):
        return None
    ears = table.ears
    ears.setdefault(call_id, []).append(hear)

    def end() -> None:
        mine = ears.get(call_id, [])
        if hear in mine:
            mine.remove(hear)
        if not mine:
            ears.pop(call_id, None)

    return end


class RecordingsActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._table: Recordings = self.vm.tables.setdefault(TABLE, Recordings())
        self._writer: Pid | None = None
        self._failing = False
        self.send_after("look", EVERY_SECONDS)
        self.send_after("sweep", SWEEP_SECONDS)

    def get_state(self) -> Any:
        """For people: how many calls are recorded, and whether the disk takes it."""
        return {"recording": len(self._table.running), "failing": self._failing}

    async def handle_info(self, message: Any) -> None:
        match message:
            case "look":
                await self._look()
            case "sweep":
                Task.start(self.vm, self._sweep)
                self.send_after("sweep", SWEEP_SECONDS)
            case Exit(pid, reason) if pid == self._writer:
                self._writer = None
                self._wrote(reason)

    async def terminate(self, reason: Any) -> None:
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                if self._writer is None:
                    await self._write()
                await self._gather(all_of_it=True)
                await self._write()
        except (TimeoutError, Stop):
            log.error("recordings_not_flushed", calls=len(self._table.running))

    async def _look(self) -> None:
        self._account()
        if not self._table.batch:
            await self._gather(all_of_it=False)
        if self._table.batch:
            self._writer = Task.start(self.vm, self._write).pid
        else:
            self.send_after("look", EVERY_SECONDS)

    async def _gather(self, *, all_of_it: bool) -> None:
        """Take what is sure from all tapes."""
        table, now = self._table, self.vm.now()
        for number, (name, running) in enumerate(list(table.running.items())):
            over = all_of_it or self._is_over(running)
            piece = running.tape.take(now, all_of_it=over)
            if piece:
                table.batch.append((running, piece))
                for hear in table.ears.get(running.part.call_id, ()):
                    hear(piece)
            if over:
                del table.running[name]
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)

    def _is_over(self, running: Running) -> bool:
        owner = running.line.owner
        return owner is None or not self.vm.alive(owner)

    def _account(self) -> None:
        """Tell what had no room; of calls that are over only so many wait for the disk."""
        running = self._table.running
        over = [name for name, one in running.items() if self._is_over(one)]
        for name in over[: -MOST_OVER or None]:
            self._lost(running[name], running.pop(name).tape.seconds)
        for one in running.values():
            if lost := one.tape.give_account():
                self._lost(one, lost)

    def _lost(self, running: Running, seconds: float) -> None:
        call_id = running.part.call_id
        log.warning("recording_has_gaps", call_id=call_id, seconds=seconds)
        emit(self.vm, events.RECORDING_LOST, seconds=seconds, call_id=call_id)

    async def _write(self) -> None:
        """Write the batch; what is written is no part of it any more."""
        batch = self._table.batch
        try:
            while batch:
                running, piece = batch[0]
                running.size = await self.vm.run_blocking(
                    self._shelf.write, running.part, running.size, piece
                )
                batch.pop(0)
        except OSError as error:
            raise Stop(Shutdown(str(error))) from None

    def _wrote(self, reason: Any) -> None:
        if reason == NORMAL:
            if self._failing:
                log.info("recordings_written_again")
            self._failing = False
            self.send_after("look", EVERY_SECONDS)
            return
        if not self._failing:
            log.error("recordings_not_written", reason=str(reason))
        self._failing = True
        self.send_after("look", RETRY_SECONDS)

    async def _sweep(self) -> None:
        """Delete the recordings whose time is up."""
        try:
            await self.vm.run_blocking(self._shelf.sweep, time.time())
        except OSError as error:
            log.error("recordings_not_swept", reason=str(error))
