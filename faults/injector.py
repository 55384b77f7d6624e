"""The injector: watches a node and strikes with the faults of a plan when their moment comes.

The node is one in virtual time (`World`) or a running one (`aybiza.faults.live`): a `Stage`.
What it has done stands in `strikes`. Chance comes from the plan's seed, so it does the same in
every run.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Protocol

from aybiza.actors.runtime import VM, Process
from aybiza.actors.runtime.errors import ExitError
from aybiza.actors.runtime.messages import Call, Cast, System
from aybiza.actors.runtime.reasons import Crashed, Reason
from aybiza.dialogue.journal import Entry
from aybiza.faults.acts import ACTS, FILLER, Planned, Poison, arrive
from aybiza.faults.entries import ToldJournals
from aybiza.faults.fault import PROVIDERS, Event, Fault
from aybiza.faults.trace import Trace, called, type_of
from aybiza.faults.watched import Watcher

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


class Stage(Protocol):
    """A node on which faults strike."""

    @property
    def vms(self) -> Sequence[VM]: ...
    @property
    def trace(self) -> Trace: ...
    @property
    def journals(self) -> ToldJournals: ...

    def phase(self) -> str:
        """What its first call is doing."""

    def stand_still(self, seconds: float) -> None:
        """Hold the loop."""

    def strike(self, fault: Fault) -> None:
        """Break what is around the actors: providers, the line, the machine."""


class Injector(Watcher):
    """See the module; `begin` when the first call is placed, `end` to let go of everything.

    `spared` are the numbers of processes that nothing strikes. `told` is called with each fault and
    whom it struck, "" if there was nobody.
    """

    def __init__(self, faults: Sequence[Fault], seed: int = 0) -> None:
        self.armed = [_armed(fault) for fault in faults]
        self._by_message = [armed for armed in self.armed if _waits_for_messages(armed.fault)]
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
        self._timers: dict[asyncio.TimerHandle, Callable[[], None] | None] = {}
        self._hanging = 0
        self._let_go = asyncio.Event()
        self.spared: set[int] = set()
        self.told: Callable[[Fault, str], None] = lambda fault, whom: None

    def add(self, fault: Fault) -> None:
        """One more fault; its time counts from the first call, or from now if that has begun."""
        armed = _armed(fault)
        self.armed.append(armed)
        if _waits_for_messages(fault):
            self._by_message.append(armed)
        if self._begun and fault.at is not None:
            self._later(fault.at, partial(self._due, armed))

    def begin(self, stage: Stage) -> None:
        """The first call is being placed: from now on time counts."""
        self._begun, self._stage = True, stage
        self.loop = asyncio.get_running_loop()
        stage.journals.entered = self._entered
        for armed in self.armed:
            if armed.fault.at is not None:
                self._later(armed.fault.at, partial(self._due, armed))

    def end(self) -> None:
        """Nothing strikes any more; what was kept back comes, what hangs goes on."""
        self._begun = False
        self._let_go.set()
        timers, self._timers = self._timers, {}
        for timer, instead in timers.items():
            timer.cancel()
            if instead is not None:
                instead()
        for process in self._processes():
            for late in self._held.pop(process.pid.serial, ()):
                arrive(process, late)
            process.discard(lambda message: type(message) is Poison or message is FILLER)

    @property
    def is_over(self) -> bool:
        """Whether everything has struck that was to strike, and nothing of it lasts."""
        return not (self._timers or self._hanging) and all(armed.over for armed in self.armed)

    def _later(
        self, seconds: float, act: Callable[[], None], instead: Callable[[], None] | None = None
    ) -> None:
        """Have `act` done in `seconds`, or `instead` when all ends before."""

        def due() -> None:
            self._timers.pop(timer, None)
            act()

        timer = self.loop.call_later(seconds, Planned(due))
        self._timers[timer] = instead

    # What is seen

    def delivering(self, sender: Process | None, to: Process, message: Any) -> bool:
        if not (self._by_message and self._begun) or type(message) is Poison:
            return True
        if to.pid.serial in self.spared:
            return True
        held = self._held.pop(to.pid.serial, None) if self._held else None
        if held:
            for late in held:
                self.loop.call_soon(arrive, to, late)
        name, value = type_of(message), _payload(message)
        arrives = True
        for armed in self._by_message:
            fault = armed.fault
            if armed.over:
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
                self.told(fault, called(process))
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
            self.loop.call_soon(self._strike_one, armed.fault, process)

    def _due(self, armed: Armed) -> None:
        if armed.over:
            return
        self._count(armed, armed.fault.where)
        if armed.fault.delay:
            self._later(armed.fault.delay, partial(self._strike, armed.fault))
        else:
            self._strike(armed.fault)

    # Strikes

    def _count(self, armed: Armed, whom: str) -> None:
        fault = armed.fault
        self.strikes.append(Strike(self.loop.time(), fault, whom, self._stage.phase()))
        self._stage.trace.note("fault", whom, str(fault))
        if armed.left is not None:
            armed.left -= 1
            armed.over = armed.left == 0

    def _strike(self, fault: Fault) -> None:
        if fault.kind.group != "process":
            self._strike_around(fault)
            return
        found = [p for p in self._processes() if self._is(p, fault)]
        if found:
            self._strike_one(fault, self._chance.choice(found))
        else:
            self.told(fault, "")

    def _strike_around(self, fault: Fault) -> None:
        self.told(fault, fault.what.partition(".")[0])
        self._stage.strike(fault)

    def _strike_message(self, armed: Armed, to: Process, message: Any) -> bool:
        fault = armed.fault
        self._count(armed, called(to))
        if fault.kind.group == "message":
            self.told(fault, called(to))
        match fault.what:
            case "delay":
                late = partial(arrive, to, message)
                self._later(fault.seconds, late, late)
                return False
            case "drop":
                return False
            case "duplicate":
                self.loop.call_soon(arrive, to, message)
                return True
            case "reorder":
                self._held[to.pid.serial].append(message)
                return False
        self.loop.call_soon(self._strike_one, fault, to)
        return True

    def _strike_one(self, fault: Fault, process: Process) -> None:
        if fault.kind.group == "process":
            self.told(fault, called(process))
            self._struck.update(ACTS[fault.what](fault, process))
        else:
            self._strike_around(fault)

    def _in_callback(self, fault: Fault, process: Process) -> Awaitable[None] | None:
        self._struck.add(process.pid.serial)
        match fault.what:
            case "hang":
                return self._hang(fault.seconds)
            case "block":
                self._stage.stand_still(fault.seconds)
                return None
            case "raise":
                error: Exception = RuntimeError(fault.text or "raised on purpose")
            case _:
                error = ExitError(fault.reason)
        self._planned.append(error)
        raise error

    async def _hang(self, seconds: float) -> None:
        self._hanging += 1
        try:
            async with asyncio.timeout(seconds):
                await self._let_go.wait()
        except TimeoutError:
            pass
        finally:
            self._hanging -= 1

    # Where

    def _processes(self) -> list[Process]:
        found = (vm.find(pid) for vm in self._stage.vms for pid in vm.processes())
        return [process for process in found if process is not None]

    def _is(self, process: Process, fault: Fault) -> bool:
        where = fault.where
        if process.pid.serial in self.spared:
            return False
        if where != "*" and not fnmatchcase(process.label, where):
            serial = f"#{process.pid.serial}"
            if where not in (serial, str(process.vm.name_of(process))):
                return False
        if fault.node != "*" and not fnmatchcase(process.pid.node, fault.node):
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
    provider = fault.kind.group in PROVIDERS
    return Armed(fault, event, before, 1 if provider else fault.times or None)


def _waits_for_messages(fault: Fault) -> bool:
    """Whether its moment may be that a message reaches a mailbox; one in a callback comes later."""
    if fault.message is not None:
        return fault.what not in _IN_CALLBACK
    group = fault.kind.group == "message"
    return group or fault.after is not None or fault.probability is not None


def _payload(message: Any) -> Any:
    if isinstance(message, Cast | Call) and not isinstance(message, System):
        return message.request
    return message
