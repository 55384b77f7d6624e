"""What a model is asked, by the recorded cases and by a call's rules."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from aybiza.claude import payload
from aybiza.claude.payload import (
    VOICE_GUIDELINES,
    build_conversation_messages,
    build_enhanced_payload,
    enhance_for_voice,
    enhance_system_prompt_for_voice,
)
from aybiza.config.rule_sets import BEDROCK_GUIDE, UnknownModel
from tests.cases import each
from tests.claude.golden import cases

Case = dict[str, Any]
MARK = "<voice guidelines>"


@each(cases("build_enhanced_payload"))
def test_build_enhanced_payload(case: Case) -> None:
    expected = dict(case["output"])
    if "system" in expected:
        expected["system"] = expected["system"].replace(MARK, VOICE_GUIDELINES)
    payload = build_enhanced_payload("", **case["input"])
    assert payload.pop("messages") == []
    assert payload == expected


@each(cases("enhance_system_prompt_for_voice"))
def test_enhance_system_prompt_for_voice(case: Case) -> None:
    expected = case["output"].replace(MARK, VOICE_GUIDELINES)
    assert enhance_system_prompt_for_voice(**case["input"]) == expected


@each(cases("enhance_for_voice"))
def test_enhance_for_voice(case: Case) -> None:
    assert enhance_for_voice(**case["input"]) == case["output"].replace(MARK, VOICE_GUIDELINES)


def test_the_rules_start_on_a_line_of_their_own_and_end_with_it() -> None:
    assert VOICE_GUIDELINES.startswith("\n") and not VOICE_GUIDELINES.startswith("\n\n")
    assert VOICE_GUIDELINES.endswith("\n") and not VOICE_GUIDELINES.endswith("\n\n")
    assert "50 words" in VOICE_GUIDELINES


def test_the_prompt_comes_behind_the_history() -> None:
    history = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Yes?"}]
    messages = build_conversation_messages("Bye.", {"conversation_history": history})
    assert messages == [*history, {"role": "user", "content": "Bye."}]
    assert len(history) == 2


def test_a_model_that_the_guide_does_not_list_is_refused() -> None:
    with pytest.raises(UnknownModel):
        build_enhanced_payload("Hello.", {}, {}, "anthropic.claude-sonnet-5")


SHARED = {
    "system_prompt": "You sell tea.",
    "conversation_history": [{"role": "user", "content": "Hi"}],
}


@pytest.mark.parametrize("model", BEDROCK_GUIDE)
def test_both_rule_sets_put_the_same_parts_together(model: str) -> None:
    tool = {"toolSpec": {"name": "a", "inputSchema": {"json": {"type": "object"}}}}
    context = {**SHARED, "tools": [tool]}
    options = {"max_tokens": 90, "temperature": 0.1, "extended_thinking": True}
    printed = build_enhanced_payload("Yes.", context, options, model)
    sent = build_enhanced_payload("Yes.", context, options, model, rules="call")
    assert sent["system"] == [{"text": printed["system"]}]
    assert printed["messages"][-1]["content"] == "Yes."
    assert [block["text"] for block in sent["messages"][-1]["content"]][-1] == "Yes."
    thinks = sent.get("additionalModelRequestFields", {}).get("thinking", {})
    assert thinks.get("budget_tokens") == printed.get("budget_tokens")
    assert sent["inferenceConfig"]["maxTokens"] == 90 + printed.get("budget_tokens", 0)


def test_what_changes_in_a_call_stands_behind_the_prompt() -> None:
    options = {"more_system": ["An answer has few words.", ""], "cache": "5m"}
    sent = build_enhanced_payload("", SHARED, options, "anthropic.claude-sonnet-4-6", rules="call")
    texts = [block["text"] for block in sent["system"] if "text" in block]
    assert texts[0].startswith("You sell tea.\nHOW TO SPEAK") and len(texts) == 2


def test_the_examples_hold() -> None:
    ran = doctest.testmod(payload)
    assert ran.attempted > 0
    assert ran.failed == 0
