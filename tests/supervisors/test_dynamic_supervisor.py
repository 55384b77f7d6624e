"""Dynamic supervisors of real processes in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.runtime import KILL, NOPROC, VM, CallExit, Pid, StartError, virtual_time
from aybiza.supervisors import BRUTAL_KILL, INFINITY, DynamicSupervisor, SupervisorError, child
from aybiza.supervisors.child_spec import StartResult
from tests.supervisors.crew import Diary, Hand, rest


class TestStartChild:
    @virtual_time
    async def test_starts_children_of_any_spec_and_restarts_them(self) -> None:
        async with VM() as vm:
            diary = Diary()
            await vm.start(DynamicSupervisor, name="many")
            pid = await DynamicSupervisor.start_child(vm, "many", child(Hand, diary, "a"))
            assert isinstance(pid, Pid)
            vm.exit(pid, KILL)
            await rest()
            (info,) = await DynamicSupervisor.which_children(vm, "many")
            assert (info.id, info.type) == (None, "worker")
            assert info.pid != pid
            assert diary.read() == ["start a", "start a"]

    @virtual_time
    async def test_stops_at_max_children(self) -> None:
        async with VM() as vm:
            await vm.start(DynamicSupervisor, max_children=1, name="many")
            spec = child(Hand, Diary(), "a", restart="temporary")
            pid = await DynamicSupervisor.start_child(vm, "many", spec)
            with pytest.raises(SupervisorError) as caught:
                await DynamicSupervisor.start_child(vm, "many", spec)
            assert caught.value.term == "max_children"
            assert isinstance(pid, Pid)
            vm.exit(pid, KILL)
            await rest()
            assert await DynamicSupervisor.start_child(vm, "many", spec)

    @virtual_time
    async def test_puts_the_extra_arguments_before_the_child_s_own(self) -> None:
        diary = Diary()

        async def start(vm: VM, *arguments: Any) -> StartResult:
            return await vm.start(Hand, *arguments, "b", link=True)

        async with VM() as vm:
            await vm.start(DynamicSupervisor, extra_arguments=(diary,), name="many")
            pid = await DynamicSupervisor.start_child(vm, "many", child(Hand, "a"))
            await DynamicSupervisor.start_child(vm, "many", {"id": "b", "start": start})
            assert isinstance(pid, Pid)
            vm.exit(pid, KILL)
            await rest()
            assert diary.read() == ["start a", "start b", "start a"]

    @virtual_time
    async def test_checks_the_spec_in_the_caller(self) -> None:
        async with VM() as vm:
            with pytest.raises(SupervisorError) as caught:
                await DynamicSupervisor.start_child(vm, "nobody", {"id": "a"})
            assert caught.value.term == ("invalid_child_spec", {"id": "a"})
            with pytest.raises(CallExit) as gone:
                await DynamicSupervisor.start_child(vm, "nobody", child(Hand))
            assert gone.value.reason == NOPROC


class TestTerminateChild:
    @virtual_time
    async def test_ends_a_child_for_good(self) -> None:
        async with VM() as vm:
            await vm.start(DynamicSupervisor, name="many")
            pid = await DynamicSupervisor.start_child(vm, "many", child(Hand, Diary(), "a"))
            assert isinstance(pid, Pid)
            await DynamicSupervisor.terminate_child(vm, "many", pid)
            assert not vm.alive(pid)
            assert await DynamicSupervisor.count_children(vm, "many") == (0, 0, 0, 0)
            with pytest.raises(SupervisorError) as caught:
                await DynamicSupervisor.terminate_child(vm, "many", pid)
            assert caught.value.term == "not_found"


@virtual_time
async def test_children_end_all_at_once_each_in_its_own_time() -> None:
    async with VM() as vm:
        diary = Diary()
        diary.watch(vm)
        many = await vm.start(DynamicSupervisor, name="many")
        assert many
        for label, shutdown, last_words in [
            ("calm", INFINITY, 4.0),
            ("late", 3.0, None),
            ("stuck", 1.0, None),
            ("quick", 5.0, 2.0),
            ("dead", BRUTAL_KILL, 9.0),
        ]:
            spec = child(
                Hand,
                diary,
                label,
                trap=True,
                shutdown=shutdown,  # type: ignore[arg-type]
                last_words=last_words,
            )
            await DynamicSupervisor.start_child(vm, "many", spec)
        diary.read()
        await vm.stop(many)
        ends = [line for line in diary if line.startswith("down")]
        assert ends == ["down dead", "down stuck", "down quick", "down late", "down calm"]
        assert vm.now() == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"strategy": "one_for_all"}, ("invalid_strategy", "one_for_all")),
        ({"max_children": -1}, ("invalid_max_children", -1)),
        ({"max_restarts": "x"}, ("invalid_intensity", "x")),
        ({"max_seconds": 0}, ("invalid_period", 0)),
        ({"extra_arguments": "ab"}, ("invalid_extra_arguments", "ab")),
    ],
)
def test_wrong_options_are_refused_in_the_words_of_elixir(
    options: dict[str, Any], reason: Any
) -> None:
    @virtual_time
    async def run() -> None:
        async with VM() as vm:
            with pytest.raises(StartError) as caught:
                await vm.start(DynamicSupervisor, **options)
            assert caught.value.reason == ("supervisor_data", reason)

    run()
