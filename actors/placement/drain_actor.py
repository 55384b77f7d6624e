"""`DrainActor`: empties the node of its calls, and gives the nodes that take them the journals.

    Begin(seconds, final)   drain: no new calls, the rest as `aybiza.actors.placement.drain` says
    Undo()                  take calls again
    "progress"              where it stands
    Take(call_id)           from another node, whither the caller has come: `Taken`, the call's
                            journal; what is left of the call here ends first

All but `Take` answer a `Progress`. Casts: `Left(call_id, at_seam)`, from the stream of a call that
goes elsewhere. Streams are sent `"leave"` (at the next seam), `"leave now"` and `"stay"`. A round
is a line in the log. The drain stands in the VM and goes on after a crash of this actor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from aybiza.actors import names
from aybiza.actors.measures import costs
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.memory_actor import Forget, Load, kept
from aybiza.actors.placement.drain import HAND_OVER_SECONDS, NOT_DRAINING, Ask, Drain, Progress
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import (
    KILL,
    NO_REPLY,
    SHUTDOWN,
    VM,
    CallExit,
    From,
    FunctionClause,
    GenServer,
    Pid,
    RemoteBusy,
    Request,
    Task,
    Timer,
)

LOOK_SECONDS = 0.1
STREAM_SECONDS = 1.0
MEMORY_SECONDS = 1.0
TAKE_SECONDS = 3.0
ASK_SECONDS = 1.0
MAX_SEAMS = 10_000

TABLE = "drain"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Begin(Request[Progress]):
    """See the module."""

    seconds: float
    final: bool = False


@dataclass(frozen=True, slots=True)
class Undo(Request[Progress]):
    """See the module."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A call's journal, as `Load` gives it. `at_seam`: nothing of what was said is open."""

    journal: list[tuple[int, dict[str, Any]]]
    at_seam: bool


@dataclass(frozen=True, slots=True)
class Take(Request[Taken]):
    """See the module."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Left:
    """See the module. Told again of a caller who is held, with `at_seam` None: as before."""

    call_id: str
    at_seam: bool | None


@dataclass(slots=True)
class _State:
    """What outlives the actor."""

    drain: Drain | None = None
    seams: dict[str, bool] = field(default_factory=dict)


class DrainActor(GenServer):
    """See the module."""

    async def init(self) -> None:
        self._state: _State = self.vm.tables.setdefault(TABLE, _State())
        self._timer: Timer | None = None
        if self._state.drain is not None:
            self._come_back()

    async def handle_call(self, request: Any, from_: From) -> Any:
        match request:
            case Begin(seconds, final):
                self._state.drain = Drain(self.vm.now(), seconds, final=final)
                self._set_draining(True, ending=final)
                log.info("drain_begun", seconds=seconds)
                self._come_back()
                self._look(self._state.drain)
                return self._progress()
            case Undo():
                if self._state.drain is not None:
                    log.info("drain_undone")
                self._state.drain = None
                self._set_draining(False)
                for stream in streams(self.vm).values():
                    self.vm.send(stream, "stay")
                return NOT_DRAINING
            case "progress":
                return self._progress()
            case Take(call_id):
                # By a task: the end of a session and a slow disk must not hold up the others.
                Task.start(self.vm, self._give, call_id, from_)
                return NO_REPLY
        raise FunctionClause(self, request)

    async def handle_cast(self, request: Any) -> None:
        match request:
            case Left(call_id, at_seam):
                if at_seam is not None:
                    self._note_seam(call_id, at_seam)
                if self._state.drain is not None:
                    self._state.drain.left(self.vm.now(), call_id)
            case _:
                raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        if message == "look" and self._state.drain is not None:
            self._come_back()
            self._look(self._state.drain)

    def get_state(self) -> Progress:
        """Where the drain stands."""
        drain = self._state.drain
        return NOT_DRAINING if drain is None else drain.progress(self.vm.now())

    def _progress(self) -> Progress:
        return self.get_state()

    def _come_back(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.send_after("look", LOOK_SECONDS)

    def _set_draining(self, draining: bool, *, ending: bool = False) -> None:
        own = board(self.vm)
        own.draining, own.ending = draining, ending
        self.vm.cast(names.PLACEMENT, "tell")

    def _look(self, drain: Drain) -> None:
        now = self.vm.now()
        found = streams(self.vm)
        own = board(self.vm)
        expected = own.expected(now)
        if own.place.isolated:
            # Callers of one-call nodes come back by the webhook here, so this node leaves last.
            expected += len(own.rooms()) if drain.final else own.carried(now)[0]
        for command in drain.look(now, found.keys(), own.room_elsewhere(), expected):
            self.vm.send(found[command.call_id], "leave" if type(command) is Ask else "leave now")
        if drain.due:
            drain.due = False
            log.info("drain_round", **drain.progress(now).described())

    def _note_seam(self, call_id: str, at_seam: bool) -> None:
        seams = self._state.seams
        seams[call_id] = at_seam
        while len(seams) > MAX_SEAMS:
            del seams[next(iter(seams))]

    async def _give(self, call_id: str, from_: From) -> None:
        await end_stream(self.vm, call_id)
        journal: list[tuple[int, dict[str, Any]]] = []
        try:
            load = Load(call_id)
            journal = await names.call_patiently(self.vm, names.MEMORY, load, MEMORY_SECONDS)
        except CallExit as failure:
            log.error("journal_not_given", call_id=call_id, reason=str(failure.reason))
        costs.close(self.vm, call_id)
        from_.answer(Taken(journal, self._state.seams.pop(call_id, False)))
        if self._state.drain is not None:
            self._state.drain.taken(call_id)


def streams(vm: VM) -> dict[str, Pid]:
    """The media streams of this node that carry a call, by the calls' ids."""
    found = [process for pid in vm.processes() if (process := vm.find(pid))]
    return {
        key[1]: process.pid
        for process in found
        for registry, key in process.names or ()
        if registry == names.REGISTRY and isinstance(key, tuple) and key[0] == "stream"
    }


async def end_stream(vm: VM, call_id: str) -> None:
    """End the stream of a call whose caller is back on another, with all that runs on it."""
    name = names.stream(call_id)
    while (older := vm.whereis(name)) is not None:
        log.info("older_stream_ends", call_id=call_id, stream=str(older))
        try:
            await vm.stop(older, SHUTDOWN, STREAM_SECONDS)
        except CallExit:
            vm.exit(older, KILL)
            await vm.join(older, None)


async def adopt(vm: VM, call_id: str, node: str) -> Taken | None:
    """Have this node remember a call that `node` has carried; what it gave.

    None if it is this node, or one that does not answer: then what the store has must do.
    """
    if node == vm.node or node not in vm.nodes():
        return None
    try:
        taken = await vm.call((names.DRAIN, node), Take(call_id), TAKE_SECONDS)
    except (CallExit, RemoteBusy) as error:
        log.warning("journal_not_taken", call_id=call_id, node=node, reason=str(error))
        return None
    if taken.journal:
        event = max(number for number, _ in taken.journal)
        append(vm, call_id, 1, event, [entry for _, entry in taken.journal])
        await kept(vm, call_id)
        # In the store only, until the call is here.
        vm.cast(names.MEMORY, Forget(call_id))
    log.info("call_taken", call_id=call_id, node=node, entries=len(taken.journal))
    return taken


async def one_call(vm: VM) -> None:
    """Return when the node has had a call, and its stream is gone; it takes no second one."""
    begun = False
    while not begun or streams(vm):
        if not begun and streams(vm):
            begun = board(vm).draining = True
            vm.cast(names.PLACEMENT, "tell")
        await asyncio.sleep(LOOK_SECONDS)


async def drained(vm: VM, seconds: float, on_wait: Callable[[float], None]) -> Progress:
    """Drain a node that is about to end; returns when it is empty, or the time is up.

    `on_wait` is told how long that may take, unless the node is empty now.
    """
    longest = seconds + HAND_OVER_SECONDS
    until = vm.now() + longest
    progress = NOT_DRAINING
    try:
        progress = await names.call_patiently(
            vm, names.DRAIN, Begin(seconds, final=True), ASK_SECONDS
        )
        if progress.state == "draining":
            on_wait(longest)
        while progress.state == "draining" and vm.now() < until:
            await asyncio.sleep(LOOK_SECONDS)
            progress = await names.call_patiently(vm, names.DRAIN, "progress", ASK_SECONDS)
    except CallExit as failure:
        log.warning("not_drained", reason=str(failure.reason))
    return progress
