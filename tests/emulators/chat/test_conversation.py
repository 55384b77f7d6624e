"""A chat completion's request for the stand-in that answers."""

from __future__ import annotations

import doctest
import json

from aybiza.emulators.chat import conversation
from aybiza.emulators.chat.conversation import converse_body

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def test_all_of_a_conversation_is_there() -> None:
    made = converse_body(
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Do it."}]},
                {"role": "assistant", "content": "Wait.", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": json.dumps({"ok": True})},
                {"role": "user", "content": "And?"},
            ],
            "tools": [{"type": "function", "function": {"name": "f"}}],
        }
    )
    assert made["system"] == [{"text": "Be brief."}]
    user, assistant, results = made["messages"]
    assert user == {"role": "user", "content": [{"text": "Do it."}]}
    use = {"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1}}}
    assert assistant["content"] == [{"text": "Wait."}, use]
    result, text = results["content"]
    assert result["toolResult"]["content"] == [{"json": {"ok": True}}] and text["text"] == "And?"
    assert made["toolConfig"]["tools"][0]["toolSpec"]["name"] == "f"


def test_the_examples_hold() -> None:
    assert doctest.testmod(conversation).failed == 0
