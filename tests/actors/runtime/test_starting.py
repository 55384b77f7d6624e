"""Starts that fail: nothing that was started lives on, and the starter is told once.

Each kind of failure meets each kind of server, linked and unlinked, at several depths, with a
starter that traps exits and one that does not. What must hold afterwards is one checker.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    NORMAL,
    SHUTDOWN,
    VM,
    GenServer,
    Reason,
    Registry,
    Shutdown,
    StartError,
    Stop,
    run_virtual,
    virtual_time,
)
from aybiza.actors.runtime.starting import ENDING_SECONDS
from aybiza.supervisors import DynamicSupervisor, Supervisor, TaskSupervisor, child
from tests.actors.runtime.broods import (
    KINDS,
    LIMIT,
    TROUBLES,
    Nested,
    Server,
    crashed,
    fail,
)
from tests.actors.runtime.probe import Probe, forever


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Nested])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_nothing_is_left_of_a_start_that_fails(kind: type[GenServer], trouble: str) -> None:
    for link, depth, trap in itertools.product((True, False), (0, 2), (True, False)):

        async def start(vm: VM, depth: int = depth, link: bool = link) -> Any:
            return await vm.start(kind, TROUBLES[trouble], depth, link=link, timeout=LIMIT * 4)

        outcome, _ = run_virtual(fail(start, trap))
        assert TROUBLES[trouble].told(outcome), (outcome, link, depth, trap)


@pytest.mark.parametrize("trap", [True, False])
@pytest.mark.parametrize("trouble", [name for name in TROUBLES if name != "ignores"])
def test_nothing_is_left_of_supervisors_above_a_start_that_fails(trouble: str, trap: bool) -> None:
    async def start(vm: VM) -> Any:
        return await vm.start(Nested, TROUBLES[trouble], 3, link=True, timeout=10)

    outcome, _ = run_virtual(fail(start, trap))
    assert isinstance(outcome, StartError)
    if trouble not in ("runs out of time", "does not let itself be cancelled"):
        for _ in range(3):
            assert isinstance(outcome.reason, Shutdown)
            detail: Any = outcome.reason.detail
            assert detail[:2] == ("failed_to_start_child", "below")
            outcome = StartError(detail[2])
            outcome.__cause__ = getattr(detail[2], "exception", None)
        assert TROUBLES[trouble].told(outcome)


@pytest.mark.parametrize("trap", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_when_the_starter_stops_waiting(kind: type[GenServer], trap: bool) -> None:
    async def start(vm: VM) -> Any:
        async with asyncio.timeout(LIMIT):
            await vm.start(kind, TROUBLES["runs out of time"], 2, link=True, timeout=None)

    outcome, _ = run_virtual(fail(start, trap))
    assert isinstance(outcome, TimeoutError)


class Constructed(GenServer):
    def __init__(self) -> None:
        raise ValueError("constructor")


@pytest.mark.parametrize("link", [True, False])
@pytest.mark.parametrize("trap", [True, False])
def test_a_constructor_that_raises_is_like_an_init_that_raises(link: bool, trap: bool) -> None:
    async def start(vm: VM) -> Any:
        return await vm.start(Constructed, name="constructed", link=link)

    outcome, _ = run_virtual(fail(start, trap))
    assert crashed(ValueError)(outcome)


@pytest.mark.parametrize("reason", [KILL, SHUTDOWN, NORMAL, "other"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_being_started_linked_ends_with_its_starter(
    kind: type[GenServer], reason: Reason
) -> None:
    async def main() -> None:
        async with VM(block_warning_ms=None) as vm:
            vm.registries["names"] = Registry("names")

            async def begin() -> None:
                await vm.start(kind, TROUBLES["runs out of time"], 2, link=True, timeout=None)

            starter = vm.spawn(begin)
            await asyncio.sleep(LIMIT)
            assert len(vm.processes()) > 3
            process = vm.find(starter)
            assert process is not None
            if reason == NORMAL:
                process.end(NORMAL)
            else:
                vm.exit(starter, reason)
            await asyncio.sleep(ENDING_SECONDS)
            assert [str(vm.find(pid)) for pid in vm.processes() if not is_deaf(vm, pid)] == []
            assert not vm.registries["names"].count()

    run_virtual(main())


def is_deaf(vm: VM, pid: Any) -> bool:
    """Whether it is a process that traps exits and reads nothing; nobody waits for it here."""
    process = vm.find(pid)
    return process is not None and process.label == "deaf"


@virtual_time
async def test_an_unlinked_server_goes_on_when_its_starter_ends() -> None:
    class Slow(GenServer):
        async def init(self) -> None:
            await asyncio.sleep(LIMIT)

    async with VM(block_warning_ms=None) as vm:

        async def begin() -> None:
            await vm.start(Slow, name="slow")

        starter = vm.spawn(begin)
        await asyncio.sleep(LIMIT / 2)
        vm.exit(starter, KILL)
        await asyncio.sleep(LIMIT)
        assert vm.alive("slow")
        assert not vm.alive(starter)


@virtual_time
async def test_the_limit_of_an_unlinked_server_holds_though_its_starter_has_ended() -> None:
    async with VM(block_warning_ms=None) as vm:

        async def begin(timeout: float) -> None:
            await vm.start(Server, TROUBLES["runs out of time"], 0, timeout=timeout)

        vm.registries["names"] = Registry("names")
        for timeout in (5.0, 4.0):
            starter = vm.spawn(begin, timeout)
            await asyncio.sleep(1)
            vm.exit(starter, KILL)
            await asyncio.sleep(2)
            assert vm.alive("own.worker")
            await asyncio.sleep(10)
            assert vm.processes() == []


@virtual_time
async def test_what_does_not_end_after_a_failed_start_is_killed() -> None:
    class Endless(GenServer):
        traps_exits = True

        async def terminate(self, reason: Reason) -> None:
            await forever()

    class Parent(GenServer):
        async def init(self) -> None:
            await self.vm.start(Endless, name="endless", link=True)
            raise Stop("no")

    async with VM(block_warning_ms=None) as vm:
        with pytest.raises(StartError):
            await vm.start(Parent)
        assert vm.now() == pytest.approx(ENDING_SECONDS)
        assert vm.whereis("endless") is None


@virtual_time
async def test_who_else_is_linked_hears_why_a_start_has_failed() -> None:
    class Linking(GenServer):
        async def init(self) -> None:
            self.vm.link("friend")
            raise Stop("no")

    async with VM(block_warning_ms=None) as vm:
        friend = await vm.start(Probe, True, name="friend")
        assert friend is not None
        with pytest.raises(StartError):
            await vm.start(Linking)
        process = vm.find(friend)
        assert process is not None
        await asyncio.sleep(0)
        assert [message.reason for message in process.server.seen] == ["no"]


@virtual_time
async def test_a_supervisor_ends_its_children_in_order_when_its_init_fails_behind_super() -> None:
    ends: list[tuple[str, Reason]] = []

    class Tidy(GenServer):
        traps_exits = True

        async def init(self, label: str) -> None:
            self.label = label

        async def terminate(self, reason: Reason) -> None:
            await asyncio.sleep(0.1)
            ends.append((self.label, reason))

    class Fragile(Supervisor):
        async def init(self) -> None:  # type: ignore[override]
            await super().init([child(Tidy, label, id=label) for label in "abc"])
            raise ValueError("behind")

    async with VM(block_warning_ms=None) as vm:
        with pytest.raises(StartError):
            await vm.start(Fragile)
    assert ends == [("c", SHUTDOWN), ("b", SHUTDOWN), ("a", SHUTDOWN)]


@pytest.mark.parametrize("base", [Supervisor, DynamicSupervisor, TaskSupervisor])
@virtual_time
async def test_a_supervisor_whose_init_forgets_super_fails_at_its_start(base: Any) -> None:
    class Forgetful(base):  # type: ignore[misc]
        async def init(self) -> None:
            self.settings = 1

    async with VM(block_warning_ms=None) as vm:
        with pytest.raises(StartError) as failed:
            await vm.start(Forgetful)
    assert str(failed.value.__cause__) == (
        "Forgetful.init has not set up its children: let it `await super().init(…)`, "
        "with what Forgetful is to start"
    )


@virtual_time
async def test_no_timer_is_left_of_a_start() -> None:
    async with VM(block_warning_ms=None) as vm:
        loop: Any = asyncio.get_running_loop()
        for timeout in (5.0, 3.0):
            await vm.start(Probe, timeout=timeout)
            with pytest.raises(StartError):
                await vm.start(Constructed, timeout=timeout)
        # One timer serves all starts of the same limit, and one the reports; they may be set.
        shared = ("TimeLimit._come_due", "Reporter._hand_over")
        armed = [repr(timer) for timer in loop._scheduled if not timer.cancelled()]
        assert [timer for timer in armed if not any(name in timer for name in shared)] == []
        assert len(armed) <= 3
