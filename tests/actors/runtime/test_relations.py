"""Links and monitors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    KILLED,
    NOPROC,
    NORMAL,
    VM,
    CallExit,
    Down,
    Exit,
    ExitError,
    Pid,
    Process,
    current_process,
    virtual_time,
)
from tests.actors.runtime.probe import forever, started

# Links


@virtual_time
async def test_the_end_of_either_side_of_a_link_ends_the_other() -> None:
    for dies in (0, 1):
        async with VM() as vm:
            pids = [vm.spawn(forever), await started(vm)]
            await vm.call(pids[1], lambda vm=vm, pids=pids: vm.link(pids[0]))
            vm.exit(pids[dies], "boom")
            assert await vm.join(pids[0]) in ("boom", NOPROC)
            assert await vm.join(pids[1]) in ("boom", NOPROC)
            assert vm.processes() == []


@virtual_time
async def test_a_normal_end_does_not_disturb_a_link_but_is_told_to_one_that_traps() -> None:
    async with VM() as vm:
        plain, trapping = await started(vm), await started(vm, True)
        child = await vm.call(plain, lambda: vm.spawn(asyncio.sleep, 1, link=True))
        trapped = await vm.call(trapping, lambda: vm.spawn(asyncio.sleep, 1, link=True))
        await asyncio.sleep(2)
        assert not vm.alive(child)
        assert await vm.call(plain, "seen") == []
        assert await vm.call(trapping, "seen") == [Exit(trapped, NORMAL)]


@virtual_time
async def test_a_kill_is_not_trappable_and_is_seen_as_killed() -> None:
    async with VM() as vm:
        watcher, victim = await started(vm, True), await started(vm, True)
        await vm.call(watcher, lambda: vm.link(victim))
        vm.exit(victim, KILL)
        await vm.join(victim)
        assert await vm.call(watcher, "seen") == [Exit(victim, KILLED)]


@virtual_time
async def test_a_kill_that_comes_over_a_link_can_be_trapped() -> None:
    async with VM() as vm:
        watcher, leaves = await started(vm, True), await started(vm)
        await vm.call(watcher, lambda: vm.link(leaves))
        await vm.stop(leaves, KILL)
        assert await vm.call(watcher, "seen") == [Exit(leaves, KILL)]


@virtual_time
async def test_an_unlinked_process_hears_nothing() -> None:
    async with VM() as vm:
        one, other = await started(vm, True), await started(vm, True)
        await vm.call(one, lambda: vm.link(other))
        await vm.call(other, lambda: vm.unlink(one))
        vm.exit(one, KILL)
        await asyncio.sleep(1)
        assert await vm.call(other, "seen") == []


@virtual_time
async def test_two_links_to_one_process_are_one() -> None:
    async with VM() as vm:
        one, other = await started(vm, True), await started(vm)
        await vm.call(one, lambda: vm.link(other))
        await vm.call(one, lambda: vm.link(other))
        vm.exit(other, KILL)
        await asyncio.sleep(1)
        assert await vm.call(one, "seen") == [Exit(other, KILLED)]


@virtual_time
async def test_a_link_to_the_dead_is_an_exit_message_or_ends_who_does_not_trap() -> None:
    async with VM() as vm:
        dead = vm.spawn(asyncio.sleep, 0)
        await vm.join(dead)
        trapping, plain = await started(vm, True), await started(vm)

        async def link_and_go_on() -> None:
            vm.link(dead)
            await asyncio.sleep(1)

        await vm.call(trapping, lambda: vm.link(dead))
        assert await vm.call(trapping, "seen") == [Exit(dead, NOPROC)]
        with pytest.raises(CallExit) as ended:
            await vm.call(plain, link_and_go_on)
        assert ended.value.reason == NOPROC
        assert not vm.alive(plain)


@virtual_time
async def test_a_link_to_the_dead_can_be_caught() -> None:
    async with VM() as vm:
        dead, plain = vm.spawn(asyncio.sleep, 0), await started(vm)
        await vm.join(dead)

        def link_and_catch() -> str:
            try:
                vm.link(dead)
            except ExitError as error:
                return str(error.reason)
            return "linked"

        assert await vm.call(plain, link_and_catch) == NOPROC
        assert vm.alive(plain)


@virtual_time
async def test_a_linked_child_of_a_dead_process_does_not_live() -> None:
    async with VM() as vm:
        born: list[Pid] = []

        async def outlives_itself() -> None:
            try:
                await forever()
            finally:
                for _ in range(3):
                    # What an abandoned process may still do.
                    try:
                        await asyncio.sleep(2)
                    except asyncio.CancelledError:
                        continue
                born.append(vm.spawn(forever, link=True))

        process = vm.find(vm.spawn(outlives_itself))
        assert process is not None
        await asyncio.sleep(0.001)
        process.end(KILLED)
        process.vm.abandon(process)
        await asyncio.sleep(10)
        assert len(born) == 1
        assert not vm.alive(born[0])


def test_links_and_monitors_are_for_processes() -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            pid = vm.spawn(forever)
            for action in (vm.link, vm.unlink, vm.monitor):
                with pytest.raises(RuntimeError, match="for processes"):
                    action(pid)

    scenario()


# Monitors


@virtual_time
async def test_a_monitor_tells_the_end_once_and_to_its_watcher_only() -> None:
    async with VM() as vm:
        watcher, watched = await started(vm), vm.spawn(forever)
        first = await vm.call(watcher, lambda: vm.monitor(watched))
        second = await vm.call(watcher, lambda: vm.monitor(watched))
        assert first != second
        vm.exit(watched, "boom")
        await vm.join(watched)
        downs = [Down(first, watched, "boom"), Down(second, watched, "boom")]
        assert await vm.call(watcher, "seen") == downs


@virtual_time
async def test_a_monitor_of_the_dead_tells_at_once() -> None:
    async with VM() as vm:
        watcher = await started(vm)
        ref = await vm.call(watcher, lambda: vm.monitor("nobody"))
        assert await vm.call(watcher, "seen") == [Down(ref, ("nobody", vm.node), NOPROC)]


@virtual_time
async def test_a_monitor_of_a_name_tells_the_name_and_the_node() -> None:
    async with VM() as vm:
        watcher, watched = await started(vm), await started(vm, name="watched")
        ref = await vm.call(watcher, lambda: vm.monitor("watched"))
        undone = await vm.call(watcher, lambda: vm.monitor("watched"))
        assert await vm.call(watcher, lambda: vm.demonitor(undone)) is True
        vm.exit(watched, "boom")
        await vm.join(watched)
        assert await vm.call(watcher, "seen") == [Down(ref, ("watched", vm.node), "boom")]
        assert not vm._relations._monitored_names


@virtual_time
async def test_nobody_hears_of_the_own_end() -> None:
    async with VM() as vm:
        watcher = await started(vm)
        ref = await vm.call(watcher, lambda: vm.monitor(watcher))
        assert await vm.call(watcher, lambda: vm.demonitor(ref)) is False
        process = vm.find(watcher)
        assert process is not None
        assert not process.monitors


@virtual_time
async def test_demonitor_without_flush_leaves_what_has_come() -> None:
    async with VM() as vm:
        watcher, dead = await started(vm), vm.spawn(asyncio.sleep, 0)
        await vm.join(dead)

        def too_late() -> int:
            ref = vm.monitor(dead)
            assert vm.demonitor(ref, flush=False) is False
            return ref

        ref = await vm.call(watcher, too_late)
        assert await vm.call(watcher, "seen") == [Down(ref, dead, NOPROC)]


@virtual_time
async def test_demonitor_stops_the_message_and_takes_back_one_that_has_come() -> None:
    async with VM() as vm:
        watcher, watched, dead = await started(vm), vm.spawn(forever), vm.spawn(asyncio.sleep, 0)
        await vm.join(dead)

        def before() -> None:
            vm.demonitor(vm.monitor(watched))

        def after() -> None:
            kept, dropped = vm.monitor(dead), vm.monitor(dead)
            vm.demonitor(dropped)
            vm.send(watcher, ("kept", kept))

        await vm.call(watcher, before)
        vm.exit(watched, KILL)
        await vm.join(watched)
        await vm.call(watcher, after)
        seen = await vm.call(watcher, "seen")
        kept = seen[-1][1]
        assert seen == [Down(kept, dead, NOPROC), ("kept", kept)]


@virtual_time
async def test_a_dead_watcher_leaves_no_monitor_behind() -> None:
    async with VM() as vm:
        watcher, watched = await started(vm), vm.spawn(forever)
        process = vm.find(watched)
        assert process is not None
        await vm.call(watcher, lambda: vm.monitor(watched))
        assert len(process.monitors or ()) == 1
        vm.exit(watcher, KILL)
        await vm.join(watcher)
        assert not process.monitors
        vm.exit(watched, KILL)
        assert await vm.join(watched) == KILLED


# What has been told to end is nobody to those who come later


def me() -> Process:
    process = current_process.get()
    assert process is not None
    return process


async def held_up() -> None:
    try:
        await forever()
    finally:
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("body", [forever, held_up])
@pytest.mark.parametrize("reason", [KILL, "boom"])
@virtual_time
async def test_who_is_told_to_end_is_nobody_to_those_who_ask_later(body: Any, reason: Any) -> None:
    async def ask() -> None:
        vm = me().vm
        me().trap_exit = True

        def doomed() -> Pid:
            return vm.spawn(body)

        monitored = doomed()
        await asyncio.sleep(0.01)
        early = vm.monitor(monitored)
        vm.exit(monitored, reason)
        late = vm.monitor(monitored)
        first, second = await me().receive(), await me().receive()
        real = KILLED if reason == KILL else reason
        assert (first.ref, first.reason) == (early, real)
        assert (second.ref, second.reason) == (late, NOPROC)
        assert not vm.alive(monitored)

        linked = doomed()
        await asyncio.sleep(0.01)
        vm.exit(linked, reason)
        vm.link(linked)
        assert await me().receive() == Exit(linked, NOPROC)

        twice = doomed()
        await asyncio.sleep(0.01)
        vm.link(twice)
        vm.exit(twice, reason)
        vm.link(twice)
        assert await me().receive() == Exit(twice, real)

        called = doomed()
        await asyncio.sleep(0.01)
        vm.exit(called, reason)
        with pytest.raises(CallExit) as call:
            await vm.call(called, "x")
        assert call.value.reason == NOPROC

        stopped = doomed()
        await asyncio.sleep(0.01)
        vm.exit(stopped, reason)
        with pytest.raises(CallExit) as stop:
            await vm.stop(stopped)
        assert stop.value.reason == NOPROC
        assert not vm._relations._too_late

    async with VM() as vm:
        assert await vm.join(vm.spawn(ask)) == NORMAL
