"""The HTTP door's routes, against a real VM with the actors they ask."""

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from actors import names
from actors.memory_actor import Append, MemoryActor
from actors.memory_store import SqliteStore
from actors.metrics_actor import MetricsActor, count
from actors.runtime import VM, GenServer
from dialogue.journal import CallerTurn, Ended, encode
from gateway.http import HttpDoor, http_app
from supervisors import DynamicSupervisor, child

FORM = {"CallSid": "CA1", "From": "+14155550123", "To": "+14155550100"}


class Idle(GenServer):
    """Stands for a call."""


@asynccontextmanager
async def door(tmp_path: Path, *, max_calls: int = 2) -> AsyncIterator[tuple[VM, Any]]:
    async with VM() as vm:
        store = SqliteStore(tmp_path / "memory.sqlite3")
        await vm.start(MetricsActor, name=names.METRICS)
        await vm.start(MemoryActor, store, name=names.MEMORY)
        await vm.start(DynamicSupervisor, max_children=max_calls, name=names.CALL_SUPERVISOR)
        http = HttpDoor(
            vm,
            media_url="wss://phone.example.org/media",
            public_url="https://phone.example.org",
            max_calls=max_calls,
            busy_text="All lines are busy.",
        )
        transport = httpx.ASGITransport(http_app(http))
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
            yield vm, client
        store.close()


async def remember(vm: VM, *entries: Any) -> None:
    await vm.call(names.MEMORY, Append("CA1", 1, 1, [encode(entry) for entry in entries]))


async def test_incoming_connects_the_stream_with_its_parameters_then_redirects(
    tmp_path: Path,
) -> None:
    async with door(tmp_path) as (_, client):
        response = await client.post("/incoming", data=FORM)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/xml")
    root = ET.fromstring(response.text)
    assert [verb.tag for verb in root] == ["Connect", "Redirect"]
    stream = root.find("Connect/Stream")
    assert stream is not None
    assert stream.attrib["url"] == "wss://phone.example.org/media"
    parameters = {p.attrib["name"]: p.attrib["value"] for p in stream}
    assert parameters == {"From": "+14155550123", "To": "+14155550100"}
    assert root.findtext("Redirect") == "https://phone.example.org/incoming?again=1"


async def test_a_caller_back_from_a_broken_stream_is_connected_again(tmp_path: Path) -> None:
    async with door(tmp_path) as (vm, client):
        await remember(vm, CallerTurn(1, "hello"))
        response = await client.post("/incoming?again=1", data=FORM)
    assert "<Stream" in response.text


async def test_a_call_whose_conversation_has_ended_is_hung_up(tmp_path: Path) -> None:
    async with door(tmp_path) as (vm, client):
        await remember(vm, CallerTurn(1, "goodbye"), Ended("goodbye"))
        response = await client.post("/incoming?again=1", data=FORM)
    assert [verb.tag for verb in ET.fromstring(response.text)] == ["Hangup"]


async def test_a_full_node_says_so_and_is_not_ready(tmp_path: Path) -> None:
    async with door(tmp_path, max_calls=1) as (vm, client):
        assert (await client.get("/readyz")).status_code == 200
        await DynamicSupervisor.start_child(vm, names.CALL_SUPERVISOR, child(Idle))
        ready = await client.get("/readyz")
        response = await client.post("/incoming", data=FORM)
    assert ready.status_code == 503
    assert "full" in ready.text
    root = ET.fromstring(response.text)
    assert [verb.tag for verb in root] == ["Say", "Hangup"]
    assert root.findtext("Say") == "All lines are busy."


async def test_a_webhook_without_a_call_is_refused(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, client):
        response = await client.post("/incoming", data={"From": "+1"})
    assert response.status_code == 400
    assert "CallSid" in response.text


async def test_a_body_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, client):
        response = await client.post("/incoming", content=b"CallSid=CA1&x=" + b"y" * 70_000)
    assert response.status_code == 413


async def test_health_does_not_depend_on_any_actor(tmp_path: Path) -> None:
    async with door(tmp_path) as (vm, client):
        await vm.stop(names.CALL_SUPERVISOR)
        health = await client.get("/healthz")
        ready = await client.get("/readyz")
    assert health.status_code == 200
    assert ready.status_code == 503


async def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    async with door(tmp_path) as (vm, client):
        count(vm, "aybiza_turns_total")
        response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert "aybiza_turns_total 1.0" in response.text


async def test_status_callbacks_are_taken(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, client):
        response = await client.post("/status", data={**FORM, "CallStatus": "completed"})
    assert response.status_code == 204
