"""The Bedrock runtime without sockets: what is refused, what is answered, and when. Pure.

    bedrock = Bedrock(responder=respond, clock=loop.time)
    exchange = await bedrock.exchange("converse-stream", model_id, body, arrived=loop.time())
    for step in exchange:                 wait until `arrived + step.at`, do `step.action`, then
        exchange.done(step)               or exchange.left() when the client is gone

Contract: what the service refuses is refused with its error; what is said comes from a responder,
when it is said from `pace`, what goes wrong from `faults`, and `journal` keeps what happened. The
same seed, requests and times give the same steps. A responder may be a coroutine function; nothing
else is awaited.
Errors: none are raised; a responder that fails is logged and answered as
`InternalServerException`.
Source: Bedrock: Converse, ConverseStream, guardrails.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import string
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog

from aybiza.config import clocks
from aybiza.emulators.bedrock import catalogue, validation
from aybiza.emulators.bedrock.continuation import Responder, continuing, text_of
from aybiza.emulators.bedrock.exchange import (
    Answer,
    Corrupt,
    Event,
    Head,
    Step,
    before_stream,
    stream_steps,
    whole_steps,
)
from aybiza.emulators.bedrock.faults import HTTP_ERRORS, Fault, FaultQueue, Pace
from aybiza.emulators.bedrock.guardrails import (
    Guardrails,
    assess_input,
    assess_output,
    blocked,
    trace,
)
from aybiza.emulators.bedrock.journal import (
    CANCELLED,
    COMPLETED,
    FAULT,
    REFUSED,
    Journal,
    Record,
)
from aybiza.emulators.bedrock.limits import Limits
from aybiza.emulators.bedrock.prefix_cache import PrefixCache
from aybiza.emulators.bedrock.reply import (
    Reasoning,
    Reply,
    ToolUse,
    block_tokens,
    limited,
    stopped,
    stream_events,
    with_cut_tool,
    with_empty_tool_input,
    with_garbage_tool_json,
    with_tool_ids,
)
from aybiza.emulators.bedrock.request_body import input_tokens
from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.bedrock.scripted import from_json

log = structlog.get_logger(__name__)

RESPONDER_SECONDS = 30.0
KEPT_BODY_BYTES = 64 * 1024

CONVERSE = "converse"
CONVERSE_STREAM = "converse-stream"

_ID_LETTERS = string.ascii_letters + string.digits + "_-"
_THOUGHT = "The caller is on the phone, so the answer has to be short and to the point."


class Refused(Exception):
    """The request is answered with an HTTP error."""

    def __init__(self, status: int, code: str, message: str, outcome: str = REFUSED) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.outcome = outcome

    def step(self) -> Step:
        """The answer that it is."""
        return Step(0.0, Answer(self.status, {"message": str(self)}, self.code))


class Exchange:
    """One request and the steps of its answer; `arrived` is its time. To be gone through once."""

    def __init__(
        self,
        steps: Iterator[Step],
        record: Record,
        journal: Journal,
        clock: Callable[[], float],
        outcome: str,
    ) -> None:
        self.arrived = record.arrived
        self.record = record
        self._steps = steps
        self._journal = journal
        self._clock = clock
        self._outcome = outcome

    def __iter__(self) -> Iterator[Step]:
        """The steps. When the last one is done the request is over."""
        yield from self._steps
        self._journal.close(self.record, self._outcome, self._clock())

    def done(self, step: Step) -> None:
        """A step was done: the journal is told."""
        record, now = self.record, self._clock()
        match step.action:
            case Answer(status):
                record.status = status
                record.header_sent = record.first_event_sent = record.last_event_sent = now
                if status == 200:
                    record.deltas_sent = record.deltas_total
            case Head():
                record.status = 200
                record.header_sent = now
            case Event(event) | Corrupt(event):
                record.deltas_sent += event.is_delta
                record.last_event_sent = now
                if record.first_event_sent is None:
                    record.first_event_sent = now
        self._journal.touch()

    def left(self, step: Step | None = None) -> None:
        """The client is gone; `step` is the one that could not be done."""
        self.record.client_left = self._clock()
        if step is not None and isinstance(step.action, Event | Corrupt):
            self.record.deltas_after_client_left += step.action.event.is_delta
        self.over()

    def over(self) -> None:
        """Nothing more will be done: what has not ended was cancelled. Idempotent."""
        self._journal.close(self.record, CANCELLED, self._clock())


class Bedrock:
    """See the module."""

    def __init__(
        self,
        *,
        responder: Responder = respond,
        pace: Pace | None = None,
        seed: int | None = None,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self.clock = clock
        self.pace = pace or Pace()
        self.faults = FaultQueue()
        self.journal = Journal()
        self.guardrails = Guardrails()
        self.limits = Limits()
        self.cache = PrefixCache()
        self._seed = secrets.randbits(64) if seed is None else seed
        self._agents = responder
        self._responder = continuing(responder)

    def answer_with(self, responder: Responder) -> None:
        """Let this responder answer from now on."""
        self._responder = continuing(responder)

    def set_responder(self, members: object) -> None:
        """The same, from the control door's JSON."""
        self.answer_with(from_json(members, respond, self._agents))

    async def exchange(
        self,
        operation: str,
        model_id: str,
        body: bytes | Mapping[str, Any],
        arrived: float,
        *,
        region: str = "",
        unsigned: tuple[str, str] | None = None,
    ) -> Exchange:
        """What is answered to a request that came at `arrived`.

        `body`: JSON, as bytes or as the object that they are. `unsigned`: the error code and the
        message when its signature is not in order.
        """
        record = self.journal.open(operation, model_id, arrived)
        record.region = region
        try:
            checked = self._checked(record, body, unsigned)
            return await self._answered(record, checked)
        except Refused as refused:
            record.status, record.error_code = refused.status, refused.code
            return self._exchange(record, iter([refused.step()]), refused.outcome)

    def _exchange(self, record: Record, steps: Iterator[Step], outcome: str) -> Exchange:
        return Exchange(steps, record, self.journal, self.clock, outcome)

    def _checked(
        self,
        record: Record,
        raw: bytes | Mapping[str, Any],
        unsigned: tuple[str, str] | None,
    ) -> dict[str, Any]:
        """The request's body, when the service would take it."""
        if unsigned is not None:
            raise Refused(403, *unsigned)
        try:
            body: Any = json.loads(raw) if isinstance(raw, bytes) else raw
        except ValueError as error:
            told = f"the body is no JSON: {error}"
            raise Refused(400, "SerializationException", told) from error
        refusal = validation.refusal(record.model_id, body, self.limits.input_tokens)
        if refusal is not None:
            raise Refused(refusal.status, refusal.code, refusal.message)
        try:
            self.guardrails.of(body)
        except LookupError as error:
            raise Refused(400, "ValidationException", str(error)) from error
        if not isinstance(raw, bytes) or len(raw) <= KEPT_BODY_BYTES:
            record.body = body
        record.call = {str(k): str(v) for k, v in body.get("requestMetadata", {}).items()}
        record.user_text = text_of(body["messages"][-1])
        checked: dict[str, Any] = body
        return checked

    async def _answered(self, record: Record, body: dict[str, Any]) -> Exchange:
        chance = random.Random(f"{self._seed}:{record.number}")
        fault = await self._take_fault(record, body)
        if fault is not None:
            record.fault = fault.kind
            if fault.kind == "http_error":
                code = fault.error_code
                raise Refused(HTTP_ERRORS[code], code, fault.error_message, FAULT)
            if fault.kind == "no_answer":
                return self._exchange(record, before_stream(fault), FAULT)
        reply, trace = await self._guarded(record, body, chance)
        if fault is not None and fault.kind in _CHANGES:
            reply = _CHANGES[fault.kind](reply, fault)
        record.reply_text = reply.text
        return self._paced(record, body, reply, chance, fault, trace)

    async def _guarded(
        self, record: Record, body: dict[str, Any], chance: random.Random
    ) -> tuple[Reply, dict[str, Any] | None]:
        """The model's reply, or what a guardrail puts in its place, and the trace of that."""
        guardrail = self.guardrails.of(body)
        if guardrail is None:
            return await self._reply(record, body, chance), None
        traced = body["guardrailConfig"].get("trace", "disabled") != "disabled"
        word = assess_input(guardrail, body["messages"])
        if word is not None:
            found = trace(guardrail, word, of_input=True)
            return blocked(guardrail.blocked_input), found if traced else None
        reply = await self._reply(record, body, chance)
        word = assess_output(guardrail, reply)
        if word is None:
            return reply, None
        found = trace(guardrail, word, of_input=False)
        return blocked(guardrail.blocked_output), found if traced else None

    def _paced(
        self,
        record: Record,
        body: dict[str, Any],
        reply: Reply,
        chance: random.Random,
        fault: Fault | None,
        trace: dict[str, Any] | None,
    ) -> Exchange:
        usage = self._usage(record, body, reply)
        record.deltas_total = sum(event.is_delta for event in stream_events(reply, usage))
        if record.operation == CONVERSE:
            steps = list(whole_steps(reply, usage, self.pace, chance, trace))
            record.told_first_ms = steps[-1].at * 1000.0
        else:
            steps = list(stream_steps(reply, usage, self.pace, chance, fault, trace))
            events = [step.at for step in steps if isinstance(step.action, Event | Corrupt)]
            record.told_first_ms = events[0] * 1000.0 if events else 0.0
        before = list(before_stream(fault)) if fault is not None else []
        strikes = fault is not None and fault.ends_stream and record.operation != CONVERSE
        return self._exchange(record, iter([*before, *steps]), FAULT if strikes else COMPLETED)

    def _usage(self, record: Record, body: dict[str, Any], reply: Reply) -> dict[str, Any]:
        inputs, outputs = input_tokens(body), max(1, sum(map(block_tokens, reply.blocks)))
        model = catalogue.find(record.model_id)
        read, written = self.cache.tokens(model, record.region, body, record.arrived)
        record.usage = {
            "inputTokens": max(0, inputs - read - written),
            "outputTokens": outputs,
            "totalTokens": inputs + outputs,
            "cacheReadInputTokens": read,
            "cacheWriteInputTokens": written,
        }
        return record.usage

    async def _take_fault(self, record: Record, body: dict[str, Any]) -> Fault | None:
        waits_for_tool = any(fault.needs_tool for fault in self.faults.waiting())
        reply = await self._answer(record, body) if waits_for_tool else Reply()
        return self.faults.take(
            record.model_id,
            record.operation,
            record.call,
            uses_tool=any(isinstance(block, ToolUse) for block in reply.blocks),
            has_result=any("toolResult" in block for block in body["messages"][-1]["content"]),
        )

    async def _answer(self, record: Record, body: dict[str, Any]) -> Reply:
        try:
            async with asyncio.timeout(RESPONDER_SECONDS):
                return await self._responder(body)
        except Exception as error:
            log.exception("bedrock_responder_failed", request=record.number)
            raise Refused(500, "InternalServerException", f"responder: {error!r}") from error

    async def _reply(self, record: Record, body: dict[str, Any], chance: random.Random) -> Reply:
        reply = await self._answer(record, body)
        model = catalogue.find(record.model_id)
        thinks = validation.thinking_mode(model, body) is not None
        if thinks and not any(isinstance(block, Reasoning) for block in reply.blocks):
            reply = Reply((Reasoning(_THOUGHT), *reply.blocks), reply.stop_reason)
        limits = body.get("inferenceConfig", {})
        reply = limited(reply, limits.get("maxTokens"), limits.get("stopSequences", ()))
        return with_tool_ids(reply, _tool_ids(chance))


_CHANGES: dict[str, Callable[[Reply, Fault], Reply]] = {
    "garbage_tool_json": lambda reply, fault: with_garbage_tool_json(reply),
    "empty_tool_input": lambda reply, fault: with_empty_tool_input(reply),
    "cut_tool": lambda reply, fault: with_cut_tool(reply, fault.after),
    "stop": lambda reply, fault: stopped(reply, fault.after, fault.error_code),
    "empty_message": lambda reply, fault: Reply((), "end_turn"),
}
"""The faults that change a reply."""


def _tool_ids(chance: random.Random) -> Iterator[str]:
    while True:
        yield "tooluse_" + "".join(chance.choices(_ID_LETTERS, k=22))
