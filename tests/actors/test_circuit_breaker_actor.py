"""The breaker of a model as an actor, and calls through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors import names
from aybiza.actors.circuit_breaker_actor import (
    OPEN,
    TOPIC,
    TRIAL_LEASE_MS,
    BreakerChanged,
    CircuitBreakerActor,
    NoBreakers,
    call_with_circuit_breaker,
)
from aybiza.actors.measures.metrics_actor import MetricsActor, table
from aybiza.actors.registry_actor import RegistryActor, publish, subscribe
from aybiza.actors.runtime import FUNCTION_CLAUSE, KILL, VM, GenServer, Pid, sys, virtual_time
from aybiza.claude.errors import BedrockError, ErrorKind
from tests.actors.cluster.kit import LIMIT, cluster

MODEL = "anthropic.claude-test-v1:0"
BREAKER = names.breaker(MODEL)


@asynccontextmanager
async def breakers(**options: Any) -> AsyncIterator[VM]:
    async with VM() as vm:
        await vm.start(RegistryActor)
        await vm.start(MetricsActor, name=names.METRICS)
        await vm.start(CircuitBreakerActor, MODEL, name=BREAKER, **options)
        yield vm


async def ask(vm: VM) -> Any:
    return await vm.call(BREAKER, "get_state")


async def opened(vm: VM) -> None:
    for _ in range(5):
        vm.cast(BREAKER, "failure")
    assert await ask(vm) == "open"


async def answered() -> str:
    return "hello"


async def failing() -> str:
    raise ConnectionError("no model")


def gauge(vm: VM) -> float | None:
    return table(vm).registry.get_sample_value("aybiza_breaker_state", {"model": MODEL})


@virtual_time
async def test_it_opens_after_five_failures_recovers_by_one_trial_and_closes() -> None:
    async with breakers() as vm:
        await opened(vm)
        await asyncio.sleep(30)
        assert await ask(vm) == "open"
        await asyncio.sleep(0.001)
        assert await ask(vm) == "half_open"
        assert await ask(vm) == "open"
        vm.cast(BREAKER, "success")
        assert await ask(vm) == "closed"


@virtual_time
async def test_reports_may_tell_how_long_it_took() -> None:
    async with breakers() as vm:
        for _ in range(4):
            vm.cast(BREAKER, ("failure", ConnectionError(), 12.0))
        vm.cast(BREAKER, ("success", 340.0))
        statistics = await vm.call(BREAKER, "statistics")
        assert (statistics["success"], statistics["failure"]) == (1, 4)
        assert statistics["failure_count"] == 0


@virtual_time
async def test_a_trial_that_never_reports_is_given_away() -> None:
    async with breakers() as vm:
        await opened(vm)
        await asyncio.sleep(31)
        assert await ask(vm) == "half_open"
        await asyncio.sleep(TRIAL_LEASE_MS / 1000)
        assert await ask(vm) == "open"
        await asyncio.sleep(0.001)
        assert await ask(vm) == "half_open"


@virtual_time
async def test_each_change_is_logged_and_told_to_the_metrics() -> None:
    with capture_logs() as logs:
        async with breakers() as vm:
            await asyncio.sleep(0)
            assert gauge(vm) == 0
            await opened(vm)
            assert gauge(vm) == 2
            await asyncio.sleep(31)
            assert await ask(vm) == "half_open"
            await asyncio.sleep(0)
            assert gauge(vm) == 1
            vm.cast(BREAKER, "success")
            await asyncio.sleep(1)
            assert gauge(vm) == 0
    changes = [(entry["event"], entry["model"], entry["log_level"]) for entry in logs]
    assert changes == [
        ("circuit_breaker_open", MODEL, "warning"),
        ("circuit_breaker_half_open", MODEL, "info"),
        ("circuit_breaker_closed", MODEL, "info"),
    ]


@virtual_time
async def test_statistics_count_since_the_start() -> None:
    async with breakers() as vm:
        await opened(vm)
        vm.cast(BREAKER, "cancelled")
        statistics = await vm.call(BREAKER, "statistics")
        assert statistics == {
            "model_id": MODEL,
            "state": "open",
            "failure_count": 5,
            "trial_in_flight": False,
            "opened": 1,
            "heard": 0,
            "asked": 1,
            "refused": 1,
            "success": 0,
            "failure": 5,
            "cancelled": 1,
        }
        assert await sys.get_state(vm, BREAKER) == statistics


@virtual_time
async def test_a_restarted_breaker_is_closed() -> None:
    async with breakers() as vm:
        await opened(vm)
        vm.exit(BREAKER, KILL)
        await vm.join(BREAKER)
        await vm.start(CircuitBreakerActor, MODEL, name=BREAKER)
        assert await ask(vm) == "closed"


@virtual_time
async def test_a_report_it_does_not_know_is_a_crash() -> None:
    async with breakers() as vm:
        vm.cast(BREAKER, "maybe")
        assert await vm.join(BREAKER) == FUNCTION_CLAUSE


# call_with_circuit_breaker


@virtual_time
async def test_an_answer_comes_back_and_is_counted_once() -> None:
    async with breakers() as vm:
        assert await call_with_circuit_breaker(vm, MODEL, answered) == ("ok", "hello")
        assert (await vm.call(BREAKER, "statistics"))["success"] == 1


@virtual_time
async def test_an_open_breaker_keeps_the_function_from_running() -> None:
    ran: list[int] = []

    async def note() -> None:
        ran.append(1)

    async with breakers() as vm:
        await opened(vm)
        assert await call_with_circuit_breaker(vm, MODEL, note) == ("error", OPEN)
        assert ran == []


@virtual_time
async def test_exceptions_returned_errors_and_time_limits_are_failures() -> None:
    error = ValueError("returned")

    async def returns_error() -> Any:
        return "error", "overloaded"

    async def returns_exception() -> Any:
        return error

    async def too_slow() -> None:
        await asyncio.sleep(10)

    async with breakers() as vm:
        kind, raised = await call_with_circuit_breaker(vm, MODEL, failing)
        assert kind == "error"
        assert isinstance(raised, ConnectionError)
        assert await call_with_circuit_breaker(vm, MODEL, returns_error) == ("error", "overloaded")
        assert await call_with_circuit_breaker(vm, MODEL, returns_exception) == ("error", error)
        kind, slow = await call_with_circuit_breaker(vm, MODEL, too_slow, timeout=1)
        assert (kind, type(slow)) == ("error", TimeoutError)
        assert (await vm.call(BREAKER, "statistics"))["failure"] == 4


@virtual_time
async def test_a_half_open_trial_closes_or_opens_the_breaker() -> None:
    for function, state in ((answered, "closed"), (failing, "open")):
        async with breakers() as vm:
            await opened(vm)
            await asyncio.sleep(31)
            await call_with_circuit_breaker(vm, MODEL, function)
            assert (await vm.call(BREAKER, "statistics"))["state"] == state


@virtual_time
async def test_a_cancelled_trial_is_given_to_the_next_and_held_against_nobody() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    async with breakers() as vm:
        await opened(vm)
        await asyncio.sleep(31)
        call = asyncio.create_task(call_with_circuit_breaker(vm, MODEL, forever))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await call_with_circuit_breaker(vm, MODEL, answered) == ("ok", "hello")
        statistics = await vm.call(BREAKER, "statistics")
        assert (statistics["state"], statistics["cancelled"]) == ("closed", 1)


@virtual_time
async def test_without_a_registry_nothing_is_asked() -> None:
    async def asked() -> None:
        raise AssertionError("the function has run")

    async with VM() as vm:
        with pytest.raises(NoBreakers, match="start RegistryActor"):
            await call_with_circuit_breaker(vm, MODEL, asked)


@virtual_time
async def test_without_a_breaker_the_function_runs() -> None:
    async with VM() as vm:
        await vm.start(RegistryActor)
        assert await call_with_circuit_breaker(vm, MODEL, answered) == ("ok", "hello")


@virtual_time
async def test_breakers_of_two_models_know_nothing_of_each_other() -> None:
    async with breakers() as vm:
        other: Pid | None = await vm.start(
            CircuitBreakerActor, "other", name=names.breaker("other")
        )
        assert other is not None
        await opened(vm)
        assert await vm.call(other, "get_state") == "closed"


# Breakers of other nodes


class Watcher(GenServer):
    """Keeps what is published about breakers."""

    async def init(self, kept: list[BreakerChanged]) -> None:
        self.kept = kept
        subscribe(self.vm, TOPIC)

    async def handle_info(self, message: Any) -> None:
        self.kept.append(message)


async def peer(vm: VM, model: str = MODEL, **options: Any) -> Pid:
    """A breaker as it stands on another node: of the same model, under no name here."""
    pid = await vm.start(CircuitBreakerActor, model, **options)
    assert pid is not None
    return pid


@virtual_time
async def test_changes_are_published() -> None:
    kept: list[BreakerChanged] = []
    async with breakers() as vm:
        await vm.start(Watcher, kept)
        await opened(vm)
        await asyncio.sleep(31)
        await ask(vm)
        vm.cast(BREAKER, "success")
        await asyncio.sleep(1)
        origin = vm.whereis(BREAKER)
    assert origin is not None
    assert kept == [
        BreakerChanged(MODEL, "open", "closed", origin, 30_000),
        BreakerChanged(MODEL, "half_open", "open", origin),
        BreakerChanged(MODEL, "closed", "half_open", origin),
    ]


@virtual_time
async def test_an_opening_on_one_node_opens_all_for_the_same_time() -> None:
    async with breakers() as vm:
        other = await peer(vm)
        await opened(vm)
        assert await vm.call(other, "get_state") == "open"
        statistics = await vm.call(other, "statistics")
        assert (statistics["heard"], statistics["opened"], statistics["failure"]) == (1, 1, 0)
        await asyncio.sleep(30)
        assert await vm.call(other, "get_state") == "open"
        await asyncio.sleep(0.001)
        assert await vm.call(other, "get_state") == "half_open"


@virtual_time
async def test_a_model_that_asks_to_be_left_alone_is_left_alone_by_all() -> None:
    async def throttled() -> None:
        raise BedrockError(ErrorKind.THROTTLING, "slow down", wait=12.0)

    async def busy() -> None:
        raise BedrockError(ErrorKind.THROTTLING, "slow down", wait=2.0)

    async with breakers() as vm:
        await call_with_circuit_breaker(vm, MODEL, busy)
        assert await ask(vm) == "closed"
        await call_with_circuit_breaker(vm, MODEL, throttled)
        await asyncio.sleep(12)
        assert await ask(vm) == "open"
        await asyncio.sleep(0.001)
        assert await ask(vm) == "half_open"


@virtual_time
async def test_word_that_comes_late_opens_for_the_rest_of_the_time() -> None:
    async with breakers() as vm:
        publish(vm, TOPIC, BreakerChanged(MODEL, "open", "closed", Pid("far", 7), 10_000))
        assert await ask(vm) == "open"
        await asyncio.sleep(10)
        assert await ask(vm) == "open"
        await asyncio.sleep(0.001)
        assert await ask(vm) == "half_open"


@virtual_time
async def test_hearsay_is_published_as_such_and_followed_by_nobody() -> None:
    kept: list[BreakerChanged] = []
    async with breakers() as vm:
        await vm.start(Watcher, kept)
        await peer(vm)
        publish(
            vm, TOPIC, BreakerChanged(MODEL, "open", "closed", Pid("far", 7), 5_000, heard=True)
        )
        assert await ask(vm) == "closed"
        await opened(vm)
        await asyncio.sleep(0)
        own, hearsay = kept[1:]
    assert (own.heard, hearsay.heard) == (False, True)


@virtual_time
async def test_other_models_and_other_changes_are_nobodys_business() -> None:
    async with breakers() as vm:
        far = Pid("far", 7)
        publish(vm, TOPIC, BreakerChanged("other", "open", "closed", far, 30_000))
        publish(vm, TOPIC, BreakerChanged(MODEL, "half_open", "open", far))
        assert await ask(vm) == "closed"
        await opened(vm)
        publish(vm, TOPIC, BreakerChanged(MODEL, "closed", "half_open", far))
        assert await ask(vm) == "open"


@virtual_time
async def test_a_trial_that_fails_elsewhere_ends_the_trial_here() -> None:
    async with breakers() as vm:
        await opened(vm)
        await asyncio.sleep(31)
        assert await ask(vm) == "half_open"
        publish(vm, TOPIC, BreakerChanged(MODEL, "open", "half_open", Pid("far", 7), 30_000))
        assert await ask(vm) == "open"
        vm.cast(BREAKER, "success")
        assert await ask(vm) == "open"
        await asyncio.sleep(30.001)
        assert await ask(vm) == "half_open"


@virtual_time
async def test_a_restarted_breaker_hears_again() -> None:
    async with breakers() as vm:
        vm.exit(BREAKER, KILL)
        await vm.join(BREAKER)
        await vm.start(CircuitBreakerActor, MODEL, name=BREAKER)
        publish(vm, TOPIC, BreakerChanged(MODEL, "open", "closed", Pid("far", 7), 10_000))
        assert await ask(vm) == "open"


@pytest.mark.parametrize("kind", [ErrorKind.BUSY, ErrorKind.CANCELLED, ErrorKind.VALIDATION])
def test_errors_that_are_not_the_models_are_not_held_against_it(kind: ErrorKind) -> None:
    async def fails() -> None:
        raise BedrockError(kind, "not the model's")

    async def returns() -> Exception:
        return BedrockError(kind, "not the model's")

    @virtual_time
    async def run() -> None:
        async with breakers() as vm:
            for _ in range(5):
                await call_with_circuit_breaker(vm, MODEL, fails)
                await call_with_circuit_breaker(vm, MODEL, returns)
            statistics = await vm.call(BREAKER, "statistics")
            assert (statistics["failure"], statistics["cancelled"]) == (0, 10)
            assert await ask(vm) == "closed"

    run()


@virtual_time
async def test_who_calls_may_say_what_counts() -> None:
    async with breakers() as vm:
        await call_with_circuit_breaker(vm, MODEL, failing, counts=lambda error: False)
        statistics = await vm.call(BREAKER, "statistics")
        assert (statistics["failure"], statistics["cancelled"]) == (0, 1)


async def test_an_opening_is_heard_on_every_node_of_the_cluster() -> None:
    async with cluster("one", "two", "three") as (_, nodes):
        for node in nodes:
            await node.vm.start(RegistryActor, name=names.REGISTRY_ACTOR)
            await node.vm.start(CircuitBreakerActor, MODEL, name=BREAKER)
        first, *others = (node.vm for node in nodes)
        for _ in range(5):
            first.cast(BREAKER, "failure")

        async def states() -> list[str]:
            return [(await vm.call(BREAKER, "statistics"))["state"] for vm in others]

        async with asyncio.timeout(LIMIT):
            while await states() != ["open", "open"]:  # noqa: ASYNC110 - the wire sets no event
                await asyncio.sleep(0.01)
        heard = [(await vm.call(BREAKER, "statistics"))["heard"] for vm in others]
    assert heard == [1, 1]
