"""The HTTP door's routes, against a real VM with the actors they ask."""

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.measures.metrics_actor import MetricsActor, count
from aybiza.actors.measures.provider_health import watch
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.memory_actor import MemoryActor, kept
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.placement.placement import Limits, Place, Row
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM, GenServer
from aybiza.dialogue.journal import (
    FAULT,
    AgentSentence,
    AnswerComplete,
    CallerTurn,
    Closing,
    Ended,
    SentenceHeard,
    encode,
)
from aybiza.faults.desk import agent
from aybiza.gateway.arrival import MAX_HOPS, MAX_RETURNS, MAX_WAITS
from aybiza.gateway.http import HttpDoor, http_app
from aybiza.supervisors import DynamicSupervisor, child
from tests.gateway.kit import switchboard

NOW = 1_700_000_000
FORM = {"CallSid": "CA1", "From": "+14155550123", "To": "+14155550100"}


class Idle(GenServer):
    """Stands for a call."""


@asynccontextmanager
async def door(
    tmp_path: Path, *, max_calls: int = 2, fallback_number: str | None = None
) -> AsyncIterator[tuple[VM, Any]]:
    async with VM("here") as vm:
        store = SqliteStore(tmp_path / "memory.sqlite3")
        await vm.start(MetricsActor, name=names.METRICS)
        await vm.start(MemoryActor, store, name=names.MEMORY)
        await vm.start(DynamicSupervisor, max_children=max_calls, name=names.CALL_SUPERVISOR)
        http = HttpDoor(
            vm,
            media_url="wss://phone.example.org/media",
            public_url="https://phone.example.org",
            switchboard=switchboard(
                agent(
                    busy="All lines are busy.",
                    closing="Goodbye now.",
                    filler="One moment.",
                    fallback_number=fallback_number,
                )
            ),
            wall=lambda: NOW,
        )
        board(vm).limits = Limits(calls=max_calls)
        transport = httpx.ASGITransport(http_app(http))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield vm, client
        store.close()


async def remember(vm: VM, *entries: Any) -> None:
    append(vm, "CA1", 1, 1, [encode(entry) for entry in entries])
    await kept(vm, "CA1")


def other(node: str = "other", calls: int = 0) -> Row:
    """What a node tells that has room for ten calls less these."""
    return Row(node, Place(f"https://{node}.example.org"), calls, 10, 1.0, 100, False, "")


def redirects(document: str) -> list[str]:
    return [str(verb.text) for verb in ET.fromstring(document).findall("Redirect")]


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
    since = str(NOW)
    assert parameters == {"From": "+14155550123", "To": "+14155550100", "Since": since}
    back = f"https://phone.example.org/incoming?again=1&since={NOW}&at={NOW}&node=here"
    assert root.findtext("Redirect") == back


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


@pytest.mark.parametrize("number", [None, "+14155550199"])
@pytest.mark.parametrize("heard", [True, False])
async def test_a_call_that_speech_has_failed_ends_in_words_and_with_somebody_who_can_help(
    tmp_path: Path, number: str | None, heard: bool
) -> None:
    goodbye: list[Any] = [Closing(FAULT), CallerTurn(2, ""), AgentSentence(2, 1, "Goodbye.")]
    goodbye += [AnswerComplete(2, "end_turn")] + [SentenceHeard(2, 1)] * heard
    async with door(tmp_path, fallback_number=number) as (vm, client):
        await remember(vm, CallerTurn(1, "hello"), *goodbye, Ended(FAULT))
        response = await client.post(f"/incoming?again=1&since={NOW - 60}", data=FORM)
    verbs = [(verb.tag, verb.text) for verb in ET.fromstring(response.text)]
    words = ("Say", "One moment." if number else "Goodbye now.")
    last = ("Dial", number) if number else ("Hangup", None)
    assert verbs == ([last] if heard else [words, last])


async def test_a_call_that_comes_back_again_and_again_is_ended_in_words(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, client):
        query = f"again={MAX_RETURNS + 1}&at={NOW - 5}"
        response = await client.post(f"/incoming?{query}", data=FORM)
        held = await client.post(f"/incoming?again={MAX_RETURNS + 1}&at={NOW - 500}", data=FORM)
    assert [verb.tag for verb in ET.fromstring(response.text)] == ["Say", "Hangup"]
    assert "<Stream" in held.text


async def test_a_node_that_refuses_sends_callers_to_those_with_room(tmp_path: Path) -> None:
    async with door(tmp_path) as (vm, client):
        board(vm).draining = True
        board(vm).told(other("busy", calls=9))
        board(vm).told(other("free", calls=8))
        answers = [(await client.post("/incoming", data=FORM)).text for _ in range(4)]
    first, *_, last = answers
    onward, fallback = redirects(first)
    assert onward == f"https://free.example.org/incoming?since={NOW}&hops=1"
    assert fallback == f"https://phone.example.org/incoming?since={NOW}&hops={MAX_HOPS}"
    hosts = [redirects(answer)[0].split("/")[2].split(".")[0] for answer in answers[:3]]
    assert sorted(hosts) == ["busy", "free", "free"]
    assert [verb.tag for verb in ET.fromstring(last)] == ["Say", "Hangup"]


async def test_a_draining_node_keeps_a_caller_who_comes_back_and_whom_nobody_else_takes(
    tmp_path: Path,
) -> None:
    async with door(tmp_path) as (vm, client):
        board(vm).draining = True
        kept_here = (await client.post("/incoming?again=1&hops=1", data=FORM)).text
        board(vm).told(other("free"))
        sent_on = (await client.post("/incoming?again=1", data=FORM)).text
    assert "<Stream" in kept_here
    assert "<Stream" not in sent_on


async def test_a_caller_who_comes_back_to_an_ending_or_full_node_is_held_for_a_while(
    tmp_path: Path,
) -> None:
    async with door(tmp_path, max_calls=1) as (vm, client):
        board(vm).draining = board(vm).ending = True
        alone = (await client.post("/incoming?again=1&node=here", data=FORM)).text
        board(vm).told(other(calls=10))
        url, held = "/incoming?again=1&node=here", 0
        while "<Pause" in (answer := (await client.post(url, data=FORM)).text):
            url = redirects(answer)[0].removeprefix("https://phone.example.org")
            held += 1
        board(vm).draining = board(vm).ending = False
        await DynamicSupervisor.start_child(vm, names.CALL_SUPERVISOR, child(Idle))
        full = (await client.post("/incoming?again=1", data=FORM)).text
    assert "<Pause" not in alone
    assert held == MAX_WAITS
    assert [verb.tag for verb in ET.fromstring(answer)] == ["Say", "Hangup"]
    assert "<Pause" in full


async def test_a_call_does_not_go_round_among_full_nodes_for_ever(tmp_path: Path) -> None:
    refused: list[str] = []
    async with door(tmp_path, max_calls=1) as (vm, client):
        vm.telemetry.attach("t", events.CALL_REFUSED, lambda *a: refused.append(a[2]["outcome"]))
        await DynamicSupervisor.start_child(vm, names.CALL_SUPERVISOR, child(Idle))
        url, hops = "/incoming", 0
        while True:
            board(vm).told(other())  # it looks as if the other had room
            document = (await client.post(url, data=FORM)).text
            if not redirects(document):
                break
            url = redirects(document)[0].removeprefix("https://other.example.org")
            hops += 1
    assert hops == MAX_HOPS
    assert ET.fromstring(document).findtext("Say") == "All lines are busy."
    # Who is only sent on is not counted, who hears the busy words is: an alarm asks for it.
    assert refused == ["refused"]


async def test_calls_that_were_let_in_at_once_do_not_overfill_the_node(tmp_path: Path) -> None:
    async with door(tmp_path, max_calls=2) as (_, client):
        forms = [{**FORM, "CallSid": f"CA{number}"} for number in range(3)]
        answers = [(await client.post("/incoming", data=form)).text for form in forms]
        again = (await client.post("/incoming", data=forms[0])).text
    assert ["<Stream" in answer for answer in answers] == [True, True, False]
    assert "<Stream" in again


async def test_with_isolation_each_call_is_given_a_node_of_its_own(tmp_path: Path) -> None:
    async with door(tmp_path) as (vm, client):
        board(vm).place = Place("https://phone.example.org", "", "m", isolated=True)
        for name in ("a", "b"):
            place = Place("", f"wss://{name}.example.org/media", "m", one_call=True)
            board(vm).told(Row(name, place, 0, 1, 1.0, 100, False, ""))
        forms = [{**FORM, "CallSid": f"CA{number}"} for number in range(3)]
        answers = [(await client.post("/incoming", data=form)).text for form in forms]
        ready = await client.get("/readyz")
    for answer, name in zip(answers[:2], ("a", "b"), strict=True):
        stream = ET.fromstring(answer).find("Connect/Stream")
        assert stream is not None
        assert stream.attrib["url"] == f"wss://{name}.example.org/media"
        back = f"https://phone.example.org/incoming?again=1&since={NOW}&at={NOW}&node={name}"
        assert redirects(answer) == [back]
    assert ET.fromstring(answers[2]).findtext("Say") == "All lines are busy."
    assert (ready.status_code, ready.text) == (503, "full: 2 calls\n")


async def test_a_draining_node_is_not_ready(tmp_path: Path) -> None:
    async with door(tmp_path) as (vm, client):
        board(vm).draining = True
        ready = await client.get("/readyz")
    assert (ready.status_code, ready.text) == (503, "draining\n")


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
        count(vm, "aybiza_barge_ins_total")
        response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert "aybiza_barge_ins_total 1.0" in response.text


async def test_status_callbacks_are_taken(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, client):
        response = await client.post("/status", data={**FORM, "CallStatus": "completed"})
    assert response.status_code == 204


async def test_a_node_whose_provider_is_lost_is_not_ready_until_it_works(tmp_path: Path) -> None:
    told = {"provider": "deepgram", "call_id": "CA1"}
    async with door(tmp_path) as (vm, client):
        watch(vm, 2, 60.0)
        for _ in range(2):
            emit(vm, events.PROVIDER_ERROR, kind="refused", model="", region="", **told)
        lost = await client.get("/readyz")
        emit(vm, events.PROVIDER_WORKED, **told)
        well = await client.get("/readyz")
    assert (lost.status_code, well.status_code) == (503, 200)
    assert lost.text == "deepgram is lost: 2 failures and no success\n"
