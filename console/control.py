"""What a running node answers to the command-line tools: its tree, its calls, a process's end.

Requests and replies are JSON data.

    {"op": "tree"}                                  -> {"processes": [...]}, parents before children
    {"op": "calls"}                                 -> {"calls": [...]}
    {"op": "find", "process": P}                    -> {"found": pid or null}
    {"op": "observe", "process": P}                 -> all about it, with its statistics
    {"op": "members"}                               -> {"members": [...]}, the cluster's nodes as
                                                       this one sees them, itself first, each with
                                                       its `load` where that is known
    {"op": "drain", "node": N, "seconds": S}        -> {"progress": {...}}, or
    {"op": "undrain", "node": N}                       {"unknown": N, "nodes": [...]}; N is any node
    {"op": "drain_progress", "node": N}                (`aybiza.actors.placement.drain`)
    {"op": "emulators"}                             -> see `aybiza.console.node_emulators`
    {"op": "outbound", "do": D, …}                  -> see `aybiza.console.node_outbound`
    {"op": "records", …}                            -> see `aybiza.console.node_records`
    {"op": "faults", "do": D, …}                    -> see `aybiza.console.node_faults`
    {"op": "past", …}                               -> see `aybiza.console.past_calls`
    {"op": "kill", "process": P, "reason": R}       -> {"killed": pid, "name": name,
                                                        "back": pid or null,
                                                        "after_ms": milliseconds or null}
    {"op": "restart", "process": P}                 -> the same, after an end in order
    {"op": "trace", "process": P, "on": O}          -> see `aybiza.console.traces`
    {"op": "traced", "process": P, "after": N}      -> the same
    {"op": "hangup", "call": "CA…"}                 -> {"hung_up": "CA…"}
    {"op": "transcript", "call": "CA…", "after": N} -> {"rows": [[number, unix time, entry], …],
                                                        "over": true or false}: what was written
                                                        into a call's journal behind entry N

A process P is named by its pid (`aybiza.console.addresses`), its registered name (`metrics`), a
name in a registry as the tree or `observe` shows it (`till`, `cluster/till`), or as a part of a
call: `call:CA…`, `transcriber:CA…`, `speaker:CA…`, `session:CA…`. A pid of another node of the
cluster is looked for there. `"node"` beside it is the node that is meant, `"by"` who asks, for the
audit trail.
Errors: `ValueError` with a text for people, which becomes the node's refusal.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import asdict, fields
from typing import Any

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.memory.journals import journals
from aybiza.actors.placement.drain import Progress
from aybiza.actors.placement.drain_actor import Begin, Undo
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.registry_actor import RegistryActor
from aybiza.actors.runtime import (
    KILL,
    NOPROC,
    VM,
    CallExit,
    Dest,
    Pid,
    Process,
    Via,
    current_process,
    observe,
    sys,
)
from aybiza.actors.runtime.crash_report import kind_of
from aybiza.console.addresses import place_of
from aybiza.console.node_emulators import emulators
from aybiza.console.node_faults import faults
from aybiza.console.node_records import records
from aybiza.console.past_calls import past
from aybiza.console.traces import trace, traced
from aybiza.dialogue.events import HungUp
from aybiza.supervisors import SupervisorError, TaskSupervisor
from aybiza.supervisors.base import BaseSupervisor
from aybiza.supervisors.spawn import SPAWN_SUPERVISOR

LOOK_SECONDS = 0.5
BACK_SECONDS = 1.0
SOON_SECONDS = 0.005
DRAIN_SECONDS = 3.0
ELSEWHERE_SECONDS = 3.5
# What breaks a node has to be loaded there first.
FAULTS_SECONDS = 10.0
RESTART = "restart"
MOST_COUNTED = 1000
RESTART_SECONDS = 3.0
OF_PROCESSES = frozenset({"observe", "kill", "restart", "trace", "traced"})
OF_CALLS = frozenset({"performance", "outbound"})
"""What only a node with phone agents can tell."""
PARTS = ("call", "transcriber", "speaker", "session")


async def control(vm: VM, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one request."""
    answer = await _answer(vm, request)
    match request:
        case {"op": "kill" | "restart" | "hangup" | "drain" | "undrain" as did}:
            names_it = (request.get(key) for key in ("process", "call", "node"))
            _acted(vm, request, did, str(next(filter(None, names_it), "")))
        case {"op": "traced", "process": str(which)} if answer["begun"]:
            _acted(vm, request, "trace", which)
        case {"op": "transcript", "call": str(call_id), "after": 0}:
            # Whoever follows a call asks again and again.
            _acted(vm, request, "transcript", call_id)
        case {"op": "past", "call": str(call_id)}:
            _acted(vm, request, "transcript", call_id)
        case {"op": "outbound", "do": "dial" | "run" | "stop" | "forget" as do}:
            _acted(vm, request, f"outbound.{do}", str(request.get("name", "")))
        case {"op": "faults", "do": "begin" | "stop" as do}:
            _acted(vm, request, f"faults.{do}", str(request.get("name", "")))
    return answer


def _acted(vm: VM, request: dict[str, Any], did: str, what: str) -> None:
    """Tell what an operator had the node do, and who says to be them."""
    who = request.get("by") or request.get("who") or "operator"
    emit(vm, events.OPERATOR, who=str(who), did=did, what=what)


async def _answer(vm: VM, request: dict[str, Any]) -> dict[str, Any]:
    if request.get("op") in OF_CALLS and vm.whereis(names.METRICS) is None:
        raise ValueError(f"the node {vm.node} carries no calls: what it runs is a main of its own")
    match request:
        case {"op": "tree"}:
            return {"processes": tree(vm)}
        case {"op": "members"}:
            return {"members": members(vm)}
        case {"op": "drain", "node": str(node), "seconds": int() | float() as seconds}:
            return await drain(vm, node, Begin(float(seconds)))
        case {"op": "undrain", "node": str(node)}:
            return await drain(vm, node, Undo())
        case {"op": "drain_progress", "node": str(node)}:
            return await drain(vm, node, "progress")
        case {"op": "calls"}:
            return {"calls": await calls(vm)}
        case {"op": "emulators"}:
            return emulators(vm)
        case {"op": "past"}:
            return await past(vm, request)
        case {"op": "outbound"}:
            # A node of one's own has none of what calls need.
            from aybiza.console.node_outbound import outbound

            return await outbound(vm, request)
        case {"op": "records"}:
            return await records(vm, request, elsewhere)
        case {"op": "faults", **options}:
            node = options.get("node", vm.node)
            if node in vm.nodes():
                return await elsewhere(vm, node, request, FAULTS_SECONDS)
            if node != vm.node:
                raise ValueError(f"this node knows no node {node}")
            return await faults(vm, options)
        case {"op": "find", "process": str(which)}:
            process = _find(vm, which, None)
            return {"found": repr(process.pid) if process is not None else None}
        case {
            "op": "observe" | "kill" | "restart" | "trace" | "traced" as op,
            "process": str(which),
            **options,
        }:
            meant = options.get("node")
            place = place_of(vm, which, meant)
            if place is not None and place.pid is None:
                return await elsewhere(vm, place.node, request)
            if op == "observe":
                return await observed(vm, which, meant)
            if op == "trace" and isinstance(options.get("on"), bool):
                return await trace(vm, _known(vm, which, meant), options["on"])
            if op == "traced":
                return await traced(vm, _known(vm, which, meant), options.get("after"))
            if op == "restart":
                return await restart(vm, which, meant)
            if isinstance(options.get("reason"), str):
                return await kill(vm, which, options["reason"], meant)
        case {"op": "hangup", "call": str(call_id)}:
            return hang_up(vm, call_id)
        case {"op": "transcript", "call": str(call_id), "after": int(after)}:
            return transcript(vm, call_id, after)
    raise ValueError(f"a node does not understand {request!r}")


async def elsewhere(
    vm: VM, node: str, request: dict[str, Any], seconds: float = ELSEWHERE_SECONDS
) -> dict[str, Any]:
    """Have another node of the cluster answer a request."""
    try:
        task = await TaskSupervisor.async_nolink(
            vm, (SPAWN_SUPERVISOR, node), _answer_there, {**request, "node": node}
        )
        outcome = await task.result(seconds)
    except (CallExit, SupervisorError) as failure:
        raise ValueError(f"the node {node} does not answer: {failure}") from None
    if isinstance(outcome, str):
        raise ValueError(outcome)
    return outcome


async def _answer_there(request: dict[str, Any]) -> dict[str, Any] | str:
    """The answer of this node to another one, or why it refuses."""
    process = current_process.get()
    assert process is not None
    try:
        return await control(process.vm, request)
    except ValueError as refusal:
        return str(refusal)


def tree(vm: VM) -> list[dict[str, Any]]:
    """All processes, each behind its parent; `depth` 0 has none that lives."""
    children: dict[Pid | None, list[Process]] = {}
    found = [process for pid in vm.processes() if (process := vm.find(pid))]
    living = {process.pid for process in found}
    for process in found:
        parent = process.parent if process.parent in living else None
        children.setdefault(parent, []).append(process)
    lines: list[dict[str, Any]] = []

    def walk(parent: Pid | None, depth: int) -> None:
        for process in children.get(parent, ()):
            lines.append(
                {
                    "pid": repr(process.pid),
                    "name": vm.name_of(process),
                    "server": process.label,
                    "depth": depth,
                    "mailbox": process.mailbox_length,
                    "reductions": process.reductions,
                }
            )
            walk(process.pid, depth + 1)

    walk(None, 0)
    return lines


def members(vm: VM) -> list[dict[str, Any]]:
    """The nodes of the cluster, each with what it has told of its load."""
    own = board(vm)
    rows = {**own.others, vm.node: own.row(vm.now())}
    found = [{"node": vm.node, "state": "here"}] if vm.remote is None else vm.remote.members()
    return [
        {**member, "load": asdict(rows[member["node"]])} if member["node"] in rows else member
        for member in found
    ]


async def drain(vm: VM, node: str, request: Begin | Undo | str) -> dict[str, Any]:
    """Have a node's DrainActor do this; where its drain stands then."""
    nodes = [vm.node, *vm.nodes()]
    if node not in nodes:
        return {"unknown": node, "nodes": nodes}
    dest = names.DRAIN if node == vm.node else (names.DRAIN, node)
    try:
        progress: Progress = await vm.call(dest, request, DRAIN_SECONDS)
    except CallExit as failure:
        if failure.reason != NOPROC:
            raise
        raise ValueError(
            f"the node {node} has nobody who drains it: what it runs is a main of its own, or it"
            " starts or ends at present"
        ) from None
    return {"progress": progress.described()}


async def calls(vm: VM) -> list[dict[str, Any]]:
    """The calls of the node, with where each stands."""

    async def look(pid: Pid) -> dict[str, Any]:
        try:
            state: dict[str, Any] = await sys.get_state(vm, pid, LOOK_SECONDS)
        except CallExit as failure:
            return {"pid": repr(pid), "phase": f"unknown: {failure.reason}"}
        return state

    found = [process for pid in vm.processes() if (process := vm.find(pid))]
    carrying = [process.pid for process in found if process.label == "CallActor"]
    return list(await asyncio.gather(*map(look, carrying)))


async def observed(vm: VM, which: str, node: str | None = None) -> dict[str, Any]:
    """A process as `aybiza.actors.runtime.observe` sees it; pids and names are texts.

    `waiting` counts the oldest messages of its mailbox by their types; None where there are none.
    `statistics` are those of a supervisor or, by their names, the registries that it offers; None
    where there are none, or where it does not answer within `LOOK_SECONDS`.
    """
    process = _known(vm, which, node)
    observation = observe(vm, process.pid)
    shown = {field.name: getattr(observation, field.name) for field in fields(observation)}
    for key in ("links", "monitors", "monitored_by"):
        shown[key] = [repr(pid) for pid in shown[key]]
    shown["names"] = [_name(name) for name in observation.names]
    shown["pid"] = repr(observation.pid)
    shown["parent"] = repr(observation.parent) if observation.parent else None
    shown["waiting"] = dict(Counter(map(kind_of, process.mailbox[:MOST_COUNTED]))) or None
    return {**shown, "statistics": await _statistics(vm, process)}


async def _statistics(vm: VM, process: Process) -> dict[str, Any] | None:
    if isinstance(process.server, BaseSupervisor):
        try:
            statistics = await BaseSupervisor.statistics(vm, process.pid, timeout=LOOK_SECONDS)
        except CallExit:
            return None
        return statistics._asdict()
    if isinstance(process.server, RegistryActor):
        return {name: table.statistics()._asdict() for name, table in vm.registries.items()}
    return None


def _name(name: str | Via) -> str:
    if isinstance(name, str):
        return name
    key = name.key
    return f"{name.registry}/{':'.join(map(str, key)) if isinstance(key, tuple) else key}"


async def kill(vm: VM, which: str, reason: str = KILL, node: str | None = None) -> dict[str, Any]:
    """Send the exit signal `reason` to a process; `kill` cannot be trapped.

    A process with a name is waited for: `back` is who has the name now, `after_ms` how long nobody
    had it.
    """
    process = _known(vm, which, node)
    ending = _Ending(vm, process)
    vm.exit(process.pid, reason)
    return await ending.outcome()


async def restart(vm: VM, which: str, node: str | None = None) -> dict[str, Any]:
    """Have a process end in order, but not as one whose work is done, so that its supervisor
    starts another; told as `kill` tells."""
    process = _known(vm, which, node)
    ending = _Ending(vm, process)
    try:
        await vm.stop(process.pid, RESTART, RESTART_SECONDS)
    except CallExit as failure:
        if failure.reason != RESTART:
            raise ValueError(f"{which} has not ended in order: {failure.reason}") from None
    return await ending.outcome()


def hang_up(vm: VM, call_id: str) -> dict[str, Any]:
    """End a call as if its caller had hung up; its carrier is told."""
    _call_actor(vm, call_id).server.line.post(HungUp())
    return {"hung_up": call_id}


def transcript(vm: VM, call_id: str, after: int) -> dict[str, Any]:
    """What stands in the journal of a call of this node behind entry `after`."""
    journal = journals(vm).get(call_id)
    if journal is None and not after:
        _call_actor(vm, call_id)
    # A node of one's own has none of what calls need.
    from aybiza.gateway.console.transcript import told

    rows = told(journal.outside, after) if journal is not None else []
    return {"rows": rows, "over": vm.find(names.call(call_id)) is None}


def _call_actor(vm: VM, call_id: str) -> Process:
    process = vm.find(names.call(call_id))
    if process is None or not hasattr(process.server, "machine"):
        raise ValueError(f"this node has no call {call_id}; `aybiza calls` shows them")
    return process


class _Ending:
    """A process that is about to end, and who has its name then."""

    def __init__(self, vm: VM, process: Process) -> None:
        self._vm = vm
        self._process = process
        self._name = vm.name_of(process) or process.label
        self._address = _address(process)
        self._began = time.perf_counter()

    async def outcome(self) -> dict[str, Any]:
        """What became of it; waits at most `BACK_SECONDS` for its successor."""
        vm, pid = self._vm, self._process.pid
        back: Pid | None = None
        if self._address is not None:
            ended_at = vm.now()
            while (waited := vm.now() - ended_at) < BACK_SECONDS:
                # A restart takes less than a millisecond; what takes longer must not cost the
                # calls.
                await asyncio.sleep(0 if waited < SOON_SECONDS else 0.01)
                back = vm.whereis(self._address)
                if back not in (None, pid):
                    break
        after = round((time.perf_counter() - self._began) * 1000, 3)
        returned = back not in (None, pid)
        return {
            "killed": repr(pid),
            "name": self._name,
            "back": repr(back) if returned else None,
            "after_ms": after if returned else None,
        }


def _address(process: Process) -> Dest | None:
    for registry, key in process.names or ():
        return str(key) if registry is None else Via(registry, key)
    return None


def _known(vm: VM, which: str, node: str | None) -> Process:
    process = _find(vm, which, node)
    if process is None:
        raise ValueError(f"no process is called {which!r}; `aybiza tree` shows them")
    return process


def _find(vm: VM, which: str, node: str | None) -> Process | None:
    place = place_of(vm, which, node)
    if place is not None:
        return None if place.pid is None else vm.find(place.pid)
    part, _, call_id = which.partition(":")
    if part in PARTS and call_id:
        return vm.find(Via(names.REGISTRY, (part, call_id)))
    return vm.find(which) or _shown_as(vm, which)


def _shown_as(vm: VM, which: str) -> Process | None:
    """The process of this node with a name in a registry that is shown so: `till`, as a tree shows
    it, or `cluster/till`, as `observe` does."""
    found = [
        process
        for pid in vm.processes()
        if (process := vm.find(pid))
        and which in (vm.name_of(process), *map(_name, observe(vm, pid).names))
    ]
    if len(found) > 1:
        pids = ", ".join(repr(process.pid) for process in found)
        raise ValueError(f"{which!r} is the name of {pids}: say which by its pid")
    return found[0] if found else None
