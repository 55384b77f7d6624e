"""Crash reports: what they tell, and that they cost nobody anything."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import MutableMapping
from typing import Any

import pytest
import structlog

from aybiza.actors.runtime import (
    KILL,
    NORMAL,
    SHUTDOWN,
    VM,
    GenServer,
    Process,
    Shutdown,
    StartError,
    Stop,
    virtual_time,
)
from aybiza.actors.runtime.crash_report import (
    BACKLOG,
    SHOWN_CHARACTERS,
    TRACEBACK_CHARACTERS,
    Reporter,
)

Logs = list[MutableMapping[str, Any]]


class Account(GenServer):
    async def init(self, owner: str = "anna") -> None:
        self.owner = owner
        self._password = "hidden"

    async def handle_cast(self, request: Any) -> None:
        self.book(request)

    def book(self, request: Any) -> None:
        secret_local = "a value of a local variable"
        if isinstance(request, BaseException):
            raise request
        raise ValueError(f"cannot book {request!r}" + secret_local[:0])


def crash(
    request: Any, server: type[GenServer] = Account, *, asked: bool = True, **options: Any
) -> None:
    """Have a server crash; `asked`: for what messages and states hold."""

    @virtual_time
    async def scenario() -> None:
        async with VM("front", show_values=asked) as vm:
            pid = await vm.start(server, **options)
            assert pid is not None
            vm.cast(pid, request)
            await vm.join(pid)

    scenario()


def test_a_report_tells_who_what_of_and_where(logs: Logs) -> None:
    crash(("withdraw", 5), name="account")
    (report,) = logs
    assert report["event"] == "process_crashed"
    assert report["log_level"] == "error"
    assert report["pid"] == "<front.1>"
    assert report["name"] == "account"
    assert report["server"] == "Account"
    assert report["last_message"] == "Cast(('withdraw', 5))"
    assert report["state"] == "{'owner': 'anna'}"
    assert report["reason"] == "crashed with ValueError: cannot book ('withdraw', 5)"


def test_a_vm_that_hides_its_values_shows_none_whatever_it_was_started_with(logs: Logs) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM("front", show_values=True) as vm:
            vm.hide_values()
            assert not vm.shows_values
            pid = await vm.start(Account)
            assert pid is not None
            vm.cast(pid, ("withdraw", 5))
            await vm.join(pid)

    scenario()
    hidden, report = logs
    assert hidden["event"] == "values_hidden"
    assert "withdraw" not in str(report) and "anna" not in str(report)


def test_the_traceback_begins_in_the_server_and_ends_where_it_was_raised(logs: Logs) -> None:
    crash("x")
    text = logs[0]["exception"]
    lines = text.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.rsplit(" ", 1)[-1] for line in lines if line.startswith("  File")] == [
        "handle_cast",
        "book",
    ]
    assert lines[-1] == "ValueError: cannot book 'x'"
    assert "gen_server.py" not in text


def test_no_report_holds_the_values_of_local_variables_however_logs_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    structlog.reset_defaults()
    crash("x")
    shown = capsys.readouterr().out
    assert "process_crashed" in shown
    assert "cannot book 'x'" in shown
    assert "a value of a local variable" not in shown.replace(
        'secret_local = "a value of a local variable"', ""
    )


def test_a_failed_terminate_shows_both_errors_once(logs: Logs) -> None:
    class Twice(Account):
        async def terminate(self, reason: Any) -> None:
            raise LookupError("in terminate")

    crash("x", Twice)
    text = logs[0]["exception"]
    assert text.count("ValueError: cannot book 'x'") == 1
    assert text.count("LookupError: in terminate") == 1
    assert "During handling of the above exception" in text


@pytest.mark.parametrize("reason", [NORMAL, SHUTDOWN, Shutdown("drained")])
def test_an_orderly_end_is_no_crash(reason: Any, logs: Logs) -> None:
    crash(Stop(reason))
    assert logs == []


def test_a_stop_for_another_reason_is_one_and_shows_where(logs: Logs) -> None:
    crash(Stop("out of money"))
    assert logs[0]["reason"] == "out of money"
    assert "in book" in logs[0]["exception"]


def test_an_end_by_a_signal_is_not_reported_by_its_victim(logs: Logs) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            for signal in ("boom", KILL):
                pid = await vm.start(Account)
                assert pid is not None
                vm.exit(pid, signal)
                await vm.join(pid)

    scenario()
    assert logs == []


def test_a_crash_in_init_is_reported(logs: Logs) -> None:
    class Unborn(GenServer):
        async def init(self) -> None:
            raise LookupError("no configuration")

    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            with pytest.raises(StartError):
                await vm.start(Unborn, name="u")

    scenario()
    assert (logs[0]["name"], logs[0]["server"]) == ("u", "Unborn")
    assert "no configuration" in logs[0]["exception"]


def test_a_function_reports_like_a_server(logs: Logs) -> None:
    async def job() -> None:
        raise ValueError("in the job")

    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            await vm.join(vm.spawn(job))

    scenario()
    assert logs[0]["server"].endswith("job")
    assert "state" not in logs[0]


def test_what_is_shown_is_cut(logs: Logs) -> None:
    crash("x" * 100_000, owner="y" * 100_000)
    for field in ("last_message", "state", "reason"):
        assert len(logs[0][field]) <= SHOWN_CHARACTERS + 3
    assert len(logs[0]["exception"]) <= TRACEBACK_CHARACTERS + 3


def test_what_cannot_be_shown_does_not_hide_the_rest(logs: Logs) -> None:
    class Shy(Account):
        def get_state(self) -> Any:
            raise LookupError("no")

    class Mute:
        def __repr__(self) -> str:
            raise OSError("no")

    crash(Mute(), Shy)
    (report,) = logs
    assert report["last_message"] == "<not shown: its text raises OSError>"
    assert report["state"] == "<not shown: its text raises LookupError>"
    assert report["event"] == "process_crashed"


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_whatever_showing_a_server_raises_later_reports_are_written(
    asked: bool, error: type[BaseException], logs: Logs
) -> None:
    class Mute:
        def __repr__(self) -> str:
            raise error

    class Shy(Account):
        async def init(self, owner: str = "anna") -> None:
            await super().init(owner)
            self.mute = Mute()

        def get_state(self) -> Any:
            raise error

    class Silent(Account):
        async def init(self, owner: str = "anna") -> None:
            await super().init(owner)
            self.mute = Mute()

    @virtual_time
    async def scenario() -> None:
        async with VM(show_values=asked) as vm:
            for server in (Shy, Silent, Account):
                pid = await vm.start(server)
                assert pid is not None
                vm.cast(pid, Mute() if server is Silent else "x")
                await vm.join(pid)

    scenario()
    assert logs[-1]["server"] == "Account"
    assert len(logs) >= 2


def test_a_log_that_cannot_be_written_does_not_end_later_reports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []

    class Broken:
        def error(self, event: str, **fields: Any) -> None:
            told.append(event)
            if len(told) == 1:
                raise BrokenPipeError

    monkeypatch.setattr("aybiza.actors.runtime.crash_report.log", Broken())
    crash("x")
    crash("x")

    @virtual_time
    async def twice() -> None:
        async with VM() as vm:
            told.clear()
            for _ in range(2):
                pid = await vm.start(Account)
                assert pid is not None
                vm.cast(pid, "x")
                await vm.join(pid)

    twice()
    assert told[:2] == ["process_crashed", "process_crashed"]


def test_reports_beyond_the_backlog_are_counted(logs: Logs) -> None:
    async def nothing() -> None:
        await asyncio.sleep(0)

    reporter = Reporter()
    vm = VM()
    process = Process(vm, vm.self(), "crowd", None)  # type: ignore[arg-type]
    for _ in range(BACKLOG + 5):
        reporter.report(process, "boom", None)
    reporter.start()
    reporter.stop()
    assert sum(entry["event"] == "process_crashed" for entry in logs) == BACKLOG
    assert sum(entry.get("reports_dropped", 0) for entry in logs) == 5


def test_stopping_writes_what_waits_and_ends_the_thread(logs: Logs) -> None:
    reporter = Reporter()
    vm = VM()
    reporter.start()
    for _ in range(50):
        reporter.unexpected(Process(vm, vm.self(), "p", None), "what")  # type: ignore[arg-type]
    reporter.stop()
    reporter.stop()
    assert len(logs) == 50
    assert "crash-reports" not in [thread.name for thread in threading.enumerate()]


def test_unless_asked_for_a_report_tells_shapes_and_no_words(logs: Logs) -> None:
    crash(("withdraw", 5, "pineapple please"), asked=False, owner="Anna Miller")
    (report,) = logs
    assert report["last_message"] == "Cast((<str of 8>, 5, <str of 16>))"
    assert report["state"] == "{'owner': <str of 11>}"
    assert report["reason"] == "crashed with ValueError: cannot book ('…', 5, '…')"
    assert report["exception"].endswith("ValueError: cannot book ('…', 5, '…')")
    assert "in book" in report["exception"]
    assert not {"pineapple", "Anna", "Miller"} & set(re.findall(r"\w+", str(report)))


@pytest.mark.parametrize("reason", ["said pineapple", ("bad", "pineapple"), ("pineapple juice", 1)])
def test_no_reason_tells_what_was_said_either(logs: Logs, reason: Any) -> None:
    class Repeats(Account):
        async def handle_cast(self, request: Any) -> None:
            raise Stop(request)

    crash(reason, Repeats, asked=False)
    assert "pineapple" not in str(logs)
    assert logs[0]["event"] == "process_crashed"
