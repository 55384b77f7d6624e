"""Errors, the reasons they stand for, and their tracebacks."""

from __future__ import annotations

import pickle
import traceback

from aybiza.actors.runtime import (
    NOPROC,
    NORMAL,
    VM,
    CallExit,
    CallFailed,
    Crashed,
    Down,
    ExitError,
    GenServer,
    StartError,
    Stop,
    UnknownName,
    virtual_time,
)
from aybiza.actors.runtime.errors import UNSET, own_traceback, reason_of


def test_an_end_without_an_error_is_normal() -> None:
    assert reason_of(None) == NORMAL


def test_an_exit_error_ends_with_its_reason_and_a_call_with_what_was_called() -> None:
    assert reason_of(ExitError("why")) == "why"
    assert reason_of(Stop("done")) == "done"
    assert reason_of(CallExit(NOPROC, "server", "ping")) == CallFailed(NOPROC, "server")


def test_any_other_error_is_a_crash() -> None:
    error = ValueError("x")
    reason = reason_of(error)
    assert isinstance(reason, Crashed)
    assert reason.exception is error


def test_a_stop_without_a_reply_is_not_one_with_none() -> None:
    assert Stop("x").reply is UNSET
    assert Stop("x", reply=None).reply is None


def test_errors_say_what_happened_to_whom() -> None:
    assert str(CallExit("timeout", "metrics", "render")) == "call to metrics failed: timeout"
    assert str(StartError("bad_config")) == "process did not start: bad_config"


def test_errors_travel_with_what_they_are_about() -> None:
    call = CallExit("timeout", "metrics", "render", lambda: "made where it is read")
    travelled = pickle.loads(pickle.dumps(call))
    assert (travelled.reason, travelled.dest, travelled.request) == ("timeout", "metrics", "render")
    assert str(travelled) == "call to metrics failed: timeout"
    start = pickle.loads(pickle.dumps(StartError("bad_config", lambda: "made where it is read")))
    assert str(start) == "process did not start: bad_config"
    name = pickle.loads(pickle.dumps(UnknownName("metrics", lambda: "made where it is read")))
    assert str(name) == "no process is registered as 'metrics'"


def test_a_traceback_of_nothing_is_left_alone() -> None:
    own_traceback(None)
    error = ValueError("never raised")
    own_traceback(error)
    assert error.__traceback__ is None


class Faulty(GenServer):
    async def handle_cast(self, request: str) -> None:
        self.fail(request)

    def fail(self, request: str) -> None:
        raise ValueError(request)


@virtual_time
async def test_the_traceback_of_a_crash_holds_the_servers_frames_and_no_others() -> None:
    async with VM() as vm:
        pid = await vm.start(Faulty)
        assert pid is not None
        vm.cast(pid, "bad")
        reason = await vm.join(pid)
    assert isinstance(reason, Crashed)
    frames = traceback.extract_tb(reason.exception.__traceback__)
    assert [frame.name for frame in frames] == ["handle_cast", "fail"]


@virtual_time
async def test_a_start_error_of_a_crash_is_caused_by_the_exception() -> None:
    class Unborn(GenServer):
        async def init(self) -> None:
            raise LookupError("no configuration")

    async with VM() as vm:
        try:
            await vm.start(Unborn)
        except StartError as error:
            assert isinstance(error.__cause__, LookupError)
        else:
            raise AssertionError("it started")


def test_down_carries_the_reason_as_it_is() -> None:
    reason = Crashed(ValueError())
    assert Down(1, None, reason).reason is reason
