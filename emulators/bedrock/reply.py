"""A model's reply, and the ConverseStream events and Converse message that it becomes.

Contract: `Reply` is data (text, tool uses, reasoning). `stream_events` turns it into the events of
a stream in the service's order: `messageStart`; for each block its deltas and `contentBlockStop`
(a `contentBlockStart` for tool uses only); `messageStop`; `metadata` last. Text comes in deltas
of 3 to 6 words, tool input in JSON fragments of which the first is empty. The same reply always
makes the same deltas.
Errors: none; a reply without blocks is a message without content, as the service also sends.
Source: Bedrock: ConverseStream, Claude extended thinking.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

TOKENS_PER_WORD = 4 / 3

_SIGNING_KEY = b"loopback-reasoning"
_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_WORD = re.compile(r"\s*\S+\s*?(?=\s|$)|\s+$")


@dataclass(frozen=True, slots=True)
class Text:
    """Words for the caller."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool to be run. `fragments`, when given, goes out in place of the input's JSON."""

    name: str
    input: dict[str, Any]
    id: str = ""
    fragments: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The model's thinking: signed text, or redacted bytes."""

    text: str
    redacted: bool = False


Block = Text | ToolUse | Reasoning


@dataclass(frozen=True, slots=True)
class Reply:
    """One assistant message. Without `stop_reason` it follows from the blocks."""

    blocks: tuple[Block, ...] = ()
    stop_reason: str | None = None

    @property
    def stopped_by(self) -> str:
        if self.stop_reason is not None:
            return self.stop_reason
        uses_tools = any(isinstance(block, ToolUse) for block in self.blocks)
        return "tool_use" if uses_tools else "end_turn"

    @property
    def text(self) -> str:
        return "".join(block.text for block in self.blocks if isinstance(block, Text))


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a ConverseStream: its type and payload (without padding)."""

    type: str
    payload: dict[str, Any]

    @property
    def is_delta(self) -> bool:
        return self.type == "contentBlockDelta"


def say(text: str) -> Reply:
    """A reply of text alone."""
    return Reply((Text(text),))


def use(name: str, tool_input: dict[str, Any], text: str = "") -> Reply:
    """A reply that uses one tool, with words before it if any."""
    said: tuple[Block, ...] = (Text(text),) if text else ()
    return Reply((*said, ToolUse(name, tool_input)))


def with_tool_ids(reply: Reply, ids: Iterator[str]) -> Reply:
    """The reply with an id in each tool use that has none."""
    return replace(
        reply,
        blocks=tuple(
            replace(block, id=next(ids)) if isinstance(block, ToolUse) and not block.id else block
            for block in reply.blocks
        ),
    )


def with_garbage_tool_json(reply: Reply) -> Reply:
    """The reply with tool input that is no JSON: it breaks off in the middle of a string."""
    garbage = ("", '{"day": "Fri', "day\n, ", '"')
    return replace(
        reply,
        blocks=tuple(
            replace(block, fragments=garbage) if isinstance(block, ToolUse) else block
            for block in reply.blocks
        ),
    )


def stopped(reply: Reply, deltas: int, stop_reason: str) -> Reply:
    """The reply as far as so many deltas, and why it stops there."""
    kept: list[Block] = []
    for block in reply.blocks:
        pieces = _deltas(block)
        if len(pieces) > deltas:
            kept += _part(block, pieces[:deltas])
            break
        deltas -= len(pieces)
        kept.append(block)
    return Reply(tuple(kept), stop_reason)


def _part(block: Block, pieces: list[dict[str, Any]]) -> list[Block]:
    """A block of which only these deltas came."""
    if isinstance(block, ToolUse):
        cut = tuple(piece["toolUse"]["input"] for piece in pieces)
        return [replace(block, input={}, fragments=cut)]
    if isinstance(block, Text):
        return _text_block("".join(piece["text"] for piece in pieces))
    return []


def with_cut_tool(reply: Reply, fragments: int) -> Reply:
    """The reply cut at max_tokens after so many fragments of its first tool's input."""
    before = 0
    for block in reply.blocks:
        if isinstance(block, ToolUse):
            most = max(0, len(_deltas(block)) - 1)
            return stopped(reply, before + min(fragments, most), "max_tokens")
        before += len(_deltas(block))
    return reply


def with_empty_tool_input(reply: Reply) -> Reply:
    """The reply with the empty input for its tools: one fragment that is empty."""
    return replace(
        reply,
        blocks=tuple(
            replace(block, input={}, fragments=("",)) if isinstance(block, ToolUse) else block
            for block in reply.blocks
        ),
    )


def limited(reply: Reply, max_tokens: int | None, stop_sequences: Sequence[str] = ()) -> Reply:
    """The reply as far as `maxTokens` and `stopSequences` let it go, with its stop reason."""
    left = max_tokens
    kept: list[Block] = []
    for block in reply.blocks:
        if isinstance(block, Text):
            cuts = [at for at in map(block.text.find, stop_sequences) if at >= 0]
            text = block.text[: min(cuts)] if cuts else block.text
            if left is not None and tokens(text) > left:
                kept += _text_block("".join(_WORD.findall(text)[: int(left / TOKENS_PER_WORD)]))
                return Reply(tuple(kept), "max_tokens")
            if cuts:
                return Reply((*kept, *_text_block(text)), "stop_sequence")
        cost = block_tokens(block)
        if left is not None and cost > left:
            share = left / cost
            if isinstance(block, ToolUse) and left > 0:
                pieces = _deltas(block)
                kept += _part(block, pieces[: max(1, int(len(pieces) * share))])
            return Reply(tuple(kept), "max_tokens")
        left = None if left is None else left - cost
        kept.append(block)
    return reply


def stream_events(
    reply: Reply,
    usage: dict[str, Any],
    latency_ms: int = 0,
    trace: dict[str, Any] | None = None,
) -> Iterator[StreamEvent]:
    """The events of the reply, in the service's order."""
    yield StreamEvent("messageStart", {"role": "assistant"})
    for index, block in enumerate(reply.blocks):
        if isinstance(block, ToolUse):
            start = {"toolUse": {"toolUseId": block.id, "name": block.name}}
            yield StreamEvent("contentBlockStart", {"start": start, "contentBlockIndex": index})
        for delta in _deltas(block):
            yield StreamEvent("contentBlockDelta", {"delta": delta, "contentBlockIndex": index})
        yield StreamEvent("contentBlockStop", {"contentBlockIndex": index})
    yield StreamEvent("messageStop", {"stopReason": reply.stopped_by})
    yield metadata(usage, latency_ms, trace)


def metadata(
    usage: dict[str, Any], latency_ms: int, trace: dict[str, Any] | None = None
) -> StreamEvent:
    """The last event of a stream: what it cost, and what a guardrail found."""
    traced = {"trace": trace} if trace else {}
    return StreamEvent("metadata", {"usage": usage, "metrics": {"latencyMs": latency_ms}, **traced})


def padded(payload: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The payload with the padding member `p` of changing length that the service adds."""
    return {**payload, "p": _PADDING[: chance.randint(1, len(_PADDING))]}


def converse_answer(
    reply: Reply, usage: dict[str, Any], latency_ms: int, trace: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The reply as the body of a Converse answer."""
    return {
        **({"trace": trace} if trace else {}),
        "output": {"message": {"role": "assistant", "content": list(map(_whole, reply.blocks))}},
        "stopReason": reply.stopped_by,
        "usage": usage,
        "metrics": {"latencyMs": latency_ms},
    }


def text_deltas(text: str) -> list[str]:
    """The text cut into pieces of 3 to 6 words; joined they are the text."""
    chance = random.Random(zlib.crc32(text.encode()))
    words = _WORD.findall(text)
    pieces = []
    while words:
        size = chance.randint(3, 6)
        pieces.append("".join(words[:size]))
        words = words[size:]
    return pieces


def tokens(text: str) -> int:
    """About how many tokens a text is."""
    return round(len(text.split()) * TOKENS_PER_WORD)


def block_tokens(block: Block) -> int:
    """About how many tokens a block is."""
    if isinstance(block, ToolUse):
        return 8 + len(json.dumps(block.input)) // 4
    return tokens(block.text)


def signature(text: str) -> str:
    """The signature under a piece of reasoning; the emulator knows its own again."""
    return base64.b64encode(hmac.digest(_SIGNING_KEY, text.encode(), hashlib.sha256)).decode()


def _text_block(text: str) -> list[Block]:
    return [Text(text)] if text.strip() else []


def _deltas(block: Block) -> list[dict[str, Any]]:
    if isinstance(block, Text):
        return [{"text": piece} for piece in text_deltas(block.text)]
    if isinstance(block, ToolUse):
        return [{"toolUse": {"input": piece}} for piece in _input_fragments(block)]
    if block.redacted:
        return [{"reasoningContent": {"redactedContent": _redacted(block)}}]
    pieces: list[dict[str, str]] = [{"text": piece} for piece in text_deltas(block.text)]
    return [{"reasoningContent": p} for p in [*pieces, {"signature": signature(block.text)}]]


def _input_fragments(block: ToolUse) -> list[str]:
    if block.fragments is not None:
        return list(block.fragments)
    if not block.input:
        return [""]
    whole = json.dumps(block.input)
    chance = random.Random(zlib.crc32(whole.encode()))
    fragments = [""]
    while whole:
        size = chance.randint(2, 12)
        fragments.append(whole[:size])
        whole = whole[size:]
    return fragments


def _whole(block: Block) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"text": block.text}
    if isinstance(block, ToolUse):
        return {"toolUse": {"toolUseId": block.id, "name": block.name, "input": block.input}}
    if block.redacted:
        return {"reasoningContent": {"redactedContent": _redacted(block)}}
    signed = {"text": block.text, "signature": signature(block.text)}
    return {"reasoningContent": {"reasoningText": signed}}


def _redacted(block: Reasoning) -> str:
    return base64.b64encode(hashlib.sha256(block.text.encode()).digest()).decode()
