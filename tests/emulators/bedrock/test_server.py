"""The emulator as a whole, asked by boto3."""

import json
from typing import Any

import botocore.exceptions
import httpx
import pytest

from aybiza.emulators.bedrock import (
    BedrockEmulator,
    Fault,
    Reasoning,
    Reply,
    Scripted,
    Text,
    say,
    use,
)
from aybiza.emulators.bedrock.reply import signature

TOOL = {
    "toolSpec": {
        "name": "opening_hours",
        "description": "When the clinic is open.",
        "inputSchema": {"json": {"type": "object", "properties": {"day": {"type": "string"}}}},
    }
}
HAIKU = "global.anthropic.claude-haiku-4-5-20251001-v1:0"


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [next(iter(event)) for event in events]


async def test_a_stream_runs_from_message_start_to_metadata(bedrock: Any, event_text: Any) -> None:
    events = await bedrock.stream("what can you do")
    assert kinds(events)[0] == "messageStart"
    assert kinds(events)[-3:] == ["contentBlockStop", "messageStop", "metadata"]
    assert "contentBlockStart" not in kinds(events)
    assert "book, move or cancel" in event_text(events)
    usage = events[-1]["metadata"]["usage"]
    counted = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    assert usage["totalTokens"] == sum(usage[name] for name in counted) > 0


async def test_a_whole_answer_says_the_same_as_a_stream(bedrock: Any, event_text: Any) -> None:
    answer = await bedrock.converse("what can you do")
    content = answer["output"]["message"]["content"]
    assert content == [{"text": event_text(await bedrock.stream("what can you do"))}]
    assert answer["stopReason"] == "end_turn"


async def test_a_tool_is_used_and_its_result_is_told(bedrock: Any, event_text: Any) -> None:
    tools = {"tools": [TOOL]}
    question = {"role": "user", "content": [{"text": "are you open on saturday"}]}
    events = await bedrock.stream(messages=[question], toolConfig=tools)
    start = next(e["contentBlockStart"] for e in events if "contentBlockStart" in e)
    tool_use = start["start"]["toolUse"]
    fragments = [
        e["contentBlockDelta"]["delta"]["toolUse"]["input"]
        for e in events
        if "contentBlockDelta" in e
    ]
    assert tool_use["name"] == "opening_hours"
    assert fragments[0] == "" and len(fragments) > 2
    assert json.loads("".join(fragments)) == {"day": "saturday"}
    assert events[-2]["messageStop"]["stopReason"] == "tool_use"

    use_id = tool_use["toolUseId"]
    used = {"toolUse": {"toolUseId": use_id, "name": "opening_hours", "input": {}}}
    result = {"weekday": "saturday", "opens": "09:00", "closes": "13:00"}
    answer = {"toolResult": {"toolUseId": use_id, "content": [{"json": result}]}}
    messages = [
        question,
        {"role": "assistant", "content": [used]},
        {"role": "user", "content": [answer]},
    ]
    told = event_text(await bedrock.stream(messages=messages, toolConfig=tools))
    assert told.startswith("On Saturday we are open from nine o'clock to one o'clock.")


async def test_tool_use_ids_are_never_the_same(emulator: BedrockEmulator, bedrock: Any) -> None:
    emulator.answer_with(lambda body: Reply((*use("a", {}).blocks, *use("b", {}).blocks)))
    ids = [
        e["contentBlockStart"]["start"]["toolUse"]["toolUseId"]
        for _ in range(3)
        for e in await bedrock.stream()
        if "contentBlockStart" in e
    ]
    assert len(set(ids)) == 6
    assert all(tool_id.startswith("tooluse_") for tool_id in ids)


async def test_a_request_without_a_signature_is_forbidden(emulator: BedrockEmulator) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"{emulator.url}/model/{HAIKU}/converse-stream"
        answer = await client.post(url, json={"messages": []})
    assert answer.status_code == 403
    assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    record = emulator.journal.records[-1]
    assert (record.outcome, record.status) == ("refused", 403)


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "ValidationException"),
        ("us.anthropic.claude-3-haiku-20240307-v1:0", "ResourceNotFoundException"),
        ("no-such-model", "ValidationException"),
    ],
)
async def test_a_model_that_is_not_served_is_refused(bedrock: Any, model: str, error: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        await bedrock.stream(modelId=model)
    assert raised.value.response["Error"]["Code"] == error


async def test_a_model_can_be_named_by_its_arn(emulator: BedrockEmulator, bedrock: Any) -> None:
    arn = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{HAIKU}"
    await bedrock.stream(modelId=arn)
    assert emulator.journal.records[-1].model_id == arn


async def test_what_only_the_service_checks_is_refused(bedrock: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="is blank"):
        await bedrock.stream(" ")
    with pytest.raises(botocore.exceptions.ClientError, match="cannot both be specified"):
        await bedrock.stream(inferenceConfig={"temperature": 0.3, "topP": 0.9})


async def test_a_body_that_is_no_json_is_refused(emulator: BedrockEmulator, bedrock: Any) -> None:
    bedrock.client.meta.events.register(
        "before-call.bedrock-runtime.Converse", lambda params, **_: params.update(body=b"{")
    )
    with pytest.raises(botocore.exceptions.ClientError, match="no JSON"):
        await bedrock.converse()


async def test_other_paths_are_unknown(emulator: BedrockEmulator) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{emulator.url}/model/{HAIKU}/async-invoke", json={})
    assert answer.status_code == 404
    assert answer.headers["x-amzn-errortype"] == "UnknownOperationException"


async def test_thinking_comes_first_and_signed(bedrock: Any) -> None:
    fields = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    events = await bedrock.stream(
        additionalModelRequestFields=fields, inferenceConfig={"maxTokens": 2048}
    )
    deltas = [e["contentBlockDelta"]["delta"] for e in events if "contentBlockDelta" in e]
    thoughts = [d["reasoningContent"] for d in deltas if "reasoningContent" in d]
    words = "".join(thought.get("text", "") for thought in thoughts)
    assert thoughts[-1] == {"signature": signature(words)}
    assert "reasoningContent" in deltas[0]
    assert "text" in deltas[-1]


async def test_redacted_thinking_arrives_as_bytes(emulator: BedrockEmulator, bedrock: Any) -> None:
    emulator.answer_with(lambda body: Reply((Reasoning("Hm.", redacted=True), Text("Yes."))))
    events = await bedrock.stream()
    assert isinstance(
        events[1]["contentBlockDelta"]["delta"]["reasoningContent"]["redactedContent"], bytes
    )


async def test_max_tokens_ends_an_answer(bedrock: Any) -> None:
    events = await bedrock.stream("what can you do", inferenceConfig={"maxTokens": 4})
    assert events[-2]["messageStop"]["stopReason"] == "max_tokens"


async def test_a_responder_may_be_a_coroutine_function(
    emulator: BedrockEmulator, bedrock: Any, event_text: Any
) -> None:
    async def respond(body: Any) -> Reply:
        return say(f"{len(body['messages'])} message.")

    emulator.answer_with(respond)
    assert event_text(await bedrock.stream()) == "1 message."


async def test_a_responder_that_fails_is_an_internal_error(
    emulator: BedrockEmulator, bedrock: Any, event_text: Any
) -> None:
    def fail(body: Any) -> Reply:
        raise RuntimeError("no luck")

    emulator.answer_with(fail)
    with pytest.raises(botocore.exceptions.ClientError, match="no luck") as raised:
        await bedrock.stream()
    assert raised.value.response["Error"]["Code"] == "InternalServerException"
    emulator.answer_with(Scripted(["Better."]))
    assert event_text(await bedrock.stream()) == "Better."


async def test_a_request_that_is_refused_takes_no_fault(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    emulator.faults.add(Fault("rst"))
    with pytest.raises(botocore.exceptions.ClientError):
        await bedrock.stream(" ")
    assert len(emulator.faults) == 1


async def test_a_fault_before_the_answer_uses_up_no_scripted_answer(
    emulator: BedrockEmulator, bedrock: Any, event_text: Any
) -> None:
    emulator.answer_with(Scripted(["One.", "Two."]))
    emulator.faults.add(Fault("http_error"))
    with pytest.raises(botocore.exceptions.ClientError):
        await bedrock.stream("a")
    assert event_text(await bedrock.stream("b")) == "One."


async def test_streams_that_are_read_to_the_end_share_a_connection(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    for _ in range(3):
        await bedrock.stream()
    assert len(emulator._connections) == 1


async def test_the_journal_tells_a_request_from_arrival_to_end(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    await bedrock.stream("what can you do", requestMetadata={"call": "CA1"})
    record = emulator.journal.records[-1]
    assert (record.operation, record.model_id) == ("converse-stream", HAIKU)
    assert (record.status, record.outcome, record.call) == (200, "completed", {"call": "CA1"})
    assert record.user_text == "what can you do"
    assert record.reply_text.startswith("I can book")
    assert record.deltas_sent == record.deltas_total > 2
    assert record.body is not None and record.body["messages"]
    times = [record.arrived, record.header_sent, record.first_event_sent, record.last_event_sent]
    assert times == sorted(t for t in [*times, record.finished] if t is not None)[:4]


async def test_a_large_body_is_not_kept(emulator: BedrockEmulator, bedrock: Any) -> None:
    await bedrock.stream("word " * 20_000)
    assert emulator.journal.records[-1].body is None


async def test_tool_use_ids_follow_from_the_seed(bedrock: Any) -> None:
    async def first_id(seed: int | None) -> str:
        async with BedrockEmulator(seed=seed, responder=lambda body: use("a", {})) as emulator:
            client = type(bedrock)(emulator.url)
            events = await client.stream()
            client.client.close()
            found: str = events[1]["contentBlockStart"]["start"]["toolUse"]["toolUseId"]
            return found

    assert await first_id(7) == await first_id(7)
    assert await first_id(None) != await first_id(None)


async def test_a_port_that_is_taken_is_an_os_error(emulator: BedrockEmulator) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await BedrockEmulator(port=emulator.port).start()


async def test_stop_ends_streams_and_frees_the_port(bedrock: Any) -> None:
    emulator = BedrockEmulator()
    await emulator.start()
    port = emulator.port
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"{emulator.url}/_emulator/health")
        await emulator.stop()
        await emulator.stop()
    async with BedrockEmulator(port=port) as again:
        assert again.port == port
