"""One answer of a model, from plain values: `generate_response` of the specification.

    answer = await generate_response("What is a media stream?", {}, {})
    async for event in await generate_response("And a fork?", {}, {"stream": True}):
        print(event["type"], event.get("text"))

The settings of the environment say which models may be asked and where, as they do for a node:
model, region, payload, ladder and decoder are those of a call, which adds a breaker, tools and a
caller to be told. Without `bedrock` a client is made for this one answer; who asks more has one:

    async with BedrockClient.of(load()) as bedrock:
        await generate_response("Hello.", {}, {}, bedrock=bedrock)

Errors: `BedrockError` when no model answers, a stream that has said something tells of it by an
event; `SettingsError` and `SelectionError` for settings that cannot be used.
Source: Bedrock guide, section 2 (`generate_response`, `stream_response_with_monitoring`,
`invoke_model_with_monitoring`).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final, TypeVar

from aybiza.claude.choice import Choice, Policy, choose_model
from aybiza.claude.client import BedrockClient
from aybiza.claude.error_ladder import (
    Attempt,
    ErrorLadder,
    LastWords,
    Rungs,
    throttling_fallback,
)
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.claude.payload import build_enhanced_payload
from aybiza.claude.stream import Block, Finished, Sentence, StreamCut, StreamDecoder, Usage
from aybiza.config.catalogue import load as load_catalogue
from aybiza.config.settings import Settings, load

T = TypeVar("T")
Event = dict[str, Any]

SECONDS: Final = 60.0
"""For a whole answer that nobody waits for at a telephone."""
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})
_PASSED_ON: Final = ("temperature", "extended_thinking", "thinking_budget", "tool_choice")


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer: what it says, who gave it where, why it ended, what it has used, and its
    blocks for a history."""

    text: str
    model: str
    region: str | None
    stop_reason: str
    usage: Usage
    content: list[Block]


async def climbed(
    ladder: ErrorLadder,
    ask: Callable[[Attempt], Awaitable[T]],
    *,
    now: Callable[[], float],
    spoken: Callable[[], bool] = lambda: False,
    failed: Callable[[BedrockError], object] = lambda error: None,
) -> T | LastWords:
    """What the first attempt gives that succeeds, or that nothing is left to try.

    ask: raises BedrockError where an attempt comes to nothing. spoken: whether something of the
    answer under way has been said.
    """
    step = ladder.begin(now())
    while isinstance(step, Attempt):
        if step.wait:
            await asyncio.sleep(step.wait)
        try:
            return await ask(step)
        except BedrockError as error:
            failed(error)
            step = ladder.failed(error.kind, now(), spoken=spoken(), asked=error.wait)
    return step


def rungs_of(policy: Policy, choice: Choice) -> Rungs:
    """The models and regions that may be tried after the chosen ones."""
    models = tuple(profile.id for profile in policy.after(choice.profile))
    away = policy.fallback
    regions = (choice.region, away) if away else (choice.region,)
    last = policy.last.id if policy.last is not None else None
    return Rungs(models, tuple(dict.fromkeys(regions)), policy.speeds, last)


async def generate_response(
    prompt: str,
    context: Mapping[str, Any],
    options: Mapping[str, Any] = _NONE,
    *,
    bedrock: BedrockClient | None = None,
) -> Response | AsyncIterator[Event]:
    """An answer to `prompt`: a `Response`, or with the option `stream` the events of one.

    context: as `choose_model` and `build_enhanced_payload` have it. options: as they have it, and
    `model`, an id that is asked before any other. Events are those of
    `stream_response_with_monitoring`.
    """
    settings = load()
    asking = _Asking(settings, prompt, context, options, bedrock)
    events = asking.events()
    if options.get("stream"):
        return events
    return await _whole(events)


async def handle_throttling_with_model_fallback(
    context: Mapping[str, Any], *, bedrock: BedrockClient | None = None
) -> Response | AsyncIterator[Event]:
    """The answer of the next model of the Bedrock guide's chain.

    context: `current_model`, `retry_count`, `prompt` and `options` of the request that was
    throttled. Raises KeyError without the first three.
    """
    below = throttling_fallback(context)
    options = {**context.get("options", {}), "model": below["current_model"]}
    prompt = context["prompt"]
    return await generate_response(prompt, {**context, **below}, options, bedrock=bedrock)


class _Asking:
    def __init__(
        self,
        settings: Settings,
        prompt: str,
        context: Mapping[str, Any],
        options: Mapping[str, Any],
        bedrock: BedrockClient | None,
    ) -> None:
        if model := options.get("model"):
            chosen = {"aws_default_bedrock_model": model, "selection": "configured"}
            settings = settings.model_copy(update=chosen)
        self._settings = settings
        catalogue = load_catalogue(settings.models_file)
        self._policy = Policy.of(settings, catalogue, today=date.today())
        self._choice = choose_model(self._policy, prompt, context, options)
        self._prompt, self._context, self._options = prompt, context, options
        self._bedrock = bedrock
        self._error: BedrockError | None = None

    async def events(self) -> AsyncGenerator[Event]:
        """See `generate_response`."""
        now = time.monotonic
        rungs = rungs_of(self._policy, self._choice)
        ladder = ErrorLadder(rungs, began=now(), seconds=SECONDS, chance=random.random)
        async with client_of(self._settings, self._bedrock) as client:

            async def begun(attempt: Attempt) -> tuple[Event, AsyncGenerator[Event]]:
                events = stream_response_with_monitoring(
                    attempt.model,
                    self._payload(attempt),
                    attempt.region,
                    now(),
                    self._context,
                    bedrock=client,
                )
                try:
                    return await anext(events), events
                except BaseException:
                    await events.aclose()
                    raise

            def failed(error: BedrockError) -> None:
                self._error = error

            answer = await climbed(ladder, begun, now=now, failed=failed)
            if isinstance(answer, LastWords):
                raise self._error or BedrockError(answer.kind, "no model has answered")
            first, events = answer
            async with aclosing(events):
                yield first
                async for event in events:
                    yield event

    def _payload(self, attempt: Attempt) -> dict[str, Any]:
        options = {name: self._options[name] for name in _PASSED_ON if name in self._options}
        if self._choice.thinking is not None and "extended_thinking" not in options:
            options["thinking"] = self._choice.thinking
        options["max_tokens"] = self._options.get("max_tokens") or self._choice.max_tokens
        profile = self._policy.profile(attempt.model)
        return build_enhanced_payload(self._prompt, self._context, options, profile, rules="call")


async def stream_response_with_monitoring(
    model_id: str,
    payload: Mapping[str, Any],
    region: str | None,
    start_time: float,
    context: Mapping[str, Any],
    *,
    bedrock: BedrockClient | None = None,
) -> AsyncGenerator[Event]:
    """The events of one request: `{"type": "sentence_complete", "text", "sequence"}` for each
    sentence, and `{"type": "stream_complete", "response": Response, "first_token_ms"}` at its end.

    payload: as `build_enhanced_payload(…, rules="call")` makes it. start_time: when the request
    began, by `time.monotonic`. A failure before the first sentence is raised; one behind it is
    `{"type": "error", "error"}`. All of them have the `context`.
    """
    decoder, texts = StreamDecoder(), []
    first: float | None = None
    async with client_of(None, bedrock) as client:
        stream = client.stream({**payload, "modelId": model_id}, region=region, timeout=SECONDS)
        try:
            async with stream:
                async for event in stream:
                    if first is None and "contentBlockDelta" in event:
                        first = (time.monotonic() - start_time) * 1000.0
                    for part in decoder.feed(event):
                        if isinstance(part, Sentence):
                            texts.append(part.text)
                            told = {"text": part.text, "sequence": part.seq, "context": context}
                            yield {"type": "sentence_complete", **told}
                        elif isinstance(part, Finished):
                            response = _response(part, texts, model_id, region)
                            yield _complete(response, first, context)
                            return
            for part in decoder.end():
                if isinstance(part, Finished):
                    response = _response(part, texts, model_id, region)
                    yield _complete(response, first, context)
                elif isinstance(part, StreamCut):
                    raise BedrockError(ErrorKind.CUT, "the stream ended too early", model=model_id)
        except BedrockError as error:
            if not texts:
                raise
            yield {"type": "error", "error": error, "context": context}


async def invoke_model_with_monitoring(
    model_id: str,
    payload: Mapping[str, Any],
    region: str | None,
    start_time: float,
    context: Mapping[str, Any],
    *,
    bedrock: BedrockClient | None = None,
) -> Response:
    """The whole answer to one request, read off its stream. Raises BedrockError."""
    return await _whole(
        stream_response_with_monitoring(
            model_id, payload, region, start_time, context, bedrock=bedrock
        )
    )


def client_of(
    settings: Settings | None, bedrock: BedrockClient | None
) -> AbstractAsyncContextManager[BedrockClient]:
    """The client that is given, or one for as long as it is used."""
    return BedrockClient.of(settings or load()) if bedrock is None else nullcontext(bedrock)


async def _whole(events: AsyncGenerator[Event]) -> Response:
    async with aclosing(events):
        async for event in events:
            if event["type"] == "error":
                raise event["error"]
            if event["type"] == "stream_complete":
                response: Response = event["response"]
                return response
    raise BedrockError(ErrorKind.CUT, "the stream ended without an answer")


def _response(part: Finished, texts: list[str], model: str, region: str | None) -> Response:
    said = " ".join([*texts, part.unspoken]).strip()
    return Response(said, model, region, part.stop_reason, part.usage, part.content)


def _complete(response: Response, first: float | None, context: Mapping[str, Any]) -> Event:
    return {
        "type": "stream_complete",
        "response": response,
        "first_token_ms": first,
        "context": context,
    }
