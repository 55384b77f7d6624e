"""Calls across nodes, with another node that a test plays."""

import asyncio
from typing import Any

import pytest

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.requests import Requests
from aybiza.actors.runtime import KILLED, NOCONNECTION, NOPROC, TIMEOUT, VM, CallExit, virtual_time
from aybiza.actors.runtime.messages import Call
from tests.actors.cluster.kit import Probe, until


class Wire:
    """Notes what is said to other nodes."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.up = True

    def say(self, _node: str, signal: Any) -> bool:
        if self.up:
            signals.packed(signal)
            self.said.append(signal)
        return self.up


def asking(requests: Requests, timeout: float = 5.0) -> "asyncio.Task[Any]":
    return asyncio.ensure_future(requests.ask("b", "name", "what", Call, timeout))


@virtual_time
async def test_a_call_ends_with_its_answer_the_callees_death_or_the_nodes() -> None:
    async with VM("a") as vm:
        wire = Wire()
        requests = Requests(vm, wire.say, wire.say)
        calls = [asking(requests) for _ in range(3)]
        await until(lambda: len(wire.said) == 3)
        first, second, _ = (ask.ref for ask in wire.said)
        requests.answered(first, 42)
        requests.failed(second, KILLED)
        requests.node_down("b")
        requests.answered(first, "late")
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert outcomes[0] == 42
        failures = [each for each in outcomes if isinstance(each, CallExit)]
        assert [each.reason for each in failures] == [KILLED, NOCONNECTION]
        assert len(wire.said) == 3


@virtual_time
async def test_who_gives_up_says_so() -> None:
    async with VM("a") as vm:
        wire = Wire()
        requests = Requests(vm, wire.say, wire.say)
        with pytest.raises(CallExit) as failure:
            await asking(requests, 0.5)
        assert failure.value.reason == TIMEOUT
        call = asking(requests)
        await until(lambda: len(wire.said) == 3)
        call.cancel()
        await asyncio.wait([call])
        asked, forgot, asked_again, forgot_again = wire.said
        assert (forgot, forgot_again) == (
            signals.Forget(asked.ref),
            signals.Forget(asked_again.ref),
        )


@virtual_time
async def test_a_node_that_is_down_is_not_waited_for() -> None:
    async with VM("a") as vm:
        wire = Wire()
        wire.up = False
        with pytest.raises(CallExit) as failure:
            await asking(Requests(vm, wire.say, wire.say))
        assert failure.value.reason == NOCONNECTION


@virtual_time
async def test_a_call_of_another_node_is_answered_once() -> None:
    async with VM("a") as vm:
        wire = Wire()
        requests = Requests(vm, wire.say, wire.say)
        await vm.start(Probe, name="name")
        requests.asked_by("b", signals.Ask(1, None, "name", "hello"))
        requests.asked_by("b", signals.Ask(2, None, "nobody", "hello"))
        await until(lambda: len(wire.said) == 2)
        assert wire.said == [signals.Failed(2, NOPROC), signals.Answer(1, ("echo", "hello"))]
        assert requests._answering == {}


@virtual_time
async def test_a_callee_that_dies_and_a_caller_that_is_gone_leave_nothing_behind() -> None:
    async with VM("a") as vm:
        wire = Wire()
        requests = Requests(vm, wire.say, wire.say)
        pid = await vm.start(Probe, name="name")
        process = vm.find(pid or "")
        assert process is not None
        for ref in (1, 2, 3):
            requests.asked_by("b", signals.Ask(ref, None, "name", ("never",)))
        requests.forget("b", 1)
        requests.asked_by("c", signals.Ask(1, None, "name", ("never",)))
        requests.node_down("c")
        assert len(process.callers or ()) == 2
        vm.exit("name", "kill")
        await until(lambda: len(wire.said) == 2)
        assert wire.said == [signals.Failed(2, KILLED), signals.Failed(3, KILLED)]
        assert requests._answering == {}


@virtual_time
async def test_the_end_of_a_process_can_be_waited_for() -> None:
    async with VM("a") as vm:
        wire = Wire()
        requests = Requests(vm, wire.say, wire.say)
        await vm.start(Probe, name="name")
        requests.end_awaited_by("b", signals.AwaitEnd(1, "name", ("shutdown",)))
        requests.end_awaited_by("b", signals.AwaitEnd(2, "nobody"))
        await until(lambda: len(wire.said) == 2)
        assert wire.said == [signals.Failed(2, NOPROC), signals.Failed(1, "shutdown")]


class Refuses:
    """No `except Exception` catches what pickling it raises."""

    class Refusal(BaseException):
        pass

    def __reduce__(self) -> str:
        raise self.Refusal("not me")


@virtual_time
async def test_whatever_a_reply_raises_when_it_is_to_travel_its_caller_is_told() -> None:
    class Replies(Probe):
        async def handle_call(self, request: Any, from_: Any) -> Any:
            return Refuses()

    async with VM("a") as vm:
        wire = Wire()
        requests = Requests(vm, wire.say, wire.say)
        await vm.start(Replies, name="name")
        requests.asked_by("b", signals.Ask(1, None, "name", "hello"))
        await until(lambda: wire.said)
        assert wire.said == [signals.Failed(1, ("unpicklable_reply", "Refusal: not me"))]
        assert requests._answering == {}
