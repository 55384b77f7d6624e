"""Bedrock in memory says, event by event and error by error, what it says over the wire."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.claude.client import BedrockClient
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.emulators.bedrock import BedrockEmulator, Reply, say, use
from aybiza.emulators.bedrock.faults import Fault
from aybiza.emulators.bedrock.reply import Reasoning, Text
from aybiza.emulators.bedrock.service import Bedrock
from aybiza.faults.bedrock import MemoryBedrock
from aybiza.faults.virtual import ambient

REGION = "us-east-1"
REQUEST: dict[str, Any] = {
    "modelId": "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    "messages": [{"role": "user", "content": [{"text": "hello"}]}],
}
REPLIES = [
    say("We are open from nine to five on weekdays. On Saturdays we close at noon."),
    use("look_up", {"what": "a room"}, "Let me see."),
    Reply((Reasoning("secret", redacted=True), Text("Yes."))),
    Reply((), "end_turn"),
]
FAULTS = [
    Fault("http_error", code="ThrottlingException"),
    Fault("http_error", code="ValidationException"),
    Fault("no_answer"),
    Fault("stream_exception", code="modelStreamErrorException", after=2),
    Fault("stream_error", after=1),
    Fault("fin", after=2),
    Fault("rst", after=1),
    Fault("silent_end", after=2),
    Fault("bad_crc", after=1),
]
LATE = [Fault("stall", after=2), Fault("slow_header", seconds=50.0)]

Told = tuple[list[Any], Any]


async def told(client: Any, request: dict[str, Any]) -> Told:
    """All events of a stream without what differs by chance, and how it ended."""
    events: list[Any] = []
    stream = client.stream(
        request, timeout=40.0, first_event_timeout=30.0, silence_timeout=30.0, region=REGION
    )
    try:
        async with stream:
            async for event in stream:
                event.get("metadata", {}).pop("metrics", None)
                events.append(event)
    except BedrockError as error:
        return events, (error.kind, error.code, error.before_first_token)
    return events, None


def by_wire(request: dict[str, Any], reply: Reply, fault: Fault | None) -> Told:
    async def main() -> Told:
        async with BedrockEmulator(responder=lambda _: reply, seed=1) as emulator:
            if fault:
                emulator.faults.add(fault)
            async with BedrockClient(
                region=REGION,
                endpoint_url=emulator.url,
                credentials={"aws_access_key_id": "a", "aws_secret_access_key": "b"},
            ) as client:
                return await told(client, request)

    return asyncio.run(main())


def in_memory(request: dict[str, Any], reply: Reply, fault: Fault | None) -> Told:
    async def main() -> Told:
        emulator = Bedrock(responder=lambda _: reply, seed=1, clock=loop.time)
        if fault:
            emulator.faults.add(fault)
        return await told(MemoryBedrock(emulator, REGION, lambda *_, **__: None), request)

    with ambient() as loop:
        return loop.run_until_complete(main())


@pytest.mark.parametrize("reply", REPLIES, ids=["text", "tool", "reasoning", "nothing"])
def test_a_reply_is_the_same_events(reply: Reply) -> None:
    expected = by_wire(REQUEST, reply, None)
    assert in_memory(REQUEST, reply, None) == expected
    assert expected[0][-1]["metadata"]["usage"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}{fault.after}")
def test_a_fault_is_the_same_error_at_the_same_place(fault: Fault) -> None:
    expected = by_wire(REQUEST, REPLIES[0], fault)
    assert in_memory(REQUEST, REPLIES[0], fault) == expected
    assert expected[1] is not None or fault.kind == "silent_end"


@pytest.mark.parametrize(("fault", "events"), [(LATE[0], 3), (LATE[1], 0)])
def test_what_comes_too_late_is_a_timeout(fault: Fault, events: int) -> None:
    seen, ended = in_memory(REQUEST, REPLIES[0], fault)
    assert ended == (ErrorKind.TIMEOUT, "", events == 0)
    assert len(seen) == events


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "assistant", "content": [{"text": "hello"}]}]},
        {"messages": [{"role": "user", "content": []}]},
        {"modelId": "nobody.knows-this-v1:0"},
    ],
)
def test_what_the_service_refuses_is_refused(change: dict[str, Any]) -> None:
    request = {**REQUEST, **change}
    expected = by_wire(request, REPLIES[0], None)
    assert in_memory(request, REPLIES[0], None) == expected
    assert expected[1] is not None


def test_a_cancelled_stream_is_left_by_the_client() -> None:
    async def main() -> str:
        emulator = Bedrock(responder=lambda _: REPLIES[0], seed=1, clock=loop.time)
        emulator.faults.add(Fault("stall", after=1))
        bedrock = MemoryBedrock(emulator, REGION, lambda *_, **__: None)
        stream = bedrock.stream(REQUEST)
        async for event in stream:
            if "contentBlockDelta" in event:
                stream.cancel()
                break
        await asyncio.sleep(0.1)
        assert not bedrock.streams
        return emulator.journal.records[0].outcome

    with ambient() as loop:
        assert loop.run_until_complete(main()) == "cancelled"
