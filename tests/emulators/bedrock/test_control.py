"""The control door, over HTTP."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from aybiza.emulators.bedrock import BedrockEmulator, Fault, Pace


@pytest.fixture
async def door(emulator: BedrockEmulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{emulator.url}/_emulator", trust_env=False) as client:
        yield client


async def test_health_says_how_much_was_asked(door: httpx.AsyncClient, bedrock: Any) -> None:
    await bedrock.stream()
    answer = (await door.get("/health")).json()
    assert answer == {"ok": True, "requests": 1, "cancelled": 0}


async def test_the_pace_can_be_set_and_read(
    door: httpx.AsyncClient, emulator: BedrockEmulator
) -> None:
    put = await door.put("/pace", json={"first_token_ms": 300, "per_delta_ms": 40, "jitter": 0.2})
    assert put.json()["first_token_ms"] == 300
    assert (await door.get("/pace")).json() == put.json()
    assert emulator.pace == Pace(300, 40, 0.2)


async def test_faults_can_be_added_one_or_many_and_forgotten(
    door: httpx.AsyncClient, emulator: BedrockEmulator
) -> None:
    await door.post("/faults", json={"kind": "fin", "after": 3})
    answer = await door.post("/faults", json=[{"kind": "rst"}, {"kind": "stall", "seconds": 1}])
    assert [fault["kind"] for fault in answer.json()["faults"]] == ["fin", "rst", "stall"]
    assert emulator.faults.waiting()[0] == Fault("fin", after=3)
    assert (await door.delete("/faults")).json() == {"faults": []}
    assert (await door.get("/faults")).json() == {"faults": []}


async def test_one_bad_fault_of_many_adds_none(
    door: httpx.AsyncClient, emulator: BedrockEmulator
) -> None:
    answer = await door.post("/faults", json=[{"kind": "fin"}, {"kind": "flood"}])
    assert answer.status_code == 400
    assert len(emulator.faults) == 0


async def test_the_journal_can_be_read_from_a_number_on(
    door: httpx.AsyncClient, bedrock: Any
) -> None:
    for text in ("one", "two", "three"):
        await bedrock.stream(text, requestMetadata={"call": "CA1"})
    answer = (await door.get("/requests", params={"since": 1})).json()
    assert (answer["count"], answer["cancelled"]) == (3, 0)
    assert [record["user_text"] for record in answer["requests"]] == ["two", "three"]
    assert answer["requests"][0]["call"] == {"call": "CA1"}
    assert "body" not in answer["requests"][0]


async def test_the_journal_shows_bodies_when_asked_and_can_be_forgotten(
    door: httpx.AsyncClient, bedrock: Any
) -> None:
    await bedrock.stream("one")
    answer = (await door.get("/requests", params={"bodies": 1})).json()
    assert answer["requests"][0]["body"]["messages"][0]["content"] == [{"text": "one"}]
    assert (await door.delete("/requests")).json() == {"count": 1}
    assert (await door.get("/requests")).json()["requests"] == []


async def test_the_responder_can_be_changed(
    door: httpx.AsyncClient, bedrock: Any, event_text: Callable[[Any], str]
) -> None:
    await door.put("/responder", json={"mode": "scripted", "answers": ["One.", "Two."]})
    assert [event_text(await bedrock.stream(text)) for text in "ab"] == ["One.", "Two."]
    await door.put("/responder", json={"mode": "echo"})
    assert event_text(await bedrock.stream("good morning")) == "good morning"
    await door.put("/responder", json={"mode": "long", "sentences": 2})
    assert event_text(await bedrock.stream()) == "Sentence one. Sentence two."
    await door.put("/responder", json={"mode": "clinic"})
    assert "appointment" in event_text(await bedrock.stream("what can you do"))


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", b"", 404),
        ("POST", "/pace", b"{}", 405),
        ("PUT", "/pace", b"{", 400),
        ("PUT", "/pace", b"[1]", 400),
        ("PUT", "/pace", b'{"first_token_ms": "soon"}', 400),
        ("POST", "/faults", b"", 400),
        ("PUT", "/responder", b'{"mode": "poem"}', 400),
        ("GET", "/requests?since=x", b"", 400),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(
    door: httpx.AsyncClient, method: str, path: str, body: bytes, status: int
) -> None:
    answer = await door.request(method, path, content=body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_faults_can_be_put_in_place_of_others(
    door: httpx.AsyncClient, emulator: BedrockEmulator
) -> None:
    await door.post("/faults", json={"kind": "fin"})
    answer = await door.put("/faults", json=[{"kind": "stop", "code": "content_filtered"}])
    assert [fault["kind"] for fault in answer.json()["faults"]] == ["stop"]
    bad = await door.put("/faults", json=[{"kind": "stopp"}])
    assert bad.status_code == 400 and "did you mean stop" in bad.json()["error"]
    assert len(emulator.faults) == 1


async def test_the_table_of_faults_can_be_read(door: httpx.AsyncClient) -> None:
    table = (await door.get("/kinds")).json()
    assert table["stall"]["parameters"] == ["after", "seconds"]
    assert all(row["meaning"] for row in table.values())


async def test_limits_and_guardrails_can_be_set_and_forgotten(
    door: httpx.AsyncClient, emulator: BedrockEmulator
) -> None:
    put = await door.put("/limits", json={"input_tokens": 20})
    assert put.json() == (await door.get("/limits")).json() == {"input_tokens": 20}
    assert emulator.limits.input_tokens == 20
    guardrail = {"identifier": "gr-1", "version": "1", "words": ["weather"]}
    (made,) = (await door.put("/guardrails", json=guardrail)).json()["guardrails"]
    assert made["words"] == ["weather"]
    assert (await door.get("/guardrails")).json() == {"guardrails": [made]}
    assert (await door.put("/guardrails", json={"words": []})).status_code == 400
    assert (await door.delete("/guardrails")).json() == {"guardrails": []}
