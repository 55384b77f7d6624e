"""Supervisors of real processes in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import (
    IGNORE,
    KILL,
    NOPROC,
    NORMAL,
    SHUTDOWN,
    TIMEOUT,
    VM,
    CallExit,
    Crashed,
    GenServer,
    Pid,
    Shutdown,
    StartError,
    Stop,
    sys,
    virtual_time,
)
from aybiza.supervisors import (
    RESTARTING,
    ChildSpec,
    Supervisor,
    SupervisorError,
    child,
)
from tests.supervisors.crew import Diary, Hand, crew, rest


class TestStart:
    @virtual_time
    async def test_children_start_in_order_and_end_in_reverse_order(self) -> None:
        async with VM() as vm:
            diary = Diary()
            diary.watch(vm)
            top = await vm.start(Supervisor, crew(diary, "a", "b", "c"))
            assert top
            assert diary.read() == ["start a", "start b", "start c"]
            await vm.stop(top)
            assert diary.read() == ["down c", "down b", "down a"]

    @virtual_time
    async def test_a_child_that_fails_takes_the_others_and_the_supervisor_with_it(self) -> None:
        async with VM() as vm:
            diary = Diary()
            diary.watch(vm)

            def trouble() -> None:
                raise Stop("no")

            specs = [*crew(diary, "a"), child(Hand, diary, "b", id="b", trouble=trouble)]
            with pytest.raises(StartError) as caught:
                await vm.start(Supervisor, specs, name="top")
            assert caught.value.reason == Shutdown(("failed_to_start_child", "b", "no"))
            assert diary.read() == ["start a", "down a"]
            assert vm.processes() == []
            assert not vm.alive("top")

    @virtual_time
    async def test_whatever_a_start_function_raises_is_why_its_child_did_not_start(self) -> None:
        async def start(vm: VM) -> Pid:
            raise SystemExit(3)

        async with VM() as vm:
            diary = Diary()
            diary.watch(vm)
            specs = [*crew(diary, "a"), ChildSpec("b", start)]
            with pytest.raises(StartError) as caught:
                await vm.start(Supervisor, specs)
            reason = caught.value.reason
            assert isinstance(reason, Shutdown)
            assert isinstance(reason.detail, tuple)
            failed, id, crashed = reason.detail
            assert (failed, id) == ("failed_to_start_child", "b")
            assert isinstance(crashed, Crashed)
            assert isinstance(crashed.exception, SystemExit)
            assert diary.read() == ["start a", "down a"]
            assert vm.processes() == []

    @virtual_time
    async def test_a_subclass_says_its_children_in_init(self) -> None:
        class Top(Supervisor):
            async def init(self, diary: Diary) -> None:  # type: ignore[override]
                await super().init(crew(diary, "a"), strategy="one_for_all")

        async with VM() as vm:
            top = await vm.start(Top, Diary(), name="top")
            assert top
            assert [info.id for info in await Supervisor.which_children(vm, "top")] == ["a"]

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"strategy": "none_for_one"}, ("invalid_strategy", "none_for_one")),
            ({"max_restarts": -1}, ("invalid_intensity", -1)),
            ({"max_seconds": 0}, ("invalid_period", 0)),
            ({"auto_shutdown": "sometimes"}, ("invalid_auto_shutdown", "sometimes")),
        ],
    )
    def test_wrong_options_are_refused_in_the_words_of_otp(
        self, options: dict[str, Any], reason: Any
    ) -> None:
        @virtual_time
        async def run() -> None:
            async with VM() as vm:
                with pytest.raises(StartError) as caught:
                    await vm.start(Supervisor, [], **options)
                assert caught.value.reason == ("supervisor_data", reason)

        run()

    @virtual_time
    async def test_wrong_children_are_refused_in_the_words_of_otp(self) -> None:
        async with VM() as vm:
            with pytest.raises(StartError) as caught:
                await vm.start(Supervisor, [{"id": "a"}])
            assert caught.value.reason == ("start_spec", "missing_start")
            with pytest.raises(StartError) as caught:
                await vm.start(Supervisor, [], strategy="simple_one_for_one")
            assert caught.value.reason == ("bad_start_spec", [])

    @virtual_time
    async def test_a_child_whose_init_takes_too_long_has_not_started(self) -> None:
        class Slow(GenServer):
            async def init(self) -> None:
                await asyncio.sleep(60)

        async with VM() as vm:
            with pytest.raises(StartError) as caught:
                await vm.start(Supervisor, [child(Slow, timeout=2.0)])
            assert caught.value.reason == Shutdown(("failed_to_start_child", "Slow", TIMEOUT))
            assert vm.now() == 2.0
            assert vm.processes() == []

    @virtual_time
    async def test_a_start_function_may_do_what_it_likes(self) -> None:
        async def extra(vm: VM) -> tuple[Pid, str]:
            pid = await vm.start(Hand, diary, "a", link=True)
            assert pid
            return pid, "extra"

        async def nonsense(_: VM) -> Any:
            return "nonsense"

        async def trouble(_: VM) -> None:
            raise KeyError("x")

        diary = Diary()
        async with VM() as vm:
            await vm.start(Supervisor, name="top")
            started = await Supervisor.start_child(vm, "top", {"id": "a", "start": extra})
            assert isinstance(started, tuple)
            assert started[1] == "extra"
            for start in (nonsense, trouble):
                with pytest.raises(SupervisorError) as caught:
                    await Supervisor.start_child(vm, "top", {"id": "b", "start": start})
                reason, spec = caught.value.term
                assert spec.id == "b"
                assert reason == "nonsense" or isinstance(reason.exception, KeyError)


class TestRestart:
    @virtual_time
    async def test_a_crashed_child_is_back_under_its_name_and_the_others_never_noticed(
        self,
    ) -> None:
        async with VM() as vm:
            diary = Diary()
            diary.watch(vm)
            await vm.start(Supervisor, crew(diary, "a", "b"))
            old = vm.whereis("a")
            diary.read()
            vm.cast("a", "boom")
            await rest()
            assert diary.read() == ["terminate a", "down a", "start a"]
            assert vm.whereis("a") not in (old, None)

    @virtual_time
    async def test_too_many_crashes_end_the_supervisor_with_shutdown(self) -> None:
        async with VM() as vm:
            diary = Diary()
            top = await vm.start(Supervisor, crew(diary, "a", "b"), max_restarts=1)
            assert top
            for _ in range(2):
                vm.cast("a", "boom")
                await rest()
            assert not vm.alive(top)
            assert vm.processes() == []

    @virtual_time
    async def test_crashes_far_enough_apart_go_on_for_ever(self) -> None:
        async with VM() as vm:
            await vm.start(Supervisor, crew(Diary(), "a"), max_restarts=1, max_seconds=5, name="s")
            for _ in range(50):
                vm.cast("a", "boom")
                await asyncio.sleep(6.0)
            assert vm.alive("a")
            assert (await sys.get_state(vm, "s"))["restarts"] == 50

    @virtual_time
    async def test_an_ending_that_waits_is_handled_before_a_failed_start_is_retried(self) -> None:
        async with VM() as vm:
            diary = Diary()
            fail = iter([False, True, False])

            def trouble() -> None:
                if next(fail):
                    diary.append("a fails")
                    raise Stop("no")

            specs = [
                child(Hand, diary, "a", name="a", trouble=trouble),
                *crew(diary, "b"),
            ]
            top = await vm.start(Supervisor, specs)
            assert top
            await sys.suspend(vm, top)
            for name in ("a", "b"):
                vm.exit(name, KILL)
                await vm.join(name)
            diary.read()
            await sys.resume(vm, top)
            await rest()
            assert diary.read() == ["a fails", "start b", "start a"]


class TestFunctions:
    @virtual_time
    async def test_children_come_stop_come_back_and_go(self) -> None:
        async with VM() as vm:
            await vm.start(Supervisor, name="top")
            spec = child(Hand, Diary(), "a", name="a")
            assert await Supervisor.start_child(vm, "top", spec) == vm.whereis("a")
            with pytest.raises(SupervisorError) as caught:
                await Supervisor.start_child(vm, "top", spec)
            assert caught.value.term == ("already_started", vm.whereis("a"))
            await Supervisor.terminate_child(vm, "top", "a")
            assert not vm.alive("a")
            assert await Supervisor.get_childspec(vm, "top", "a") == spec
            assert await Supervisor.restart_child(vm, "top", "a") == vm.whereis("a")
            await Supervisor.terminate_child(vm, "top", "a")
            await Supervisor.delete_child(vm, "top", "a")
            assert await Supervisor.which_children(vm, "top") == []
            with pytest.raises(SupervisorError) as caught:
                await Supervisor.get_childspec(vm, "top", "a")
            assert caught.value.term == "not_found"

    @virtual_time
    async def test_a_dead_supervisor_answers_noproc(self) -> None:
        async with VM() as vm:
            for ask in (
                Supervisor.which_children(vm, "nobody"),
                Supervisor.start_child(vm, "nobody", child(Hand)),
                Supervisor.terminate_child(vm, "nobody", "a"),
            ):
                with pytest.raises(CallExit) as caught:
                    await ask
                assert caught.value.reason == NOPROC

    @virtual_time
    async def test_bad_requests_never_harm_the_supervisor(self) -> None:
        async with VM() as vm:
            await vm.start(Supervisor, crew(Diary(), "a"), name="top")
            wrong: list[Any] = ["hej", {}, {"id": []}, None]
            for spec in wrong:
                with pytest.raises(SupervisorError):
                    await Supervisor.start_child(vm, "top", spec)
            with pytest.raises(TypeError):
                await Supervisor.terminate_child(vm, "top", wrong)  # type: ignore[arg-type]
            vm.send("top", "hello")
            vm.cast("top", "hello")
            await rest()
            assert len(await Supervisor.which_children(vm, "top")) == 1

    @virtual_time
    async def test_an_ignored_child_is_kept_without_a_process(self) -> None:
        class Ignored(GenServer):
            async def init(self) -> Any:
                return IGNORE

        async with VM() as vm:
            await vm.start(Supervisor, [child(Ignored, id="a")], name="top")
            (info,) = await Supervisor.which_children(vm, "top")
            assert (info.id, info.pid, info.type) == ("a", None, "worker")
            assert await Supervisor.restart_child(vm, "top", "a") is None

    @virtual_time
    async def test_a_child_in_restart_is_told_and_left_alone(self) -> None:
        class Reluctant(GenServer):
            async def init(self, starts: list[Any]) -> None:
                starts.append(None)
                if len(starts) == 2:
                    # These requests wait in the supervisor's mailbox before its retry does.
                    starts[1] = [
                        asyncio.ensure_future(Supervisor.which_children(self.vm, "top")),
                        asyncio.ensure_future(Supervisor.delete_child(self.vm, "top", "a")),
                        asyncio.ensure_future(Supervisor.restart_child(self.vm, "top", "a")),
                    ]
                    await asyncio.sleep(1.0)
                    raise Stop("no")

        async with VM() as vm:
            starts: list[Any] = []
            await vm.start(Supervisor, [child(Reluctant, starts, name="a")], name="top")
            vm.exit("a", KILL)
            await asyncio.sleep(2.0)
            children, *refused = starts[1]
            assert (await children)[0].pid == RESTARTING
            for each in refused:
                with pytest.raises(SupervisorError) as caught:
                    await each
                assert caught.value.term == "restarting"
            assert vm.alive("a")


class TestSimpleOneForOne:
    @virtual_time
    async def test_starts_children_with_arguments_behind_the_template(self) -> None:
        async with VM() as vm:
            diary = Diary()
            diary.watch(vm)
            await vm.start(
                Supervisor, [child(Hand, diary)], strategy="simple_one_for_one", name="many"
            )
            first = await Supervisor.start_child(vm, "many", ["x"])
            assert isinstance(first, Pid)
            await Supervisor.start_child(vm, "many", ["y"])
            vm.cast(first, "boom")
            await rest()
            assert diary.read() == ["start x", "start y", "terminate x", "down x", "start x"]
            pids = {info.pid for info in await Supervisor.which_children(vm, "many")}
            assert first not in pids
            await Supervisor.terminate_child(vm, "many", pids.pop())
            assert await Supervisor.count_children(vm, "many") == (1, 1, 0, 1)

    @virtual_time
    async def test_ends_all_at_once(self) -> None:
        async with VM() as vm:
            template = child(Hand, Diary(), trap=True, last_words=1.0)
            many = await vm.start(Supervisor, [template], strategy="simple_one_for_one")
            assert many
            for number in range(100):
                await Supervisor.start_child(vm, many, [str(number)])
            await vm.stop(many)
            assert vm.now() == pytest.approx(1.0)
            assert vm.processes() == []


@virtual_time
async def test_a_supervisor_that_gives_up_is_restarted_by_its_parent_unless_transient() -> None:
    for restart, lives in (("permanent", True), ("transient", False)):
        async with VM() as vm:
            inner = child(
                Supervisor,
                crew(Diary(), "a"),
                max_restarts=0,
                name="inner",
                restart=restart,  # type: ignore[arg-type]
            )
            await vm.start(Supervisor, [inner])
            vm.cast("a", "boom")
            await rest()
            assert vm.alive("inner") is lives
            assert vm.alive("a") is lives


@virtual_time
async def test_significant_children_end_their_supervisor() -> None:
    async with VM() as vm:
        top = await vm.start(
            Supervisor,
            [
                child(Hand, Diary(), "a", name="a", restart="transient", significant=True),
                *crew(Diary(), "b"),
            ],
            auto_shutdown="any_significant",
        )
        assert top
        joined = asyncio.ensure_future(vm.join(top))
        await rest()
        vm.cast("a", NORMAL)
        assert await joined == SHUTDOWN
        assert vm.processes() == []


@virtual_time
async def test_a_crash_in_a_child_s_init_is_its_reason() -> None:
    def trouble() -> None:
        raise ValueError("glass")

    async with VM() as vm:
        with pytest.raises(StartError) as caught:
            await vm.start(Supervisor, [child(Hand, Diary(), "a", trouble=trouble, id="a")])
        _, id, reason = caught.value.reason.detail
        assert id == "a"
        assert isinstance(reason, Crashed)
        assert isinstance(reason.exception, ValueError)
