"""The functions of the Claude 4 guide against a Bedrock that speaks the wire; its own test, too."""

from __future__ import annotations

import doctest
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors import claude4
from aybiza.actors.claude4 import (
    execute_with_tools,
    get_context,
    handle_user_input,
    handle_voice_input,
    remember,
    think_deeply,
    with_caching,
)
from aybiza.actors.memory.process_store import ProcessStore
from aybiza.claude.errors import BedrockError
from aybiza.claude.payload import VOICE_GUIDELINES
from aybiza.dialogue.answer_cache import AnswerCache
from aybiza.dialogue.tool_registry import Tool
from aybiza.emulators.bedrock import BedrockEmulator, Fault, Reply, ToolUse
from aybiza.emulators.bedrock.scripted import by_text
from aybiza.faults.desk import Answers

ANALYSIS = " ".join(
    [
        "The advantages of microservices are that teams work on their own and parts scale alone.",
        "The disadvantages are that calls fail between them and that data are spread.",
    ]
    * 8
)
SUM = "What is 15% of 200?"
ANSWERS: Answers = {
    SUM: [Reply((ToolUse("calculate", {"expression": "200 * 15 / 100"}),)), "30"],
    "Analyze the pros and cons of microservices": [ANALYSIS],
    "What are your hours?": ["We open at 9. Your ID is not needed."],
}


@pytest.fixture
async def bedrock(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BedrockEmulator]:
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with BedrockEmulator(responder=by_text(ANSWERS)) as emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", emulator.url)
        yield emulator


@pytest.fixture
def store() -> Iterator[ProcessStore]:
    made = ProcessStore()
    yield made
    made.close()


def calculator_tool() -> Tool:
    """`test_calculator_tool` of the guide."""

    async def calculate(given: dict[str, Any], use: object) -> dict[str, Any]:
        assert given == {"expression": "200 * 15 / 100"}
        return {"result": 200 * 15 / 100}

    schema = {"type": "object", "properties": {"expression": {"type": "string"}}}
    return Tool("calculate", "Calculates.", calculate, schema)


class TestClaude4:
    """`Claude4Test` of the guide."""

    async def test_tool_calling_works_correctly(self, bedrock: BedrockEmulator) -> None:
        assert await execute_with_tools(SUM, [calculator_tool()]) == ("ok", "30")
        first, second = bedrock.journal.records
        assert first.body is not None and second.body is not None
        assert first.body["inferenceConfig"]["temperature"] == 0.0
        (result,) = second.body["messages"][-1]["content"]
        assert result["toolResult"]["content"][0]["json"] == {"result": 30.0}

    async def test_extended_thinking_produces_detailed_analysis(
        self, bedrock: BedrockEmulator
    ) -> None:
        result = await think_deeply("Analyze the pros and cons of microservices")
        assert len(result) > 1000
        assert "advantages" in result and "disadvantages" in result
        (asked,) = bedrock.journal.records
        assert asked.body is not None
        assert "thinking" in asked.body["additionalModelRequestFields"]


async def test_what_no_model_answers_is_an_error(bedrock: BedrockEmulator) -> None:
    bedrock.faults.add(Fault("http_error", code="AccessDeniedException", times=None))
    kind, error = await execute_with_tools(SUM, [])
    assert kind == "error"
    assert isinstance(error, BedrockError)


def test_what_is_remembered_is_the_context_in_its_order(store: ProcessStore) -> None:
    said = [("user", "Hello."), ("assistant", "Good day."), ("user", "And now?")]
    for role, content in said:
        remember("CA1", {"role": role, "content": content}, store=store)
    found = [(m["role"], m["content"][0]["text"]) for m in get_context("CA1", 10, store=store)]
    assert found == said
    assert [m["role"] for m in get_context("CA1", 1, store=store)] == ["user"]
    assert get_context("CA2", store=store) == []


@pytest.mark.parametrize("message", [{"role": "system", "content": "x"}, {"role": "user"}])
def test_what_is_no_message_is_refused(store: ProcessStore, message: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="the role user or assistant"):
        remember("CA1", message, store=store)


async def test_the_same_words_are_answered_once(bedrock: BedrockEmulator) -> None:
    cache, request = AnswerCache(), {"prompt": "What are your hours?"}
    fresh, answer = await with_caching(request, cache=cache)
    assert (fresh, answer) == ("fresh", "We open at 9. Your ID is not needed.")
    assert await with_caching(request, cache=cache) == ("cached", answer)
    assert len(bedrock.journal.records) == 1


async def test_a_prompt_that_may_be_about_somebody_is_asked_each_time() -> None:
    asked = []

    async def execute(request: object) -> str:
        asked.append(request)
        return "Yes."

    cache = AnswerCache()
    for _ in range(2):
        assert (await with_caching({"prompt": "Is 7741 paid?"}, execute=execute, cache=cache))[0]
    assert len(asked) == 2


async def test_an_answer_to_a_caller_comes_as_a_voice_is_to_say_it(
    bedrock: BedrockEmulator,
) -> None:
    context = {"agent_type": "technical_support", "country": "DE"}
    events = handle_user_input("CA1", "What are your hours?", context)
    assert [event async for event in events] == [
        {"text": "We open at 9.", "sequence": 1, "voice": "aura-2-arcas-en"},
        {"text": "Your I-D is not needed.", "sequence": 2, "voice": "aura-2-arcas-en"},
    ]
    (asked,) = bedrock.journal.records
    assert asked.region == "eu-central-1"
    assert asked.body is not None
    assert VOICE_GUIDELINES.strip() in asked.body["system"][0]["text"]


async def test_a_voice_input_is_answered_in_sentences(bedrock: BedrockEmulator) -> None:
    said = await handle_voice_input("What are your hours?", {})
    assert said == ["We open at 9.", "Your I-D is not needed."]


def test_the_examples_hold() -> None:
    ran = doctest.testmod(claude4)
    assert ran.attempted > 0
    assert ran.failed == 0


def test_without_a_store_it_is_the_nodes_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "memory.sqlite3"))
    remember("CA1", {"role": "user", "content": "Hello."})
    assert get_context("CA1") == [{"role": "user", "content": [{"text": "Hello."}]}]
