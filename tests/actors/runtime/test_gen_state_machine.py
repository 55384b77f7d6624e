"""State machines as processes; the recorded cases are in `gen_statem.json`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import (
    FUNCTION_CLAUSE,
    IGNORE,
    UNDEF,
    VM,
    Begin,
    CallExit,
    Continue,
    EventTimeout,
    FunctionClause,
    GenStateMachine,
    KeepState,
    NamedTimeout,
    NextEvent,
    NextState,
    Pid,
    Postpone,
    Reason,
    ReplyTo,
    StartError,
    StateTimeout,
    Stop,
    StopMachine,
    sys,
    virtual_time,
)
from aybiza.supervisors import Supervisor, child


class Switch(GenStateMachine):
    """Counts how often it was switched on; goes off by itself after a minute."""

    callback_mode = "state_functions"

    async def init(self, ends: list[Any] | None = None) -> Begin:
        self.ends = ends if ends is not None else []
        return Begin("off", data=0)

    async def off(self, type: Any, content: Any, data: int) -> Any:
        match type, content:
            case "cast", "flip":
                return NextState("on", data + 1, StateTimeout(60, "forgotten"))
            case "cast", "crash":
                raise RuntimeError(content)
        return await self.common(type, content, data)

    async def on(self, type: Any, content: Any, data: int) -> Any:
        match type, content:
            case ("cast", "flip") | ("state_timeout", "forgotten"):
                return NextState("off")
        return await self.common(type, content, data)

    async def common(self, type: Any, content: Any, data: int) -> Any:
        match type, content:
            case ("call", from_), "count":
                return KeepState(actions=ReplyTo(from_, data))
            case ("call", _), "bye":
                raise Stop("normal", reply="bye")
            case _, "lost":
                return NextState("nowhere")
            case _, "terminate":
                return NextState("terminate")
        return None

    async def terminate(self, reason: Reason) -> None:
        self.ends.append((reason, self.state, self.data))


class Any_(GenStateMachine):
    """Does what each event says: a function of the machine, its type and its data."""

    async def init(self, begin: Any, trap: bool = False) -> Any:
        self.seen: list[Any] = []
        self.trap_exit(trap)
        return begin

    async def handle_event(self, type: Any, content: Any, state: Any, data: Any) -> Any:
        self.seen.append((type if isinstance(type, str) else type[0], state))
        match type:
            case ("call", from_) if content == "seen":
                return KeepState(actions=ReplyTo(from_, self.seen))
        if callable(content):
            return content(self, type, data)
        return None


class Refuses(GenStateMachine):
    """Does not begin."""

    async def init(self, how: Any) -> Any:
        if isinstance(how, Exception):
            raise how
        return how


async def started(vm: VM, *arguments: Any, **options: Any) -> Pid:
    pid = await vm.start(*arguments, **options)
    assert pid is not None
    return pid


@virtual_time
async def test_a_machine_with_functions_for_its_states() -> None:
    async with VM() as vm:
        switch = await started(vm, Switch, name="switch")
        for _ in range(3):
            vm.cast("switch", "flip")
        assert await vm.call(switch, "count") == 2
        assert await sys.get_state(vm, switch) == ("on", 2)
        await asyncio.sleep(61)
        assert await sys.get_state(vm, switch) == ("off", 2)


@virtual_time
async def test_a_crash_shows_terminate_the_state_and_data_of_before() -> None:
    async with VM() as vm:
        ends: list[Any] = []
        switch = await started(vm, Switch, ends)
        vm.cast(switch, "crash")
        await vm.join(switch)
        ((reason, state, data),) = ends
        assert isinstance(reason.exception, RuntimeError)
        assert (state, data) == ("off", 0)


@pytest.mark.parametrize("event", ["lost", "terminate"])
def test_a_state_without_a_function_ends_the_machine(event: str) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            switch = await started(vm, Switch)
            vm.cast(switch, event)
            vm.cast(switch, "flip")
            assert await vm.join(switch) == UNDEF

    scenario()


@virtual_time
async def test_an_event_that_nobody_answers_ends_nobody() -> None:
    async with VM() as vm:
        switch = await started(vm, Switch)
        with pytest.raises(CallExit) as late:
            await vm.call(switch, "what?", timeout=1)
        assert late.value.reason == "timeout"
        assert vm.alive(switch)


@virtual_time
async def test_a_machine_without_a_callback_understands_nothing() -> None:
    class Mute(GenStateMachine):
        async def init(self) -> Begin:
            return Begin("s")

    async with VM() as vm:
        mute = await started(vm, Mute)
        vm.send(mute, "hello")
        assert await vm.join(mute) == FUNCTION_CLAUSE


@virtual_time
async def test_a_stop_can_answer_the_call_that_it_came_with() -> None:
    async with VM() as vm:
        switch = await started(vm, Switch)
        assert await vm.call(switch, "bye") == "bye"
        assert await vm.join(switch) == "noproc"


@pytest.mark.parametrize("begin", [None, Continue(1), "off"])
def test_an_init_that_returns_something_else_fails(begin: Any) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            with pytest.raises(StartError) as failed:
                await vm.start(Any_, begin, name="machine")
            assert failed.value.reason == ("bad_return_from_init", begin)
            assert "returns Begin(state, data), IGNORE or StopMachine" in str(failed.value)
            assert vm.whereis("machine") is None

    scenario()


@virtual_time
async def test_an_init_may_ignore() -> None:
    async with VM() as vm:
        assert await vm.start(Any_, IGNORE) is None


@virtual_time
async def test_an_init_may_stop() -> None:
    async with VM() as vm:
        for begin in (StopMachine("no room"), Stop("no room")):
            with pytest.raises(StartError) as failed:
                await vm.start(Refuses, begin)
            assert failed.value.reason == "no room"


@virtual_time
async def test_a_machine_can_be_traced() -> None:
    async with VM() as vm:
        switch, events = await started(vm, Switch), list[Any]()
        await sys.trace(vm, switch, events.append)
        vm.cast(switch, "flip")
        assert await vm.call(switch, "count") == 1
        assert [event.event for event in events] == ["cast", "state", "call", "state"]
        assert events[1].state == ("on", 1)


@virtual_time
async def test_a_wrong_callback_mode_ends_the_machine_behind_its_start() -> None:
    class Wrong(Any_):
        callback_mode = "state_function"  # type: ignore[assignment]

    async with VM() as vm:
        pid = await started(vm, Wrong, Begin("s"))
        assert await vm.join(pid) in ("noproc", ("bad_return_from_callback_mode", "state_function"))


@virtual_time
async def test_events_inserted_by_init_come_before_every_message() -> None:
    async with VM() as vm:
        begin = Begin("s", actions=[NextEvent("internal", 1), NextEvent("internal", 2)])
        pid = await started(vm, Any_, begin)
        vm.cast(pid, "x")
        assert await vm.call(pid, "seen") == [
            ("internal", "s"),
            ("internal", "s"),
            ("cast", "s"),
            ("call", "s"),
        ]


@virtual_time
async def test_a_machine_that_feeds_itself_lets_others_run_and_can_be_killed() -> None:
    def again(machine: Any_, type: Any, data: int) -> Any:
        return KeepState(data + 1, NextEvent("internal", again))

    async with VM() as vm:
        pid = await started(vm, Any_, Begin("s", 0))
        vm.cast(pid, again)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        vm.exit(pid, "kill")
        assert await vm.join(pid) == "killed"


@virtual_time
async def test_its_timers_end_with_it() -> None:
    def start(machine: Any_, type: Any, data: Any) -> Any:
        return KeepState(actions=[StateTimeout(3600), EventTimeout(3600)])

    async with VM() as vm:
        pid = await started(vm, Any_, Begin("s"))
        vm.cast(pid, start)
        await asyncio.sleep(1)
        assert len(vm.tied) == 2
        await vm.stop(pid)
        assert len(vm.tied) == 0


@virtual_time
async def test_a_time_out_that_expired_during_a_callback_can_still_be_taken_back() -> None:
    def start(machine: Any_, type: Any, data: Any) -> Any:
        return KeepState(actions=StateTimeout(1))

    def busy(machine: Any_, type: Any, data: Any) -> Any:
        async def work() -> Any:
            await asyncio.sleep(5)
            return KeepState(actions=StateTimeout("cancel"))

        return work()

    class Waits(Any_):
        async def handle_event(self, type: Any, content: Any, state: Any, data: Any) -> Any:
            result = await super().handle_event(type, content, state, data)
            return await result if asyncio.iscoroutine(result) else result

    async with VM() as vm:
        pid = await started(vm, Waits, Begin("s"))
        vm.cast(pid, start)
        vm.cast(pid, busy)
        await asyncio.sleep(10)
        assert [type for type, _ in await vm.call(pid, "seen")] == ["cast", "cast", "call"]


@virtual_time
async def test_exit_signals_are_events_for_who_traps_them_and_the_end_from_the_parent() -> None:
    async with VM() as vm:
        parents: list[Pid] = []

        async def parent() -> None:
            parents.append(await started(vm, Any_, Begin("s"), True, link=True))
            await asyncio.sleep(10)

        vm.spawn(parent)
        await asyncio.sleep(1)
        (pid,) = parents
        vm.exit(pid, "boom")
        assert await vm.call(pid, "seen") == [("info", "s"), ("call", "s")]
        await asyncio.sleep(10)
        assert not vm.alive(pid)


@virtual_time
async def test_sys_suspends_resumes_and_replaces() -> None:
    async with VM() as vm:
        switch = await started(vm, Switch)
        await sys.suspend(vm, switch)
        vm.cast(switch, "flip")
        await asyncio.sleep(1)
        assert await sys.get_state(vm, switch) == ("off", 0)
        await sys.resume(vm, switch)
        assert await vm.call(switch, "count") == 1
        changed = await sys.replace_state(vm, switch, lambda pair: (pair[0], 41))
        assert changed == ("on", 41)
        assert await vm.call(switch, "count") == 41


@virtual_time
async def test_a_supervisor_starts_it_again() -> None:
    async with VM() as vm:
        supervisor = await vm.start(Supervisor, [child(Switch, name="switch")])
        assert supervisor is not None
        vm.cast("switch", "flip")
        await asyncio.sleep(1)
        vm.cast("switch", "lost")
        vm.cast("switch", "anything")
        await asyncio.sleep(1)
        assert await sys.get_state(vm, "switch") == ("off", 0)


@virtual_time
async def test_a_postponed_call_is_answered_in_another_state() -> None:
    def answer_in_b(machine: Any_, type: Any, data: Any) -> Any:
        if machine.state == "a":
            return KeepState(actions=Postpone())
        return StopMachine("normal", replies=ReplyTo(type[1], "at last"))

    async with VM() as vm:
        pid = await started(vm, Any_, Begin("a"))
        waiting = asyncio.create_task(vm.call(pid, answer_in_b))
        await asyncio.sleep(1)
        vm.cast(pid, lambda machine, type, data: NextState("b"))
        assert await waiting == "at last"


@virtual_time
async def test_function_clause_is_raised_by_who_wants_it() -> None:
    def no_clause(machine: Any_, type: Any, data: Any) -> Any:
        raise FunctionClause(machine, "x")

    async with VM() as vm:
        pid = await started(vm, Any_, Begin("a"))
        with pytest.raises(CallExit) as ended:
            await vm.call(pid, no_clause)
        assert ended.value.reason == FUNCTION_CLAUSE


class Waiting(GenStateMachine):
    """Has a time-out of its own for each request."""

    async def init(self) -> Begin:
        return Begin("waiting")

    async def handle_event(self, type: Any, content: Any, state: Any, data: Any) -> Any:
        if type == "cast":
            return KeepState(actions=NamedTimeout(content, 1.0))
        return None


@virtual_time
async def test_a_time_out_that_has_come_leaves_nothing_behind() -> None:
    async with VM() as vm:
        pid = await vm.start(Waiting)
        assert pid is not None
        for number in range(100):
            vm.cast(pid, number)
        await asyncio.sleep(2.0)
        process = vm.find(pid)
        assert process is not None
        assert process.server._timers == {}


@virtual_time
async def test_a_state_that_is_no_pair_is_refused_and_changes_nothing() -> None:
    async with VM() as vm:
        switch = await started(vm, Switch)
        with pytest.raises(TypeError, match="a pair, \\(state, data\\)"):
            await sys.replace_state(vm, switch, lambda _pair: "on")
        assert await sys.get_state(vm, switch) == ("off", 0)
