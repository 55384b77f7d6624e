"""`Look`: what the console knows of a node, and what of it has changed since it looked last.

    look = Look()
    for changed in look.processes(vm, restarts): …    a slice of the processes at a time
    look.calls(…), look.measure(vm), look.node(vm, …)

It looks from outside and asks no process anything, so it costs no actor a message, and also sees
one that hangs. A slice is some 0.1 ms of work, so that who drives it can give the loop back in
between. A row of a process is a list of its serial, its parent's (0 for none), its class, its name,
how many messages wait, how many it has taken, the bytes that it holds (0 until it was measured) and
how often what has its name was started again.

Errors: none.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aybiza.actors.measures.costs import ledger
from aybiza.actors.measures.provider_health import lost
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM, CallExit, Pid, Process, observe
from aybiza.claude.circuit_breaker import State
from aybiza.config.catalogue import MICRO
from aybiza.gateway.console.happenings import Happenings

SLICE: Final = 100
"""Processes that are looked at without giving the loop back."""

REFRESH: Final = 4
"""Looks in which each process has its figures told once, if only they have changed."""

MEASURED: Final = 5
MEASURE_SECONDS: Final = 0.0005
"""Processes whose memory is measured at a look, and after which time none is any more: a large one
takes a millisecond."""

MINUTE: Final = 60.0
DAYS: Final = 7

Row = list[Any]
SERIAL, PARENT, LABEL, NAME, MAILBOX, TAKEN, MEMORY, RESTARTS = range(8)

ALARMS: Final[Mapping[str, tuple[str, str]]] = {
    "crash": ("bad", "processes ended by a fault of their own"),
    "mailbox": ("bad", "mailboxes grew long"),
    "refused": ("bad", "calls were not taken, for the node is full"),
    "blocked": ("odd", "callbacks held the loop"),
    "provider": ("odd", "errors of providers"),
    "unsaid": ("odd", "texts that no voice said"),
    "quota": ("odd", "quotas were reached"),
    "fault": ("odd", "faults were injected"),
    "left": ("odd", "nodes left the cluster"),
}
"""The kinds of news that are alarms while they are young: how bad, and what is said of them."""


class Look:
    """See the module. `rows` are those of the processes by their serials, `calls` those of the
    calls by their ids."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        self.breakers: list[dict[str, Any]] = []
        self._turn = 0
        self._gone: list[int] = []
        self._gone_calls: list[str] = []
        self._changed_calls: list[dict[str, Any]] = []
        self._to_measure: list[int] = []

    def processes(self, vm: VM, heard: Happenings) -> Iterator[list[Row]]:
        """The rows that have changed, in slices; behind the last one `gone` and the calls fit."""
        self._turn += 1
        seen: set[int] = set()
        calls: dict[str, dict[str, Any]] = {}
        breakers: list[dict[str, Any]] = []
        costs = ledger(vm).calls
        pids = vm.processes()
        for at in range(0, len(pids), SLICE):
            changed = []
            for pid in pids[at : at + SLICE]:
                process = vm.find(pid)
                if process is None:
                    continue
                seen.add(pid.serial)
                if self._take(vm, process, heard.restarts):
                    changed.append(self.rows[pid.serial])
                if process.label == "CallActor":
                    self._call(process, calls, heard, costs)
                elif process.label == "CircuitBreakerActor":
                    breakers += _breaker(process)
            yield changed
        self._gone = [serial for serial in self.rows if serial not in seen]
        for serial in self._gone:
            del self.rows[serial]
        self._changed_calls = [
            call for call_id, call in calls.items() if call != self.calls.get(call_id)
        ]
        self._gone_calls = [call_id for call_id in self.calls if call_id not in calls]
        self.calls, self.breakers = calls, breakers

    def gone(self) -> list[int]:
        """The serials of the processes that are no more, since the look before."""
        return self._gone

    def changed_calls(self) -> tuple[list[dict[str, Any]], list[str]]:
        """The calls that are new or have changed, and the ids of those that are over."""
        return self._changed_calls, self._gone_calls

    def measure(self, vm: VM) -> list[Row]:
        """Measure the memory of the next few processes; the rows that changed."""
        changed: list[Row] = []
        began = time.perf_counter()
        for _ in range(MEASURED):
            if time.perf_counter() - began > MEASURE_SECONDS:
                break
            if not self._to_measure:
                self._to_measure = list(reversed(self.rows))
            row = self.rows.get(self._to_measure.pop()) if self._to_measure else None
            if row is None:
                continue
            try:
                memory = observe(vm, Pid(vm.node, row[SERIAL], vm.creation)).memory
            except CallExit:
                continue
            if memory != row[MEMORY]:
                row[MEMORY] = memory
                changed.append(row)
        return changed

    def _take(self, vm: VM, process: Process, restarts: Mapping[str, int]) -> bool:
        """Bring the row of a process up to date; whether it is to be told."""
        row = self.rows.get(process.pid.serial)
        mailbox = process.mailbox_length
        if row is None:
            serial, parent = process.pid.serial, process.parent
            above = parent.serial if parent is not None and parent.node == vm.node else 0
            name = vm.name_of(process) or ""
            again = restarts.get(name or process.label, 0)
            taken = process.reductions
            row = [serial, above, process.label, name, mailbox, taken, 0, again]
            self.rows[serial] = row
            return True
        told = False
        if mailbox != row[MAILBOX]:
            row[MAILBOX], told = mailbox, True
        if (process.pid.serial + self._turn) % REFRESH == 0:
            name = vm.name_of(process) or ""
            again = restarts.get(name or process.label, 0)
            now = [name, row[MAILBOX], process.reductions, row[MEMORY], again]
            if now != row[NAME:]:
                row[NAME:], told = now, True
        return told

    def _call(
        self,
        process: Process,
        calls: dict[str, dict[str, Any]],
        heard: Happenings,
        costs: Mapping[str, int],
    ) -> None:
        server = process.server
        if not hasattr(server, "machine"):
            return  # its init is not done
        state = server.get_state()
        call_id = state["call_id"]
        before = self.calls.get(call_id)
        turn = heard.last_turn(call_id)
        calls[call_id] = {
            "id": call_id,
            "serial": process.pid.serial,
            "phase": state["phase"],
            "turn": state["turn"],
            "caller": state["caller"],
            # Told once: who looks has a clock.
            "began": time.time() - state["seconds"] if before is None else before["began"],
            "model": turn.get("model", ""),
            "response": turn.get("response"),
            "usd": costs.get(call_id, 0) / MICRO,
        }

    def node(
        self, vm: VM, heard: Happenings, wall: float, members: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any]:
        """How the node is: its load, its breakers, what it has cost, and the alarms, those of the
        cluster's other `members` among them."""
        own = board(vm)
        row = own.row(vm.now())
        spent = ledger(vm).days
        days = sorted(spent)[-DAYS:]
        return {
            "calls": row.calls,
            "max_calls": row.max_calls,
            "lag_ms": row.lag_ms,
            "memory_mb": row.memory_mb,
            "processes": len(self.rows),
            "restarts": heard.restarted,
            "refusal": row.refusal,
            "alarms": self.alarms(vm, heard, wall, members),
            "breakers": self.breakers,
            "days": [[day, spent[day] / MICRO] for day in days],
        }

    def alarms(
        self, vm: VM, heard: Happenings, wall: float, members: Sequence[Mapping[str, Any]] = ()
    ) -> list[dict[str, Any]]:
        """What an operator should know of now, the worst first."""
        found = [
            ("bad", f"{provider} is lost: {count} failures and nothing useful since")
            for provider, count in lost(vm).items()
        ]
        refusal = board(vm).row(vm.now()).refusal
        if refusal:
            found.append(("bad", f"the node takes no calls: {refusal}"))
        found += [alarm for each in members if each["node"] != vm.node for alarm in _of(each)]
        found += [
            ("bad", f"the breaker of {one['model']} is open: its model is left alone")
            for one in self.breakers
            if one["state"] == "open"
        ]
        young: dict[str, int] = {}
        for one in reversed(heard.news):
            if one["at"] < wall - MINUTE:
                break
            young[one["kind"]] = young.get(one["kind"], 0) + 1
        found += [
            (how, f"{text}: {young[kind]} in the last minute")
            for kind, (how, text) in ALARMS.items()
            if kind in young
        ]
        found.sort(key=lambda alarm: alarm[0] != "bad")
        return [{"how": how, "text": text} for how, text in found]


def _of(member: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with another node of the cluster."""
    if member["state"] == "down":
        return [("bad", f"the node {member['node']} is not reached")]
    refusal = (member.get("load") or {}).get("refusal")
    return [("odd", f"the node {member['node']} takes no calls: {refusal}")] if refusal else []


def _breaker(process: Process) -> list[dict[str, Any]]:
    breaker = getattr(process.server, "breaker", None)
    if breaker is None:
        return []
    state: State = breaker.state
    failures = breaker.failure_count
    return [{"model": process.server.model_id, "state": state, "failures": failures}]
