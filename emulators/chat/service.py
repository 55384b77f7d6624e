"""OpenAI's chat completions without sockets: what is refused, what is answered, and when.

    chat = Chat(responder=respond)
    steps = await chat.answer(request, arrived)        see `aybiza.emulators.streamed.steps`

Contract: `POST …/chat/completions` with `stream` is answered by a responder, as Bedrock's stand-in
is, in server-sent events of the service's form: the role first, words in pieces, each tool call by
its name and then its arguments, the finish reason, the usage if it was asked for, `[DONE]`. What
the service refuses is refused in its words and with its status: a key that is missing or none of
`keys`, a model that is none of `models`, a request that does not fit (`checks`), one that is longer
than `context_tokens`, one more than `requests_a_minute`, an account without credit (`credit`).
Errors: none.
Source: OpenAI, create chat completion, streaming, error codes, rate limits.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from aybiza.emulators.bedrock.continuation import Responder, answered, continuing
from aybiza.emulators.bedrock.faults import Pace
from aybiza.emulators.bedrock.reply import Reply, block_tokens, limited, stream_events
from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.chat.checks import problem
from aybiza.emulators.chat.conversation import converse_body
from aybiza.emulators.streamed.faults import Fault, Faults, struck
from aybiza.emulators.streamed.steps import Begin, End, Piece, Request, Step, error

PATH: Final = "/chat/completions"
WINDOW_SECONDS: Final = 60.0
CHARACTERS_A_TOKEN: Final = 4
KEPT: Final = 512
_STREAM: Final = [("content-type", "text/event-stream; charset=utf-8")]
_FINISH: Final = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
_FAULTS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


class Refused(Exception):
    """The request is answered with an error of this form."""

    def __init__(
        self,
        status: int,
        message: str,
        kind: str,
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


class Chat:
    """See the module. Settings may be changed while it answers. `asked` are the bodies of requests
    that came, `answers` the replies."""

    def __init__(self, *, responder: Responder = respond, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.faults = Faults()
        self.keys = "*"
        self.models = "*"
        self.context_tokens = 128_000
        self.requests_a_minute = 10_000
        self.credit = True
        self.asked: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.answers: deque[Reply] = deque(maxlen=KEPT)
        self._responder = continuing(responder)
        self._came: deque[float] = deque()
        self._number = 0

    async def answer(self, request: Request, arrived: float) -> Iterator[Step]:
        """See the module."""
        try:
            body = self._checked(request, arrived)
            fault = self.faults.take()
            if fault is not None and fault.kind == "refuse":
                raise _refusal(fault)
            reply = await answered(self._responder, converse_body(body))
        except Refused as refused:
            return error(refused.status, refused.body)
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        stops = body.get("stop", ())
        reply = limited(reply, limit, [stops] if isinstance(stops, str) else stops)
        self.answers.append(reply)
        self._number += 1
        return struck(self._steps(body, reply, f"chatcmpl-{self._number}"), fault)

    def _checked(self, request: Request, arrived: float) -> dict[str, Any]:
        kind = "invalid_request_error"
        key = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not key:
            raise Refused(401, "You didn't provide an API key.", kind)
        if not fnmatchcase(key, self.keys):
            told = f"Incorrect API key provided: {key[:3]}***."
            raise Refused(401, told, kind, "invalid_api_key")
        if request.method != "POST" or not request.target.path.endswith(PATH):
            told = f"Invalid URL ({request.method} {request.target.path})"
            raise Refused(404, told, kind)
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if (wrong := problem(body)) is not None:
            raise Refused(400, wrong.message, kind, wrong.code, wrong.param)
        self._allowed(body, arrived)
        self.asked.append(body)
        checked: dict[str, Any] = body
        return checked

    def _allowed(self, body: Mapping[str, Any], arrived: float) -> None:
        kind, model = "invalid_request_error", body["model"]
        if not fnmatchcase(model, self.models):
            told = f"The model `{model}` does not exist or you do not have access to it."
            raise Refused(404, told, kind, "model_not_found")
        if not self.credit:
            told = "You exceeded your current quota, please check your plan and billing details."
            raise Refused(429, told, "insufficient_quota", "insufficient_quota")
        while self._came and arrived - self._came[0] >= WINDOW_SECONDS:
            self._came.popleft()
        if len(self._came) >= self.requests_a_minute:
            told = f"Rate limit reached for {model} on requests per min (RPM)."
            raise Refused(429, told, "requests", "rate_limit_exceeded")
        self._came.append(arrived)
        tokens = _tokens(body)
        if tokens > self.context_tokens:
            told = (
                f"This model's maximum context length is {self.context_tokens} tokens. However,"
                f" your messages resulted in {tokens} tokens."
            )
            raise Refused(400, told, kind, "context_length_exceeded", "messages")
        if body.get("stream") is not True:
            raise Refused(400, "the stand-in answers with `stream` only", kind, None, "stream")

    def _steps(self, body: Mapping[str, Any], reply: Reply, identity: str) -> Iterator[Step]:
        due = self.pace.header_ms / 1000.0
        yield Step(due, Begin(200, _STREAM))
        due = self.pace.first_token_ms / 1000.0
        head = {"id": identity, "object": "chat.completion.chunk", "created": 1_767_607_200}
        head |= {"model": body["model"]}
        tools: dict[int, int] = {}
        for event in stream_events(reply, {}):
            if event.type == "metadata":
                break
            told = _choice(event.type, event.payload, tools)
            if told is None:
                continue
            yield Step(
                due, _data({**head, "choices": [{"index": 0, "finish_reason": None, **told}]})
            )
            due += event.is_delta * self.pace.per_delta_ms / 1000.0
        if body.get("stream_options", {}).get("include_usage"):
            yield Step(due, _data({**head, "choices": [], "usage": _usage(body, reply)}))
        yield Step(due, Piece(b"data: [DONE]\n\n"))
        yield Step(due, End())


def _refusal(fault: Fault) -> Refused:
    kind, code = _FAULTS.get(fault.code, ("server_error", None))
    return Refused(fault.code, "refused on demand", kind, code)


def _choice(kind: str, payload: Mapping[str, Any], tools: dict[int, int]) -> dict[str, Any] | None:
    match kind, payload:
        case "messageStart", _:
            return {"delta": {"role": "assistant", "content": ""}}
        case "contentBlockStart", {"contentBlockIndex": at, "start": {"toolUse": use}}:
            tools[at] = len(tools)
            function = {"name": use["name"], "arguments": ""}
            call = {"index": tools[at], "id": f"call_{tools[at]}", "type": "function"}
            return {"delta": {"tool_calls": [{**call, "function": function}]}}
        case "contentBlockDelta", {"delta": {"text": text}}:
            return {"delta": {"content": text}}
        case "contentBlockDelta", {"contentBlockIndex": at, "delta": {"toolUse": {"input": part}}}:
            return {
                "delta": {"tool_calls": [{"index": tools[at], "function": {"arguments": part}}]}
            }
        case "messageStop", {"stopReason": reason}:
            return {"delta": {}, "finish_reason": _FINISH.get(reason, "stop")}
    return None


def _data(chunk: Mapping[str, Any]) -> Piece:
    return Piece(f"data: {json.dumps(chunk)}\n\n".encode())


def _tokens(body: Mapping[str, Any]) -> int:
    parts = (json.dumps(body.get(part, "")) for part in ("messages", "tools"))
    return max(1, sum(map(len, parts)) // CHARACTERS_A_TOKEN)


def _usage(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    read, said = _tokens(body), max(1, sum(map(block_tokens, reply.blocks)))
    return {
        "prompt_tokens": read,
        "completion_tokens": said,
        "total_tokens": read + said,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
