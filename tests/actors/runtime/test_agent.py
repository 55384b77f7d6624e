"""Agents; the recorded cases are in `agent.json`."""

from __future__ import annotations

import asyncio

import pytest

from aybiza.actors.runtime import (
    HIBERNATE,
    IGNORE,
    NO_REPLY,
    VM,
    Agent,
    BadReturnValue,
    CallExit,
    Continue,
    Crashed,
    Reply,
    StartError,
    Timeout,
    sys,
    virtual_time,
)
from aybiza.supervisors import Supervisor, child


@virtual_time
async def test_the_value_is_read_changed_and_both() -> None:
    async with VM() as vm:
        counter = await Agent.start(vm, lambda: 0, name="counter")
        assert vm.whereis("counter") == counter
        await Agent.update(vm, counter, lambda count, by: count + by, 2)
        assert await Agent.get(vm, "counter", lambda count: count) == 2
        assert await Agent.get_and_update(vm, counter, lambda count: (count, 0)) == 2
        Agent.cast(vm, counter, lambda count: count + 1)
        assert await Agent.get(vm, counter, lambda count: count) == 1
        await Agent.stop(vm, counter)
        assert not vm.alive(counter)


@virtual_time
async def test_functions_may_wait_and_the_agent_does_one_thing_after_the_other() -> None:
    async def slowly(value: list[str], item: str) -> list[str]:
        await asyncio.sleep(1)
        return [*value, item]

    async with VM() as vm:
        agent = await Agent.start(vm, list)
        Agent.cast(vm, agent, slowly, "slow")
        Agent.cast(vm, agent, lambda value: [*value, "quick"])
        assert await Agent.get(vm, agent, lambda value: value) == ["slow", "quick"]


@virtual_time
async def test_a_pair_that_is_none_ends_the_agent_with_what_it_was() -> None:
    async with VM() as vm:
        for returned in (7, None, (1,), (1, 2, 3), [1, 2]):
            agent = await Agent.start(vm, lambda: 0)
            with pytest.raises(CallExit) as ended:
                await Agent.get_and_update(vm, agent, lambda _, value=returned: value)
            assert ended.value.reason == BadReturnValue(returned)


@virtual_time
async def test_an_agent_that_cannot_begin_does_not_start() -> None:
    async with VM() as vm:
        with pytest.raises(StartError) as failed:
            await Agent.start(vm, lambda: 1 / 0)
        assert isinstance(failed.value.reason, Crashed)
        assert isinstance(failed.value.reason.exception, ZeroDivisionError)


@virtual_time
async def test_a_supervisor_starts_it_again_with_its_first_value() -> None:
    async with VM() as vm:
        spec = child(Agent, lambda: "fresh", name="kept")
        supervisor = await vm.start(Supervisor, [spec])
        assert supervisor is not None
        await Agent.update(vm, "kept", str.upper)
        with pytest.raises(CallExit):
            await Agent.get(vm, "kept", lambda value: value.no_such_method())
        await asyncio.sleep(0.001)
        assert await Agent.get(vm, "kept", lambda value: value) == "fresh"


@virtual_time
async def test_sys_shows_and_replaces_the_value() -> None:
    async with VM() as vm:
        agent = await Agent.start(vm, lambda: 5)
        assert await sys.get_state(vm, agent) == 5
        assert await sys.replace_state(vm, agent, lambda value: value + 1) == 6
        assert await Agent.get(vm, agent, lambda value: value) == 6


@virtual_time
async def test_a_marker_of_the_runtimes_is_a_value_as_any_other() -> None:
    async with VM() as vm:
        for value in (NO_REPLY, IGNORE, HIBERNATE, Reply(1), Continue(2), Timeout(3.0)):
            agent = await Agent.start(vm, lambda kept=value: kept)
            assert await Agent.get(vm, agent, lambda kept: kept) == value
            assert await Agent.get_and_update(vm, agent, lambda kept: (kept, 0)) == value
