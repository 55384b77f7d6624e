"""Metrics: what is counted, and what a wrong request does."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.measures.metrics_actor import (
    FEEDS,
    MAX_SERIES,
    MEASURED,
    METRICS,
    MetricsActor,
    count,
    observe,
    render,
    set_gauge,
    table,
)
from aybiza.actors.node import refusals
from aybiza.actors.runtime import KILL, VM, ExitError, GenServer, Stop, telemetry, virtual_time
from aybiza.supervisors import Supervisor, child


async def figures(vm: VM) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """All samples of the rendered text."""
    text = await render(vm)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@virtual_time
async def test_counters_gauges_and_histograms_are_rendered() -> None:
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        count(vm, "aybiza_barge_ins_total")
        count(vm, "aybiza_barge_ins_total", 2)
        count(vm, "aybiza_tokens_total", amount=150, model="haiku", kind="input")
        set_gauge(vm, "aybiza_calls_active", 3)
        count(vm, "aybiza_calls_active", -1)
        observe(vm, "aybiza_turn_response_seconds", 0.3)
        observe(vm, "aybiza_turn_response_seconds", 30.0)
        seen = await figures(vm)
        assert seen["aybiza_barge_ins_total", ()] == 3
        assert seen["aybiza_tokens_total", (("kind", "input"), ("model", "haiku"))] == 150
        assert seen["aybiza_calls_active", ()] == 2
        assert seen["aybiza_turn_response_seconds_count", ()] == 2
        assert seen["aybiza_turn_response_seconds_sum", ()] == pytest.approx(30.3)
        assert seen["aybiza_turn_response_seconds_bucket", (("le", "0.3"),)] == 1


@virtual_time
async def test_every_declared_metric_is_in_the_text_with_its_meaning() -> None:
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        text = await render(vm)
        for name, metric in METRICS.items():
            family = name.removesuffix("_total")
            assert f"# HELP {name if metric.kind == 'counter' else family} {metric.meaning}" in text


@virtual_time
async def test_the_figures_outlive_the_actor_and_can_be_read_without_it() -> None:
    async with VM() as vm:
        pid = await vm.start(MetricsActor, name="metrics")
        assert pid is not None
        count(vm, "aybiza_barge_ins_total")
        await asyncio.sleep(0)
        vm.exit(pid, KILL)
        await vm.join(pid)
        count(vm, "aybiza_barge_ins_total")
        assert (await figures(vm))["aybiza_barge_ins_total", ()] == 1
        await vm.start(MetricsActor, name="metrics")
        count(vm, "aybiza_barge_ins_total")
        assert (await figures(vm))["aybiza_barge_ins_total", ()] == 2


WRONG: list[tuple[Any, ...]] = [
    ("increment", "aybiza_no_such_total", {}, 1),
    ("increment", None, {}, 1),
    ("increment", "aybiza_barge_ins_total", {"model": "x"}, 1),
    ("increment", "aybiza_tokens_total", {}, 1),
    ("increment", "aybiza_tokens_total", {"model": "x", "kind": "input", "more": 1}, 1),
    ("increment", "aybiza_barge_ins_total", {}, -1),
    ("increment", "aybiza_barge_ins_total", {}, math.nan),
    ("increment", "aybiza_barge_ins_total", {}, "many"),
    ("increment", "aybiza_turn_response_seconds", {}, 1),
    ("observe", "aybiza_barge_ins_total", 1.0, {}),
    ("observe", "aybiza_turn_response_seconds", math.inf, {}),
    ("observe", "aybiza_turn_response_seconds", None, {}),
    ("set", "aybiza_barge_ins_total", {}, 1),
    ("increment",),
    ("explode", "aybiza_barge_ins_total"),
    (),
]


@pytest.mark.parametrize("request_", [*WRONG, "increment", None, 5, ["increment"]])
def test_a_wrong_request_is_logged_once_and_changes_nothing(request_: Any) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            pid = await vm.start(MetricsActor, name="metrics")
            before = await figures(vm)
            for _ in range(3):
                vm.cast("metrics", request_)
            await asyncio.sleep(0)
            after = await figures(vm)
            changing = ("process_", "aybiza_mailbox", "aybiza_processes")
            assert {k: v for k, v in before.items() if not k[0].startswith(changing)} == {
                k: v for k, v in after.items() if not k[0].startswith(changing)
            }
            assert vm.whereis("metrics") == pid

    with capture_logs() as logs:
        scenario()
    assert [entry["event"] for entry in logs] == ["metric_refused"]


@virtual_time
async def test_complaints_are_bounded_too() -> None:
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        with capture_logs() as logs:
            for number in range(1000):
                count(vm, f"aybiza_{number}_total")
            await render(vm)
        assert len(logs) <= 100


@virtual_time
async def test_labels_beyond_the_limit_are_counted_as_other() -> None:
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        with capture_logs() as logs:
            for number in range(MAX_SERIES + 50):
                count(vm, "aybiza_transfers_total", outcome=f"kind {number}")
            count(vm, "aybiza_transfers_total", outcome="kind 0")
            seen = await figures(vm)
        series = [labels for name, labels in seen if name == "aybiza_transfers_total"]
        assert len(series) == MAX_SERIES + 1
        assert seen["aybiza_transfers_total", (("outcome", "other"),)] == 50
        assert seen["aybiza_transfers_total", (("outcome", "kind 0"),)] == 2
        assert len(logs) == 1


@virtual_time
async def test_a_long_label_is_cut() -> None:
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        count(vm, "aybiza_transfers_total", outcome="x" * 10_000)
        assert ("aybiza_transfers_total", (("outcome", "x" * 100),)) in await figures(vm)


@virtual_time
async def test_crashes_are_counted_by_who_crashed_also_while_the_actor_is_gone() -> None:
    class Fragile(GenServer):
        async def handle_cast(self, request: Exception) -> None:
            raise request

    async with VM() as vm:
        for number, error in enumerate((ValueError(), ExitError("x"), Stop("normal"))):
            metrics = await vm.start(MetricsActor, name="metrics")
            assert metrics is not None
            if number == 1:
                await vm.stop(metrics)
            pid = await vm.start(Fragile)
            assert pid is not None
            vm.cast(pid, error)
            await vm.join(pid)
            if number != 1:
                await vm.stop(metrics)
        await vm.start(MetricsActor, name="metrics")
        assert (await figures(vm))["aybiza_crashes_total", (("actor", "Fragile"),)] == 2
        heard = vm.telemetry.list_handlers(("aybiza", "process"))
        assert [handler.event for handler in heard] == [telemetry.PROCESS_CRASH]


@virtual_time
async def test_an_end_that_was_wanted_is_no_crash() -> None:
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        for reason in (KILL, "shutdown", "as told"):
            pid = await vm.start(GenServer)
            assert pid is not None
            vm.exit(pid, reason)
            await vm.join(pid)
        await asyncio.sleep(0)
        assert not any(name == "aybiza_crashes_total" for name, _ in await figures(vm))


def test_every_metric_that_is_declared_is_fed_and_every_feed_fits_its_declarations() -> None:
    fed = {feed.metric for feeds in FEEDS.values() for feed in feeds}
    assert fed | MEASURED == set(METRICS)
    assert not fed & MEASURED
    for event, feeds in FEEDS.items():
        told = events.EVENTS[event]
        for feed in feeds:
            metric = METRICS[feed.metric]
            assert {*feed.labels, *feed.fixed} == set(metric.labels)
            assert set(feed.labels) <= set(told.metadata)
            assert feed.measure is None or feed.measure in told.measurements
            assert (feed.measure is None) <= (metric.kind == "counter")


@virtual_time
async def test_what_events_tell_is_entered() -> None:
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        expected: dict[Any, float] = {}
        for event, feeds in FEEDS.items():
            told = events.EVENTS[event]
            runtime = event[1] in ("process", "supervisor", "loop", "remote")
            if runtime:
                vm.telemetry.execute(event, {"seconds": 1}, dict.fromkeys(told.metadata, "x"))
            else:
                metadata: dict[str, Any] = dict.fromkeys(told.metadata, "x")
                emit(vm, event, **dict.fromkeys(told.measurements, 2), **metadata)
            seen = await figures(vm)
            for feed in feeds:
                labels = {**dict.fromkeys(feed.labels, "x"), **feed.fixed}
                suffix = "_sum" if METRICS[feed.metric].kind == "histogram" else ""
                key = feed.metric + suffix, tuple(sorted(labels.items()))
                once = {"seconds": 1}.get(feed.measure or "", 2) if runtime else 2
                expected[key] = expected.get(key, 0) + (once if feed.measure else 1)
                if METRICS[feed.metric].kind == "gauge":
                    expected[key] = once
                assert seen[key] == expected[key]


@virtual_time
async def test_restarts_are_counted_by_who_was_restarted_and_first_starts_are_not() -> None:
    class Fragile(GenServer):
        async def handle_cast(self, request: str) -> None:
            raise Stop(request)

    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        children = [child(Fragile, name="one"), child(Fragile, name="two", restart="temporary")]
        await vm.start(Supervisor, children)
        for name in ("one", "two", "one"):
            vm.cast(name, "boom")
            await asyncio.sleep(1)
        assert (await figures(vm))["aybiza_restarts_total", (("actor", "Fragile"),)] == 2


@virtual_time
async def test_the_vm_itself_is_measured() -> None:
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        busy = vm.spawn(asyncio.sleep, 100)
        for _ in range(7):
            vm.send(busy, "x")
        seen = await figures(vm)
        assert seen["aybiza_processes", ()] == 2
        assert seen["aybiza_mailbox_longest", ()] == 7
        assert seen["process_resident_memory_bytes", ()] > 0


@virtual_time
async def test_counting_never_raises_even_when_nobody_counts() -> None:
    async with VM() as vm:
        count(vm, "aybiza_barge_ins_total")
        observe(vm, "nothing", math.nan, label=object())
    count(vm, "aybiza_barge_ins_total")
    assert table(vm).registry.get_sample_value("aybiza_barge_ins_total") == 0


async def test_frames_that_the_machine_has_refused_are_counted_by_their_reason() -> None:
    refusals.share()
    before = refusals.counts()
    refusals.add("cookie")
    refusals.add("cookie")
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        seen = await figures(vm)
    name = "aybiza_cluster_frames_refused_total"
    assert seen[name, (("reason", "cookie"),)] == before["cookie"] + 2
    assert seen[name, (("reason", "replay"),)] == before["replay"]
