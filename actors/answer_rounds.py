"""The computation of one answer: model, tools, model again, until everything has been said.

What happens after an error is the ladder's to say (`claude.error_ladder`): another model or region,
a repaired request, the same once more. What was said of a broken answer is not said again: the next
request has it in its history and asks to go on. Whatever happens, the caller hears something: a
filler if there is nothing by the ladder's time, and in the end an answer from before, or the
agent's words for an error.

`answer` is for a Task; it tells the events of the answer to the process `to`. It ends with
`Shutdown(("answer_failed", text))` when even the ladder cannot help, which a fault of this program
can bring about and a provider cannot.

Source: Bedrock, ConverseStream; specification 000, `stream_response_with_monitoring` and
`handle_bedrock_error`.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from actors import costs, names
from actors.call_context import CallContext
from actors.circuit_breaker_actor import OPEN, call_with_circuit_breaker
from actors.metrics_actor import count, observe
from actors.runtime import KILL, VM, CallExit, Pid, Task
from claude.choice import Choice, Policy, choose_model
from claude.converse import converse_request, tool_result
from claude.error_ladder import Attempt, ErrorLadder, LastWords, Rungs, counts_against_model
from claude.errors import BedrockError, ErrorKind
from claude.request_repair import repaired
from claude.stream import Finished, Sentence, StreamCut, StreamDecoder, ToolUse
from dialogue.answer_cache import Key, key_of
from dialogue.conversation import CONTINUE
from dialogue.events import AnswerFinished, AnswerSentence, CloseAsked, Event, ToolsUsed
from dialogue.toolbox import CLOSING_REASONS, ToolRun

TOOL_SECONDS = 10.0
TOOL_START_SECONDS = 1.0
TOOL_ROUNDS = 5
# The caller waits for the first words: a clause of so many characters is spoken by itself.
FIRST_CLAUSE_CHARACTERS = 60

log = structlog.get_logger(__name__)

Outcome = tuple[Finished, list[ToolUse]]


@dataclass(frozen=True, slots=True)
class BeginAnswer:
    """What an answer begins with; also the request to ModelSupervisor to start one.

    Sentences are numbered from `first_seq`; `messages` and `system` are for Converse. `said`: the
    caller's words in this turn.
    """

    context: CallContext
    turn: int
    first_seq: int
    messages: list[dict[str, Any]]
    system: str
    said: str = ""


async def answer(vm: VM, to: Pid, begin: BeginAnswer) -> None:
    """Answer a turn, telling the process `to`; for a Task."""
    await AnswerRounds(vm, to, begin).run()


class AnswerRounds:
    """See the module."""

    def __init__(self, vm: VM, to: Pid, begin: BeginAnswer) -> None:
        context = begin.context
        self._vm = vm
        self._to = to
        self._context = context
        self._turn = begin.turn
        self._seq = self._first_seq = begin.first_seq
        self._messages = list(begin.messages)
        self._system = begin.system
        self._said = begin.said
        self._spent = costs.verdict(vm, call_id=context.call_id, tenant_id=context.tenant)
        self._choice = _choice(begin, degrade=self._spent.action == "degrade")
        self._ladder = ErrorLadder(
            _rungs(context.policy, self._choice),
            began=vm.now(),
            seconds=context.answer_seconds,
            chance=random.random,
        )
        self._last_model: str | None = None
        self._told: list[str] = []
        """What the model has said in this answer."""
        self._of_round = 0
        """How many sentences of it were said before the round under way."""
        self._going_on: list[dict[str, Any]] = []
        """What the request under way has in its history of the ones before it that broke off."""
        self._closing = False

    async def run(self) -> None:
        if self._spent.action == "refuse":
            self._say(self._context.agent.busy)
            self._tell(CloseAsked(self._turn, "quota"))
            self._tell(AnswerFinished(self._turn, "quota"))
            return
        self._count_choice()
        filler = self._vm.loop.call_at(self._ladder.filler_at, self._fill)
        try:
            await self._rounds()
        finally:
            filler.cancel()

    async def _rounds(self) -> None:
        for number in range(TOOL_ROUNDS + 2):
            outcome = await self._ask()
            if isinstance(outcome, LastWords):
                self._last_words(outcome)
                return
            finished, uses = outcome
            if not uses:
                self._keep(finished)
                self._tell(AnswerFinished(self._turn, finished.stop_reason))
                return
            await self._use_tools(finished, uses, allowed=number < TOOL_ROUNDS)
        self._last_words(LastWords(ErrorKind.UNKNOWN, self._ladder.attempts))

    def _tell(self, event: Event) -> None:
        self._vm.send(self._to, event)

    def _say(self, text: str) -> None:
        self._tell(AnswerSentence(self._turn, self._seq, text))
        self._seq += 1

    def _fill(self) -> None:
        if self._seq == self._first_seq:
            log.info("answer_is_late", call_id=self._context.call_id, turn=self._turn)
            self._say(self._context.agent.filler)

    # The model

    async def _ask(self) -> Outcome | LastWords:
        """The model's next message, from whoever gives it; or that there is none to be had."""
        self._of_round = len(self._told)
        step = self._ladder.begin(self._vm.now())
        while isinstance(step, Attempt):
            if step.wait:
                await asyncio.sleep(step.wait)
            kind, outcome = await call_with_circuit_breaker(
                self._vm, step.model, partial(self._stream, step), counts=partial(_counts, step)
            )
            if kind == "ok":
                done: Outcome = outcome
                return done
            error = self._error(step, outcome)
            spoken = len(self._told) > self._of_round
            step = self._ladder.failed(error.kind, self._vm.now(), spoken=spoken)
        return step

    def _error(self, attempt: Attempt, problem: Any) -> BedrockError:
        """What went wrong, counted and logged. A fault of ours is no matter for a ladder."""
        if problem == OPEN:
            message = "the circuit breaker is open"
            problem = BedrockError(ErrorKind.BREAKER_OPEN, message, model=attempt.model)
        if not isinstance(problem, BedrockError):
            raise problem
        count(self._vm, "aybiza_errors_total", kind=problem.kind.value)
        log.warning(
            "answer_broke_off",
            call_id=self._context.call_id,
            turn=self._turn,
            attempt=attempt.number,
            step=attempt.step,
            error=str(problem),
        )
        return problem

    def _request(self, attempt: Attempt) -> dict[str, Any]:
        context = self._context
        said = " ".join(self._told[self._of_round :])
        self._going_on = [_text("assistant", said), _text("user", CONTINUE)] if said else []
        request = converse_request(
            context.policy.profile(attempt.model),
            [*self._messages, *self._going_on],
            system=self._system,
            tools=context.toolbox.specs(),
            max_tokens=self._choice.max_tokens,
            temperature=context.agent.temperature,
            thinking=self._choice.thinking,
            cache="5m",
            guardrail=context.guardrail,
            # What another model has thought is not to be shown to this one.
            keep_reasoning=self._last_model in (None, attempt.model),
            call_id=context.call_id,
            tenant_id=context.tenant or None,
        )
        self._last_model = attempt.model
        if not attempt.repair:
            return request
        mended = repaired(request)
        if mended == request:
            message = "there is nothing to leave out of the refused request"
            raise BedrockError(ErrorKind.VALIDATION, message, model=attempt.model)
        return mended

    async def _stream(self, attempt: Attempt) -> Outcome:
        decoder = StreamDecoder(
            first_clause_chars=FIRST_CLAUSE_CHARACTERS if self._seq == self._first_seq else None
        )
        repeats = {_plain(text) for text in self._told[self._of_round :]}
        uses: list[ToolUse] = []
        asked: float | None = time.monotonic()
        stream = self._context.bedrock.stream(
            self._request(attempt),
            region=attempt.region,
            timeout=attempt.seconds,
            first_event_timeout=attempt.first_event_seconds,
            silence_timeout=attempt.silence_seconds,
        )
        async with stream:
            async for event in stream:
                if asked is not None and "contentBlockDelta" in event:
                    observe(self._vm, "aybiza_first_token_seconds", time.monotonic() - asked)
                    asked = None
                for part in decoder.feed(event):
                    match part:
                        case Sentence(_, text):
                            # Asked to go on, a model may begin with what it has said.
                            if _plain(text) not in repeats:
                                repeats.clear()
                                self._told.append(text)
                                self._say(text)
                        case ToolUse():
                            uses.append(part)
                        case Finished():
                            self._account(attempt.model, part)
                            return part, uses
        return _ended_early(decoder, attempt.model), uses

    def _count_choice(self) -> None:
        choice = self._choice
        count(self._vm, "aybiza_choices_total", rule=choice.rule, model=choice.model)
        if (arm := choice.experiment) is not None:
            name = "aybiza_experiment_turns_total"
            count(self._vm, name, experiment=arm.experiment, arm=arm.arm)

    def _account(self, model: str, finished: Finished) -> None:
        usage, context = finished.usage, self._context
        costs.charge(
            self._vm,
            context.policy.profile(model),
            usage,
            call_id=context.call_id,
            tenant_id=context.tenant or None,
        )
        for kind, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            count(self._vm, "aybiza_tokens_total", amount=tokens, model=model, kind=kind)

    # The end

    def _key(self) -> Key | None:
        # An answer with tools has more messages than the caller's first words.
        first_words = len(self._messages) == 1
        context = self._context
        return key_of(context.agent.name, context.tenant, self._said, first_words=first_words)

    def _keep(self, finished: Finished) -> None:
        """Keep an answer for worse times."""
        answers, key = self._context.answers, self._key()
        if answers is not None and key is not None and finished.stop_reason == "end_turn":
            answers.keep(key, self._told, self._vm.now())

    def _last_words(self, words: LastWords) -> None:
        """Say something although no model does."""
        answers, key = self._context.answers, self._key()
        cached: tuple[str, ...] = ()
        if answers is not None and key is not None and not self._told:
            cached = answers.find(key, self._vm.now())
        log.error(
            "answer_without_model",
            call_id=self._context.call_id,
            turn=self._turn,
            kind=words.kind.value,
            attempts=words.attempts,
            cached=bool(cached),
        )
        # Who is being said goodbye to, or put through, needs no apology.
        generic = () if self._closing else (self._context.agent.error,)
        for text in cached or generic:
            self._say(text)
        self._tell(AnswerFinished(self._turn, "cached" if cached else "error"))

    # Tools

    async def _use_tools(self, finished: Finished, uses: list[ToolUse], *, allowed: bool) -> None:
        """Run the tools side by side, and give their results back in the order they were asked."""
        outcomes = await self._outcomes(uses) if allowed else [dict(_ENOUGH) for _ in uses]
        results = [
            tool_result(use.tool_use_id, outcome, error="error" in outcome)
            for use, outcome in zip(uses, outcomes, strict=True)
        ]
        blocks = [block for block in finished.content if "text" not in block]
        self._messages += [
            *self._going_on,
            {"role": "assistant", "content": finished.content},
            {"role": "user", "content": results},
        ]
        self._tell(ToolsUsed(self._turn, self._seq - 1, blocks, results))
        for use, outcome in zip(uses, outcomes, strict=True):
            closing = CLOSING_REASONS.get(self._context.toolbox.effect(use.name))
            if closing is not None and not {"error", "needs_confirmation"} & set(outcome):
                self._closing = True
                self._tell(CloseAsked(self._turn, closing))

    async def _outcomes(self, uses: list[ToolUse]) -> list[dict[str, Any]]:
        tasks = [await self._start_tool(use) for use in uses]
        return [await self._outcome(*pair) for pair in zip(uses, tasks, strict=True)]

    async def _start_tool(self, use: ToolUse) -> Task[dict[str, Any]] | None:
        until = self._vm.now() + TOOL_START_SECONDS

        async def start() -> Task[dict[str, Any]]:
            return await self._context.start_tool(self._run_tool, use)

        try:
            return await names.patiently(self._vm, start, until)
        except CallExit as failure:
            self._tool_failed(use, failure)
            return None

    async def _outcome(self, use: ToolUse, task: Task[dict[str, Any]] | None) -> dict[str, Any]:
        if task is not None:
            try:
                return await task.result(TOOL_SECONDS)
            except CallExit as failure:
                self._vm.exit(task.pid, KILL)
                self._tool_failed(use, failure)
        return dict(_FAILED)

    def _tool_failed(self, use: ToolUse, failure: CallExit) -> None:
        call_id, reason = self._context.call_id, str(failure.reason)
        log.warning("tool_failed", call_id=call_id, tool=use.name, reason=reason)

    async def _run_tool(self, use: ToolUse) -> dict[str, Any]:
        if use.error is not None:
            return {"error": "unknown_tool_input", "message": use.error}
        context = self._context
        run = ToolRun(
            use.name,
            use.tool_use_id,
            use.input,
            context.call_id,
            context.caller,
            turn=self._turn,
            said=self._said,
        )
        async with asyncio.timeout(TOOL_SECONDS):
            return await context.toolbox.run(run)


_FAILED = {"error": "failed", "message": "The tool did not work."}
_ENOUGH = {
    "error": "too_many_tools",
    "message": "No further tool can be used in this answer. Answer with what is known.",
}


def _choice(begin: BeginAnswer, *, degrade: bool) -> Choice:
    context = begin.context
    return choose_model(
        context.policy,
        begin.said,
        {
            "call_sid": context.call_id,
            "conversation_history": begin.messages,
            "tools": context.toolbox.specs(),
            "agent_type": context.agent.type,
            "cloudflare_country": context.country,
        },
        {"max_tokens": context.agent.max_tokens, "degrade": degrade},
    )


def _rungs(policy: Policy, choice: Choice) -> Rungs:
    models = tuple(profile.id for profile in policy.after(choice.profile))
    away = policy.fallback
    regions = (choice.region, away) if away else (choice.region,)
    return Rungs(models, tuple(dict.fromkeys(regions)), policy.speeds)


def _counts(attempt: Attempt, error: Exception) -> bool:
    return isinstance(error, BedrockError) and counts_against_model(
        error.kind, repaired=attempt.repair
    )


def _ended_early(decoder: StreamDecoder, model: str) -> Finished:
    for part in decoder.end():
        match part:
            case Finished():
                return part
            case StreamCut(content):
                raise BedrockError(
                    ErrorKind.CUT,
                    "the stream ended in the middle of the answer",
                    model=model,
                    before_first_token=not content and not decoder.text_started,
                )
    raise BedrockError(ErrorKind.CUT, "the stream ended without an answer", model=model)


def _text(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"text": text}]}


def _plain(text: str) -> str:
    """A sentence without what may differ when it is said again."""
    return " ".join(text.casefold().split()).strip(" .,;:!?…—–-")
