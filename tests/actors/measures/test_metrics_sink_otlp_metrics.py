"""Metrics by OTLP: read as a collector reads them, and what waits while it is away."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from aybiza.actors.measures.figures import FiguresTeller, snapshot
from aybiza.actors.measures.metrics_actor import METRICS, table
from aybiza.actors.measures.metrics_sink import MetricsSink
from aybiza.actors.measures.metrics_sink_otlp_metrics import OtlpMetrics, payload
from aybiza.actors.runtime import VM
from tests.actors.measures.otlp_receiver import Collector, decoded
from tests.actors.measures.test_figures import fed


def test_a_collector_reads_every_metric_with_its_labels_unit_and_figures() -> None:
    taken = snapshot(fed(VM("one")), at=time.time())
    collector = Collector()
    with collector.open() as url:
        sink = OtlpMetrics(url, node="vm-1")
        sink.put([taken])
        sink.close()
    assert not collector.wrong
    read = {metric["name"]: metric for metric in collector.snapshots[0]}
    assert set(METRICS) <= set(read)
    for name, metric in METRICS.items():
        kind = {"counter": "sum", "gauge": "gauge", "histogram": "histogram"}[metric.kind]
        assert kind in read[name] and read[name]["description"] == metric.meaning
        for point in collector.points(name):
            assert set(point["labels"]) == set(metric.labels)
    assert read["aybiza_turns_total"]["sum"]["isMonotonic"]
    assert read["aybiza_turns_total"]["sum"]["aggregationTemporality"] == 2
    units = {name: read[name]["unit"] for name in ("aybiza_model_seconds", "aybiza_cost_usd_total")}
    assert units == {"aybiza_model_seconds": "s", "aybiza_cost_usd_total": "USD"}
    assert read["aybiza_turns_total"]["unit"] == "1"
    first, second = collector.points("aybiza_turns_total")
    assert (first["labels"], first["asDouble"]) == ({"outcome": "a"}, 2.0)
    assert second["asDouble"] == 0.02
    observed, _ = collector.points("aybiza_model_seconds")
    assert (observed["count"], observed["sum"]) == (1, 2.0)


def test_the_request_names_the_node() -> None:
    told = payload([snapshot(fed(VM("one")), at=time.time())], {"attributes": []})
    read = decoded("ExportMetricsServiceRequest", told)
    assert read["resourceMetrics"][0]["resource"] == {"attributes": []}
    sink = OtlpMetrics("http://127.0.0.1:9", node="vm-7")
    assert sink._door.resource["attributes"][1]["value"] == {"stringValue": "vm-7"}
    sink.close()


@pytest.mark.parametrize("away", ["refuses", "hangs"])
async def test_while_a_collector_is_away_the_newest_wait_and_the_rest_is_counted(
    away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OtlpMetrics, "capacity", 3)
    monkeypatch.setattr(OtlpMetrics, "seconds", 0.02)
    monkeypatch.setattr("aybiza.actors.measures.otlp_door.SECONDS", 0.3)
    collector = Collector()
    with collector.open() as url:
        if away == "hangs":
            collector.hangs.clear()
        else:
            collector.status = 503
        sink = OtlpMetrics(url, node="vm-1")
        async with VM("one") as vm:
            table(vm)
            pid = await vm.start(MetricsSink, sink)
            teller = await vm.start(FiguresTeller, 0.02)
            assert pid is not None and teller is not None
            while counted(vm, "lost") < 5:
                late = vm.now()
                await asyncio.sleep(0.01)
                assert vm.now() - late < 1.0, "the loop was held"
            assert counted(vm, "failures") > 0 and not collector.snapshots
            lost = counted(vm, "lost")
            collector.status = 200
            collector.hangs.set()
            # What the collector is told then has what was lost meanwhile. Requests that hung may
            # come after later ones.
            async with asyncio.timeout(60):
                while told_as_lost(collector) < lost:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await vm.stop(teller)
            await vm.stop(pid)
            assert not collector.wrong
        await asyncio.to_thread(sink.close)


def told_as_lost(collector: Collector) -> float:
    """How many snapshots of this sink were lost, by those that have come."""
    return max(
        (
            float(point["asDouble"])
            for snapshot in range(len(collector.snapshots))
            for point in collector.points("aybiza_sink_lost_total", snapshot)
            if point["labels"] == {"sink": "otlp_metrics"}
        ),
        default=0.0,
    )


def counted(vm: VM, what: str) -> Any:
    """What of this sink was counted so far."""
    name = f"aybiza_sink_{what}_total"
    return table(vm).registry.get_sample_value(name, {"sink": "otlp_metrics"}) or 0.0
