"""Ids of tool uses that are one use's alone.

    apart(finished, uses, messages)      the same, with other ids where `messages` or an earlier use
                                         has them

A write with the id of an earlier one would pass for the same one, which is done already. Claude's
ids are all different; some models and gateways begin anew with each answer.

Contract: pure. Errors: none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aybiza.claude.messages import unused_id
from aybiza.claude.stream import Finished, ToolUse


def apart(
    finished: Finished, uses: Sequence[ToolUse], messages: Iterable[Mapping[str, Any]]
) -> tuple[Finished, list[ToolUse]]:
    """See the module. `uses` are those of `finished`, in their order."""
    taken = {
        block["toolUse"]["toolUseId"]
        for message in messages
        for block in message["content"]
        if "toolUse" in block
    }
    told: list[ToolUse] = []
    for use in uses:
        told.append(replace(use, tool_use_id=unused_id(use.tool_use_id, taken)))
        taken.add(told[-1].tool_use_id)
    ids = iter(told)
    content = [
        {"toolUse": {**block["toolUse"], "toolUseId": next(ids).tool_use_id}}
        if "toolUse" in block
        else block
        for block in finished.content
    ]
    return replace(finished, content=content), told
