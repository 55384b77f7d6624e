"""One contract for all sinks: what a call tells arrives, once and without its words; a backend that
is away is tried again; and whatever a backend does, no call notices."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest

from aybiza.actors.measures import events, metrics_sink
from aybiza.actors.measures.exported import EXPORTED
from aybiza.actors.measures.figures import snapshot
from aybiza.actors.measures.metrics_actor import table
from aybiza.actors.measures.metrics_sink import MetricsSink, Service, SinkError
from aybiza.actors.measures.metrics_sink_cloudwatch import CloudWatch
from aybiza.actors.measures.metrics_sink_json import JsonLines
from aybiza.actors.measures.metrics_sink_otlp import Otlp
from aybiza.actors.measures.metrics_sink_otlp_metrics import OtlpMetrics
from aybiza.actors.measures.metrics_sink_postgres import Postgres
from aybiza.actors.measures.records import Records, reading
from aybiza.actors.runtime.telemetry import Event
from aybiza.emulators.services import ServicesEmulator
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.world import World, in_world
from tests.actors.measures.otlp_receiver import Collector
from tests.actors.measures.postgres_server import postgres_server, program

ANSWERS = {"Your hours?": ["From nine to five, goodbye."]}
NUMBER = "4155550100"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
SINKS = ("cloudwatch", "json", "otlp", "otlp_metrics", "postgres", "records")

Heard = list[tuple[Event, dict[str, Any], dict[str, Any], float]]


@pytest.fixture(scope="module")
def told() -> Heard:
    """What the events of a whole call tell."""

    async def talk(world: World) -> Heard:
        heard: Heard = []

        def hear(event: Event, measured: Any, told: Any, _: Any) -> None:
            heard.append((event, dict(measured), dict(told), time.time()))

        world.vm.telemetry.attach_many("all", [*EXPORTED, events.METRIC], hear)
        async with world.call(says("Your hours?"), hangs_up(when="goodbye")) as call:
            await call.over()
        for _ in range(2):
            taken = snapshot(table(world.vm).registry, at=time.time())
            heard.append((events.FIGURES, {}, {"snapshot": taken}, time.time()))
        return heard

    return in_world(talk, answers=ANSWERS)


@dataclass
class Backend:
    """A service, what its backend has got so far, and how that is taken away and given back."""

    service: Any
    received: Callable[[], Sequence[Any]]
    down: Callable[[], Any]
    up: Callable[[], Any]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    if program("initdb") is None:
        pytest.skip("PostgreSQL is not installed: its sink is NOT tested here")
    with postgres_server() as url:
        yield url


@pytest.fixture(params=SINKS)
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    async with AsyncExitStack() as stack:
        made = await _made(request, tmp_path, stack)
        yield made
        await asyncio.to_thread(made.service.close)


async def _made(request: pytest.FixtureRequest, path: Path, stack: AsyncExitStack) -> Backend:
    file = path / "file"
    match request.param:
        case "cloudwatch":
            services = await stack.enter_async_context(ServicesEmulator())
            service = CloudWatch(
                "AYBIZA", region="us-east-1", credentials=KEYS, endpoint_url=services.url
            )
            await asyncio.to_thread(service.warm)
            down = functools.partial(services.fail, "cloudwatch", 503)
            return Backend(service, lambda: services.metrics.received, down, lambda: None)
        case "otlp" | "otlp_metrics" as kind:
            collector = Collector()
            url = stack.enter_context(collector.open())
            stack.callback(lambda: pytest.fail(collector.wrong[0]) if collector.wrong else None)
            traces = kind == "otlp"
            return Backend(
                Otlp(url, node="vm-1") if traces else OtlpMetrics(url, node="vm-1"),
                lambda: collector.spans if traces else collector.snapshots,
                lambda: setattr(collector, "status", 503),
                lambda: setattr(collector, "status", 200),
            )
        case "postgres":
            return _postgres(request.getfixturevalue("postgres"))
        case "json":
            return Backend(
                JsonLines(file, node="vm-1"),
                lambda: file.read_text().splitlines() if file.is_file() else [],
                file.mkdir,
                file.rmdir,
            )
    records = Records(file, node="vm-1", days=100_000)

    def rows() -> list[Any]:
        if not file.is_file():
            return []
        with reading(file) as connection:
            return [
                tuple(row)
                for name in ("calls", "turns", "charges")
                for row in connection.execute(f"SELECT * FROM {name}")
            ]

    return Backend(records, rows, file.mkdir, file.rmdir)


def _postgres(url: str) -> Backend:
    def said(statement: str) -> list[Any]:
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def received() -> list[Any]:
        there = said("SELECT to_regclass('aybiza_events')")[0][0]
        return said("SELECT * FROM aybiza_events ORDER BY at") if there else []

    said("DROP TABLE IF EXISTS aybiza_events")

    def down() -> None:
        said("ALTER ROLE aybiza SET default_transaction_read_only = on")

    def up() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER ROLE aybiza RESET default_transaction_read_only")

    return Backend(Postgres(url, node="vm-1", days=100_000), received, down, up)


def items(service: Service, told: Heard) -> list[Any]:
    """What a service makes of a call."""
    found: list[Any] = []
    for event, measured, about, at in told:
        if event in service.events:
            # CloudWatch takes no figures of long ago, and the world has a time of its own.
            now = {"at": time.time()} if event == events.METRIC else {}
            found += service.hear(event, measured, {**about, **now}, at)
    return found


async def test_what_a_call_tells_arrives_once_and_without_its_words(
    backend: Backend, told: Heard
) -> None:
    batch = items(backend.service, told)
    assert batch
    await asyncio.to_thread(backend.service.put, batch)
    received = await asyncio.to_thread(backend.received)
    assert len(received) == len(batch)
    everything = repr(received)
    assert "nine" not in everything and "hours" not in everything and NUMBER not in everything


async def test_a_backend_that_is_away_is_tried_again_and_gets_the_batch_whole(
    backend: Backend, told: Heard
) -> None:
    batch = items(backend.service, told)
    await asyncio.to_thread(backend.down)
    with pytest.raises(SinkError) as refused:
        await asyncio.to_thread(backend.service.put, batch)
    assert refused.value.again
    await asyncio.to_thread(backend.up)
    await asyncio.to_thread(backend.service.put, batch)
    assert len(await asyncio.to_thread(backend.received)) == len(batch)


async def test_no_event_of_any_shape_makes_a_service_fail(backend: Backend) -> None:
    for event in backend.service.events:
        declared = events.EVENTS[event]
        for value in (None, "", "x\x00\ud800", 7, 1.5, object()):
            metadata = dict.fromkeys(declared.metadata, value) | {
                "metrics": {"a": value},
                "at": 1.0,
            }
            metadata |= {"call_id": "CA1", "turn": 1, "name": "x"}
            measured: dict[str, Any] = dict.fromkeys(declared.measurements, 1.0)
            made = list(backend.service.hear(event, measured, metadata, 2_000_000_000.0))
            if made and backend.service.name != "cloudwatch":
                await asyncio.to_thread(backend.service.put, made)


class Hanging:
    """A service whose backend takes batches and never answers."""

    name: ClassVar[str] = "hanging"
    events: ClassVar[Sequence[Event]] = EXPORTED
    seconds: ClassVar[float | None] = 0.1

    def __init__(self) -> None:
        self.goes_on = threading.Event()

    def hear(self, event: Event, *_: Any) -> Sequence[Any]:
        return (event,)

    def put(self, batch: Sequence[Any]) -> None:
        self.goes_on.wait(60)


class Failing(Hanging):
    """One that refuses everything, and understands nothing."""

    name: ClassVar[str] = "failing"

    def hear(self, event: Event, *_: Any) -> Sequence[Any]:
        if event == events.TURN_START:
            raise ValueError("not understood")
        return (event,)

    def put(self, batch: Sequence[Any]) -> None:
        raise OSError("the disk is full")


def test_sinks_that_hang_or_fail_slow_no_call_and_count_what_they_lose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics_sink, "CAPACITY", 5)

    async def talk(world: World, *services: Any) -> tuple[list[float], dict[str, float]]:
        for service in services:
            await world.vm.start(MetricsSink, service, name=f"sink-{service.name}")
        answered: list[float] = []
        world.vm.telemetry.attach(
            "answered", events.TURN_ANSWERED, lambda _, told, *__: answered.append(told["seconds"])
        )
        async with world.call(says("Your hours?"), hangs_up(when="goodbye")) as call:
            report = await call.over()
        assert report.ok
        for service in services:
            service.goes_on.set()
            await world.vm.stop(f"sink-{service.name}")
        lost = {
            service.name: table(world.vm).registry.get_sample_value(
                "aybiza_sink_lost_total", {"sink": service.name}
            )
            or 0.0
            for service in services
        }
        return answered, lost

    alone, _ = in_world(talk, answers=ANSWERS)
    beside, lost = in_world(lambda world: talk(world, Hanging(), Failing()), answers=ANSWERS)
    assert beside == alone
    assert all(count > 5 for count in lost.values()), lost
