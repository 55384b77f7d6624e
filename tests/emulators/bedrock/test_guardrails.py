"""Guardrails over the whole history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aybiza.emulators.bedrock import Guardrail, say
from aybiza.emulators.bedrock.exchange import Answer
from aybiza.emulators.bedrock.guardrails import Guardrails, assess_input, assess_output, from_json
from aybiza.emulators.bedrock.service import CONVERSE, Bedrock

CASE = json.loads(
    (Path(__file__).parents[1] / "cases" / "guardrail.json").read_text(encoding="utf-8")
)
NAME, VERSION = CASE["guardrail"].split(":")
BLOCKED, HARMLESS = CASE["turns"]
GUARDRAIL = Guardrail(NAME, VERSION, (CASE["blocked_word"],), CASE["refusal"], CASE["refusal"])
SONNET = "us.anthropic.claude-sonnet-4-6"


def message(role: str, words: str, guarded: bool = False) -> dict[str, Any]:
    block = {"guardContent": {"text": {"text": words}}} if guarded else {"text": words}
    return {"role": role, "content": [block]}


async def answer(
    messages: list[dict[str, Any]], reply: str = CASE["answer"], trace: str = "disabled"
) -> dict[str, Any]:
    bedrock = Bedrock(responder=lambda body: say(reply), seed=1)
    bedrock.guardrails.add(GUARDRAIL)
    config = {"guardrailIdentifier": NAME, "guardrailVersion": VERSION, "trace": trace}
    body = {"messages": messages, "guardrailConfig": config}
    (step,) = await bedrock.exchange(CONVERSE, SONNET, body, arrived=0.0)
    assert isinstance(step.action, Answer)
    return step.action.body


def told(body: dict[str, Any]) -> tuple[str, str]:
    return body["output"]["message"]["content"][0]["text"], body["stopReason"]


PASSED = (CASE["answer"], "end_turn")
STOPPED = (CASE["refusal"], "guardrail_intervened")


async def test_a_blocked_turn_blocks_all_later_ones_while_it_stands_in_the_history() -> None:
    first = message("user", BLOCKED)
    assert told(await answer([first])) == STOPPED
    later = [first, message("assistant", CASE["refusal"]), message("user", HARMLESS)]
    assert told(await answer(later)) == STOPPED


async def test_a_harmless_turn_passes_once_the_words_are_replaced() -> None:
    replaced = message("user", "(words that were blocked)")
    later = [replaced, message("assistant", CASE["refusal"]), message("user", HARMLESS)]
    assert told(await answer(later)) == PASSED


async def test_where_the_newest_words_are_marked_the_others_are_not_looked_at() -> None:
    said = [message("user", BLOCKED), message("assistant", CASE["refusal"])]
    assert told(await answer([*said, message("user", HARMLESS, guarded=True)])) == PASSED
    assert told(await answer([*said, message("user", BLOCKED, guarded=True)])) == STOPPED


async def test_an_answer_with_a_blocked_word_is_replaced() -> None:
    body = await answer([message("user", HARMLESS)], reply="The weather is fine.", trace="enabled")
    assert told(body) == STOPPED
    found = body["trace"]["guardrail"]["outputAssessments"][NAME][0]["wordPolicy"]
    assert found["customWords"] == [{"match": "weather", "action": "BLOCKED"}]


async def test_the_trace_tells_what_was_found_when_it_is_asked_for() -> None:
    assert "trace" not in await answer([message("user", BLOCKED)])
    body = await answer([message("user", BLOCKED)], trace="enabled")
    assert NAME in body["trace"]["guardrail"]["inputAssessment"]


def test_words_are_found_whole_and_whatever_their_case() -> None:
    assert GUARDRAIL.found("The WEATHER, please.") == "weather"
    assert GUARDRAIL.found("weathered") is None
    assert assess_input(GUARDRAIL, [message("assistant", "weather")]) == "weather"
    assert assess_output(GUARDRAIL, say("fine")) is None


def test_a_guardrail_that_there_is_not_is_an_error_once_there_are_some() -> None:
    guardrails = Guardrails()
    body = {"guardrailConfig": {"guardrailIdentifier": "other", "guardrailVersion": "1"}}
    assert guardrails.of(body) is None
    guardrails.add(GUARDRAIL)
    with pytest.raises(LookupError, match="does not exist"):
        guardrails.of(body)
    assert guardrails.of({}) is None
    guardrails.clear()
    assert guardrails.known() == []


@pytest.mark.parametrize(
    "members",
    [[], {}, {"identifier": "a", "words": []}, {"identifier": "a", "words": [" "]},
     {"words": ["a"]}, {"identifier": "a", "words": ["b"], "wrods": 1}],
)  # fmt: skip
def test_a_guardrail_without_sense_is_refused(members: Any) -> None:
    with pytest.raises(ValueError, match="guardrail"):
        from_json(members)


def test_a_guardrail_is_taken_from_json() -> None:
    made = from_json({"identifier": "a", "version": "2", "words": ["b"]})
    assert (made.identifier, made.version, made.words) == ("a", "2", ("b",))
