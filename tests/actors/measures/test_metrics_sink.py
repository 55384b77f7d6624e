"""Metrics on their way out of the node: when they are sent, and what becomes of what is not."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.measures import metrics_sink
from aybiza.actors.measures.metrics_actor import MetricsActor, table
from aybiza.actors.measures.metrics_sink import TABLE, MetricsSink, put_metric
from aybiza.actors.measures.metrics_sink_cloudwatch import CloudWatch
from aybiza.actors.runtime import KILL, VM
from aybiza.emulators.services import ServicesEmulator
from aybiza.supervisors import Supervisor, child

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
SINK = "metrics_sink"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_sink, "FLUSH_SECONDS", 0.02)


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("sink-")]


@pytest.fixture
async def services() -> AsyncIterator[ServicesEmulator]:
    async with ServicesEmulator() as emulator:
        yield emulator
    await until(lambda: not threads())


@asynccontextmanager
async def node(url: str) -> AsyncIterator[VM]:
    service = CloudWatch("AYBIZA", region="us-east-1", credentials=KEYS, endpoint_url=url)
    await asyncio.to_thread(service.warm)
    async with VM() as vm:
        children = [child(MetricsActor, name="metrics"), child(MetricsSink, service, name=SINK)]
        await vm.start(Supervisor, children, max_restarts=10, name="root")
        yield vm
        await vm.stop("root")
    service.close()


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.002)


def figure(vm: VM, name: str) -> float:
    return table(vm).registry.get_sample_value(name, {"sink": "cloudwatch"}) or 0.0


def names(services: ServicesEmulator) -> list[str]:
    return [datum.name for datum in services.metrics.received]


async def test_numbers_are_sent_and_texts_tell_them_apart(services: ServicesEmulator) -> None:
    async with node(services.url) as vm:
        told: dict[str, Any] = {
            "model": "haiku",
            "call_sid": "CA1",
            "latency_ms": 812,
            "cost_usd": 0.002,
            "thinking_tokens": None,
            "was_optimal": True,
            "broken": math.nan,
        }
        put_metric(vm, "Claude4Performance", told)
        await until(lambda: len(services.metrics.received) == 2)
    values = {datum.name: datum.value for datum in services.metrics.received}
    assert values == {"Claude4Performance.latency_ms": 812.0, "Claude4Performance.cost_usd": 0.002}
    assert {str(datum.dimensions) for datum in services.metrics.received} == {
        str({"model": "haiku"})
    }


async def test_without_a_sink_nothing_is_kept() -> None:
    async with VM() as vm:
        put_metric(vm, "x", {"a": 1})
        assert not any(str(name).startswith(TABLE) for name in vm.tables)


async def test_what_waits_goes_in_whole_batches_in_order(
    services: ServicesEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_sink, "BATCH", 40)
    async with node(services.url) as vm:
        for number in range(100):
            put_metric(vm, "x", {str(number): 1})
        await until(lambda: len(services.metrics.received) == 100)
    assert names(services) == [f"x.{number}" for number in range(100)]
    assert list(services.metrics.batches) == [40, 40, 20]


async def test_what_could_not_be_sent_for_a_time_is_sent_later_in_its_order(
    services: ServicesEmulator,
) -> None:
    for status in (503, 500):
        services.fail("cloudwatch", status)
    async with node(services.url) as vm:
        for number in range(3):
            put_metric(vm, "x", {str(number): 1})
        await until(lambda: services.metrics.received)
        assert figure(vm, "aybiza_sink_failures_total") == 2
        assert figure(vm, "aybiza_sink_lost_total") == 0
    assert names(services) == ["x.0", "x.1", "x.2"]


async def test_what_is_refused_for_good_is_given_up_and_counted(
    services: ServicesEmulator,
) -> None:
    services.fail("cloudwatch", 403, "AccessDenied")
    async with node(services.url) as vm:
        put_metric(vm, "x", {"a": 1, "b": 2})
        await until(lambda: figure(vm, "aybiza_sink_lost_total") == 2)
        put_metric(vm, "x", {"c": 3})
        await until(lambda: services.metrics.received)
    assert names(services) == ["x.c"]


async def test_failures_are_logged_once_a_minute(services: ServicesEmulator) -> None:
    for _ in range(8):
        services.fail("cloudwatch", 500, "InternalServiceFault")
    with capture_logs() as logs:
        async with node(services.url) as vm:
            put_metric(vm, "x", {"a": 1})
            await until(lambda: services.metrics.received)
            assert figure(vm, "aybiza_sink_failures_total") == 8
    told = [entry for entry in logs if entry["event"] == "sink_failed"]
    assert [entry["reason"] for entry in told] == ["CloudWatch answered 500 InternalServiceFault"]


async def test_the_queue_is_bounded_and_the_oldest_go_first(
    services: ServicesEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_sink, "CAPACITY", 10)
    services.fail("cloudwatch", 500)
    async with node(services.url) as vm:
        for number in range(15):
            put_metric(vm, "x", {str(number): 1})
        await until(lambda: services.metrics.received)
        assert figure(vm, "aybiza_sink_lost_total") == 5
    assert names(services) == [f"x.{number}" for number in range(5, 15)]


async def test_a_service_that_hangs_is_waited_for_so_long_and_the_loop_never(
    services: ServicesEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_sink, "SEND_SECONDS", 0.1)
    monkeypatch.setattr("aybiza.actors.measures.metrics_sink_cloudwatch.READ_SECONDS", 0.5)
    services.stall("cloudwatch")
    async with node(services.url) as vm:
        put_metric(vm, "x", {"a": 1})
        with capture_logs() as logs:
            await until(lambda: figure(vm, "aybiza_sink_lost_total") == 1)
        told = [entry["reason"] for entry in logs if entry["event"] == "sink_failed"]
        assert told == ["no answer within 0.1 s"]
        put_metric(vm, "x", {"b": 1})
        await until(lambda: "x.b" in names(services))
    assert names(services) == ["x.a", "x.b"]


async def test_what_waits_outlives_the_actor(services: ServicesEmulator) -> None:
    async with node(services.url) as vm:
        for number in range(3):
            put_metric(vm, "x", {str(number): 1})
            vm.exit(SINK, KILL)
            await vm.join(SINK)
            await until(lambda: len(services.metrics.received) > number)  # noqa: B023 - at once
        assert len(threads()) == 1
    assert names(services) == ["x.0", "x.1", "x.2"]


async def test_what_waits_at_an_orderly_end_is_still_sent(
    services: ServicesEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_sink, "FLUSH_SECONDS", 1_000)
    async with node(services.url) as vm:
        put_metric(vm, "x", {"a": 1})
    assert names(services) == ["x.a"]


async def test_an_end_without_a_service_is_no_longer_than_its_limit(
    services: ServicesEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_sink, "FLUSH_SECONDS", 1_000)
    monkeypatch.setattr(metrics_sink, "LAST_SEND_SECONDS", 0.1)
    monkeypatch.setattr("aybiza.actors.measures.metrics_sink_cloudwatch.READ_SECONDS", 0.5)
    services.stall("cloudwatch")
    async with asyncio.timeout(60), node(services.url) as vm:
        put_metric(vm, "x", {"a": 1})
