"""A history with less in it, for a model that finds it too long.

`shortened(messages, tokens)` cuts at turn boundaries, oldest first, until about `tokens` are left:
results of tools are cut down, then whole turns go and a note takes their place. The turn that is
going on stays whole, but for results that alone are larger than the budget: what was asked in it,
what was said so far, and the request to go on, which is one of `own` texts and begins no turn. The
result is a history that Converse takes if `messages` is one.

Contract: pure; the arguments stay as they are. Errors: none.
Source: Bedrock, Converse, "Input is too long for requested model".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from aybiza.claude.messages import Block, Message
from aybiza.claude.prompt_cache import estimated_tokens

LEFT_OUT: Final = "[Earlier parts of this call are left out here.]"
RESULT_CHARACTERS: Final = 400
"""What stays of an old tool's result."""
_NEWEST_RESULT_SHARE: Final = 0.5


def shortened(
    messages: Sequence[Mapping[str, Any]], tokens: int, own: Collection[str] = ()
) -> list[Message]:
    """See the module."""
    turns = _turns(messages, own)
    if _tokens(messages) <= tokens or not turns:
        return [dict(message) for message in messages]
    old, newest = turns[:-1], turns[-1]
    old = [[_cut(message, RESULT_CHARACTERS) for message in turn] for turn in old]
    room = int(tokens * _NEWEST_RESULT_SHARE)
    if _tokens(newest) > room:
        newest = [_cut(message, _share(newest, room)) for message in newest]
    left_out = False
    while old and _tokens([*_flat(old), *newest]) > tokens:
        old, left_out = old[1:], True
    kept = [*_flat(old), *newest]
    if left_out:
        first = kept[0]
        kept[0] = {**first, "content": [{"text": LEFT_OUT}, *_blocks(first)]}
    return kept


def _turns(messages: Sequence[Mapping[str, Any]], own: Collection[str]) -> list[list[Message]]:
    """The messages by turn: each begins with words of the caller."""
    turns: list[list[Message]] = []
    for message in messages:
        begins = message["role"] == "user" and not any(
            "toolResult" in block or block.get("text") in own for block in _blocks(message)
        )
        after_user = bool(turns) and turns[-1][-1]["role"] == "user"
        if not turns or (begins and not after_user):
            turns.append([])
        turns[-1].append(dict(message))
    return turns


def _blocks(message: Mapping[str, Any]) -> list[Block]:
    content = message["content"]
    return [{"text": content}] if isinstance(content, str) else list(content)


def _flat(turns: Sequence[Sequence[Message]]) -> list[Message]:
    return [message for turn in turns for message in turn]


def _tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    return sum(estimated_tokens(message["content"]) for message in messages)


def _share(turn: Sequence[Message], room: int) -> int:
    results = sum("toolResult" in block for message in turn for block in _blocks(message))
    return max(RESULT_CHARACTERS, 4 * room // max(1, results))


def _cut(message: Message, characters: int) -> Message:
    """The message with its results no longer than so many characters."""
    if not any("toolResult" in block for block in _blocks(message)):
        return message
    return {**message, "content": [_cut_block(block, characters) for block in _blocks(message)]}


def _cut_block(block: Block, characters: int) -> Block:
    result = block.get("toolResult")
    if result is None or estimated_tokens(result.get("content", [])) * 4 <= characters:
        return block
    text = "".join(
        part["text"] if "text" in part else str(part.get("json", "")) for part in result["content"]
    )
    if len(text) <= characters:
        return block
    kept = f"{text[:characters]} [cut: {len(text) - characters} characters left out]"
    return {"toolResult": {**result, "content": [{"text": kept}]}}
