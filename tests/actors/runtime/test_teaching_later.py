"""The usual mistakes in calling, sending and answering, each with the whole text that it gets."""

from __future__ import annotations

import asyncio
import functools
import gc
import re
import warnings
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.runtime import (
    VM,
    CallExit,
    Continue,
    GenServer,
    Registry,
    Task,
    Timeout,
    UnknownName,
    Via,
    VMClosed,
    virtual_time,
)
from tests.actors.runtime.teaching_kit import Counter, counting, line, pidless, reported

# When somebody is called or sent to


async def called(vm: VM, dest: Any, request: Any = "get") -> str:
    """What the call says that fails, without the line of this function."""
    with pytest.raises(CallExit) as caught:
        await vm.call(dest, request)  # calls
    told = str(caught.value)
    assert told.endswith(f"; at {line('calls')}")
    return pidless(told.removesuffix(f"; at {line('calls')}"))


@virtual_time
async def test_a_call_to_a_dead_name_names_those_that_live() -> None:
    async with VM("n") as vm:
        assert await called(vm, "countr") == (
            "call to countr failed: noproc: nobody is registered as 'countr'; there is none at all"
        )
        await counting(vm)
        assert await called(vm, "countr") == (
            "call to countr failed: noproc: nobody is registered as 'countr'; did you mean "
            "'counter'?"
        )
        assert await called(vm, "billing") == (
            "call to billing failed: noproc: nobody is registered as 'billing'; there is 'counter'"
        )
        for name in "edcbaf":
            await vm.start(Counter, 1, name=name)
        assert await called(vm, "billing") == (
            "call to billing failed: noproc: nobody is registered as 'billing'; there are 'a', "
            "'b', 'c', 'counter', 'd' and 2 more"
        )


@virtual_time
async def test_a_call_to_a_registry_names_the_registry_or_the_key() -> None:
    async with VM("n") as vm:
        vm.registries["doors"] = Registry("doors")
        pid = await counting(vm)
        process = vm.find(pid)
        assert process is not None
        vm.registries["doors"].register(process, "front")
        assert (await called(vm, Via("dors", "front"))).endswith(
            "noproc: no registry is called 'dors'; did you mean 'doors'?"
        )
        assert (await called(vm, Via("doors", "frnt"))).endswith(
            "noproc: nobody is registered in 'doors' under 'frnt'; did you mean 'front'?"
        )


@virtual_time
async def test_a_call_to_what_is_gone_or_was_never_an_address_says_so() -> None:
    async with VM("n") as vm:
        pid = await counting(vm)
        await vm.stop(pid)
        assert await called(vm, pid) == (
            "call to <n.1> failed: noproc: <n.1> has ended; a supervised process is found again by "
            "its name"
        )
        assert await called(vm, ("counter", "other")) == (
            "call to ('counter', 'other') failed: noproc: no node 'other' is connected; none is"
        )
        assert await called(vm, None) == (
            "call to None failed: noproc: a destination is a Pid, a name, (name, node) or "
            "Via(registry, key), not None; a start that was ignored returns None, and so does "
            "whereis for a free name"
        )


@virtual_time
async def test_a_call_to_oneself_is_told_at_its_line_in_the_log_too() -> None:
    async with VM("n") as vm:
        pid = await counting(vm)
        told, entry = await reported(lambda: called(vm, pid, "self"))
        assert told == (
            "call to <n.1> failed: CallFailed(reason='calling_self', dest=<n.1>): its own call to "
            "<n.1> failed: calling_self: it would wait for a reply that it has to give itself"
        )
        assert pidless(entry["exception"].splitlines()[-1]) == (
            f"aybiza.actors.runtime.errors.CallExit: call to <n.1> failed: calling_self: <n.1> "
            f"would wait for a reply that it has to give itself: call its method, or send itself a "
            f"cast; at {line('calls itself')}"
        )


@virtual_time
async def test_a_crash_of_who_was_called_is_told_with_its_line() -> None:
    async with VM("n") as vm:
        pid = await counting(vm)
        assert await called(vm, pid, "boom") == (
            f"call to <n.1> failed: crashed with ValueError: bad: raised at {line('raises')}"
        )


@pytest.mark.parametrize(
    ("dest", "told"),
    [
        (
            None,
            "None; a start that was ignored returns None, and so does whereis for a free name",
        ),
        (5, "5"),
        (["counter"], "['counter']"),
        (Counter, "the class Counter: give it the pid or the name of a process"),
    ],
)
@virtual_time
async def test_what_is_no_destination_is_not_sent_to(dest: Any, told: str) -> None:
    async with VM("n") as vm:
        for act in (vm.send, vm.cast):
            with pytest.raises(TypeError) as caught:
                act(dest, "x")  # sends
            assert str(caught.value) == (
                f"a destination is a Pid, a name, (name, node) or Via(registry, key), not {told} "
                f"({line('sends')})"
            )


@virtual_time
async def test_a_handle_in_place_of_its_pid_is_told_apart() -> None:
    async with VM("n") as vm:
        task = Task.start(vm, asyncio.sleep, 1)
        with pytest.raises(TypeError) as caught:
            vm.send(task, "x")  # type: ignore[arg-type]
        assert "not <Task <n.1>>: give it `.pid` (" in str(caught.value)


@virtual_time
async def test_a_message_to_a_free_name_names_the_nearest() -> None:
    async with VM("n") as vm:
        await counting(vm)
        with pytest.raises(UnknownName) as caught:
            vm.send("conter", "x")  # sends to a name
        assert str(caught.value) == (
            f"no process is registered as 'conter': did you mean 'counter'?; at "
            f"{line('sends to a name')}"
        )


def test_a_name_that_is_not_there_to_be_freed_is_told_of() -> None:
    assert str(UnknownName("counter")) == "no process is registered as 'counter'"


# What a callback returns


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (
            Continue(1),
            "Continue(value=1) without a reply: return Reply(value, Continue(value=1)), or "
            "NoReply(Continue(value=1)) to reply later",
        ),
        (
            Timeout(2.0),
            "Timeout(seconds=2.0) without a reply: return Reply(value, Timeout(seconds=2.0)), or "
            "NoReply(Timeout(seconds=2.0)) to reply later",
        ),
        (
            "forgotten",
            "the coroutine Counter.total, which nobody awaited: write `return await total(…)`",
        ),
    ],
)
@virtual_time
async def test_a_reply_of_the_wrong_kind_is_told_to_the_caller_and_in_the_log(
    request_: Any, told: str
) -> None:
    async with VM("n") as vm:
        pid = await counting(vm)
        text, entry = await reported(lambda: called(vm, pid, request_))
        assert text.endswith(f": a callback returned {told}")
        assert entry["exception"].splitlines()[-1] == (
            f"Counter.handle_call ({line('Counter.handle_call')}) returned {told}"
        )


@virtual_time
async def test_a_value_that_nobody_waits_for_is_told_in_the_log() -> None:
    async with VM("n") as vm:
        await counting(vm)
        _, entry = await reported(lambda: vm.cast("counter", 5))
        told = (
            "returned 5, which has no meaning there: init, handle_cast, handle_info and "
            "handle_continue return None, Continue(…) or Timeout(…)"
        )
        assert entry["advice"] == f"a callback {told}"
        assert entry["exception"].splitlines()[-1] == (
            f"Counter.handle_cast ({line('Counter.handle_cast')}) {told}"
        )


@virtual_time
async def test_a_callback_that_only_looks_like_a_coroutine_function_is_told_of_in_the_log() -> None:
    class Wrapped(GenServer):
        @functools.wraps(Counter.handle_cast)
        def handle_cast(self, request: Any) -> Any:  # type: ignore[override]
            return 1

    async with VM("n") as vm:
        pid = await vm.start(Wrapped)
        assert pid is not None
        _, entry = await reported(lambda: vm.cast(pid, 5))
        assert re.sub(r"\(.*\)", "(…)", entry["exception"].splitlines()[-1]) == (
            "Wrapped.handle_cast (…) returned no coroutine: define it with `async def`"
        )


# What is not awaited


@virtual_time
async def test_a_call_that_is_not_awaited_is_warned_of_by_its_name_and_line() -> None:
    async with VM("n") as vm:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            vm.call("counter", "get")  # type: ignore[unused-coroutine]  # not awaited
            gc.collect()
        (warning,) = warned
        assert str(warning.message) == "coroutine 'VM.call' was never awaited"
        assert f"{warning.filename}:{warning.lineno}" == line("not awaited")


@virtual_time
async def test_a_coroutine_that_is_sent_is_told_of_in_the_log() -> None:
    async with VM("n") as vm:
        await counting(vm)
        _, entry = await reported(lambda: vm.send("counter", vm.call("counter", "get")))
        assert entry["advice"] == (
            "the coroutine VM.call was sent in place of its value: await it first"
        )


# Where the runtime is asked


@virtual_time
async def test_what_is_for_processes_says_where_it_belongs() -> None:
    async with VM("n") as vm:
        pid = await counting(vm)
        with pytest.raises(RuntimeError) as caught:
            vm.monitor(pid)  # outside
        assert str(caught.value) == (
            f"monitor is for processes: call it in a callback, or in a function that vm.spawn or a "
            f"Task runs ({line('outside')})"
        )


@virtual_time
async def test_a_vm_that_is_not_open_says_so() -> None:
    vm = VM("n")
    with pytest.raises(VMClosed) as caught:
        await vm.call("counter", "get")  # closed
    assert str(caught.value) == (
        f"the VM is not open: use it inside `async with VM() as vm` ({line('closed')})"
    )


async def test_a_call_from_another_loop_says_how_it_is_made() -> None:
    async with VM("n") as vm:
        await counting(vm)

        async def ask() -> None:
            await vm.call("counter", "get")  # another loop

        with pytest.raises(RuntimeError) as caught:
            await asyncio.to_thread(asyncio.run, ask())
        assert str(caught.value) == (
            f"the VM runs on another event loop than this: await it on its own, or from a thread "
            f"by asyncio.run_coroutine_threadsafe(…, vm.loop) ({line('another loop')})"
        )


# What goes wrong later


async def test_a_callback_that_blocks_is_named_with_its_line_and_what_to_do() -> None:
    async with VM("n", block_warning_ms=50) as vm:
        await counting(vm)
        with capture_logs() as logs:
            await vm.call("counter", "block")
        (entry,) = logs
        assert entry["event"] == "loop_blocked"
        assert entry["callback"] == "Counter.handle_call"
        assert entry["at"] == line("blocks")
        assert entry["advice"] == (
            "nothing else runs meanwhile: await it, or run it by vm.run_blocking(function, …)"
        )


@virtual_time
async def test_a_mailbox_that_fills_is_told_with_what_is_in_it_and_what_the_process_does() -> None:
    async def busy() -> None:
        await asyncio.Event().wait()  # busy

    async with VM("n", mailbox_alarm=10) as vm:
        pid = vm.spawn(busy)
        await asyncio.sleep(0)

        def fill() -> None:
            for number in range(10):
                vm.cast(pid, "tick" if number % 4 else Continue(1))

        _, entry = await reported(fill)
        assert {key: entry[key] for key in ("event", "length", "mostly", "at", "advice")} == {
            "event": "mailbox_alarm",
            "length": 10,
            "mostly": "cast 'tick' (7 of the oldest 10)",
            "at": line("busy"),
            "advice": "messages come faster than it takes them: let it wait for nothing in its "
            "callbacks, spread its work over several processes, or call it instead of cast and "
            "send",
        }
