"""The application: its tree, that each part comes back by itself, and when the node gives up."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.registry_actor import RegistryActor
from aybiza.actors.runtime import VM, Dest, virtual_time
from aybiza.actors.switchboard import Table
from aybiza.config.agents import load_agent
from aybiza.config.routes import Route, Routes
from aybiza.console.control import tree
from aybiza.gateway.media_server import STREAM_SUPERVISOR
from aybiza.supervisors.application import (
    BREAKERS,
    MAX_RESTARTS,
    CircuitBreakerSupervisor,
    add_breakers,
)
from tests.call.kit import world
from tests.call.steps import hang_up

BREAKER = names.breaker("global.anthropic.claude-haiku-4-5-20251001-v1:0")
PARTS: dict[str, Dest] = {
    "RegistryActor": "registry_actor",
    "MetricsActor": names.METRICS,
    "MemoryActor": names.MEMORY,
    "CircuitBreakerSupervisor": "circuit_breaker_supervisor",
    "CircuitBreakerActor": BREAKER,
    "CostsKeeper": "costs_keeper",
    "ModelSupervisor": names.MODEL_SUPERVISOR,
    "SummaryActor": names.SUMMARIES,
    "AnalysisActor": names.ANALYSES,
    "FirstAnswers": names.FIRST_ANSWERS,
    "ToolSupervisor": names.TOOL_SUPERVISOR,
    "CallSupervisor": names.CALL_SUPERVISOR,
    "PlacementActor": names.PLACEMENT,
    "DrainActor": names.DRAIN,
    "Gateway": "gateway",
    "StreamSupervisor": STREAM_SUPERVISOR,
    "MediaServer": "media_server",
    "HttpServer": "http_server",
}


async def test_the_tree_is_that_of_the_architecture(tmp_path: Path) -> None:
    async with world(tmp_path) as place:
        lines = [(line["depth"], line["server"]) for line in tree(place.vm)]
    assert lines == [
        (0, "Application"),
        (1, "RegistryActor"),
        (1, "MetricsActor"),
        (1, "CostsKeeper"),
        (1, "MetricsSink"),
        (1, "MetricsSink"),
        (1, "BreakerTrials"),
        (1, "MemoryActor"),
        (1, "CircuitBreakerSupervisor"),
        (2, "CircuitBreakerActor"),
        (2, "CircuitBreakerActor"),
        (1, "ModelSupervisor"),
        (1, "SummaryActor"),
        (1, "AnalysisActor"),
        (1, "FirstAnswers"),
        (1, "ToolSupervisor"),
        (1, "SpawnSupervisor"),
        (1, "CallSupervisor"),
        (1, "PlacementActor"),
        (1, "DrainActor"),
        (1, "Gateway"),
        (2, "StreamSupervisor"),
        (2, "MediaServer"),
        (3, "Task MediaServer._listen"),
        (2, "HttpServer"),
        (3, "Task HttpServer._serve"),
        (2, "ConsoleActor"),
    ]


@pytest.mark.parametrize("half", [0, 1])
async def test_each_part_comes_back_and_the_node_takes_calls(tmp_path: Path, half: int) -> None:
    async with world(tmp_path) as place:
        root = place.node.root
        for dest in list(PARTS.values())[half::2]:
            await place.until(lambda dest=dest: place.vm.alive(dest), what=f"no {dest}")  # type: ignore[misc]
            await place.restart(dest)
        async with place.call(hang_up(after=r"today\?")) as call:
            report = await call.over()
        assert report.ok, call.summary()
        assert root is not None and place.vm.alive(root)


async def test_a_part_that_keeps_failing_ends_the_node(tmp_path: Path) -> None:
    async with world(tmp_path) as place:
        root = place.node.root
        assert root is not None
        for _ in range(MAX_RESTARTS):
            await place.restart(names.METRICS)
        place.kill(names.METRICS)
        await place.until(lambda: not place.vm.alive(root), 2.0)
        await place.until(lambda: place.labels() == [], 2.0)


@virtual_time
async def test_agents_that_are_read_later_have_breakers_for_their_last_models() -> None:
    async with VM() as vm:
        await vm.start(RegistryActor, name=names.REGISTRY_ACTOR)
        await vm.start(CircuitBreakerSupervisor, ["claude"], name=BREAKERS)
        policy: Any = SimpleNamespace(last=SimpleNamespace(id="openai:gpt-4o-mini"))
        none: Any = SimpleNamespace(last=None)
        who: Any = {name: SimpleNamespace(policy=policy) for name in ("one", "two")}
        table = Table(Routes(Route("default", load_agent("clinic"), "")), who)
        await add_breakers(vm, table)
        breaker = vm.whereis(names.breaker("openai:gpt-4o-mini"))
        assert breaker is not None
        await add_breakers(vm, table)
        assert vm.whereis(names.breaker("openai:gpt-4o-mini")) == breaker
        who["one"] = who["two"] = SimpleNamespace(policy=none)
        await add_breakers(vm, table)
        await vm.stop(BREAKERS, "shutdown", 5.0)
        who["one"] = SimpleNamespace(policy=policy)
        await add_breakers(vm, table)
        assert vm.whereis(names.breaker("openai:gpt-4o-mini")) is None
