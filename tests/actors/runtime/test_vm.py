from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import MutableMapping
from typing import Any

import pytest

from actors.runtime import (
    KILL,
    KILLED,
    NOPROC,
    NORMAL,
    SHUTDOWN,
    TIMEOUT,
    VM,
    CallExit,
    Continue,
    Crashed,
    Down,
    Exit,
    ExitError,
    From,
    GenServer,
    NameTaken,
    Pid,
    Process,
    Reason,
    Registry,
    StartError,
    Stop,
    Via,
    VMClosed,
    virtual_time,
)
from actors.runtime.reasons import CALLING_SELF
from actors.runtime.vm import ALARM_SECONDS

Logs = list[MutableMapping[str, Any]]


class Probe(GenServer):
    """Keeps what it is told, and does what it is asked in its own name."""

    async def init(self, trap: bool = False) -> None:
        self.seen: list[Any] = []
        self.trap_exit(trap)

    async def handle_info(self, message: Any) -> None:
        self.seen.append(message)

    async def handle_cast(self, request: Any) -> None:
        self.seen.append(request)

    async def handle_call(self, request: Any, from_: From) -> Any:
        if request == "seen":
            return list(self.seen)
        outcome = request()
        return await outcome if asyncio.iscoroutine(outcome) else outcome

    async def terminate(self, reason: Reason) -> None:
        self.seen.append(("terminate", reason))


async def forever() -> None:
    await asyncio.Event().wait()


async def started(vm: VM, *args: Any, **options: Any) -> Pid:
    pid = await vm.start(Probe, *args, **options)
    assert pid is not None
    return pid


# Opening and closing


def test_a_vm_that_is_not_open_says_so() -> None:
    vm = VM()
    with pytest.raises(VMClosed, match="async with"):
        vm.spawn(forever)
    with pytest.raises(VMClosed):
        vm.now()


@virtual_time
async def test_closing_leaves_no_process_no_task_and_no_thread() -> None:
    class Child(GenServer):
        async def init(self) -> None:
            self.vm.spawn(forever, link=True)

    async with VM() as vm:
        await vm.start(Child)
        await vm.start(Probe, True)
        vm.spawn(forever)
        await vm.run_blocking(threading.get_ident)
    assert vm.processes() == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
    names = [thread.name for thread in threading.enumerate()]
    assert "crash-reports" not in names
    assert "watchdog" not in names


@virtual_time
async def test_closing_lets_servers_terminate_in_order() -> None:
    reasons: list[Any] = []

    class Tidy(GenServer):
        async def terminate(self, reason: Reason) -> None:
            await asyncio.sleep(1)
            reasons.append(reason)

    async with VM() as vm:
        await vm.start(Tidy)
    assert reasons == [SHUTDOWN]
    assert asyncio.get_running_loop().time() == pytest.approx(1, abs=0.1)


@virtual_time
async def test_closing_kills_what_does_not_terminate() -> None:
    class Endless(GenServer):
        async def terminate(self, reason: Reason) -> None:
            await forever()

    ended: list[Reason] = []
    async with VM() as vm:
        vm.observers.append(lambda _, reason: ended.append(reason))
        await vm.start(Endless)
    assert ended == [KILLED]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual_time
async def test_closing_from_inside_a_process_waits_for_all_the_others() -> None:
    inner = VM("inner")
    async with VM("outer") as outer:

        async def use() -> list[Pid]:
            async with inner:
                inner.spawn(forever)
                await started(inner)
            return inner.processes()

        probe = await started(outer)
        assert await outer.call(probe, use) == []


@virtual_time
async def test_a_vm_can_be_opened_again() -> None:
    vm = VM()
    for _ in range(2):
        async with vm:
            assert await vm.call(await started(vm), "seen") == []


# Spawning


@virtual_time
async def test_serials_are_never_used_twice() -> None:
    async with VM("n") as vm:
        pids = [vm.spawn(asyncio.sleep, 0) for _ in range(3)]
        await asyncio.sleep(1)
        pids += [vm.spawn(asyncio.sleep, 0) for _ in range(3)]
        assert len(set(pids)) == 6
        assert {pid.node for pid in pids} == {"n"}


@virtual_time
async def test_processes_are_listed_oldest_first_until_they_end() -> None:
    async with VM() as vm:
        first, second = vm.spawn(forever), vm.spawn(forever)
        assert vm.processes() == [first, second]
        vm.exit(first, KILL)
        await vm.join(first)
        assert vm.processes() == [second]
        assert not vm.alive(first)
        assert vm.alive(second)


@virtual_time
async def test_nobody_lives_at_an_address_of_another_node() -> None:
    async with VM("here") as vm:
        pid = vm.spawn(forever)
        assert not vm.alive(Pid("there", pid.serial))
        with pytest.raises(CallExit) as failed:
            await vm.call(Pid("there", pid.serial), "ping")
        assert failed.value.reason == NOPROC


@virtual_time
async def test_a_message_to_the_dead_is_dropped_silently() -> None:
    async with VM() as vm:
        pid = vm.spawn(asyncio.sleep, 0)
        await vm.join(pid)
        for dest in (pid, "nobody", Via("registry", "nobody")):
            vm.send(dest, "hello")
            vm.cast(dest, "hello")
            vm.exit(dest, "boom")


@virtual_time
async def test_statistics_count_processes_and_waiting_messages() -> None:
    async with VM() as vm:
        first, second = vm.spawn(forever), vm.spawn(forever)
        for _ in range(3):
            vm.send(first, "x")
        vm.send(second, "x")
        assert vm.statistics() == {
            "processes": 2,
            "mailbox_messages": 4,
            "mailbox_longest": 3,
        }


# Starting servers


@virtual_time
async def test_a_second_start_under_a_name_is_refused_with_the_owner() -> None:
    async with VM() as vm:
        vm.registries["registry"] = Registry("registry")
        for name in ("plain", Via("registry", ("call", 1))):
            owner = await started(vm, name=name)
            count = len(vm.processes())
            with pytest.raises(StartError) as failed:
                await vm.start(Probe, name=name)
            assert failed.value.reason == ("already_started", owner)
            assert len(vm.processes()) == count


def test_a_refused_name_is_no_crash(logs: Logs) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            await started(vm, name="one")
            with pytest.raises(StartError):
                await started(vm, name="one")

    scenario()
    assert logs == []


@virtual_time
async def test_two_starts_at_once_under_one_name_give_one_server() -> None:
    async with VM() as vm:
        outcomes = await asyncio.gather(
            *(vm.start(Probe, name="one") for _ in range(3)), return_exceptions=True
        )
        pids = [outcome for outcome in outcomes if isinstance(outcome, Pid)]
        assert len(pids) == 1
        assert vm.processes() == pids


@pytest.mark.parametrize("how", ["stop", "exit", "raise", "timeout", "kill", "stop_normal"])
def test_a_start_that_fails_leaves_no_process_and_frees_the_name(how: str) -> None:
    class Unborn(GenServer):
        async def init(self) -> None:
            match how:
                case "stop":
                    raise Stop("no")
                case "stop_normal":
                    raise Stop(NORMAL)
                case "exit":
                    raise ExitError("why")
                case "raise":
                    raise ValueError("x")
            await forever()

    reasons: dict[str, Any] = {
        "stop": "no",
        "stop_normal": NORMAL,
        "exit": "why",
        "timeout": TIMEOUT,
        "kill": KILLED,
    }

    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            if how == "kill":
                asyncio.get_running_loop().call_later(1, lambda: vm.exit("name", KILL))
            with pytest.raises(StartError) as failed:
                await vm.start(Unborn, name="name", timeout=5)
            reason = failed.value.reason
            if how == "raise":
                assert isinstance(reason, Crashed)
            else:
                assert reason == reasons[how]
            assert vm.processes() == []
            await started(vm, name="name")

    scenario()


@virtual_time
async def test_a_server_that_starts_itself_too_slowly_is_gone_even_if_it_resists() -> None:
    class Resists(GenServer):
        async def init(self) -> None:
            try:
                await forever()
            finally:
                await asyncio.sleep(0.05)

    async with VM() as vm:
        with pytest.raises(StartError) as failed:
            await vm.start(Resists, name="name", timeout=1)
        assert failed.value.reason == TIMEOUT
        assert vm.processes() == []


@virtual_time
async def test_a_linked_start_that_fails_does_not_disturb_its_starter() -> None:
    class Unborn(GenServer):
        async def init(self) -> None:
            raise Stop("no")

    async with VM() as vm:
        probe = await started(vm)

        async def start() -> Any:
            with pytest.raises(StartError) as failed:
                await vm.start(Unborn, link=True)
            return failed.value.reason

        assert await vm.call(probe, start) == "no"
        await asyncio.sleep(1)
        assert await vm.call(probe, "seen") == []


@virtual_time
async def test_a_starter_that_is_killed_takes_the_unfinished_start_with_it() -> None:
    class Slow(GenServer):
        async def init(self) -> None:
            await forever()

    async with VM() as vm:
        starter = vm.spawn(vm.start, Slow)
        await asyncio.sleep(1)
        assert len(vm.processes()) == 2
        vm.exit(starter, KILL)
        await asyncio.sleep(1)
        assert vm.processes() == []


@virtual_time
async def test_a_call_may_come_before_init_is_over() -> None:
    class Slow(Probe):
        async def init(self, trap: bool = False) -> None:
            await asyncio.sleep(1)
            await super().init(trap)

    async with VM() as vm:
        start = asyncio.create_task(vm.start(Slow, name="slow"))
        await asyncio.sleep(0)
        assert await vm.call("slow", "seen") == []
        await start


@virtual_time
async def test_a_start_under_an_unknown_registry_says_so_and_leaves_nothing() -> None:
    async with VM() as vm:
        with pytest.raises(LookupError, match="no registry is called 'calls'"):
            await vm.start(Probe, name=Via("calls", 1))
        await asyncio.sleep(1)
        assert vm.processes() == []


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
async def test_a_link_to_the_dead_is_answered_by_an_exit_signal() -> None:
    async with VM() as vm:
        dead = vm.spawn(asyncio.sleep, 0)
        await vm.join(dead)
        trapping, plain = await started(vm, True), await started(vm)

        async def link_and_go_on() -> None:
            vm.link(dead)
            await asyncio.sleep(1)

        await vm.call(trapping, lambda: vm.link(dead))
        assert await vm.call(trapping, "seen") == [Exit(dead, NOPROC)]
        with pytest.raises(CallExit):
            await vm.call(plain, link_and_go_on)
        assert not vm.alive(plain)


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
        assert await vm.call(watcher, "seen") == [Down(ref, "nobody", NOPROC)]


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


@virtual_time
async def test_join_waits_for_the_end_and_tells_the_reason() -> None:
    async with VM() as vm:
        pid = vm.spawn(forever)
        asyncio.get_running_loop().call_later(1, lambda: vm.exit(pid, "boom"))
        with pytest.raises(TimeoutError):
            await vm.join(pid, 0.5)
        assert await vm.join(pid, 1) == "boom"
        assert await vm.join(pid) == NOPROC


# Names


@virtual_time
async def test_a_name_stands_for_a_pid_wherever_an_address_does() -> None:
    async with VM() as vm:
        pid = await started(vm, name="probe")
        assert vm.whereis("probe") == pid
        vm.send("probe", 1)
        vm.cast("probe", 2)
        assert await vm.call("probe", "seen") == [1, 2]
        await vm.stop("probe")
        assert vm.whereis("probe") is None


@virtual_time
async def test_a_taken_name_is_refused_with_its_owner() -> None:
    async with VM() as vm:
        owner, other = await started(vm, name="one"), await started(vm)
        with pytest.raises(NameTaken) as refused:
            vm.register("one", other)
        assert (refused.value.name, refused.value.pid) == ("one", owner)
        with pytest.raises(CallExit):
            vm.register("two", "nobody")


@virtual_time
async def test_a_name_can_be_given_up_and_taken_by_another() -> None:
    async with VM() as vm:
        one, other = await started(vm, name="n"), await started(vm)
        vm.unregister("n")
        vm.unregister("n")
        vm.register("n", other)
        vm.exit(one, KILL)
        await vm.join(one)
        assert vm.whereis("n") == other


@virtual_time
async def test_a_name_is_free_before_anybody_hears_of_the_death() -> None:
    async with VM() as vm:
        free: list[Any] = []
        vm.observers.append(lambda process, _: free.append(vm.whereis("n")))
        for end in ("stop", "crash", "kill"):
            pid = await started(vm, name="n")
            if end == "stop":
                await vm.stop(pid)
            elif end == "kill":
                vm.exit(pid, KILL)
                await vm.join(pid)
            else:
                with pytest.raises(CallExit):
                    await vm.call(pid, "not a function")
            assert vm.whereis("n") is None
        assert free == [None, None, None]


@virtual_time
async def test_a_process_knows_itself_and_code_outside_knows_nobody() -> None:
    async with VM() as vm:
        pid = await started(vm)
        assert await vm.call(pid, vm.self) == pid
        assert vm.self() is None


# Calls


@virtual_time
async def test_a_call_to_oneself_exits_instead_of_waiting() -> None:
    async with VM() as vm:
        pid = await started(vm)

        async def calls_itself() -> Any:
            with pytest.raises(CallExit) as called:
                await vm.call(pid, "seen")
            with pytest.raises(CallExit) as stopped:
                await vm.stop(pid)
            return called.value.reason, stopped.value.reason

        assert await vm.call(pid, calls_itself) == (CALLING_SELF, CALLING_SELF)


@virtual_time
async def test_a_call_that_is_too_slow_exits_and_its_late_reply_is_dropped() -> None:
    async with VM() as vm:
        caller, slow = await started(vm), await started(vm)

        async def ask() -> Any:
            with pytest.raises(CallExit) as failed:
                await vm.call(slow, lambda: asyncio.sleep(10, "late"), timeout=1)
            return failed.value.reason

        assert await vm.call(caller, ask) == TIMEOUT
        assert vm.now() == pytest.approx(1)
        await asyncio.sleep(20)
        assert await vm.call(caller, "seen") == []
        assert await vm.call(slow, "seen") == []


@pytest.mark.parametrize("reason", [NORMAL, SHUTDOWN, "boom", KILL])
def test_a_caller_hears_how_the_callee_ended_without_a_reply(reason: str) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            pid = await started(vm)
            calls = [asyncio.create_task(vm.call(pid, forever)) for _ in range(2)]
            await asyncio.sleep(1)
            if reason == NORMAL:
                process = vm.find(pid)
                assert process is not None
                process.end(NORMAL)
            else:
                vm.exit(pid, reason)
            for call in calls:
                with pytest.raises(CallExit) as failed:
                    await call
                assert failed.value.reason == (KILLED if reason == KILL else reason)

    scenario()


@virtual_time
async def test_a_caller_that_gives_up_leaves_nothing_with_the_callee() -> None:
    async with VM() as vm:
        pid = await started(vm)
        process = vm.find(pid)
        assert process is not None
        call = asyncio.create_task(vm.call(pid, lambda: asyncio.sleep(5)))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not process.callers
        assert await vm.call(pid, "seen", timeout=None) == []


@virtual_time
async def test_an_unhandled_exit_of_a_call_ends_the_caller_with_what_it_called() -> None:
    async with VM() as vm:
        pid = await started(vm)
        with pytest.raises(CallExit) as failed:
            await vm.call(pid, lambda: vm.call("nobody", "ping"))
        assert failed.value.reason.reason == NOPROC
        assert failed.value.reason.dest == "nobody"


@pytest.mark.parametrize("how", ["timeout", "crash", "init"])
def test_a_call_or_start_that_failed_leaves_nothing_to_the_garbage_collector(how: str) -> None:
    class Unborn(GenServer):
        async def init(self) -> None:
            raise Stop("no")

    @virtual_time
    async def scenario() -> None:
        async with VM(block_warning_ms=None) as vm:
            pid = await started(vm)
            left: list[weakref.ref[BaseException]] = []
            try:
                if how == "init":
                    await vm.start(Unborn)
                elif how == "timeout":
                    await vm.call(pid, forever, timeout=1)
                else:
                    await vm.call(pid, "not a function")
            except (CallExit, StartError) as error:
                left += [weakref.ref(each) for each in (error, error.__context__) if each]
            assert left
            await asyncio.sleep(1)
            assert [reference() for reference in left] == [None for _ in left]

    gc.collect()
    gc.disable()
    try:
        scenario()
    finally:
        gc.enable()


# Stop


@virtual_time
async def test_stop_waits_for_the_end_and_returns_when_it_is_as_asked() -> None:
    async with VM() as vm:
        for reason in (NORMAL, SHUTDOWN, "boom"):
            pid = await started(vm)
            await vm.stop(pid, reason)
            assert not vm.alive(pid)


@virtual_time
async def test_stop_exits_when_there_is_nobody_or_the_end_is_another_or_too_late() -> None:
    class Odd(GenServer):
        async def init(self, how: str) -> None:
            self.how = how

        async def terminate(self, reason: Reason) -> None:
            if self.how == "other":
                raise ExitError("other")
            await asyncio.sleep(10)

    async with VM() as vm:
        for how, expected in (("other", "other"), ("slow", TIMEOUT)):
            pid = await vm.start(Odd, how)
            assert pid is not None
            with pytest.raises(CallExit) as failed:
                await vm.stop(pid, timeout=1)
            assert failed.value.reason == expected
        with pytest.raises(CallExit) as failed:
            await vm.stop("nobody")
        assert failed.value.reason == NOPROC


# Observers and alarms


def test_an_observer_that_fails_harms_nobody_and_is_told_once(logs: Logs) -> None:
    ended: list[Process] = []

    def fails(process: Process, reason: Reason) -> None:
        raise LookupError("in the observer")

    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            vm.observers += [fails, lambda process, _: ended.append(process)]
            watcher = await started(vm, True)
            for _ in range(2):
                child = await vm.call(watcher, lambda: vm.spawn(asyncio.sleep, 0, link=True))
                await vm.join(child)
            assert len(await vm.call(watcher, "seen")) == 2

    scenario()
    assert len(ended) == 3
    assert [entry["event"] for entry in logs] == ["observer_failed"]
    assert "in the observer" in logs[0]["exception"]


def test_observers_of_restarts_are_told_of_the_living_only(logs: Logs) -> None:
    told: list[Pid] = []

    def fails(process: Process) -> None:
        raise LookupError("in the observer")

    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            vm.restart_observers += [fails, lambda process: told.append(process.pid)]
            pid, dead = vm.spawn(forever), vm.spawn(asyncio.sleep, 0)
            await vm.join(dead)
            vm.restarted(dead)
            vm.restarted(pid)
            assert told == [pid]

    scenario()
    assert [entry["event"] for entry in logs] == ["observer_failed"]


def test_a_long_mailbox_is_named_and_not_again_at_once(logs: Logs) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM(mailbox_alarm=100) as vm:
            pid = await started(vm, name="slow")
            for _ in range(3):
                for _ in range(150):
                    vm.cast(pid, "x")
                await vm.call(pid, "seen")
            await asyncio.sleep(ALARM_SECONDS)
            for _ in range(150):
                vm.cast(pid, "x")

    scenario()
    alarms = [entry for entry in logs if entry["event"] == "mailbox_alarm"]
    assert [(alarm["name"], alarm["length"]) for alarm in alarms] == [("slow", 100)] * 2


# Threads


@virtual_time
async def test_a_blocking_function_runs_in_a_thread_and_gives_its_result_or_error() -> None:
    async with VM() as vm:
        assert await vm.run_blocking(threading.get_ident) != threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await vm.run_blocking(lambda: 1 // 0)


@virtual_time
async def test_a_server_continues_with_its_work_while_its_starter_goes_on() -> None:
    class Works(GenServer):
        async def init(self) -> Continue:
            return Continue("work")

        async def handle_continue(self, value: str) -> None:
            await asyncio.sleep(10)

    async with VM() as vm:
        await vm.start(Works)
        assert vm.now() == 0
