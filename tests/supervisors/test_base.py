"""What all supervisors have in common: how they end children, and what they report."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    KILLED,
    NORMAL,
    VM,
    CallExit,
    GenServer,
    Pid,
    StartError,
    sys,
    virtual_time,
)
from aybiza.supervisors import (
    BRUTAL_KILL,
    INFINITY,
    Supervisor,
    SupervisorError,
    SupervisorStatistics,
    child,
)
from tests.supervisors.crew import Diary, Hand, crew, rest

Logs = list[MutableMapping[str, Any]]


class Owner(GenServer):
    """Starts what it is asked to, linked, and traps exits."""

    traps_exits = True

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return await request()

    async def handle_info(self, message: Any) -> None:
        """Ends of what it started."""


class TestStatistics:
    @virtual_time
    async def test_children_are_counted_by_where_they_stand_and_restarts_in_all_and_left(
        self,
    ) -> None:
        async with VM() as vm:
            diary = Diary()
            specs = [
                child(Hand, diary, "a", name="a"),
                child(Hand, diary, "b", name="b", restart="transient"),
            ]
            await vm.start(Supervisor, specs, max_restarts=2, max_seconds=4, name="top")
            for reason in ("first", "second"):
                vm.exit("a", reason)
                await rest()
            await vm.stop("b")
            assert await Supervisor.statistics(vm, "top") == SupervisorStatistics(
                children=2,
                running=1,
                restarting=0,
                stopped=1,
                restarts=2,
                restarts_left=0,
                max_restarts=2,
                max_seconds=4,
            )
            await asyncio.sleep(6)
            assert (await Supervisor.statistics(vm, "top")).restarts_left == 2


class TestStop:
    @virtual_time
    async def test_a_child_gets_its_shutdown_time_and_is_then_killed(self) -> None:
        async with VM() as vm:
            diary = Diary()
            diary.watch(vm)
            specs = [
                child(Hand, diary, "slow", shutdown=2.0, trap=True, last_words=1.0, id=1),
                child(Hand, diary, "stuck", shutdown=2.0, trap=True, last_words=None, id=2),
            ]
            top = await vm.start(Supervisor, specs)
            assert top
            diary.read()
            await vm.stop(top, timeout=None)
            assert diary.read() == ["terminate stuck", "down stuck", "terminate slow", "down slow"]
            assert vm.now() == pytest.approx(3.0)

    @virtual_time
    async def test_brutal_kill_leaves_no_time_and_infinity_all(self) -> None:
        async with VM() as vm:
            diary = Diary()
            diary.watch(vm)
            specs = [
                child(Hand, diary, "a", shutdown=INFINITY, trap=True, last_words=1000.0, id=1),
                child(Hand, diary, "b", shutdown=BRUTAL_KILL, trap=True, id=2),
            ]
            top = await vm.start(Supervisor, specs)
            assert top
            diary.read()
            await vm.stop(top, timeout=None)
            assert diary.read() == ["down b", "terminate a", "down a"]
            assert vm.now() == pytest.approx(1000.0)

    @virtual_time
    async def test_a_killed_supervisor_leaves_no_child_behind(self) -> None:
        async with VM() as vm:
            inner = child(Supervisor, crew(Diary(), "a", "b"), name="inner")
            top = await vm.start(Supervisor, [inner, *crew(Diary(), "c")])
            assert top
            vm.exit(top, KILL)
            await rest()
            assert vm.processes() == []

    @virtual_time
    async def test_a_supervisor_killed_while_it_starts_a_child_leaves_none_behind(self) -> None:
        class Slow(GenServer):
            async def init(self) -> None:
                await asyncio.sleep(1.0)

        async with VM() as vm:
            top = await vm.start(Supervisor, name="top")
            assert top
            asking = asyncio.ensure_future(Supervisor.start_child(vm, "top", child(Slow)))
            await rest()
            vm.exit(top, KILL)
            with pytest.raises(CallExit) as caught:
                await asking
            assert caught.value.reason == KILLED
            await rest()
            assert vm.processes() == []

    @virtual_time
    async def test_its_parent_ends_it_with_any_reason_a_stranger_with_none(self) -> None:
        async with VM() as vm:
            owner = await vm.start(Owner)
            assert owner
            top: Pid = await vm.call(owner, lambda: vm.start(Supervisor, link=True))
            vm.exit(top, "boom")
            await rest()
            assert vm.alive(top)
            joined = asyncio.ensure_future(vm.join(top))
            await rest()

            async def end() -> None:
                vm.exit(top, NORMAL)

            await vm.call(owner, end)
            assert await joined == NORMAL

    @virtual_time
    async def test_a_signal_from_outside_brings_no_terminated_child_back(self) -> None:
        async with VM() as vm:
            await vm.start(Supervisor, crew(Diary(), "a"), name="top")
            await Supervisor.terminate_child(vm, "top", "a")
            vm.exit("top", "boom")
            await rest()
            assert vm.alive("top")
            assert not vm.alive("a")

    @virtual_time
    async def test_a_child_that_unlinked_itself_is_ended_all_the_same(self) -> None:
        async def unlinked(vm: VM) -> Pid | None:
            return await vm.start(Hand, Diary(), "a", name="a")

        async with VM() as vm:
            top = await vm.start(Supervisor, [{"id": "a", "start": unlinked}])
            assert top
            await vm.stop(top)
            assert not vm.alive("a")

    @virtual_time
    async def test_one_that_died_unlinked_goes_unnoticed(self) -> None:
        async def unlinked(vm: VM) -> Pid | None:
            return await vm.start(Hand, Diary(), "a", name="a")

        async with VM() as vm:
            await vm.start(Supervisor, [{"id": "a", "start": unlinked}], name="top")
            pid = vm.whereis("a")
            vm.exit("a", KILL)
            await rest()
            (info,) = await Supervisor.which_children(vm, "top")
            assert info.pid == pid
            assert (await Supervisor.count_children(vm, "top")).active == 0
            with pytest.raises(SupervisorError) as caught:
                await Supervisor.restart_child(vm, "top", "a")
            assert caught.value.term == "running"
            await Supervisor.terminate_child(vm, "top", "a")


class TestReports:
    def test_do_not_come_for_orderly_ends_however_many(self, logs: Logs) -> None:
        @virtual_time
        async def run() -> None:
            async with VM(mailbox_alarm=200) as vm:
                template = child(Hand, Diary())
                many = await vm.start(Supervisor, [template], strategy="simple_one_for_one")
                assert many
                for number in range(1000):
                    await Supervisor.start_child(vm, many, [str(number)])
                await vm.stop(many)

        run()
        assert logs == []

    def test_say_which_child_of_whom_and_why(self, logs: Logs) -> None:
        @virtual_time
        async def run() -> None:
            async with VM() as vm:
                specs = crew(Diary(), "a", shutdown=1.0, trap=True, last_words=None)
                await vm.start(Supervisor, specs, max_restarts=0, name="top")
                await Supervisor.terminate_child(vm, "top", "a")
                await Supervisor.restart_child(vm, "top", "a")
                vm.exit("a", KILL)
                await rest()

        run()
        told = [
            (entry["event"], entry["supervisor"], entry["child"], entry["reason"])
            for entry in logs
            if "child" in entry
        ]
        assert told == [
            ("shutdown_error", "top", "a", KILLED),
            ("child_terminated", "top", "a", KILLED),
            ("shutdown", "top", "a", "reached_max_restart_intensity"),
        ]

    def test_say_why_a_child_was_gone_before_it_was_told_to_end(self, logs: Logs) -> None:
        @virtual_time
        async def run() -> None:
            async with VM() as vm:
                await vm.start(
                    Supervisor, crew(Diary(), "a", "b"), strategy="one_for_all", name="top"
                )
                await sys.suspend(vm, "top")
                for name, reason in (("a", KILL), ("b", "boom")):
                    vm.exit(name, reason)
                    await vm.join(name)
                await sys.resume(vm, "top")
                await rest()
                assert (await sys.get_status(vm, "top"))["mailbox_length"] == 0

        run()
        told = [(each["event"], each["child"], each["reason"]) for each in logs if "child" in each]
        assert told == [("child_terminated", "a", KILLED), ("shutdown_error", "b", "boom")]

    def test_name_a_crash_in_one_line(self, logs: Logs) -> None:
        class Fragile(GenServer):
            async def handle_cast(self, request: Any) -> None:
                raise ValueError("glass")

        @virtual_time
        async def run() -> None:
            async with VM() as vm:
                await vm.start(Supervisor, [child(Fragile, name="f")], name="top")
                vm.cast("f", "x")
                await rest()

        run()
        (report,) = [entry for entry in logs if entry["event"] == "child_terminated"]
        assert report["reason"] == "crashed with ValueError: glass"
        assert "exc_info" not in report


class TestState:
    @virtual_time
    async def test_shows_the_children_and_how_often_one_was_restarted(self) -> None:
        async with VM() as vm:
            await vm.start(Supervisor, crew(Diary(), "a"), name="top")
            vm.exit("a", KILL)
            await rest()
            state = await sys.get_state(vm, "top")
            assert [info.id for info in state["children"]] == ["a"]
            assert state["restarts"] == 1

    def test_is_empty_before_the_children_are_decided_on(self, logs: Logs) -> None:
        @virtual_time
        async def run() -> None:
            async with VM() as vm:
                with pytest.raises(StartError):
                    await vm.start(Supervisor, [], strategy="none_for_one")

        run()
        (report,) = logs
        assert (report["event"], report["state"]) == ("process_crashed", "{}")
