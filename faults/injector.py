"""The injector: watches a world and strikes with the faults of a plan when their moment comes.

What it has done stands in `strikes`. Chance comes from the plan's seed, so it does the same in
every run. What a fault does is `_ACTS`, one row a kind.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from aybiza.actors.runtime import KILL, Process
from aybiza.actors.runtime.errors import ExitError
from aybiza.actors.runtime.messages import Call, Cast, System
from aybiza.actors.runtime.reasons import Crashed, Reason
from aybiza.dialogue.journal import Entry
from aybiza.faults import provider_strikes
from aybiza.faults.fault import Event, Fault
from aybiza.faults.trace import called, type_of
from aybiza.faults.watched import WatchedProcess, Watcher

if TYPE_CHECKING:
    from aybiza.faults.virtual import WorldLoop
    from aybiza.faults.world import World

_IN_CALLBACK = ("crash", "raise", "hang", "block")


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that struck: when, whom, and what the call was doing."""

    at: float
    fault: Fault
    whom: str
    phase: str


@dataclass(slots=True)
class Armed:
    """A fault that waits; `seen` moments that fit it have passed, `left` strikes are to come (None:
    any number)."""

    fault: Fault
    event: Event | None
    before: Event | None
    left: int | None
    seen: int = 0
    over: bool = False
    states: dict[int, bool] = field(default_factory=dict)


class Poison:
    """A message on which a callback does what its fault says."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


class Injector(Watcher):
    """See the module; `begin` when the first call is placed."""

    def __init__(self, faults: Sequence[Fault], seed: int = 0) -> None:
        self.armed = [_armed(fault) for fault in faults]
        self.callbacks = any(
            fault.what in _IN_CALLBACK or fault.state is not None for fault in faults
        )
        self.strikes: list[Strike] = []
        self.crashes: list[tuple[str, Reason]] = []
        """Crashes that no fault has asked for."""
        self._chance = random.Random(f"faults:{seed}")
        self._begun = False
        self._planned: list[BaseException] = []
        self._struck: set[int] = set()
        self._held: dict[int, list[Any]] = defaultdict(list)

    def add(self, fault: Fault) -> None:
        """One more fault; its time counts from the first call, or from now if that has begun."""
        armed = _armed(fault)
        self.armed.append(armed)
        if self._begun and fault.at is not None:
            self.loop.call_later(fault.at, self._due, armed)

    def begin(self, world: World) -> None:
        """The first call is being placed: from now on time counts."""
        self._begun, self._world = True, world
        loop: Any = asyncio.get_running_loop()
        self.loop: WorldLoop = loop
        world.journals.entered = self._entered
        for armed in self.armed:
            if armed.fault.at is not None:
                loop.call_later(armed.fault.at, self._due, armed)

    # What is seen

    def delivering(self, sender: Process | None, to: Process, message: Any) -> bool:
        if not (self.armed and self._begun) or type(message) is Poison:
            return True
        held = self._held.pop(to.pid.serial, None) if self._held else None
        if held:
            for late in held:
                self.loop.call_soon(_arrive, to, late)
        name, value = type_of(message), _payload(message)
        arrives = True
        for armed in self.armed:
            fault = armed.fault
            if armed.over or (fault.what in _IN_CALLBACK and fault.message is not None):
                continue
            if fault.message is not None or fault.kind.group == "message":
                if self._is_moment(armed, to, name, value):
                    arrives = self._strike_message(armed, to, message) and arrives
            elif fault.after is not None:
                self._happened(armed, name, value)
            elif fault.probability is not None and self._is(to, fault):
                self._by_chance(armed, to)
        return arrives

    def entering(self, process: Process, callback: str, message: Any) -> Awaitable[None] | None:
        if type(message) is Poison:
            return self._in_callback(message.fault, process)
        if not self._begun:
            return None
        for armed in self.armed:
            fault = armed.fault
            if armed.over or fault.what not in _IN_CALLBACK or fault.message is None:
                continue
            if self._is_moment(armed, process, type_of(message), message):
                self._count(armed, called(process))
                return self._in_callback(fault, process)
        return None

    def left(self, process: Process, callback: str) -> None:
        for armed in self.armed:
            fault = armed.fault
            if fault.state is None or armed.over or not self._begun:
                continue
            if not self._is(process, fault):
                continue
            name, _, wanted = fault.state.partition("=")
            state = process.server.get_state() if process.server is not None else {}
            holds = isinstance(state, dict) and str(state.get(name)) == wanted
            entered = holds and not armed.states.get(process.pid.serial, False)
            armed.states[process.pid.serial] = holds
            if entered:
                armed.seen += 1
                if armed.seen >= fault.nth:
                    self._due(armed)

    def ended(self, process: Process, reason: Reason) -> None:
        if not isinstance(reason, Crashed) or process.pid.serial in self._struck:
            return
        if not any(reason.exception is error for error in self._planned):
            self.crashes.append((called(process), reason))

    def _entered(self, call_id: str, entry: Entry) -> None:
        name = type(entry).__name__
        for armed in self.armed:
            fault = armed.fault
            if fault.after is not None and not armed.over and fnmatchcase(call_id, fault.call):
                self._happened(armed, name, entry)

    # When

    def _happened(self, armed: Armed, name: str, value: Any) -> None:
        assert armed.event is not None
        if armed.before is not None and armed.before.fits(name, value):
            armed.over = True
        elif armed.event.fits(name, value):
            armed.seen += 1
            if armed.seen >= armed.fault.nth:
                # Not in the midst of what has just happened.
                self.loop.call_soon(self._due, armed)

    def _is_moment(self, armed: Armed, process: Process, name: str, value: Any) -> bool:
        fault = armed.fault
        if armed.event is not None and not armed.event.fits(name, value):
            return False
        if not self._is(process, fault):
            return False
        if fault.probability is not None:
            return self._chance.random() < fault.probability
        armed.seen += 1
        return armed.seen >= fault.nth

    def _by_chance(self, armed: Armed, process: Process) -> None:
        probability = armed.fault.probability
        if probability is not None and self._chance.random() < probability:
            self._count(armed, called(process))
            self.loop.call_soon(_ACTS[armed.fault.what], self, armed.fault, process)

    def _due(self, armed: Armed) -> None:
        if armed.over:
            return
        self._count(armed, armed.fault.where)
        if armed.fault.delay:
            self.loop.call_later(armed.fault.delay, self._strike, armed.fault)
        else:
            self._strike(armed.fault)

    # Strikes

    def _count(self, armed: Armed, whom: str) -> None:
        fault = armed.fault
        phase = next((str(c.state.get("phase")) for c in self._world.calls if c.state), "none")
        self.strikes.append(Strike(self.loop.time(), fault, whom, phase))
        self._world.trace.note("fault", whom, str(fault))
        if armed.left is not None:
            armed.left -= 1
            armed.over = armed.left == 0

    def _strike(self, fault: Fault) -> None:
        if fault.kind.group != "process":
            provider_strikes.strike(self._world, self.loop, fault)
            return
        found = [p for p in self._processes() if self._is(p, fault)]
        if found:
            _ACTS[fault.what](self, fault, self._chance.choice(found))

    def _strike_message(self, armed: Armed, to: Process, message: Any) -> bool:
        fault = armed.fault
        self._count(armed, called(to))
        match fault.what:
            case "delay":
                self.loop.call_later(fault.seconds, _arrive, to, message)
                return False
            case "drop":
                return False
            case "duplicate":
                self.loop.call_soon(_arrive, to, message)
                return True
            case "reorder":
                self._held[to.pid.serial].append(message)
                return False
        self.loop.call_soon(self._strike_one, fault, to)
        return True

    def _strike_one(self, fault: Fault, process: Process) -> None:
        if fault.kind.group == "process":
            _ACTS[fault.what](self, fault, process)
        else:
            provider_strikes.strike(self._world, self.loop, fault)

    def _in_callback(self, fault: Fault, process: Process) -> Awaitable[None] | None:
        self._struck.add(process.pid.serial)
        match fault.what:
            case "hang":
                return asyncio.sleep(fault.seconds)
            case "block":
                self.loop.stand_still(fault.seconds)
                return None
            case "raise":
                error: Exception = RuntimeError(fault.text or "raised on purpose")
            case _:
                error = ExitError(fault.reason)
        self._planned.append(error)
        raise error

    # Where

    def _processes(self) -> list[Process]:
        vm = self._world.vm
        return [process for pid in vm.processes() if (process := vm.find(pid)) is not None]

    def _is(self, process: Process, fault: Fault) -> bool:
        where = fault.where
        if where != "*" and not fnmatchcase(process.label, where):
            serial = f"#{process.pid.serial}"
            if where not in (serial, str(self._world.vm.name_of(process))):
                return False
        if fault.call == "*":
            return True
        return fnmatchcase(call_of(process), fault.call)


def call_of(process: Process) -> str:
    """The id of the call that a process belongs to; empty if to none."""
    server = process.server
    context = getattr(server, "_context", None)
    return str(getattr(server, "call_id", "") or getattr(context, "call_id", ""))


def _armed(fault: Fault) -> Armed:
    text = fault.message if fault.message is not None else fault.after
    event = Event.parse(text, "message") if text is not None else None
    before = Event.parse(fault.before, "before") if fault.before is not None else None
    # A provider's fault waits with its provider, which counts how often it strikes.
    provider = fault.kind.group in ("listen", "speak", "bedrock")
    return Armed(fault, event, before, 1 if provider else fault.times or None)


def _payload(message: Any) -> Any:
    if isinstance(message, Cast | Call) and not isinstance(message, System):
        return message.request
    return message


def _arrive(to: Process, message: Any) -> None:
    assert isinstance(to, WatchedProcess)
    to.arrive(message)


def _exit(injector: Injector, fault: Fault, process: Process) -> None:
    injector._struck.add(process.pid.serial)
    process.vm.exit(process.pid, fault.reason)


def _kill(injector: Injector, fault: Fault, process: Process) -> None:
    injector._struck.add(process.pid.serial)
    process.vm.exit(process.pid, KILL)


def _poison(injector: Injector, fault: Fault, process: Process) -> None:
    if process.server is None:
        # What is no server has no callback to do it in.
        injector._struck.add(process.pid.serial)
        process.end(Crashed(RuntimeError(fault.reason)))
    else:
        _arrive(process, Poison(fault))


def _fill(injector: Injector, fault: Fault, process: Process) -> None:
    for _ in range(fault.count):
        process.mailbox.append("means nothing")
    _arrive(process, "means nothing")


_ACTS: dict[str, Callable[[Injector, Fault, Process], None]] = {
    "crash": _poison,
    "raise": _poison,
    "hang": _poison,
    "block": _poison,
    "exit": _exit,
    "kill": _kill,
    "fill": _fill,
}
