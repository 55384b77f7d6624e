"""Snapshots of all metrics: what Prometheus is told, no more and no less."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from aybiza.actors.measures import events, figures
from aybiza.actors.measures.figures import FiguresTeller, Snapshot, snapshot
from aybiza.actors.measures.metrics_actor import LATENCY_SECONDS, METRICS, table
from aybiza.actors.runtime import VM, virtual_time


def fed(vm: VM) -> CollectorRegistry:
    """The registry of a VM in which each declared metric has been entered twice."""
    known = table(vm)
    for name, metric in METRICS.items():
        for value, labelled in ((2.0, "a"), (0.02, 'b"\\\n')):
            told = dict.fromkeys(metric.labels, labelled)
            match metric.kind:
                case "counter":
                    known.increment(name, told, value)
                case "gauge":
                    known.set(name, told, value)
                case "histogram":
                    known.observe(name, value, told)
    return known.registry


def test_every_declared_metric_is_there_with_the_figures_that_prometheus_has() -> None:
    registry = fed(VM("one"))
    taken = snapshot(registry, at=time.time())
    mine = {f.name: f.kind for f in taken.figures if f.name in METRICS}
    assert mine == {name: metric.kind for name, metric in METRICS.items()}
    others = {f.name for f in taken.figures} - set(METRICS)
    assert all(name.startswith(("process_", "aybiza_cluster_frames")) for name in others), others
    told: dict[tuple[str, tuple[Any, ...]], float] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            told[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    for figure in taken.figures:
        if figure.name not in METRICS:
            continue
        key = tuple(sorted(figure.labels.items()))
        if figure.kind != "histogram":
            assert told[figure.name, key] == figure.value, figure
            continue
        assert figure.bounds == list(LATENCY_SECONDS)
        assert told[f"{figure.name}_sum", key] == figure.value
        assert told[f"{figure.name}_count", key] == figure.count
        within = 0
        for bound, count in zip([*figure.bounds, math.inf], figure.counts, strict=True):
            within += count
            le = "+Inf" if math.isinf(bound) else str(bound)
            assert told[f"{figure.name}_bucket", tuple(sorted([*key, ("le", le)]))] == within


def test_counts_begin_when_their_series_does() -> None:
    registry = CollectorRegistry()
    before = time.time()
    Counter("c_total", "c", registry=registry).inc()
    Histogram("h", "h", registry=registry, buckets=(1.0,)).observe(7)
    Gauge("g", "g", registry=registry).set(math.inf)
    at = time.time()
    counted, observed, level = snapshot(registry, at=at).figures
    assert before <= counted.began <= observed.began <= at
    assert (observed.bounds, observed.counts) == ([1.0], [0, 1])
    assert level.value == math.inf


@virtual_time
async def test_they_are_told_at_intervals_and_once_more_at_the_end() -> None:
    async with VM("one") as vm:
        heard: list[Snapshot] = []

        def hear(_: Any, __: Any, told: Any, ___: Any) -> None:
            heard.append(told["snapshot"])

        vm.telemetry.attach("all", events.FIGURES, hear)
        pid = await vm.start(FiguresTeller, 60.0)
        assert pid is not None
        await asyncio.sleep(185.0)
        assert len(heard) == 3
        await vm.stop(pid)
        assert len(heard) == 4
        assert {f.name for f in heard[-1].figures} >= {"aybiza_processes", "aybiza_calls_active"}


@virtual_time
async def test_where_nobody_listens_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "snapshot", lambda *_, **__: pytest.fail("it was looked at"))
    async with VM("one") as vm:
        pid = await vm.start(FiguresTeller, 60.0)
        assert pid is not None
        await asyncio.sleep(185.0)
        await vm.stop(pid)


async def test_a_snapshot_that_hangs_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(figures, "snapshot", lambda *_, **__: goes_on.wait(30))
    monkeypatch.setattr(figures, "SNAPSHOT_SECONDS", 0.05)
    async with VM("one") as vm:
        heard: list[Any] = []
        vm.telemetry.attach("all", events.FIGURES, lambda *told: heard.append(told))
        pid = await vm.start(FiguresTeller, 0.02)
        assert pid is not None
        await asyncio.sleep(0.2)
        assert vm.alive(pid) and not heard
        goes_on.set()
        await vm.stop(pid)
