"""AnswerActor: one answer of the model, with its tools, from request to last sentence.

A process of its own under ModelSupervisor, so that the CallActor can crash and come back while the
answer goes on: everything that has come is kept, and told again to whoever attaches. It is bounded
in time, ends when its call ends, and frees Bedrock's thread the moment it ends.

    attach (call `"attach"`)   from now on the caller gets the answer's events: first all that came,
                               then each as it comes (`dialogue.events`: AnswerSentence, ToolsUsed,
                               CloseAsked, AnswerFinished)
    done (cast `"done"`)       the last event has been taken; the actor ends with NORMAL

An answer that cannot be had ends the actor with `Shutdown(("answer_failed", text))`.

Source: Bedrock, ConverseStream; specification 000, `stream_response_with_monitoring`.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import structlog

from actors import names
from actors.call_context import CallContext
from actors.metrics_actor import count, observe
from actors.runtime import (
    KILL,
    NORMAL,
    VM,
    CallExit,
    Down,
    Exit,
    From,
    FunctionClause,
    GenServer,
    Pid,
    Shutdown,
    Stop,
    Task,
    is_orderly,
)
from claude.converse import converse_request, tool_result
from claude.errors import BedrockError, ErrorKind
from claude.stream import Finished, Reasoning, Sentence, StreamCut, StreamDecoder, ToolUse
from dialogue.events import AnswerFinished, AnswerSentence, CloseAsked, Event, ToolsUsed
from dialogue.toolbox import CLOSING_REASONS, ToolRun

# How long an answer waits for its CallActor to come back.
ORPHAN_SECONDS = 10.0
ATTEMPTS = 3
BACKOFF_SECONDS = 0.1
TOOL_SECONDS = 10.0
TOOL_START_SECONDS = 1.0
TOOL_ROUNDS = 5
FIRST_EVENT_SECONDS = 8.0
BREAKER_SECONDS = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BeginAnswer:
    """What an answer begins with; also the request to ModelSupervisor to start one.

    Sentences are numbered from `first_seq`; `messages` and `system` are for Converse.
    """

    context: CallContext
    turn: int
    first_seq: int
    messages: list[dict[str, Any]]
    system: str


class AnswerActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, begin: BeginAnswer) -> None:
        self.turn = begin.turn
        self.events: list[Event] = []
        self._listener: Pid | None = None
        self._monitor = 0
        self._orphaned = self.send_after("orphaned", ORPHAN_SECONDS)
        self.send_after("expired", begin.context.answer_seconds + ORPHAN_SECONDS)
        self._runner = Task.start(self.vm, _Rounds(self.vm, self.pid, begin).run)

    async def handle_call(self, request: Any, from_: From) -> Any:
        if request != "attach" or from_.pid is None:
            raise FunctionClause(self, request)
        self._orphaned.cancel()
        if self._monitor:
            self.vm.demonitor(self._monitor)
        self._listener = from_.pid
        self._monitor = self.vm.monitor(from_.pid)
        for event in self.events:
            self.vm.send(self._listener, event)
        return "ok"

    async def handle_cast(self, request: Any) -> None:
        match request:
            case "done" | "cancel":
                raise Stop(NORMAL)
        raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case AnswerSentence() | ToolsUsed() | CloseAsked() | AnswerFinished():
                self.events.append(message)
                if self._listener is not None:
                    self.vm.send(self._listener, message)
            case Down(ref, _, reason) if ref == self._monitor:
                if is_orderly(reason):
                    raise Stop(NORMAL)
                self._listener, self._monitor = None, 0
                self._orphaned = self.send_after("orphaned", ORPHAN_SECONDS)
            case Exit(pid, reason) if pid == self._runner.pid:
                if is_orderly(reason) and reason != NORMAL:
                    raise Stop(reason)
                if reason != NORMAL:
                    raise Stop(Shutdown(("answer_failed", str(reason))))
            case "orphaned" if self._listener is None:
                raise Stop(NORMAL)
            case "expired":
                raise Stop(Shutdown(("answer_failed", "took too long")))

    async def terminate(self, reason: Any) -> None:
        self.vm.exit(self._runner.pid, KILL)


class _Rounds:
    """The computation: model, tools, model again, until the model has no more tools to use."""

    def __init__(self, vm: VM, to: Pid, begin: BeginAnswer) -> None:
        self._vm = vm
        self._to = to
        self._context = begin.context
        self._turn = begin.turn
        self._seq = begin.first_seq
        self._messages = list(begin.messages)
        self._system = begin.system
        self._until = vm.now() + begin.context.answer_seconds

    async def run(self) -> None:
        for _ in range(TOOL_ROUNDS):
            finished, uses = await self._ask()
            if not uses:
                self._tell(AnswerFinished(self._turn, finished.stop_reason))
                return
            await self._use_tools(finished, uses)
        raise Stop(Shutdown(("answer_failed", f"no end after {TOOL_ROUNDS} rounds of tools")))

    def _tell(self, event: Event) -> None:
        self._vm.send(self._to, event)

    async def _ask(self) -> tuple[Finished, list[ToolUse]]:
        """One request, tried again while nothing of its answer has come and time is left."""
        model = self._context.model
        for attempt in range(1, ATTEMPTS + 1):
            breaker = names.breaker(model)
            try:
                if await self._leave() == "open":
                    raise BedrockError(ErrorKind.UNAVAILABLE, "the circuit breaker is open")
                answer = await self._stream(attempt)
                self._vm.cast(breaker, "success")
                return answer
            except BedrockError as error:
                count(self._vm, "aybiza_errors_total", kind=error.kind.value)
                self._vm.cast(breaker, "failure")
                log.warning(
                    "answer_broke_off",
                    call_id=self._context.call_id,
                    turn=self._turn,
                    attempt=attempt,
                    error=str(error),
                )
                left = self._until - self._vm.now()
                again = error.retryable and error.before_first_token and attempt < ATTEMPTS
                if not again or left < BACKOFF_SECONDS:
                    raise Stop(Shutdown(("answer_failed", str(error)))) from None
            await asyncio.sleep(BACKOFF_SECONDS * 2 ** (attempt - 1))
        raise AssertionError("the last attempt returns or raises")

    async def _leave(self) -> str:
        """The breaker's leave; a breaker that is being restarted lets requests pass."""
        try:
            dest = names.breaker(self._context.model)
            leave: str = await self._vm.call(dest, "get_state", timeout=BREAKER_SECONDS)
        except CallExit:
            return "closed"
        return leave

    async def _stream(self, attempt: int) -> tuple[Finished, list[ToolUse]]:
        context = self._context
        request = converse_request(
            context.model,
            self._messages,
            system=self._system,
            tools=context.toolbox.specs(),
            max_tokens=context.agent.max_tokens,
            temperature=context.agent.temperature,
            call_id=context.call_id,
        )
        region = context.fallback_region if attempt == ATTEMPTS else None
        decoder = StreamDecoder(first_seq=self._seq)
        uses: list[ToolUse] = []
        asked = time.monotonic()
        left = max(BACKOFF_SECONDS, self._until - self._vm.now())
        stream = context.bedrock.stream(
            request,
            region=region,
            timeout=left,
            first_event_timeout=min(FIRST_EVENT_SECONDS, left),
        )
        first = True
        async with stream:
            async for event in stream:
                if first and "contentBlockDelta" in event:
                    first = False
                    waited = time.monotonic() - asked
                    observe(self._vm, "aybiza_first_token_seconds", waited)
                for part in decoder.feed(event):
                    match part:
                        case Sentence(seq, text):
                            self._seq = seq + 1
                            self._tell(AnswerSentence(self._turn, seq, text))
                        case ToolUse():
                            uses.append(part)
                        case Finished():
                            self._account(part)
                            return part, uses
                        case Reasoning():
                            pass
        return self._ended_early(decoder), uses

    def _ended_early(self, decoder: StreamDecoder) -> Finished:
        for part in decoder.end():
            match part:
                case Finished():
                    return part
                case StreamCut(content):
                    raise BedrockError(
                        ErrorKind.CUT,
                        "the stream ended in the middle of the answer",
                        model=self._context.model,
                        before_first_token=not content and not decoder.text_started,
                    )
        raise BedrockError(ErrorKind.CUT, "the stream ended without an answer")

    def _account(self, finished: Finished) -> None:
        usage, model = finished.usage, self._context.model
        for kind, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            count(self._vm, "aybiza_tokens_total", amount=tokens, model=model, kind=kind)

    async def _use_tools(self, finished: Finished, uses: list[ToolUse]) -> None:
        """Run the tools side by side, and give their results back in the order they were asked."""
        tasks = [await self._start_tool(use) for use in uses]
        results = []
        for use, task in zip(uses, tasks, strict=True):
            result = await self._tool_outcome(use, task)
            results.append(tool_result(use.tool_use_id, result, error="error" in result))
        blocks = [block for block in finished.content if "text" not in block]
        self._messages.append({"role": "assistant", "content": finished.content})
        self._messages.append({"role": "user", "content": results})
        self._tell(ToolsUsed(self._turn, self._seq - 1, blocks, results))
        for use in uses:
            closing = CLOSING_REASONS.get(self._context.toolbox.effect(use.name))
            if closing is not None:
                self._tell(CloseAsked(self._turn, closing))

    async def _start_tool(self, use: ToolUse) -> Task[dict[str, Any]] | None:
        until = self._vm.now() + TOOL_START_SECONDS

        async def start() -> Task[dict[str, Any]]:
            return await self._context.start_tool(self._run_tool, use)

        try:
            return await names.patiently(self._vm, start, until)
        except CallExit as failure:
            self._tool_failed(use, failure)
            return None

    async def _tool_outcome(
        self, use: ToolUse, task: Task[dict[str, Any]] | None
    ) -> dict[str, Any]:
        if task is not None:
            try:
                return await task.result(TOOL_SECONDS)
            except CallExit as failure:
                self._vm.exit(task.pid, KILL)
                self._tool_failed(use, failure)
        return {"error": "failed", "message": "The tool did not work."}

    def _tool_failed(self, use: ToolUse, failure: CallExit) -> None:
        call_id, reason = self._context.call_id, str(failure.reason)
        log.warning("tool_failed", call_id=call_id, tool=use.name, reason=reason)

    async def _run_tool(self, use: ToolUse) -> dict[str, Any]:
        if use.error is not None:
            return {"error": "unknown_tool_input", "message": use.error}
        context = self._context
        run = ToolRun(use.name, use.tool_use_id, use.input, context.call_id, context.caller)
        async with asyncio.timeout(TOOL_SECONDS):
            return await context.toolbox.run(run)
