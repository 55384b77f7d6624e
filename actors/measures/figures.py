"""All metrics of a node as they stand at a moment, for sinks that take them whole.

    child(FiguresTeller, 60.0)                          tells `events.FIGURES` every so many seconds
    snapshot(table(vm).registry, at=…, began=…)         in a thread: it looks at every series

A figure is what one combination of labels has come to. Counters and histograms count from `began`
on; a node that starts anew counts from its own start, so who keeps them sees that they were reset.

Contract: nothing is looked at while nobody listens. What the loop does of it takes microseconds,
the rest is a thread's; one that takes longer than `SNAPSHOT_SECONDS` is left out. The last figures
are told when the node ends in order.
Errors: none.
Source: Prometheus, "Metric types"; OpenTelemetry, "Metrics data model".
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.measures.metrics_actor import Kind, table
from aybiza.actors.runtime import GenServer

SNAPSHOT_SECONDS: Final = 5.0
KINDS: Final[frozenset[Kind]] = frozenset(("counter", "gauge", "histogram"))
_PROCESS_BEGAN: Final = "process_start_time_seconds"

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Figure:
    """What a metric has come to under some labels. began: unix time since when it counts. value: of
    a counter or gauge; of a histogram the sum of what was observed. counts: how many were within
    each of `bounds`, not counting those within the one before, and how many beyond the last."""

    name: str
    kind: Kind
    meaning: str
    labels: Mapping[str, str]
    began: float
    value: float = 0.0
    bounds: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many were observed."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The figures of a node at unix time `at`."""

    at: float
    figures: tuple[Figure, ...]


def snapshot(registry: CollectorRegistry, *, at: float) -> Snapshot:
    """The figures of a registry; what it does not say the beginning of counts since the process
    began."""
    began = registry.get_sample_value(_PROCESS_BEGAN) or at
    found = tuple(
        figure
        for family in registry.collect()
        if family.type in KINDS
        for figure in _figures(family, min(began, at))
    )
    return Snapshot(at, found)


def _figures(family: Any, began: float) -> Iterable[Figure]:
    kind: Kind = family.type
    name = f"{family.name}_total" if kind == "counter" else family.name
    found: dict[tuple[tuple[str, str], ...], Figure] = {}
    within: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for sample in family.samples:
        labels = {key: value for key, value in sample.labels.items() if key != "le"}
        key = tuple(sorted(labels.items()))
        figure = found.setdefault(key, Figure(name, kind, family.documentation, labels, began))
        match sample.name.removeprefix(family.name):
            case "_created":
                figure.began = sample.value
            case "_bucket":
                within.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
            case "_count":
                pass
            case _:
                figure.value = sample.value
    for key, buckets in within.items():
        found[key].bounds = [bound for bound, _ in buckets if not math.isinf(bound)]
        found[key].counts = list(_parted(value for _, value in buckets))
    return found.values()


def _parted(running: Iterable[float]) -> Iterator[int]:
    """What each bucket adds to the ones before."""
    before = 0.0
    for value in running:
        yield round(value - before)
        before = value


class FiguresTeller(GenServer):
    """See the module. seconds: from one telling to the next."""

    traps_exits = True

    async def init(self, seconds: float) -> None:
        self._seconds = seconds
        self.send_after("tell", seconds)

    async def handle_info(self, message: Any) -> None:
        if message == "tell":
            await self._tell()
            self.send_after("tell", self._seconds)

    async def terminate(self, reason: Any) -> None:
        await self._tell()

    async def _tell(self) -> None:
        if not self.vm.telemetry.heard(events.FIGURES):
            return
        figures, at = table(self.vm), time.time()
        figures.measure(self.vm)
        try:
            async with asyncio.timeout(SNAPSHOT_SECONDS):
                taken = await self.vm.run_blocking(_taken, figures.registry, at)
        except TimeoutError:
            log.warning("figures_not_taken", seconds=SNAPSHOT_SECONDS)
            return
        emit(self.vm, events.FIGURES, snapshot=taken)


def _taken(registry: CollectorRegistry, at: float) -> Snapshot:
    return snapshot(registry, at=at)
