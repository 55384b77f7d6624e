"""A plan on a running node: what is asked of the node, and the process that carries it out.

    plan = read(text, name, emulators)            what cannot be done here is refused; blocks
    await begin(vm, plan, who, seconds, emulators)    it runs, until one of the ends below
    await told(vm, "report")                      what has struck and what supervisors did
    await told(vm, "stop")                        the same, and the plan has ended

It ends when all has struck and two seconds have passed, after `seconds`, when it is stopped, and
when nobody has asked for its report for `LEASE_SECONDS`: its asker has died, or the way to it is
broken. A plan with faults of providers runs for its time, for they wait with the providers.
However it ends, nothing that it hooked, kept back or left with a provider remains. Each strike is
logged (`fault_struck`) and counted (`aybiza_faults_injected_total`), with who asked.

Errors: `ValueError` with a text for people.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

import structlog

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.memory.journals import journals
from aybiza.actors.runtime import NORMAL, VM, CallExit, GenServer, StartError, Stop
from aybiza.actors.runtime.reasons import Reason
from aybiza.faults import live_strikes
from aybiza.faults.entries import ToldJournals
from aybiza.faults.fault import Fault
from aybiza.faults.hooks import hook
from aybiza.faults.injector import Injector
from aybiza.faults.live_strikes import PROVIDERS, Emulators
from aybiza.faults.plan import Plan, PlanError, parse
from aybiza.faults.sequence import sequence
from aybiza.faults.trace import Happened, Trace

NAME: Final = "faults"
LEASE_SECONDS: Final = 5.0
SETTLE_SECONDS: Final = 2.0
MOST_SECONDS: Final = 3600.0
MOST_EVENTS: Final = 2000
MOST_TOLD: Final = 500
MOST_NAME: Final = 64
# Until what a strike has to tell is out, in the log above all.
FAREWELL_SECONDS: Final = 0.3

_TICK_SECONDS = 0.25
_CALL_SECONDS = 3.0

log = structlog.get_logger(__name__)


class LiveStage:
    """The node on which a plan strikes (`aybiza.faults.injector.Stage`)."""

    def __init__(self, vm: VM, trace: Trace, around: Callable[[Fault], None]) -> None:
        self.vm = vm
        self.vms = [vm]
        self.trace = trace
        self.strike = around

    @property
    def journals(self) -> ToldJournals:
        table = journals(self.vm)
        assert isinstance(table, ToldJournals)
        return table

    def phase(self) -> str:
        for pid in self.vm.processes():
            process = self.vm.find(pid)
            if process is not None and process.label == "CallActor":
                state = process.server.get_state() if hasattr(process.server, "machine") else {}
                return str(state.get("phase", "none"))
        return "none"

    def stand_still(self, seconds: float) -> None:
        time.sleep(seconds)


class FaultActor(GenServer):
    """Carries a plan out; see the module. It lives for a while after the plan, to tell of it."""

    traps_exits = True

    async def init(self, plan: Plan, who: str, seconds: float, emulators: Emulators | None) -> None:
        self._plan, self._who, self._emulators = plan, who, emulators
        self._vm = vm = self.vm
        began = vm.now()
        self._began, self._until = began, began + seconds
        self._asked = began
        self._idle: float | None = None
        self._why = ""
        self._strikes: list[dict[str, Any]] = []
        self._undone: list[str] = []
        self._trace = Trace(lambda: vm.now() - began, most=MOST_EVENTS)
        faults = of_node(plan, vm.node)
        self._injector = injector = Injector(faults, plan.seed)
        injector.spared = {self.pid.serial}
        injector.told = self._told
        self._lasts = any(fault.kind.group in PROVIDERS for fault in faults)
        self._stage = LiveStage(vm, self._trace, lambda fault: vm.cast(self.pid, fault))
        self._unhook = hook(vm, self._trace, injector, self.pid, self._gone)
        injector.begin(self._stage)
        self.send_interval("look", _TICK_SECONDS)
        self._kinds = [fault.what for fault in faults]
        log.warning("fault_plan_began", by=who, faults=self._kinds, seconds=seconds, node=vm.node)

    async def handle_call(self, request: Any, from_: Any) -> Any:
        if request != "look":
            self._asked = self.vm.now()
        if request == "stop":
            await self._end("stopped")
        return self._report()

    async def handle_cast(self, fault: Any) -> None:
        try:
            await self._around(fault)
        except (OSError, ValueError) as error:
            self._undone.append(f"{fault.what}: {error}")
            log.error("fault_not_done", what=fault.what, why=str(error))

    async def handle_info(self, message: Any) -> Any:
        if message != "look":
            return
        now = self.vm.now()
        if self._why:
            if now - self._asked > LEASE_SECONDS:
                raise Stop(NORMAL)
            return
        if not self._injector.is_over or self._lasts:
            self._idle = None
        elif self._idle is None:
            self._idle = now
        if now >= self._until:
            await self._end("its time is over")
        elif now - self._asked > LEASE_SECONDS:
            await self._end("nobody asks for it any more")
        elif self._idle is not None and now - self._idle >= SETTLE_SECONDS:
            await self._end("all has struck")

    async def terminate(self, reason: Reason) -> None:
        await self._end("its process has ended")

    async def _around(self, fault: Fault) -> None:
        vm = self.vm
        if fault.what == "node.kill":
            await asyncio.sleep(FAREWELL_SECONDS)
            live_strikes.kill()
        elif fault.what == "node.freeze":
            await vm.run_blocking(live_strikes.freeze, fault.seconds)
        elif self._emulators is not None:
            await vm.run_blocking(live_strikes.break_provider, self._emulators, fault)

    def _told(self, fault: Fault, whom: str) -> None:
        vm = self.vm
        told = {"what": fault.what, "whom": whom, "by": self._who}
        if not whom:
            log.warning("fault_without_target", **told, where=fault.where, node=vm.node)
            self._undone.append(f"{fault.what}: there is no {fault.where} now")
            return
        log.warning("fault_struck", **told, node=vm.node)
        emit(vm, events.FAULT_STRUCK, what=fault.what, by=self._who)
        if len(self._strikes) < MOST_TOLD:
            at = round(vm.now() - self._began, 3)
            phase = self._stage.phase()
            self._strikes.append({"at": at, "whom": whom, "phase": phase, "fault": str(fault)})

    async def _end(self, why: str) -> None:
        if self._why:
            return
        self._why = why
        self._injector.end()
        self._unhook()
        log.warning("fault_plan_ended", by=self._who, why=why, strikes=len(self._strikes))
        await self._mend()

    def _gone(self) -> None:
        """This process has ended before its plan: it was killed."""
        log.warning("fault_plan_ended", by=self._who, why="its process was killed")
        self._vm.spawn(self._mend)

    async def _mend(self) -> None:
        if self._lasts and self._emulators is not None:
            try:
                await self._vm.run_blocking(live_strikes.mend_providers, self._emulators)
            except (OSError, ValueError) as error:
                log.error("faults_left_with_providers", why=str(error))

    def _report(self) -> dict[str, Any]:
        happened = list(self._trace)
        return {
            "title": self._plan.title,
            "by": self._who,
            "faults": self._kinds,
            "running": not self._why,
            "ended": self._why,
            "seconds": round(self.vm.now() - self._began, 1),
            "strikes": self._strikes,
            "restarts": _rows(happened, "restart")[-MOST_TOLD:],
            "exits": _rows(happened, "exit")[-MOST_TOLD:],
            "undone": self._undone[-MOST_TOLD:],
            "sequence": sequence(happened),
        }


def read(text: str, name: str, emulators: Emulators | None) -> Plan:
    """The plan of a file's text, if all of it can be done here; for a worker thread."""
    plan = parse(text, name, calls=False)
    if not plan.faults:
        raise PlanError(f"{name}: there is no [[fault]], so nothing breaks")
    if refused := list(live_strikes.refusals(plan, emulators)):
        raise ValueError("\n".join(f"{name}, {line}" for line in refused))
    return plan


def of_node(plan: Plan, node: str) -> list[Fault]:
    """The faults of the plan that are for this node."""
    return [fault for fault in plan.faults if fnmatchcase(node, fault.node)]


async def begin(
    vm: VM, plan: Plan, who: str, seconds: float, emulators: Emulators | None
) -> dict[str, Any]:
    """Have `plan` run for at most `seconds`; its first report."""
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError(f"a plan runs for at most {MOST_SECONDS:g} s, not {seconds:g}")
    try:
        await vm.start(FaultActor, plan, who[:MOST_NAME], seconds, emulators, name=NAME)
    except StartError as error:
        if vm.whereis(NAME) is None:
            raise ValueError(f"the plan did not start: {error}") from None
        if (await told(vm, "look"))["running"]:
            raise ValueError("a plan runs on this node; end it: aybiza faults run --stop") from None
        # The one before has ended, and waits to be asked what came of it.
        await vm.stop(NAME)
        return await begin(vm, plan, who, seconds, emulators)
    return await told(vm, "report")


async def told(vm: VM, request: str) -> dict[str, Any]:
    """The report, by `report`; by `stop` the plan ends before. `look` does not count as asking."""
    try:
        report: dict[str, Any] = await vm.call(NAME, request, _CALL_SECONDS)
    except CallExit as failure:
        if vm.whereis(NAME) is None:
            raise ValueError("no plan runs on this node") from None
        raise ValueError(f"the plan does not answer: {failure.reason}") from None
    return report


def _rows(happened: Iterable[Happened], kind: str) -> list[dict[str, Any]]:
    """Events of a kind; tasks, which come and go, are left out."""
    return [
        {"at": round(event.at, 3), "who": event.who, "what": event.what}
        for event in happened
        if event.kind == kind and not event.who.startswith("Task")
    ]
