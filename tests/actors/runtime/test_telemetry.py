"""Telemetry: who is told what, and that no handler harms a sender."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from typing import Any

import pytest

from aybiza.actors.runtime import KILL, VM, ExitError, GenServer, telemetry, virtual_time
from aybiza.actors.runtime.telemetry import FAILURE, MAX_HANDLERS, Event, Handler, Telemetry
from aybiza.supervisors import Supervisor, child

DONE: Event = ("my", "thing", "done")
Logs = list[MutableMapping[str, Any]]


class Ear:
    """A handler that keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[Event, dict[str, Any], dict[str, Any], Any]] = []

    def __call__(self, event: Event, measurements: Any, metadata: Any, config: Any) -> None:
        self.heard.append((event, dict(measurements), dict(metadata), config))


class Bench:
    """Telemetry alone, with what has failed."""

    def __init__(self) -> None:
        self.failed: list[tuple[Any, BaseException]] = []
        self.telemetry = Telemetry(lambda handler, error: self.failed.append((handler.id, error)))


class TestAttach:
    def test_a_handler_is_told_of_its_event_with_its_config(self) -> None:
        bench, ear = Bench(), Ear()
        bench.telemetry.attach("one", DONE, ear, 5)
        bench.telemetry.execute(DONE, {"seconds": 1}, {"which": "a"})
        bench.telemetry.execute(("my", "thing"), {"seconds": 2})
        bench.telemetry.execute(DONE)
        assert ear.heard == [(DONE, {"seconds": 1}, {"which": "a"}, 5), (DONE, {}, {}, 5)]

    def test_handlers_are_told_in_the_order_in_which_they_were_attached(self) -> None:
        bench = Bench()
        order: list[str] = []
        for name in ("b", "a", "c"):
            bench.telemetry.attach(name, DONE, lambda *told: order.append(told[3]), name)
        bench.telemetry.execute(DONE)
        assert order == ["b", "a", "c"]

    def test_one_handler_may_hear_many_events_each_once(self) -> None:
        bench, ear = Bench(), Ear()
        other = ("my", "other")
        bench.telemetry.attach_many("many", [DONE, other, DONE], ear)
        for event in (DONE, other):
            bench.telemetry.execute(event)
        assert [heard[0] for heard in ear.heard] == [DONE, other]

    def test_an_id_is_attached_once(self) -> None:
        bench = Bench()
        bench.telemetry.attach("one", DONE, Ear())
        with pytest.raises(ValueError, match="attached as 'one' already"):
            bench.telemetry.attach_many("one", [("other",)], Ear())
        assert bench.telemetry.list_handlers(("other",)) == []

    @pytest.mark.parametrize("event", ["my.thing", ["my"], (), ("my", 1), None])
    def test_what_is_no_event_is_refused(self, event: Any) -> None:
        with pytest.raises(ValueError, match="an event is a tuple of names"):
            Bench().telemetry.attach("one", event, Ear())

    def test_what_is_no_function_is_refused(self) -> None:
        async def slow(*_: Any) -> None: ...

        for wrong in (None, "function", slow):
            with pytest.raises(TypeError, match="a handler is"):
                Bench().telemetry.attach("one", DONE, wrong)  # type: ignore[arg-type]

    def test_handlers_are_bounded(self) -> None:
        bench = Bench()
        for number in range(MAX_HANDLERS):
            bench.telemetry.attach(number, DONE, Ear())
        with pytest.raises(ValueError, match="one too many"):
            bench.telemetry.attach("last", DONE, Ear())
        assert bench.telemetry.detach(0)
        bench.telemetry.attach("last", DONE, Ear())


class TestDetach:
    def test_ends_all_of_its_events_and_says_whether_it_was_there(self) -> None:
        bench, ear, other = Bench(), Ear(), Ear()
        bench.telemetry.attach_many("many", [DONE, ("my",)], ear)
        bench.telemetry.attach("other", DONE, other)
        assert bench.telemetry.detach("many") is True
        assert bench.telemetry.detach("many") is False
        for event in (DONE, ("my",)):
            bench.telemetry.execute(event)
        assert (len(ear.heard), len(other.heard)) == (0, 1)

    def test_a_handler_may_detach_itself_and_others_while_it_is_told(self) -> None:
        bench, ear = Bench(), Ear()

        def once(*_: Any) -> None:
            bench.telemetry.detach("once")

        bench.telemetry.attach("once", DONE, once)
        bench.telemetry.attach("ear", DONE, ear)
        bench.telemetry.execute(DONE)
        bench.telemetry.execute(DONE)
        assert len(ear.heard) == 2


def test_handlers_are_listed_by_what_their_events_begin_with() -> None:
    bench, ear = Bench(), Ear()
    bench.telemetry.attach("one", DONE, ear, 1)
    bench.telemetry.attach("two", ("other",), ear)
    assert bench.telemetry.list_handlers(("my",)) == [Handler("one", DONE, ear, 1)]
    assert {handler.id for handler in bench.telemetry.list_handlers()} == {"one", "two"}


class TestExecute:
    @pytest.mark.parametrize("error", [ValueError("x"), SystemExit(), asyncio.CancelledError()])
    def test_a_handler_that_raises_is_detached_and_told_of(self, error: BaseException) -> None:
        def fails(*_: Any) -> None:
            raise error

        bench, ear, failures = Bench(), Ear(), Ear()
        bench.telemetry.attach_many("bad", [DONE, ("other",)], fails, 3)
        bench.telemetry.attach("good", DONE, ear)
        bench.telemetry.attach("failures", FAILURE, failures)
        for _ in range(2):
            bench.telemetry.execute(DONE)
            bench.telemetry.execute(("other",))
        assert len(ear.heard) == 2
        assert bench.failed == [("bad", error)]
        ((_, _, told, _),) = failures.heard
        assert told == {"event": DONE, "handler_id": "bad", "config": 3, "error": error}

    def test_a_handler_cannot_change_what_the_next_one_is_told(self) -> None:
        def changes(_event: Event, _measurements: Any, metadata: Any, _config: Any) -> None:
            metadata["which"] = "changed"

        bench, ear = Bench(), Ear()
        bench.telemetry.attach("bad", DONE, changes)
        bench.telemetry.attach("good", DONE, ear)
        bench.telemetry.execute(DONE, {}, {"which": "a"})
        assert ear.heard[0][2] == {"which": "a"}
        assert [name for name, _ in bench.failed] == ["bad"]

    def test_a_handler_that_calls_itself_without_end_is_detached(self) -> None:
        bench = Bench()
        bench.telemetry.attach("loop", DONE, lambda *_: bench.telemetry.execute(DONE))
        bench.telemetry.execute(DONE)
        assert bench.telemetry.list_handlers() == []

    def test_the_list_that_a_sender_keeps_is_filled_and_emptied(self) -> None:
        bench = Bench()
        kept = bench.telemetry.heard(DONE)
        bench.telemetry.attach("one", DONE, Ear())
        assert len(kept) == 1
        bench.telemetry.detach("one")
        assert kept == []


class TestSpan:
    def test_tells_the_start_and_the_stop_with_what_the_block_adds(self) -> None:
        bench, ear = Bench(), Ear()
        bench.telemetry.attach_many("ear", [("w", end) for end in ("start", "stop")], ear)
        with bench.telemetry.span(("w",), {"a": 1}) as ends:
            time.sleep(0.002)
            ends["b"] = 2
        (start, first, told, _), (stop, last, told_then, _) = ear.heard
        assert (start, told, stop, told_then) == (
            ("w", "start"),
            {"a": 1},
            ("w", "stop"),
            {"a": 1, "b": 2},
        )
        assert last["seconds"] == pytest.approx(last["monotonic"] - first["monotonic"])
        assert last["seconds"] >= 0.002

    def test_tells_the_exception_which_goes_on(self) -> None:
        bench, ear = Bench(), Ear()
        bench.telemetry.attach_many("ear", [("w", "stop"), ("w", "exception")], ear)
        error = ValueError("x")
        with pytest.raises(ValueError, match="x"), bench.telemetry.span(("w",)):
            raise error
        ((event, _, told, _),) = ear.heard
        assert (event, told) == (("w", "exception"), {"error": error})


class Fragile(GenServer):
    async def handle_cast(self, request: Any) -> None:
        raise request


class TestTheRuntime:
    @virtual_time
    async def test_tells_of_starts_ends_crashes_and_restarts(self) -> None:
        async with VM() as vm:
            ear = Ear()
            names = ("PROCESS_START", "PROCESS_STOP", "PROCESS_CRASH", "SUPERVISOR_RESTART")
            vm.telemetry.attach_many("ear", [getattr(telemetry, name) for name in names], ear)
            top = await vm.start(Supervisor, [child(Fragile, name="one")])
            first = vm.whereis("one")
            vm.cast("one", ExitError("boom"))
            await asyncio.sleep(1)
            second = vm.whereis("one")
            vm.exit("one", KILL)
            await asyncio.sleep(1)
            told = [
                (event[1:], metadata["pid"], metadata.get("reason"))
                for event, _, metadata, _ in ear.heard
                if metadata["actor"] == "Fragile"
            ]
            third = vm.whereis("one")
            assert told == [
                (("process", "start"), first, None),
                (("process", "crash"), first, "boom"),
                (("process", "stop"), first, "boom"),
                (("process", "start"), second, None),
                (("supervisor", "restart"), second, None),
                (("process", "stop"), second, "killed"),
                (("process", "start"), third, None),
                (("supervisor", "restart"), third, None),
            ]
            parents = [
                m["parent"] for _, _, m, _ in ear.heard if m["pid"] == first and "parent" in m
            ]
            assert parents == [top]

    def test_a_failing_handler_is_logged_and_stops_no_end(self, logs: Logs) -> None:
        @virtual_time
        async def scenario() -> None:
            def fails(*_: Any) -> None:
                raise ValueError("handler")

            async with VM() as vm:
                vm.telemetry.attach("bad", telemetry.PROCESS_STOP, fails)
                pid = await vm.start(GenServer)
                assert pid is not None
                vm.exit(pid, "gone")
                assert await vm.join(pid) == "gone"
                assert vm.telemetry.list_handlers() == []

        scenario()
        (entry,) = [each for each in logs if each["event"] == "telemetry_handler_detached"]
        assert entry["handler"] == "bad"
        assert "ValueError: handler" in entry["exception"]

    @virtual_time
    async def test_tells_of_long_mailboxes(self) -> None:
        async with VM(mailbox_alarm=3) as vm:
            ear = Ear()
            vm.telemetry.attach("ear", telemetry.MAILBOX_ALARM, ear)
            pid = vm.spawn(asyncio.sleep, 10)
            for number in range(5):
                vm.send(pid, number)
            ((_, measurements, metadata, _),) = ear.heard
            assert (measurements, metadata["pid"]) == ({"length": 3}, pid)

    def test_tells_of_a_loop_that_was_held(self) -> None:
        class Slow(GenServer):
            async def handle_call(self, request: Any, from_: Any) -> None:
                time.sleep(0.3)  # noqa: ASYNC251

        async def scenario() -> None:
            async with VM(block_warning_ms=50.0) as vm:
                held = vm.loop.create_future()

                def note(_event: Event, measurements: Any, metadata: Any, _config: Any) -> None:
                    # A machine with other work holds the loop, too, and then no server does.
                    if "server" in metadata and not held.done():
                        held.set_result((measurements["seconds"], metadata["server"]))

                vm.telemetry.attach("note", telemetry.LOOP_BLOCKED, note)
                pid = await vm.start(Slow)
                assert pid is not None
                await vm.call(pid, "hold")
                seconds, server = await asyncio.wait_for(held, 5)
                assert seconds > 0.05
                assert server == "Slow"

        asyncio.run(scenario())


def test_an_object_that_is_called_as_a_coroutine_is_no_handler() -> None:
    class Later:
        async def __call__(self, *_: Any) -> None:
            pass

    with pytest.raises(TypeError, match="no coroutine function"):
        VM().telemetry.attach("later", ("a", "b"), Later())
