"""One answer of a model, from plain values."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from aybiza.claude.client import BedrockClient
from aybiza.claude.errors import BedrockError
from aybiza.claude.generate import (
    Response,
    generate_response,
    invoke_model_with_monitoring,
    stream_response_with_monitoring,
)
from aybiza.claude.payload import build_enhanced_payload
from aybiza.claude.stream import get_output_tokens
from aybiza.config.settings import load
from aybiza.emulators.bedrock import BedrockEmulator, Fault
from aybiza.emulators.bedrock.scripted import by_text

HAIKU = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
SONNET = "global.anthropic.claude-sonnet-4-6"
ASK = "What are your hours?"
SAID = ["We open at nine.", "We close at five."]


@pytest.fixture
async def bedrock(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BedrockEmulator]:
    async with BedrockEmulator(responder=by_text({ASK: [" ".join(SAID)]})) as emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", emulator.url)
        yield emulator


async def test_an_answer_is_told_with_what_it_has_used(bedrock: BedrockEmulator) -> None:
    answer = await generate_response(ASK, {}, {})
    assert isinstance(answer, Response)
    assert (answer.text, answer.model, answer.stop_reason) == (" ".join(SAID), HAIKU, "end_turn")
    assert get_output_tokens(answer) == answer.usage.output_tokens > 0


async def test_a_stream_tells_each_sentence_and_its_end(bedrock: BedrockEmulator) -> None:
    context = {"call_sid": "CA1"}
    events = await generate_response(ASK, context, {"stream": True})
    assert not isinstance(events, Response)
    told = [event async for event in events]
    assert [(event["type"], event.get("text"), event.get("sequence")) for event in told] == [
        ("sentence_complete", SAID[0], 1),
        ("sentence_complete", SAID[1], 2),
        ("stream_complete", None, None),
    ]
    assert all(event["context"] == context for event in told)
    assert told[-1]["response"].text == " ".join(SAID)


async def test_what_fails_is_asked_of_another_model(bedrock: BedrockEmulator) -> None:
    bedrock.faults.add(Fault("http_error", code="ThrottlingException", model=HAIKU, times=None))
    answer = await generate_response(ASK, {}, {})
    assert isinstance(answer, Response)
    assert answer.model == SONNET


async def test_when_nobody_answers_the_last_error_is_raised(bedrock: BedrockEmulator) -> None:
    bedrock.faults.add(Fault("http_error", code="AccessDeniedException", times=None))
    with pytest.raises(BedrockError, match="access_denied"):
        await generate_response(ASK, {}, {})


async def test_a_model_that_is_named_is_asked_first(bedrock: BedrockEmulator) -> None:
    answer = await generate_response(ASK, {}, {"model": "anthropic.claude-4-sonnet-20250120"})
    assert isinstance(answer, Response)
    assert answer.model.endswith("claude-sonnet-4-6")


async def test_one_request_is_read_whole_or_as_it_comes(bedrock: BedrockEmulator) -> None:
    payload = build_enhanced_payload(ASK, {}, {}, HAIKU, rules="call")
    async with BedrockClient.of(load()) as client:
        answer = await invoke_model_with_monitoring(HAIKU, payload, None, 0.0, {}, bedrock=client)
        events = stream_response_with_monitoring(HAIKU, payload, None, 0.0, {}, bedrock=client)
        told = [event async for event in events]
    assert answer.text == told[-1]["response"].text == " ".join(SAID)
    assert told[-1]["first_token_ms"] > 0


async def test_a_stream_that_breaks_behind_a_sentence_tells_so(bedrock: BedrockEmulator) -> None:
    bedrock.faults.add(Fault("fin", after=6))
    events = await generate_response(ASK, {}, {"stream": True})
    assert not isinstance(events, Response)
    told = [event async for event in events]
    assert [event["type"] for event in told] == ["sentence_complete", "error"]
    assert isinstance(told[-1]["error"], BedrockError)


class Told:
    """A client whose one stream has these events, and ends."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events = events

    def stream(self, payload: Any, **options: Any) -> Any:
        return self

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for event in self.events:
            yield event


THINKING = {"reasoningContent": {"text": "They ask for hours."}}
THINKS = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": THINKING}}
THOUGHT = {"contentBlockStop": {"contentBlockIndex": 0}}
SAYS = {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "We open. We"}}}
STOPS = {"messageStop": {"stopReason": "end_turn"}}


async def asked(*events: dict[str, Any]) -> Response:
    bedrock: Any = Told(*events)
    return await invoke_model_with_monitoring(HAIKU, {}, None, 0.0, {}, bedrock=bedrock)


async def test_an_answer_whose_usage_does_not_come_is_an_answer() -> None:
    answer = await asked(SAYS, STOPS)
    assert (answer.text, answer.stop_reason) == ("We open. We", "end_turn")
    assert answer.usage.output_tokens == 0


async def test_what_the_model_thinks_is_no_part_of_what_it_says() -> None:
    assert (await asked(THINKS, THOUGHT, SAYS, STOPS)).text == "We open. We"


async def test_an_answer_that_is_cut_behind_a_sentence_is_an_error_to_who_wants_it_whole() -> None:
    with pytest.raises(BedrockError, match="ended too early"):
        await asked(SAYS)


async def test_an_answer_that_is_cut_before_a_sentence_is_an_error() -> None:
    with pytest.raises(BedrockError, match="ended too early"):
        await asked()
