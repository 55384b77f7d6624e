"""A conversation in the form that Bedrock takes.

Purpose: any history, however it was cut or patched, becomes messages that Converse does not refuse.
Contract: `normalise_messages` and `tool_result` are pure and leave their arguments unchanged.
Errors: none; what cannot be carried is left out.
Source: Bedrock runtime API, Converse, `messages`; Anthropic's tool-use rules.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Block = dict[str, Any]
Message = dict[str, Any]
Use = tuple[str, str]
"""A tool use: its id as it was given, and as it is sent."""

# Said in the caller's place where Bedrock wants a user message and the conversation has none: a
# phone agent speaks first, and a turn taken up again may end with the agent's own words.
CALL_BEGINS: Final = "[The call has been connected.]"
GO_ON: Final = "[Please go on.]"
ANSWER_NOW: Final = "[Your message was empty. Please answer the caller now.]"
NO_RESULT: Final = "The tool gave no result."
_NO_CONTENT: Final = "[no content]"


class Kept(dict[str, Any]):
    """A block that stays as it is; `tokens` is for who counts them, None at first."""

    __slots__ = ("tokens",)

    def __init__(self, block: Iterable[tuple[str, Any]] = (), /, **more: Any) -> None:
        # The pairs are for `dataclasses.asdict`, which makes dicts of any class anew from them.
        super().__init__(block, **more)
        self.tokens: int | None = None


_NOT_ID = re.compile(r"[^A-Za-z0-9_-]")
_ID_LENGTH: Final = 64


def normalise_messages(
    messages: Iterable[Mapping[str, Any]], *, reasoning: bool = True, tools: bool = True
) -> list[Message]:
    """The same conversation in a form that Bedrock accepts.

    It begins and ends with a user message; roles alternate (neighbours of one role are merged); no
    text is empty; each toolUse has an id of its own and is answered by exactly one toolResult, at
    the head of the next user message (a missing one becomes an error result), and no toolResult
    stands without its toolUse; reasoning that was never signed, that nothing follows, or that does
    not come first is left out.
    Blocks other than text, toolUse, toolResult and reasoningContent, and messages of other roles,
    are left out; so are reasoning and tool blocks when `reasoning` or `tools` is False, for a model
    that takes none.
    """
    without = _unwanted(reasoning=reasoning, tools=tools)
    turns = _merge((message.get("role"), _blocks(message, without)) for message in messages)
    history: list[Message] = []
    seen: set[str] = set()
    owed: list[Use] = []
    for role, blocks in turns:
        if role == "assistant":
            content, owed = _assistant_content(blocks, seen)
        else:
            content, owed = _user_content(blocks, owed), []
        _append(history, role, content)
    if owed:
        _append(history, "user", _user_content([], owed))
    if not history or history[0]["role"] != "user":
        history.insert(0, {"role": "user", "content": [{"text": CALL_BEGINS}]})
    if history[-1]["role"] != "user":
        history.append({"role": "user", "content": [{"text": GO_ON}]})
    return history


def _merge(messages: Iterable[tuple[object, list[Block]]]) -> list[tuple[str, list[Block]]]:
    merged: list[tuple[str, list[Block]]] = []
    for role, blocks in messages:
        if role not in ("user", "assistant") or not blocks:
            continue
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(blocks)
        else:
            merged.append((str(role), blocks))
    return merged


def _append(history: list[Message], role: str, content: list[Block]) -> None:
    if not content:
        return
    if history and history[-1]["role"] == role:
        history[-1]["content"].extend(content)
    else:
        history.append({"role": role, "content": content})


def _assistant_content(blocks: list[Block], seen: set[str]) -> tuple[list[Block], list[Use]]:
    """The assistant's blocks, and the tool uses to which a result is owed."""
    content: list[Block] = []
    owed: list[Use] = []
    for block in blocks:
        if "toolUse" in block:
            given = block["toolUse"]["toolUseId"]
            sent = unused_id(given, seen)
            seen.add(sent)
            owed.append((given, sent))
            content.append(_renamed(block, "toolUse", sent))
        elif "toolResult" not in block:
            content.append(block)
    while content and "reasoningContent" in content[-1]:
        content.pop()
    if content and "reasoningContent" not in content[0]:
        # A message that has thoughts has to begin with one.
        content = [block for block in content if "reasoningContent" not in block]
    return content, owed


def unused_id(given: str, seen: set[str]) -> str:
    """The id of a use; another one where an earlier use has it. Some models and gateways begin anew
    with each answer."""
    if given not in seen:
        return given
    others = (f"{given[: _ID_LENGTH - 6]}-{number}" for number in range(2, 99_999))
    return next(other for other in others if other not in seen)


def _renamed(block: Block, kind: str, tool_use_id: str) -> Block:
    if block[kind]["toolUseId"] == tool_use_id:
        return block
    return Kept(**{kind: {**block[kind], "toolUseId": tool_use_id}})


def _user_content(blocks: list[Block], owed: list[Use]) -> list[Block]:
    """The user's blocks: a result for each use that is owed one, then the words."""
    results: dict[str, deque[Block]] = {}
    rest: list[Block] = []
    for block in blocks:
        if "toolResult" in block:
            results.setdefault(block["toolResult"]["toolUseId"], deque()).append(block)
        elif "text" in block:
            rest.append(block)
    answers: list[Block] = []
    for given, sent in owed:
        if found := results.get(given):
            answers.append(_renamed(found.popleft(), "toolResult", sent))
        else:
            answers.append(tool_result(sent, NO_RESULT, error=True))
    return [*answers, *rest]


def tool_result(tool_use_id: str, content: object, *, error: bool = False) -> Block:
    """A toolResult block; `content` is a text or anything that JSON can carry."""
    blocks = [{"text": content}] if isinstance(content, str) else [{"json": content}]
    return _tool_result(
        {
            "toolUseId": tool_use_id,
            "content": blocks,
            "status": "error" if error else "success",
        }
    )


def _unwanted(*, reasoning: bool, tools: bool) -> frozenset[str]:
    left_out: set[str] = set() if reasoning else {"reasoningContent"}
    return frozenset(left_out if tools else left_out | {"toolUse", "toolResult"})


def _blocks(message: Mapping[str, Any], without: frozenset[str]) -> list[Block]:
    """The message's blocks. A message that can keep them (`ready`) is looked through once."""
    if not hasattr(message, "ready"):
        return _wanted(_looked_through(message), without)
    if message.ready is None:
        message.ready = _looked_through(message)
    return _wanted(message.ready, without)


def _wanted(blocks: list[Block], without: frozenset[str]) -> list[Block]:
    return [block for block in blocks if without.isdisjoint(block)] if without else list(blocks)


def _looked_through(message: Mapping[str, Any]) -> list[Block]:
    content = message.get("content")
    if isinstance(content, str):
        content = [{"text": content}]
    if not isinstance(content, Sequence):
        return []
    blocks = (_block(block) for block in content if isinstance(block, Mapping))
    return [block for block in blocks if block is not None]


def _block(block: Mapping[str, Any]) -> Block | None:
    match block:
        case {"text": str(text)}:
            return text_block(text)
        case {"toolUse": {"toolUseId": str(tool_use_id), "name": str(name), **rest}}:
            arguments = _json_value(rest.get("input"))
            use = {
                "toolUseId": _identifier(tool_use_id),
                "name": _identifier(name),
                "input": arguments if isinstance(arguments, dict) else {},
            }
            return Kept(toolUse=use)
        case {"toolResult": {"toolUseId": str()} as result}:
            return _tool_result(result)
        case {"reasoningContent": {"redactedContent": bytes(redacted)}} if redacted:
            return {"reasoningContent": {"redactedContent": redacted}}
        case {
            "reasoningContent": {"reasoningText": {"text": str(text), "signature": str(signature)}}
        } if signature:
            signed = {"text": text, "signature": signature}
            return {"reasoningContent": {"reasoningText": signed}}
    return None


def _tool_result(result: Mapping[str, Any]) -> Block:
    given = result.get("content")
    given = given if isinstance(given, Sequence) and not isinstance(given, str) else []
    content = [piece for piece in map(_result_piece, given) if piece is not None]
    return Kept(
        toolResult={
            "toolUseId": _identifier(result["toolUseId"]),
            "content": content or [{"text": _NO_CONTENT}],
            "status": "error" if result.get("status") == "error" else "success",
        }
    )


def _result_piece(piece: object) -> Block | None:
    match piece:
        case {"text": str(text)}:
            return text_block(text)
        case {"json": value}:
            encoded = _json_value(value)
            if encoded is None:
                return None if value is None else text_block(str(value))
            # Bedrock takes an object here and nothing else.
            return {"json": encoded if isinstance(encoded, dict) else {"result": encoded}}
    return None


def _json_value(value: object) -> Any:
    """A copy of `value` as JSON carries it; None if JSON cannot."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        return json.loads(encodable(text))
    except (TypeError, ValueError, RecursionError):
        return None


def text_block(text: str) -> Block | None:
    return {"text": encodable(text)} if text.strip() else None


def encodable(text: str) -> str:
    """`text` with lone surrogates replaced, which UTF-8 cannot carry."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def _identifier(text: str) -> str:
    return _NOT_ID.sub("_", text)[:_ID_LENGTH] or "_"
