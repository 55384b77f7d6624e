"""What a trace tells of a server, in the words and the order of Erlang's `sys:trace`."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from aybiza.actors.runtime import (
    NO_REPLY,
    NORMAL,
    VM,
    CallExit,
    Continue,
    GenServer,
    NoReply,
    Pid,
    Reply,
    Stop,
    Timeout,
    current_process,
    reply,
    sys,
    virtual_time,
)
from aybiza.actors.runtime.debug import Traced
from tests.actors.runtime.probe import Probe
from tests.actors.runtime.probe import started as probe


class Counter(GenServer):
    """The server of which OTP 25 has told the lines of the first test."""

    async def init(self) -> None:
        self.count = 0

    def get_state(self) -> int:
        return self.count

    async def handle_call(self, request: Any, from_: Any) -> Any:
        match request:
            case "inc":
                self.count += 1
                return self.count
            case "later":
                reply(from_, "late")
                return NO_REPLY
            case "later, within":
                reply(from_, "late")
                return NoReply(Timeout(5.0))
            case "cont":
                return Reply("ok", Continue("foo"))
            case "stop":
                raise Stop(NORMAL, reply="bye")
        return request()

    async def handle_continue(self, value: Any) -> None:
        self.count += 100

    async def handle_cast(self, amount: int) -> Timeout:
        self.count += amount
        return Timeout(0.05)

    async def handle_info(self, message: Any) -> None:
        """Anything."""


async def counter(vm: VM) -> Pid:
    pid = await vm.start(Counter, name="counter")
    assert pid is not None
    return pid


@virtual_time
async def test_the_events_are_those_that_otp_tells_of() -> None:
    lines: list[str] = []
    async with VM() as vm:
        pid = await counter(vm)
        await sys.trace(vm, pid, lambda event: lines.append(str(event)))
        await vm.call(pid, "inc")
        await vm.call(pid, "later")
        await vm.call(pid, "cont")
        vm.cast(pid, 7)
        await sys.get_state(vm, pid)
        vm.send(pid, "hello")
        assert await vm.call(pid, "stop") == "bye"
    assert lines == [
        "*DBG* counter got call 'inc' from None",
        "*DBG* counter sent 1 to None, new state 1",
        "*DBG* counter got call 'later' from None",
        "*DBG* counter new state 1",
        "*DBG* counter got call 'cont' from None",
        "*DBG* counter sent 'ok' to None, new state 1",
        "*DBG* counter dbg Continue('foo')",
        "*DBG* counter new state 101",
        "*DBG* counter got cast 7",
        "*DBG* counter new state 108",
        "*DBG* counter got 'hello'",
        "*DBG* counter new state 108",
        "*DBG* counter got call 'stop' from None",
        "*DBG* counter sent 'bye' to None, new state 108",
    ]


@virtual_time
async def test_a_reply_that_is_put_off_is_a_new_state_and_a_timeout_a_message() -> None:
    events: list[tuple[str, Any]] = []
    async with VM() as vm:
        pid = await counter(vm)
        await sys.trace(vm, pid, lambda event: events.append((event.event, event.state)))
        await vm.call(pid, "later, within")
        vm.cast(pid, 1)
        assert await sys.get_state(vm, pid) == 1
        with pytest.raises(TimeoutError):
            await vm.join(pid, 1.0)
    assert events == [
        ("call", None),
        ("state", 0),
        ("cast", None),
        ("state", 1),
        ("info", None),
        ("state", 1),
    ]


@virtual_time
async def test_what_the_server_sends_is_told_too() -> None:
    events: list[Traced] = []

    def talk() -> str:
        vm = VM_OF["vm"]
        vm.cast("other", "a cast")
        vm.send("other", "a message")
        vm.call("other", "a call").close()
        return "done"

    async with VM() as vm:
        VM_OF["vm"] = vm
        pid = await counter(vm)
        await probe(vm, name="other")
        await sys.trace(vm, pid, events.append)
        assert await vm.call(pid, talk) == "done"
        vm.cast("other", "of somebody else")
    assert [(event.event, event.message, event.peer) for event in events[1:-1]] == [
        ("send_cast", "a cast", "other"),
        ("send", "a message", "other"),
        ("send_call", "a call", "other"),
    ]


VM_OF: dict[str, VM] = {}


@virtual_time
async def test_a_process_can_have_the_events_and_be_traced_itself() -> None:
    async with VM() as vm:
        pid = await counter(vm)
        tracer = await probe(vm)
        await sys.trace(vm, tracer, pid)
        await sys.trace(vm, pid, tracer)
        await vm.call(pid, "inc")
        await vm.call(pid, "inc")
        await asyncio.sleep(0.01)
        seen = await vm.call(tracer, "seen")
        assert [event.event for event in seen] == ["call", "reply"] * 2
        await vm.stop(tracer)
        assert await vm.call(pid, "inc") == 3
        assert await vm.call(pid, "inc") == 4


@virtual_time
async def test_what_a_tracer_sends_is_no_event() -> None:
    async with VM() as vm:
        pid = await counter(vm)
        keeper = await probe(vm)

        def forward(event: Traced) -> None:
            assert current_process.get() is vm.find(pid)
            vm.send(keeper, event.event)

        await sys.trace(vm, pid, forward)
        await vm.call(pid, "inc")
        assert await vm.call(keeper, "seen") == ["call", "reply"]


@pytest.mark.parametrize(
    ("asked", "begins"), [(True, "got cast 'xxx"), (False, "got cast <str of 10000>")]
)
def test_true_traces_to_the_log_in_short_lines_with_words_if_asked_for(
    logs: list[MutableMapping[str, Any]], asked: bool, begins: str
) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM(show_values=asked) as vm:
            pid = await vm.start(Probe, name="probe")
            assert pid is not None
            await sys.trace(vm, pid)
            vm.cast(pid, "x" * 10_000)
            await sys.trace(vm, pid, False)
            vm.cast(pid, "not told")

    scenario()
    assert [(entry["event"], entry["name"]) for entry in logs] == [("trace", "probe")] * 2
    assert logs[0]["text"].startswith(begins)
    assert all(len(entry["text"]) < 1000 for entry in logs)


@virtual_time
async def test_a_trace_ends_by_itself_at_its_limit() -> None:
    events: list[str] = []
    async with VM() as vm:
        pid = await counter(vm)
        await sys.trace(vm, pid, lambda event: events.append(event.event), limit=3)
        for _ in range(5):
            await vm.call(pid, "inc")
    assert events == ["call", "reply", "call", "end"]


def test_a_tracer_that_raises_is_told_once_and_harms_nothing(
    logs: list[MutableMapping[str, Any]],
) -> None:
    def broken(event: Traced) -> None:
        raise LookupError(event)

    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            pid = await counter(vm)
            await sys.trace(vm, pid, broken)
            assert [await vm.call(pid, "inc") for _ in range(3)] == [1, 2, 3]

    scenario()
    assert [entry["event"] for entry in logs] == ["observer_failed"]


@virtual_time
async def test_a_state_that_cannot_be_shown_ends_nothing() -> None:
    class Shy(Counter):
        def get_state(self) -> Any:
            raise LookupError("no")

    events: list[Traced] = []
    async with VM() as vm:
        pid = await vm.start(Shy)
        assert pid is not None
        await sys.trace(vm, pid, events.append)
        assert await vm.call(pid, "inc") == 1
    assert events[-1].state == "<not shown: get_state raises LookupError>"


@virtual_time
async def test_a_server_that_is_not_debugged_runs_its_own_callbacks() -> None:
    async with VM() as vm:
        pid = await counter(vm)
        await sys.trace(vm, pid, lambda _event: None)
        await sys.statistics(vm, pid, True)
        assert set(vm.debugged) == {pid.serial}
        await sys.trace(vm, pid, False)
        assert set(vm.debugged) == {pid.serial}
        await sys.statistics(vm, pid, False)
        assert vm.debugged == {}
        await sys.trace(vm, pid, lambda _event: None)
        await vm.stop(pid)
        assert vm.debugged == {}


@virtual_time
async def test_statistics_count_what_otp_counts() -> None:
    async with VM() as vm:
        pid = await counter(vm)
        assert await sys.statistics(vm, pid) is None
        assert await sys.statistics(vm, pid, True) is not None
        for request in ("inc", "later", "cont"):
            await vm.call(pid, request)
        vm.cast(pid, 7)
        vm.send(pid, "hello")
        await sys.get_state(vm, pid)
        with pytest.raises(TimeoutError):
            await vm.join(pid, 2.0)
        # Asking again for what is counted already does not begin anew.
        counted = await sys.statistics(vm, pid, True)
        assert counted is not None
        assert (counted.messages_in, counted.messages_out) == (5, 2)
        assert counted.reductions >= 5
        assert counted.current_time - counted.start_time == pytest.approx(2.0)
        assert await sys.statistics(vm, pid, False) is None
        assert await sys.statistics(vm, pid) is None


@virtual_time
async def test_a_dead_server_cannot_be_traced() -> None:
    async with VM() as vm:
        pid = await counter(vm)
        await vm.stop(pid)
        for ask in (sys.trace, sys.statistics):
            with pytest.raises(CallExit):
                await ask(vm, pid)
