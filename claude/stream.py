"""ConverseStream events into what a phone turn needs: sentences, tool uses, the finished message.

Purpose: the pure side of a model stream. Contract: `StreamDecoder.feed(event)` takes the event
dicts of boto3's ConverseStream in order and returns what they complete; `end()` is called once
when the stream has ended and says whether it ended well. Events and members that are not known,
and ones that are malformed, are ignored.
Errors: none is raised; a tool input that is no JSON object is a `ToolUse` with `error` set, a
stream that ended early is `StreamCut`.
Source: Bedrock runtime API, ConverseStream output.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.claude.outcomes import Tools
from aybiza.claude.sentences import SentenceSplitter, ends_a_sentence
from aybiza.claude.silent_text import SilentText

Block = dict[str, Any]

_CUT_OFF: Final = ("max_tokens", "model_context_window_exceeded")
"""Behind these a message has no end of its own."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. Thinking is inside `output_tokens`; cached input is counted apart."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_write_input_tokens: int = 0

    def __add__(self, more: Usage) -> Usage:
        return Usage(
            self.input_tokens + more.input_tokens,
            self.output_tokens + more.output_tokens,
            self.cache_read_input_tokens + more.cache_read_input_tokens,
            self.cache_write_input_tokens + more.cache_write_input_tokens,
        )

    def as_dict(self) -> dict[str, int]:
        """The counts by their names."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A complete sentence to speak; `seq` counts up by one without gap or repeat."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that the model wants run. error: why `input` could not be read (then it is empty)."""

    tool_use_id: str
    name: str
    input: dict[str, Any]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A finished thinking block, to be sent back unchanged while a tool loop lasts. Never
    spoken."""

    block: Block


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete. content: the assistant message's blocks in order, for the history.

    tools: whether it has tool uses, and whether the last one was cut off. unspoken: a sentence that
    was cut off before its end, and that no `Sentence` has carried.
    """

    stop_reason: str
    usage: Usage
    content: list[Block]
    tools: Tools = "none"
    unspoken: str = ""


@dataclass(frozen=True, slots=True)
class StreamCut:
    """The stream ended without messageStop.

    content: what had come, for the history. unspoken: text of it that no `Sentence` has carried.
    """

    content: list[Block]
    unspoken: str


StreamEvent = Sentence | ToolUse | Reasoning | Finished | StreamCut


@dataclass(slots=True)
class _Text:
    parts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Tool:
    tool_use_id: str
    name: str
    fragments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Thought:
    parts: list[str] = field(default_factory=list)
    signature: str | None = None
    redacted: bytes = b""


class StreamDecoder:
    """One answer of the model, event by event.

    first_seq: number of the first sentence, so that the rounds of a tool loop count on.
    max_sentence_chars, first_clause_chars: see `SentenceSplitter`.
    """

    def __init__(
        self,
        *,
        first_seq: int = 1,
        max_sentence_chars: int = 300,
        first_clause_chars: int | None = None,
    ) -> None:
        self._splitter = SentenceSplitter(
            max_chars=max_sentence_chars, first_clause_chars=first_clause_chars
        )
        self._silent = SilentText()
        self._next_seq = first_seq
        self._open: dict[int, _Text | _Tool | _Thought] = {}
        self._content: list[Block] = []
        self._stop_reason: str | None = None
        self._text_started = False
        self._unspoken = ""
        self._over = False

    @property
    def next_seq(self) -> int:
        """The number that the next sentence gets."""
        return self._next_seq

    @property
    def stop_reason(self) -> str | None:
        """Why the model stopped: with it all of the message has come, but for what it cost."""
        return self._stop_reason

    @property
    def tools(self) -> Tools:
        """The tool uses so far; one that ends a message for want of tokens was cut off."""
        if not any("toolUse" in block for block in self._content):
            return "none"
        cut = self._stop_reason in _CUT_OFF and "toolUse" in self._content[-1]
        return "cut" if cut else "whole"

    @property
    def unspoken(self) -> str:
        """A sentence that was cut off before its end."""
        return self._unspoken

    @property
    def text_started(self) -> bool:
        """Whether any text to speak has come."""
        return self._text_started

    def feed(self, event: Mapping[str, Any]) -> list[StreamEvent]:
        """What `event` completes, in order."""
        if self._over:
            return []
        match event:
            case {"contentBlockDelta": {"delta": {**delta}, **at}}:
                return self._delta(_index(at), delta)
            case {"contentBlockStart": {"start": {"toolUse": {**tool}}, **at}}:
                return self._tool_start(_index(at), tool)
            case {"contentBlockStop": {**at}}:
                return self._close(_index(at))
            case {"messageStop": {**stop}}:
                return self._message_stop(stop)
            case {"metadata": {**metadata}} if self._stop_reason is not None:
                return self._finish(usage_of(metadata))
        return []

    def end(self) -> list[StreamEvent]:
        """What the end completes: nothing, a `Finished` without usage, or `StreamCut`."""
        if self._over:
            return []
        if self._stop_reason is not None:
            return self._finish(Usage())
        self._over = True
        unspoken = self._splitter.pending.strip()
        for index in list(self._open):
            block = self._open.pop(index)
            # Half a tool input, or a thought without its signature, can not go into a history.
            if isinstance(block, _Text):
                self._keep_text(block)
        return [StreamCut(self._content, unspoken)]

    def _delta(self, index: int, delta: Mapping[Any, Any]) -> list[StreamEvent]:
        match delta:
            case {"text": str(text)} if text:
                block = self._open.setdefault(index, _Text())
                if isinstance(block, _Text):
                    heard = self._silent.feed(text)
                    self._text_started = self._text_started or bool(heard)
                    block.parts.append(heard)
                    return self._sentences(self._splitter.feed(heard))
            case {"toolUse": {"input": str(fragment)}}:
                tool = self._open.get(index)
                if isinstance(tool, _Tool):
                    tool.fragments.append(fragment)
            case {"reasoningContent": {**reasoning}}:
                return self._reasoning(index, reasoning)
        return []

    def _reasoning(self, index: int, reasoning: Mapping[Any, Any]) -> list[StreamEvent]:
        # Thinking can last: what was said before it is spoken now.
        events = self._flush() if index not in self._open else []
        thought = self._open.setdefault(index, _Thought())
        if isinstance(thought, _Thought):
            match reasoning:
                case {"text": str(text)}:
                    thought.parts.append(text)
                case {"signature": str(signature)}:
                    thought.signature = (thought.signature or "") + signature
                case {"redactedContent": bytes(redacted)}:
                    thought.redacted += redacted
        return events

    def _tool_start(self, index: int, tool: Mapping[Any, Any]) -> list[StreamEvent]:
        match tool:
            case {"toolUseId": str(tool_use_id), "name": str(name)}:
                events = [*self._close(index), *self._flush()]
                self._open[index] = _Tool(tool_use_id, name)
                return events
        return []

    def _close(self, index: int) -> list[StreamEvent]:
        block = self._open.pop(index, None)
        match block:
            case _Text():
                self._keep_text(block)
            case _Tool():
                arguments, error = _tool_input("".join(block.fragments))
                kept = {
                    "toolUseId": block.tool_use_id,
                    "name": block.name,
                    "input": arguments,
                }
                self._content.append({"toolUse": kept})
                return [ToolUse(block.tool_use_id, block.name, arguments, error)]
            case _Thought():
                reasoning = Reasoning(_reasoning_block(block))
                self._content.append(reasoning.block)
                return [reasoning]
        return []

    def _message_stop(self, stop: Mapping[Any, Any]) -> list[StreamEvent]:
        reason = stop.get("stopReason")
        self._stop_reason = reason if isinstance(reason, str) else "unknown"
        events = self._flush()
        for index in sorted(self._open):
            events.extend(self._close(index))
        return events

    def _finish(self, usage: Usage) -> list[StreamEvent]:
        self._over = True
        reason = self._stop_reason or "unknown"
        return [Finished(reason, usage, self._content, self.tools, self._unspoken)]

    def _keep_text(self, block: _Text) -> None:
        text = "".join(block.parts)
        if text.strip():
            self._content.append({"text": text})

    def _flush(self) -> list[StreamEvent]:
        texts = self._splitter.feed(self._silent.flush())
        texts += self._splitter.flush()
        if self._stop_reason in _CUT_OFF and texts and not ends_a_sentence(texts[-1]):
            self._unspoken = texts.pop()
        return self._sentences(texts)

    def _sentences(self, texts: list[str]) -> list[StreamEvent]:
        sentences: list[StreamEvent] = []
        for text in texts:
            sentences.append(Sentence(self._next_seq, text))
            self._next_seq += 1
        return sentences


def _index(member: Mapping[Any, Any]) -> int:
    index = member.get("contentBlockIndex", 0)
    return index if isinstance(index, int) else 0


def _reasoning_block(thought: _Thought) -> Block:
    if thought.redacted:
        return {"reasoningContent": {"redactedContent": thought.redacted}}
    text: Block = {"text": "".join(thought.parts)}
    if thought.signature is not None:
        text["signature"] = thought.signature
    return {"reasoningContent": {"reasoningText": text}}


def _tool_input(text: str) -> tuple[dict[str, Any], str | None]:
    if not text.strip():
        return {}, None
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return {}, f"the tool's input is not JSON: {error}"
    if not isinstance(value, dict):
        return {}, f"the tool's input is {type(value).__name__}, not an object"
    return value, None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not allowed in JSON")


_USAGE_MEMBERS: Final = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cache_read_input_tokens": "cacheReadInputTokens",
    "cache_write_input_tokens": "cacheWriteInputTokens",
}


def usage_of(response: object) -> Usage:
    """The tokens of a response: a `Usage` or what has one as its `usage`, a response of Converse or
    InvokeModel, or a mapping with `input_tokens` and `output_tokens`."""
    counted = getattr(response, "usage", response)
    if isinstance(counted, Usage):
        return counted
    usage = _members(response)
    written = {name: usage.get(name, usage.get(member)) for name, member in _USAGE_MEMBERS.items()}
    return Usage(**{name: max(0, n) for name, n in written.items() if isinstance(n, int)})


def get_input_tokens(response: object) -> int:
    """The tokens of the prompt that were not cached.

    >>> get_input_tokens({"usage": {"inputTokens": 12, "outputTokens": 3}})
    12
    """
    return usage_of(response).input_tokens


def get_output_tokens(response: object) -> int:
    """The tokens of the answer, those of its thinking among them.

    >>> get_output_tokens({"usage": {"input_tokens": 12, "output_tokens": 3}})
    3
    """
    return usage_of(response).output_tokens


def get_thinking_tokens(response: object) -> int:
    """The tokens of thinking that are told apart. Bedrock's usage has them among the answer's.

    >>> get_thinking_tokens({"output_tokens": 3, "thinking_tokens": 40})
    40
    """
    apart = _members(response).get("thinking_tokens", 0)
    return apart if isinstance(apart, int) else 0


def _members(response: object) -> Mapping[str, Any]:
    given = response if isinstance(response, Mapping) else {}
    usage = given.get("usage", given)
    return usage if isinstance(usage, Mapping) else {}
