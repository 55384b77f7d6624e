"""No two uses of a tool have one id, whatever a model calls them."""

from __future__ import annotations

from aybiza.claude.stream import Finished, ToolUse, Usage
from aybiza.claude.tool_ids import apart

BEFORE = [
    {"role": "user", "content": [{"text": "Book it."}]},
    {"role": "assistant", "content": [{"toolUse": {"toolUseId": "call_0", "name": "book"}}]},
]


def message(*ids: str) -> tuple[Finished, list[ToolUse]]:
    blocks = [{"toolUse": {"toolUseId": one, "name": "book", "input": {}}} for one in ids]
    uses = [ToolUse(one, "book", {}) for one in ids]
    return Finished("tool_use", Usage(), [{"text": "One moment."}, *blocks], "whole"), uses


def test_ids_that_are_different_stay_as_they_are() -> None:
    finished, uses = message("call_1", "call_2")
    assert apart(finished, uses, BEFORE) == (finished, uses)


def test_an_id_that_an_earlier_use_has_is_another_one() -> None:
    finished, uses = apart(*message("call_0", "call_0"), BEFORE)
    assert [use.tool_use_id for use in uses] == ["call_0-2", "call_0-3"]
    told = [block["toolUse"]["toolUseId"] for block in finished.content if "toolUse" in block]
    assert told == ["call_0-2", "call_0-3"]
