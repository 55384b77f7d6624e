"""GenServer: starting, replies, what follows them, and misuse."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from aybiza.actors.runtime import (
    HIBERNATE,
    IGNORE,
    KILL,
    NO_REPLY,
    NORMAL,
    SHUTDOWN,
    TIMEOUT,
    VM,
    BadReturnValue,
    CallExit,
    Continue,
    Crashed,
    From,
    FunctionClause,
    GenServer,
    NoReply,
    Reason,
    Reply,
    StartError,
    Stop,
    TimedOut,
    Timeout,
    reply,
    virtual_time,
)
from aybiza.actors.runtime.reasons import FUNCTION_CLAUSE
from tests.actors.runtime.recorder import Log, Recorder, forever, raises, started

Logs = list[MutableMapping[str, Any]]


# Starting


@virtual_time
async def test_init_gets_all_arguments_and_builds_a_new_instance_at_every_start() -> None:
    instances: list[GenServer] = []

    class Server(GenServer):
        async def init(self, *args: Any, **kwargs: Any) -> None:
            assert (args, kwargs) == ((1, 2), {"key": 3})
            instances.append(self)

    async with VM() as vm:
        for _ in range(2):
            pid = await vm.start(Server, 1, 2, key=3)
            assert instances[-1].pid == pid
            assert instances[-1].vm is vm
    assert instances[0] is not instances[1]


@virtual_time
async def test_ignore_starts_nothing_and_is_no_error() -> None:
    log: Log = []
    async with VM() as vm:
        assert await vm.start(Recorder, log, IGNORE, name="n") is None
        assert vm.whereis("n") is None
        assert vm.processes() == []
    assert log == []


@virtual_time
async def test_init_may_not_return_nonsense() -> None:
    async with VM() as vm:
        with pytest.raises(StartError) as failed:
            await vm.start(Recorder, [], "nonsense")
        assert failed.value.reason == BadReturnValue("nonsense")


@virtual_time
async def test_terminate_does_not_run_for_a_failed_init() -> None:
    ran: Log = []

    class Unborn(GenServer):
        async def init(self) -> None:
            raise Stop("no")

        async def terminate(self, reason: Reason) -> None:
            ran.append(reason)

    async with VM() as vm:
        with pytest.raises(StartError):
            await vm.start(Unborn)
    assert ran == []


@virtual_time
async def test_a_class_that_cannot_be_made_is_a_start_error() -> None:
    class Unmade(GenServer):
        def __init__(self) -> None:
            raise LookupError("no such thing")

    async with VM() as vm:
        with pytest.raises(StartError) as failed:
            await vm.start(Unmade)
        assert isinstance(failed.value.reason, Crashed)


# Replies


@virtual_time
@pytest.mark.parametrize("value", [None, 0, "", [], ("ok", 1), ValueError("as a value")])
async def test_what_handle_call_returns_is_the_reply(value: Any) -> None:
    async with VM() as vm:
        pid = await started(vm, [])
        assert await vm.call(pid, lambda *_: value) == value


@virtual_time
async def test_a_reply_may_come_from_a_later_callback_and_in_another_order() -> None:
    def save(server: Recorder, from_: From) -> Any:
        server.saved.append(from_)
        return NO_REPLY

    def release(server: Recorder, _: None) -> None:
        for number, from_ in reversed(list(enumerate(server.saved))):
            assert from_.waiting
            reply(from_, number)

    async with VM() as vm:
        pid = await started(vm, [])
        calls = [asyncio.create_task(vm.call(pid, save)) for _ in range(3)]
        await asyncio.sleep(1)
        assert await vm.call(pid, lambda *_: "not blocked") == "not blocked"
        vm.cast(pid, release)
        assert await asyncio.gather(*calls) == [0, 1, 2]


@virtual_time
async def test_the_reply_goes_out_before_what_follows_it() -> None:
    log: Log = []

    def answer(server: Recorder, _: From) -> Any:
        vm.send(server.pid, "queued")
        return Reply("ok", Continue(lambda *_: asyncio.sleep(10)))

    async with VM() as vm:
        pid = await started(vm, log)
        assert await vm.call(pid, answer) == "ok"
        assert vm.now() == 0
        await asyncio.sleep(11)
    assert [kind for kind, _ in log] == ["call", "continue", "info", "terminate"]


@virtual_time
async def test_no_reply_may_be_followed_by_work_that_replies() -> None:
    def later(server: Recorder, from_: From) -> Any:
        return NoReply(Continue(lambda *_: reply(from_, "done")))

    async with VM() as vm:
        assert await vm.call(await started(vm, []), later) == "done"


@virtual_time
async def test_a_stop_with_a_reply_answers_after_terminate() -> None:
    log: Log = []
    async with VM() as vm:
        pid = await started(vm, log)
        assert await vm.call(pid, raises(Stop(NORMAL, reply="bye"))) == "bye"
        assert log[-1] == ("terminate", NORMAL)
        await asyncio.sleep(1)
        assert not vm.alive(pid)


@virtual_time
async def test_a_stop_with_a_reply_answers_even_if_terminate_fails() -> None:
    class Fails(Recorder):
        async def terminate(self, reason: Reason) -> None:
            raise ValueError("in terminate")

    async with VM() as vm:
        pid = await vm.start(Fails, [])
        assert pid is not None
        assert await vm.call(pid, raises(Stop(NORMAL, reply="bye"))) == "bye"


@virtual_time
async def test_a_stop_without_a_reply_ends_the_call_with_its_reason_even_normal() -> None:
    async with VM() as vm:
        for reason in (NORMAL, SHUTDOWN, "boom"):
            pid = await started(vm, [])
            with pytest.raises(CallExit) as failed:
                await vm.call(pid, raises(Stop(reason)))
            assert failed.value.reason == reason


@virtual_time
async def test_callers_that_still_wait_hear_how_the_server_ended() -> None:
    async with VM() as vm:
        pid = await started(vm, [])
        calls = [
            asyncio.create_task(vm.call(pid, request))
            for request in (lambda *_: NO_REPLY, raises(Stop("boom", reply=1)), "queued")
        ]
        done: list[Any] = await asyncio.gather(*calls, return_exceptions=True)
    assert done[1] == 1
    assert [exit.reason for exit in (done[0], done[2])] == ["boom", "boom"]


# Continue and Timeout


@virtual_time
async def test_continue_runs_before_messages_that_wait() -> None:
    log: Log = []
    async with VM() as vm:
        pid = await started(vm, log, Continue(lambda *_: Continue("second")))
        vm.send(pid, "message")
        await asyncio.sleep(1)
    assert [entry[0] for entry in log] == ["continue", "continue", "info", "terminate"]


@virtual_time
async def test_an_endless_chain_of_continues_lets_others_run() -> None:
    class Chain(GenServer):
        async def init(self) -> Continue:
            return Continue(0)

        async def handle_continue(self, value: int) -> Continue:
            return Continue(value + 1)

    async with VM() as vm:
        await vm.start(Chain)
        await asyncio.sleep(0)
        other = await started(vm, [])
        assert await vm.call(other, lambda *_: "here") == "here"
        vm.exit(vm.processes()[0], KILL)


@virtual_time
async def test_an_endless_chain_of_zero_timeouts_lets_others_run() -> None:
    class Poller(GenServer):
        async def init(self) -> Timeout:
            return Timeout(0)

        async def handle_info(self, message: Any) -> Timeout:
            return Timeout(0)

    async with VM() as vm:
        await vm.start(Poller)
        other = await started(vm, [])
        assert await vm.call(other, lambda *_: "here") == "here"
        vm.exit(vm.processes()[0], KILL)


@virtual_time
async def test_a_timeout_comes_when_nothing_else_does() -> None:
    log: Log = []
    async with VM() as vm:
        await started(vm, log, Timeout(10))
        await asyncio.sleep(9)
        assert log == []
        await asyncio.sleep(2)
        assert log == [("info", TimedOut())]
        await asyncio.sleep(100)
        assert len(log) == 1


@virtual_time
async def test_a_message_takes_the_place_of_the_timeout() -> None:
    log: Log = []
    async with VM() as vm:
        pid = await started(vm, log, Timeout(10))
        await asyncio.sleep(9)
        vm.send(pid, "message")
        await asyncio.sleep(100)
        assert log == [("info", "message")]


@virtual_time
async def test_a_message_at_the_moment_of_the_timeout_takes_its_place() -> None:
    log: Log = []
    async with VM() as vm:
        pid = await started(vm, log, Timeout(10))
        loop = asyncio.get_running_loop()
        # Due before the server's own timer, and handled in the same step of the loop.
        loop.call_at(10 - 1e-10, vm.send, pid, "message")
        await asyncio.sleep(100)
        assert log == [("info", "message")]


@virtual_time
async def test_a_timeout_of_zero_comes_only_if_the_mailbox_is_empty() -> None:
    log: Log = []

    def queue_and_wait(server: Recorder, _: Any) -> Timeout:
        vm.send(server.pid, "queued")
        return Timeout(0)

    async with VM() as vm:
        pid = await started(vm, log)
        vm.cast(pid, queue_and_wait)
        vm.cast(pid, lambda *_: Timeout(0))
        await asyncio.sleep(1)
    assert [entry[1] for entry in log[1:-1]] == ["<lambda>", "queued"]
    log.clear()
    async with VM() as vm:
        pid = await started(vm, log)
        vm.cast(pid, lambda *_: Timeout(0))
        await asyncio.sleep(1)
        assert log[-1] == ("info", TimedOut())


# Misuse


@virtual_time
async def test_a_returned_value_without_a_meaning_ends_the_server() -> None:
    async with VM() as vm:
        for send in ("cast", "send"):
            pid = await started(vm, [])
            getattr(vm, send)(pid, lambda *_: "nonsense")
            assert await vm.join(pid) == BadReturnValue("nonsense")


@virtual_time
@pytest.mark.parametrize("value", [Continue(1), Timeout(1), IGNORE])
async def test_a_follow_up_in_place_of_a_reply_ends_the_server(value: Any) -> None:
    async with VM() as vm:
        pid = await started(vm, [])
        with pytest.raises(CallExit) as failed:
            await vm.call(pid, lambda *_: value)
        assert failed.value.reason == BadReturnValue(value)


@virtual_time
@pytest.mark.parametrize("answer", [Reply("ok", "nonsense"), NoReply("nonsense")])  # type: ignore[arg-type]
async def test_nonsense_after_a_reply_is_not_preceded_by_the_reply(answer: Any) -> None:
    async with VM() as vm:
        pid = await started(vm, [])
        with pytest.raises(CallExit) as failed:
            await vm.call(pid, lambda *_: answer)
        assert failed.value.reason == BadReturnValue("nonsense")


@virtual_time
async def test_a_request_without_a_clause_crashes_server_and_caller() -> None:
    async with VM() as vm:
        pid = await vm.start(GenServer)
        assert pid is not None
        with pytest.raises(CallExit) as failed:
            await vm.call(pid, "what")
        assert failed.value.reason == FUNCTION_CLAUSE
        pid = await vm.start(GenServer)
        assert pid is not None
        vm.cast(pid, "what")
        assert await vm.join(pid) == FUNCTION_CLAUSE


def test_a_server_without_a_clause_says_what_it_does_not_understand() -> None:
    error = FunctionClause(GenServer(), ("say", 1))
    assert error.__notes__ == ["GenServer does not understand ('say', 1)"]


def test_another_message_without_a_clause_is_logged_and_dropped(logs: Logs) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            pid = await vm.start(GenServer, name="quiet")
            assert pid is not None
            vm.send(pid, "what")
            await asyncio.sleep(1)
            assert vm.alive(pid)

    scenario()
    (told,) = logs
    assert (told["event"], told["name"]) == ("unexpected_message", "quiet")
    assert told["message"] == "<str of 4>"


@virtual_time
async def test_a_crash_leaves_the_changes_that_came_before_it_for_terminate_to_see() -> None:
    seen: list[int] = []

    class Counter(GenServer):
        async def init(self) -> None:
            self.count = 0

        async def handle_cast(self, request: int) -> None:
            self.count = request
            raise ValueError("after the change")

        async def terminate(self, reason: object) -> None:
            seen.append(self.count)

    async with VM() as vm:
        pid = await vm.start(Counter)
        assert pid is not None
        vm.cast(pid, 5)
        await vm.join(pid)
    assert seen == [5]


@virtual_time
async def test_messages_keep_their_order_whatever_their_kind() -> None:
    log: Log = []
    async with VM() as vm:
        pid = await started(vm, log)
        vm.cast(pid, 1)
        vm.send(pid, 2)
        call = asyncio.create_task(vm.call(pid, 3))
        await asyncio.sleep(0)
        vm.cast(pid, 4)
        await call
        await asyncio.sleep(1)
        assert log == [("cast", 1), ("info", 2), ("call", 3), ("cast", 4)]


@virtual_time
async def test_a_time_limit_inside_a_callback_is_the_callbacks_own() -> None:
    async def impatient(_: Any, __: Any) -> str:
        try:
            async with asyncio.timeout(1):
                await forever()
        except TimeoutError:
            return "gave up"
        return "had the time"

    async with VM() as vm:
        pid = await started(vm, [])
        assert await vm.call(pid, impatient) == "gave up"
        with pytest.raises(CallExit) as failed:
            await vm.call(pid, lambda *_: forever(), timeout=1)
        assert failed.value.reason == TIMEOUT


def test_markers_print_and_pickle_as_themselves() -> None:
    import pickle

    assert repr(NO_REPLY) == "NO_REPLY"
    assert pickle.loads(pickle.dumps(NO_REPLY)) is NO_REPLY
    assert pickle.loads(pickle.dumps(IGNORE)) is IGNORE


class Sleepy(GenServer):
    """Asks to hibernate wherever that may be asked."""

    async def init(self) -> Any:
        return HIBERNATE

    async def handle_call(self, request: Any, from_: From) -> Any:
        return HIBERNATE if request == "bare" else Reply(request, HIBERNATE)

    async def handle_cast(self, request: Any) -> Any:
        return HIBERNATE


@virtual_time
async def test_a_server_may_ask_to_hibernate_which_changes_nothing() -> None:
    async with VM() as vm:
        pid = await vm.start(Sleepy)
        assert pid is not None
        vm.cast(pid, "sleep")
        assert await vm.call(pid, 5) == 5
        with pytest.raises(CallExit) as failed:
            await vm.call(pid, "bare")
        assert failed.value.reason == BadReturnValue(HIBERNATE)
