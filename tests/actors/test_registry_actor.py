"""Names and PubSub."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.names import REGISTRY
from aybiza.actors.registry_actor import (
    RegistryActor,
    names,
    publish,
    subscribe,
    topics,
    unsubscribe,
)
from aybiza.actors.runtime import (
    FUNCTION_CLAUSE,
    KILL,
    VM,
    CallExit,
    GenServer,
    Pid,
    Via,
    sys,
    virtual_time,
)


class Member(GenServer):
    async def init(self) -> None:
        self.heard: list[Any] = []

    async def handle_info(self, message: Any) -> None:
        self.heard.append(message)

    async def handle_call(self, request: Any, from_: Any) -> Any:
        if request == "heard":
            return self.heard
        outcome = request()
        return await outcome if asyncio.iscoroutine(outcome) else outcome


async def member(vm: VM, **options: Any) -> Pid:
    pid = await vm.start(Member, **options)
    assert pid is not None
    return pid


@virtual_time
async def test_names_outlive_the_actor() -> None:
    async with VM() as vm:
        actor = await vm.start(RegistryActor, name="registry")
        assert actor is not None
        pid = await member(vm, name=Via(REGISTRY, ("call", 1)))
        vm.exit(actor, KILL)
        await vm.join(actor)
        assert vm.whereis(Via(REGISTRY, ("call", 1))) == pid
        await vm.start(RegistryActor, name="registry")
        assert await vm.call("registry", ("lookup", ("call", 1))) == [(pid, None)]


@virtual_time
async def test_who_asks_is_registered() -> None:
    async with VM() as vm:
        await vm.start(RegistryActor, name="registry")
        one, other = await member(vm), await member(vm)

        def asks(who: Pid, *request: Any) -> Any:
            return vm.call(who, lambda: vm.call("registry", request))

        assert await asks(one, "register", "k", 1) == ("ok", one)
        assert await asks(other, "register", "k") == ("error", ("already_registered", one))
        assert await asks(other, "unregister", "k") == "ok"
        assert await vm.call("registry", ("lookup", "k")) == [(one, 1)]
        assert await vm.call("registry", ("count",)) == 1
        assert await asks(one, "unregister", "k") == "ok"
        assert await vm.call("registry", ("count",)) == 0


@virtual_time
async def test_only_a_process_can_be_registered() -> None:
    async with VM() as vm:
        await vm.start(RegistryActor, name="registry")
        for request in (("register", "k", 1), ("unregister", "k"), ("subscribe", "t")):
            assert await vm.call("registry", request) == ("error", "noproc")


@virtual_time
async def test_what_is_published_reaches_every_subscriber_once_for_each_subscription() -> None:
    async with VM() as vm:
        await vm.start(RegistryActor, name="registry")
        one, two, none = [await member(vm) for _ in range(3)]
        await vm.call(one, lambda: subscribe(vm, "calls"))
        await vm.call(two, lambda: vm.call("registry", ("subscribe", "calls")))
        await vm.call(two, lambda: subscribe(vm, "calls"))
        await vm.call(none, lambda: subscribe(vm, "other"))
        assert publish(vm, "calls", "news") == 3
        assert await vm.call("registry", ("publish", "calls", "more")) == 3
        assert await vm.call(one, "heard") == ["news", "more"]
        assert await vm.call(two, "heard") == ["news", "news", "more", "more"]
        assert await vm.call(none, "heard") == []


@virtual_time
async def test_a_subscription_ends_with_its_process_or_by_its_will() -> None:
    async with VM() as vm:
        await vm.start(RegistryActor, name="registry")
        one, two = await member(vm), await member(vm)
        for pid in (one, two):
            await vm.call(pid, lambda: subscribe(vm, "calls"))
        vm.exit(one, KILL)
        await vm.join(one)
        assert publish(vm, "calls", 1) == 1
        await vm.call(two, lambda: unsubscribe(vm, "calls"))
        assert publish(vm, "calls", 2) == 0
        await vm.call(two, lambda: subscribe(vm, "calls"))
        await vm.call(two, lambda: vm.call("registry", ("unsubscribe", "calls")))
        assert publish(vm, "calls", 3) == 0


@virtual_time
async def test_publishing_needs_no_actor() -> None:
    async with VM() as vm:
        assert publish(vm, "calls", 1) == 0
        pid = await member(vm)
        await vm.call(pid, lambda: subscribe(vm, "calls"))
        assert publish(vm, "calls", 2) == 1
        assert topics(vm).count() == 1
        assert names(vm).count() == 0


@virtual_time
async def test_subscriptions_are_for_processes() -> None:
    async with VM() as vm:
        for act in (subscribe, unsubscribe):
            with pytest.raises(RuntimeError, match="for processes"):
                act(vm, "calls")


@virtual_time
async def test_its_state_is_how_much_the_tables_hold() -> None:
    async with VM() as vm:
        await vm.start(RegistryActor, name="registry")
        pid = await member(vm, name=Via(REGISTRY, "m"))
        await vm.call(pid, lambda: subscribe(vm, "calls"))
        assert await sys.get_state(vm, "registry") == {"names": 1, "subscriptions": 1}


@virtual_time
async def test_a_request_it_does_not_know_is_a_crash_that_costs_no_name() -> None:
    async with VM() as vm:
        await vm.start(RegistryActor, name="registry")
        pid = await member(vm, name=Via(REGISTRY, "m"))
        with pytest.raises(CallExit) as failed:
            await vm.call("registry", ("forget", "everything"))
        assert failed.value.reason == FUNCTION_CLAUSE
        assert vm.whereis(Via(REGISTRY, "m")) == pid
