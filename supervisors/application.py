"""The application: the supervision tree of a node.

one_for_one: every part recovers by itself, and those who ask it meanwhile ask again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from aybiza.actors import names
from aybiza.actors.call.analysis_actor import AnalysisActor
from aybiza.actors.call.first_answers import FirstAnswers
from aybiza.actors.call.summary_actor import SummaryActor
from aybiza.actors.circuit_breaker_actor import CircuitBreakerActor
from aybiza.actors.measures.metrics_actor import MetricsActor
from aybiza.actors.memory.memory_actor import MemoryActor
from aybiza.actors.memory.store import JournalStore
from aybiza.actors.placement.drain_actor import DrainActor
from aybiza.actors.placement.placement import Limits, Place
from aybiza.actors.placement.placement_actor import Gauge, PlacementActor
from aybiza.actors.registry_actor import RegistryActor
from aybiza.actors.runtime import VM, CallExit
from aybiza.actors.switchboard import Table
from aybiza.supervisors.child_spec import ChildSpec, child
from aybiza.supervisors.dynamic_supervisor import DynamicSupervisor
from aybiza.supervisors.errors import SupervisorError
from aybiza.supervisors.model_supervisor import ModelSupervisor
from aybiza.supervisors.spawn import SPAWN_SUPERVISOR, SpawnSupervisor
from aybiza.supervisors.supervisor import Supervisor
from aybiza.supervisors.task_supervisor import TaskSupervisor

# A part that fails more often than this is not mended by another start: the node gives up, and its
# keeper starts a new one.
MAX_RESTARTS = 10
MAX_SECONDS = 10
COUNT_SECONDS = 1.0
BREAKER_SECONDS = 2.0
BREAKERS = "circuit_breaker_supervisor"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the tree is built of: the models it has breakers for, where memory is kept, what the
    node may carry, the doors, which stand on a floor above, the sinks, which take figures out of
    the node, where it is, what keeps fixed phrases, how it measures itself, and what takes up
    changes of the agents' files."""

    models: Sequence[str]
    stores: Sequence[JournalStore]
    limits: Limits
    doors: Sequence[ChildSpec] = ()
    sinks: Sequence[ChildSpec] = ()
    place: Place | None = None
    phrases: ChildSpec | None = None
    gauge: Gauge | None = None
    switchboard: ChildSpec | None = None


class Application(Supervisor):
    """See the module."""

    async def init(self, parts: Parts) -> Any:  # type: ignore[override]
        children = [
            child(RegistryActor, name=names.REGISTRY_ACTOR),
            child(MetricsActor, name=names.METRICS),
            *parts.sinks,
            *([parts.phrases] if parts.phrases is not None else []),
            *([parts.switchboard] if parts.switchboard is not None else []),
            child(MemoryActor, *parts.stores, name=names.MEMORY),
            child(CircuitBreakerSupervisor, parts.models, name=BREAKERS),
            child(ModelSupervisor, name=names.MODEL_SUPERVISOR),
            child(SummaryActor, name=names.SUMMARIES),
            child(AnalysisActor, name=names.ANALYSES),
            child(FirstAnswers, name=names.FIRST_ANSWERS),
            child(ToolSupervisor, name=names.TOOL_SUPERVISOR),
            child(SpawnSupervisor, name=SPAWN_SUPERVISOR),
            child(CallSupervisor, max_children=parts.limits.calls, name=names.CALL_SUPERVISOR),
            child(
                PlacementActor,
                parts.limits,
                count_calls,
                parts.place,
                parts.gauge,
                name=names.PLACEMENT,
            ),
            child(DrainActor, name=names.DRAIN),
            *parts.doors,
        ]
        await super().init(children, max_restarts=MAX_RESTARTS, max_seconds=MAX_SECONDS)


async def count_calls(vm: VM) -> int:
    """How many calls the node carries; raises `CallExit` while their supervisor restarts."""
    try:
        counts = await DynamicSupervisor.count_children(
            vm, names.CALL_SUPERVISOR, timeout=COUNT_SECONDS
        )
    except SupervisorError as refusal:
        raise CallExit(refusal.term, names.CALL_SUPERVISOR) from None
    return counts.active


class CallSupervisor(DynamicSupervisor):
    """The sessions of the calls, one CallSession each."""


class ToolSupervisor(TaskSupervisor):
    """The tool runs of all calls, one task each."""


class CircuitBreakerSupervisor(Supervisor):
    """One CircuitBreakerActor for each model."""

    async def init(self, models: Sequence[str]) -> Any:  # type: ignore[override]
        await super().init([breaker(model) for model in models])


def breaker(model: str) -> ChildSpec:
    """The spec of a model's breaker."""
    return child(CircuitBreakerActor, model, name=names.breaker(model), id=model)


async def add_breakers(vm: VM, table: Table) -> None:
    """Give a breaker to each last model of these agents that has none: agents that are read while
    the node runs may name others. One that cannot be started is told in the log; calls do without.
    """
    last = [who.policy.last for who in table.answering.values()]
    for model in dict.fromkeys(one.id for one in last if one is not None):
        if vm.whereis(names.breaker(model)) is not None:
            continue
        try:
            await Supervisor.start_child(vm, BREAKERS, breaker(model), timeout=BREAKER_SECONDS)
        except (SupervisorError, CallExit) as failure:
            log.warning("breaker_not_started", model=model, reason=str(failure))
