"""The chunks of a chat completion as the events of ConverseStream.

    events = ChatEvents(new_id)
    for data in lines.feed(piece):        "data:" lines of server-sent events, whole ones
        for event in events.feed(json.loads(data)): …

Text is one block, each tool call another; blocks end with the message. Tool calls have ids of our
own (`new_id`), for some services use theirs again in the next message, which Converse refuses. A
finish reason becomes the stop reason, also where a service says `stop` behind tool calls. What it
has cost comes once, behind the stop reason. Chunks and members that are not known are passed over,
so services that speak nearly like OpenAI are read, too: tool calls without index or id, usage
beside the finish reason, `choices` of null.

Pure. Errors: `LineTooLong` for a line over its bound; a chunk that tells an error is
`error_of(chunk)`, for the caller to look at first.
Source: OpenAI, chat completion chunk; HTML, server-sent events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Event = dict[str, Any]

DONE: Final = "[DONE]"
LINE_BYTES: Final = 64 * 1024
"""Of one line, which the loop reads in 2 ms."""
_STOP_REASONS: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
}


class LineTooLong(ValueError):
    """A line that nobody would send."""


class Lines:
    """The data of server-sent events; what is no data is passed over."""

    def __init__(self, most: int = LINE_BYTES) -> None:
        self._most = most
        self._rest = b""

    def feed(self, piece: bytes) -> list[str]:
        """The data that is whole now.

        >>> Lines().feed(b'data: {"a": 1}\\n\\n: ping\\ndata: [DO')
        ['{"a": 1}']
        """
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > self._most or any(len(line) > self._most for line in lines):
            raise LineTooLong(f"a line of more than {self._most} bytes")
        return [
            line[5:].strip().decode("utf-8", "replace")
            for line in lines
            if line.startswith(b"data:")
        ]


def error_of(chunk: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The error that a chunk tells in place of an answer."""
    error = chunk.get("error")
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, Mapping) else None


class ChatEvents:
    """See the module."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._begun = False
        self._blocks = 0
        self._text: int | None = None
        self._tools: dict[Any, int] = {}
        self._last: Any = None
        self._stopped = False
        self._usage: Mapping[str, Any] | None = None
        self.complete = False
        """Whether nothing follows that anybody needs."""

    def feed(self, chunk: Mapping[str, Any]) -> list[Event]:
        """What a chunk means."""
        if self.complete:
            return []
        made = list(self._events(chunk))
        if isinstance(chunk.get("usage"), Mapping):
            self._usage = chunk["usage"]
        if self._stopped and self._usage is not None:
            self.complete = True
            made.append({"metadata": {"usage": _usage(self._usage), "metrics": {}}})
        return made

    def done(self) -> list[Event]:
        """What it means that the service has said that it is done; some tell no reason."""
        if self._stopped or not self._begun:
            return []
        return self.feed({"choices": [{"finish_reason": "stop"}]})

    def _events(self, chunk: Mapping[str, Any]) -> Iterator[Event]:
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping) or self._stopped:
            return
        if not self._begun:
            self._begun = True
            yield {"messageStart": {"role": "assistant"}}
        delta = choice.get("delta")
        yield from self._delta(delta if isinstance(delta, Mapping) else {})
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._stopped = True
            for index in range(self._blocks):
                yield {"contentBlockStop": {"contentBlockIndex": index}}
            told = "tool_calls" if self._tools and reason == "stop" else reason
            yield {"messageStop": {"stopReason": _STOP_REASONS.get(told, told)}}

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[Event]:
        for member in ("content", "refusal"):
            text = delta.get(member)
            if isinstance(text, str) and text:
                if self._text is None:
                    self._text = self._block()
                yield _piece(self._text, {"text": text})
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, Mapping):
                yield from self._call(call)

    def _call(self, call: Mapping[str, Any]) -> Iterator[Event]:
        function = call.get("function")
        function = function if isinstance(function, Mapping) else {}
        key, told_id = call.get("index"), call.get("id")
        if not isinstance(key, int):
            # A call that is told whole has an id, and none of the others' pieces.
            key = told_id if isinstance(told_id, str) and told_id else self._last
        self._last = key
        if key not in self._tools:
            name = function.get("name")
            if not isinstance(name, str) or not name:
                return
            self._tools[key] = self._block()
            start = {"toolUse": {"toolUseId": self._new_id(), "name": name}}
            yield {"contentBlockStart": {"contentBlockIndex": self._tools[key], "start": start}}
        arguments = function.get("arguments")
        if isinstance(arguments, str) and arguments:
            yield _piece(self._tools[key], {"toolUse": {"input": arguments}})

    def _block(self) -> int:
        self._blocks += 1
        return self._blocks - 1


def _piece(index: int, delta: Event) -> Event:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}


def _usage(told: Mapping[str, Any]) -> dict[str, int]:
    details = told.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else 0
    read, said = _count(told.get("prompt_tokens")), _count(told.get("completion_tokens"))
    cached = min(cached, read)
    return {
        "inputTokens": read - cached,
        "outputTokens": said,
        "totalTokens": read + said,
        "cacheReadInputTokens": cached,
        "cacheWriteInputTokens": 0,
    }


def _count(value: object) -> int:
    return max(0, value) if isinstance(value, int) else 0
