"""The application: the supervision tree of a node.

one_for_one: every part recovers by itself, and those who ask it meanwhile ask again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actors import names
from actors.circuit_breaker_actor import CircuitBreakerActor
from actors.memory_actor import MemoryActor
from actors.memory_store import SqliteStore
from actors.metrics_actor import MetricsActor
from actors.registry_actor import RegistryActor
from supervisors.child_spec import ChildSpec, child
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.model_supervisor import ModelSupervisor
from supervisors.spawn import SPAWN_SUPERVISOR, SpawnSupervisor
from supervisors.supervisor import Supervisor
from supervisors.task_supervisor import TaskSupervisor

# A part that fails more often than this is not mended by another start: the node gives up, and its
# keeper starts a new one.
MAX_RESTARTS = 10
MAX_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Parts:
    """What the tree is built of: the models it has breakers for, where memory is kept, how many
    calls it may carry, and the doors, which stand on a floor above."""

    models: Sequence[str]
    store: SqliteStore
    max_calls: int
    doors: Sequence[ChildSpec] = ()


class Application(Supervisor):
    """See the module."""

    async def init(self, parts: Parts) -> Any:  # type: ignore[override]
        children = [
            child(RegistryActor, name="registry_actor"),
            child(MetricsActor, name=names.METRICS),
            child(MemoryActor, parts.store, name=names.MEMORY),
            child(CircuitBreakerSupervisor, parts.models, name="circuit_breaker_supervisor"),
            child(ModelSupervisor, name=names.MODEL_SUPERVISOR),
            child(ToolSupervisor, name=names.TOOL_SUPERVISOR),
            child(SpawnSupervisor, name=SPAWN_SUPERVISOR),
            child(CallSupervisor, max_children=parts.max_calls, name=names.CALL_SUPERVISOR),
            *parts.doors,
        ]
        await super().init(children, max_restarts=MAX_RESTARTS, max_seconds=MAX_SECONDS)


class CallSupervisor(DynamicSupervisor):
    """The sessions of the calls, one CallSession each."""


class ToolSupervisor(TaskSupervisor):
    """The tool runs of all calls, one task each."""


class CircuitBreakerSupervisor(Supervisor):
    """One CircuitBreakerActor for each model."""

    async def init(self, models: Sequence[str]) -> Any:  # type: ignore[override]
        await super().init(
            [
                child(CircuitBreakerActor, model, name=names.breaker(model), id=model)
                for model in models
            ]
        )
