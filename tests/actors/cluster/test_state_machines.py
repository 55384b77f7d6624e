"""State machines and agents of another node: requests travel, and answers too."""

from __future__ import annotations

import asyncio
import operator
from typing import Any

import pytest

from aybiza.actors.runtime import (
    Agent,
    Begin,
    GenStateMachine,
    KeepState,
    NextState,
    Postpone,
    ReplyTo,
    StateTimeout,
    sys,
    virtual_time,
)
from tests.actors.cluster.kit import cluster


class Gate(GenStateMachine):
    """Answers when it is open; opens on demand for a minute."""

    async def init(self) -> Begin:
        return Begin("shut", 0)

    async def handle_event(self, type: Any, content: Any, state: Any, data: Any) -> Any:
        match state, type, content:
            case "shut", ("call", _), _:
                return KeepState(actions=Postpone())
            case "open", ("call", from_), _:
                return KeepState(data + 1, ReplyTo(from_, f"{content} passes"))
            case "shut", "cast", "open":
                return NextState("open", data, StateTimeout(60))
            case "open", "state_timeout", _:
                return NextState("shut")
        return None


@virtual_time
async def test_a_call_from_another_node_is_postponed_and_answered_later() -> None:
    async with cluster("a", "b") as (_, (a, b)):
        gate = await b.vm.start(Gate, name="gate")
        assert gate is not None
        waiting = asyncio.create_task(a.vm.call(gate, "somebody"))
        await asyncio.sleep(1)
        assert not waiting.done()
        a.vm.cast(("gate", "b"), "open")
        assert await waiting == "somebody passes"
        assert await sys.get_state(a.vm, gate) == ("open", 1)


def double(value: int) -> int:
    """A function that both nodes know by its name."""
    return value * 2


@virtual_time
async def test_an_agent_of_another_node_runs_functions_that_both_know() -> None:
    async with cluster("a", "b") as (_, (a, b)):
        agent = await Agent.start(b.vm, int, 20)
        await Agent.update(a.vm, agent, double)
        Agent.cast(a.vm, agent, operator.add, 2)
        assert await Agent.get(a.vm, agent, int) == 42
        with pytest.raises(Exception, match="pickle"):
            await Agent.get(a.vm, agent, lambda value: value)
        assert await Agent.get(a.vm, agent, int) == 42
