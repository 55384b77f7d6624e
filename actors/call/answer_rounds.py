"""The computation of one answer: model, tools, model again, until everything has been said.

What happens after an error is the ladder's to say (`aybiza.claude.error_ladder`): another model or
region, a repaired request, the same once more. What was said of a broken answer is not said again:
the next request has it in its history and asks to go on. Whatever happens, the caller hears
something: in the end the agent's words for an error. What a caller hears who waits is the turn
machine's to say. Where the caller's first words were answered lately, nobody is asked again.

`answer` is for a Task; it tells the events of the answer to the process `to`. It ends with
`Shutdown(("answer_failed", text))` when even the ladder cannot help, which a fault of this program
can bring about and a provider cannot.

Source: Bedrock, ConverseStream; specification 000, `stream_response_with_monitoring` and
`handle_bedrock_error`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from aybiza.actors.call.across_lines import attempts_of
from aybiza.actors.call.answer_choice import choice_of, request_of, word_limits
from aybiza.actors.call.answer_tools import RunTools, results_of
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.known_answers import Inquiry
from aybiza.actors.circuit_breaker_actor import OPEN, call_with_circuit_breaker
from aybiza.actors.measures import costs, events
from aybiza.actors.measures.events import emit
from aybiza.actors.measures.performance import TurnPerformance
from aybiza.actors.runtime import VM, Pid, Request
from aybiza.claude.chat.models import provider_of
from aybiza.claude.error_ladder import Attempt, ErrorLadder, LastWords, counts_against_model
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.claude.generate import climbed, rungs_of
from aybiza.claude.messages import ANSWER_NOW
from aybiza.claude.outcomes import Act, Outcomes
from aybiza.claude.prompt_cache import estimated_tokens
from aybiza.claude.request_repair import repaired
from aybiza.claude.shorten import shortened
from aybiza.claude.stream import Finished, Sentence, StreamCut, StreamDecoder, ToolUse
from aybiza.claude.tool_ids import apart
from aybiza.dialogue.conversation import CONTINUE
from aybiza.dialogue.events import AnswerFinished, AnswerSentence, CloseAsked, Event
from aybiza.dialogue.exchange import last_heard, said_before
from aybiza.dialogue.prompt import length_prompt
from aybiza.dialogue.toolbox import CLOSING_REASONS
from aybiza.dialogue.turn_policy import TurnPolicy

# A request that wants more room than this for an answer gets no more.
MOST_TOKENS = 4_096

# By then an answer that was begun early is wanted, or has been ended.
WANTED_SECONDS = 60.0

log = structlog.get_logger(__name__)

Outcome = tuple[Finished, list[ToolUse], Act]


@dataclass(frozen=True, slots=True)
class Taken(Request[str]):
    """Answer when it is sure that the answer is wanted; a request to the answer."""


@dataclass(frozen=True, slots=True)
class BeginAnswer:
    """What an answer begins with; also the request to ModelSupervisor to start one.

    Sentences are numbered from `first_seq`; `messages` and `system` are for Converse. `said`: the
    caller's words in this turn; `unheard`: the turns before it whose words they have not heard to
    their end. `clock`: what is told of the time. `eager`: the CallActor that has
    it begun before it is sure that they are all.
    """

    context: CallContext
    turn: int
    first_seq: int
    messages: list[dict[str, Any]]
    system: str
    said: str = ""
    clock: str = ""
    eager: Pid | None = None
    unheard: frozenset[int] = frozenset()


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
        self._policy = TurnPolicy.of(context.speaking)
        self._turn = begin.turn
        self._seq = self._first_seq = begin.first_seq
        self._eager = begin.eager is not None
        self._messages = list(begin.messages)
        self._said = begin.said
        self._asked = last_heard(begin.messages, context.speaking.silence_prompt)
        self._before = said_before(begin.messages)
        self._unheard = begin.unheard
        self._spent = costs.verdict(vm, call_id=context.call_id, tenant_id=context.tenant)
        self._choice = choice_of(
            context, begin.said, begin.messages, degrade=self._spent.action == "degrade"
        )
        length = length_prompt(word_limits(context.agent.type))
        self._system = [begin.system, length, begin.clock]
        self._performance = TurnPerformance(
            vm, context, self._choice, begin.turn, begin.said, len(begin.messages)
        )
        first_words = len(begin.messages) == 1
        self._known = Inquiry(
            vm, context, self._choice, begin.said, first_words=first_words, turn=begin.turn
        )
        self._attempts = attempts_of(vm, context.call_id)
        self._ladder = ErrorLadder(
            rungs_of(context.policy, self._choice),
            began=vm.now(),
            seconds=context.answer_seconds,
            chance=random.random,
            attempts=self._attempts,
        )
        self._last_model: str | None = None
        self._told: list[str] = []
        """What the model has said in this answer."""
        self._of_round = 0
        """How many sentences of it were said before the round under way."""
        self._repeat_from = 0
        """From where on what the model has said may come again: where it was asked to go on."""
        self._going_on: list[dict[str, Any]] = []
        """What the request under way has in its history of the ones before it that broke off."""
        self._outcomes = Outcomes()
        self._room = 1
        """How many times as many tokens as were chosen the next request may spend."""
        self._wrote = False
        """Whether a tool has done, or may have done, something that is not to be done again."""
        self._closing = False

    async def run(self) -> None:
        if self._spent.action == "refuse":
            self._say(self._context.speaking.over_quota)
            self._tell(CloseAsked(self._turn, "quota"))
            self._tell(AnswerFinished(self._turn, "quota"))
            return
        self._count_choice()
        try:
            if not await self._answered_before():
                await self._rounds()
            if self._eager:
                # What nobody has wanted is no turn to be measured.
                await self._vm.call(self._to, Taken(), WANTED_SECONDS)
            self._performance.finished()
            await self._known.share()
        finally:
            await self._known.aclose()

    async def _rounds(self) -> None:
        rounds, most = 0, self._policy.tool_rounds
        asked = 0
        while rounds < most + 2 and asked < self._context.model_rounds:
            asked += 1
            outcome = await self._ask()
            if isinstance(outcome, LastWords):
                self._last_words(outcome)
                return
            finished, uses, act = outcome
            if act is not Act.GO_ON:
                self._repeat_from = len(self._told)
            match act:
                case Act.DONE | Act.BLOCKED:
                    return
                case Act.USE_TOOLS:
                    await self._use_tools(finished, uses, allowed=rounds < most)
                    rounds += 1
                case Act.GO_ON:
                    self._messages += self._asked_to_go_on()
                case Act.ASK_AGAIN:
                    self._messages.append(_text("user", ANSWER_NOW))
                case Act.MORE_ROOM:
                    self._room *= 2
                case _:
                    break
        self._last_words(LastWords(ErrorKind.UNKNOWN, self._ladder.attempts))

    def _asked_to_go_on(self) -> list[dict[str, Any]]:
        """What was said of a message that broke off, and the request for the rest of it."""
        said = " ".join(self._told[self._of_round :])
        return [_text("assistant", said), _text("user", CONTINUE)] if said else []

    def _tell(self, event: Event) -> None:
        self._vm.send(self._to, event)

    def _say(self, text: str, ends: str | None = None) -> None:
        if self._seq == self._first_seq:
            self._performance.first_sentence()
        self._tell(AnswerSentence(self._turn, self._seq, text, ends))
        self._seq += 1

    # The model

    async def _ask(self) -> Outcome | LastWords:
        """The model's next message, from whoever gives it; or that there is none to be had."""
        self._of_round = len(self._told)
        return await climbed(
            self._ladder,
            self._attempt,
            now=self._vm.now,
            spoken=lambda: len(self._told) > self._of_round,
        )

    async def _attempt(self, step: Attempt) -> Outcome:
        kind, outcome = await call_with_circuit_breaker(
            self._vm, step.model, partial(self._stream, step), counts=partial(_counts, step)
        )
        if kind != "ok":
            raise self._error(step, outcome)
        done: Outcome = outcome
        return done

    def _error(self, attempt: Attempt, problem: Any) -> BedrockError:
        """What went wrong, counted and logged. A fault of ours is no matter for a ladder."""
        if problem == OPEN:
            message = "the circuit breaker is open"
            problem = BedrockError(ErrorKind.BREAKER_OPEN, message, model=attempt.model)
        if not isinstance(problem, BedrockError):
            raise problem
        emit(
            self._vm,
            events.PROVIDER_ERROR,
            provider=provider_of(attempt.model),
            kind=problem.kind.value,
            call_id=self._context.call_id,
            turn=self._turn,
            model=attempt.model,
            region=attempt.region or "",
        )
        log.warning(
            "answer_broke_off",
            call_id=self._context.call_id,
            turn=self._turn,
            attempt=attempt.number,
            step=attempt.step,
            model=attempt.model,
            region=attempt.region,
            error=str(problem),
        )
        return problem

    def _request(self, attempt: Attempt) -> dict[str, Any]:
        context = self._context
        self._going_on = self._asked_to_go_on()
        messages = [*self._messages, *self._going_on]
        if attempt.shorter:
            whole = sum(estimated_tokens(message["content"]) for message in messages)
            messages = shortened(messages, whole >> attempt.shorter, own=(CONTINUE,))
        request = request_of(
            context,
            attempt.model,
            messages,
            self._system,
            self._choice,
            max_tokens=min(self._choice.max_tokens * self._room, MOST_TOKENS),
            # What another model has thought is not to be shown to this one.
            keep_reasoning=self._last_model in (None, attempt.model),
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
            first_clause_chars=self._policy.first_clause if self._seq == self._first_seq else None
        )
        repeats = {_plain(text) for text in self._told[self._repeat_from :]}
        uses: list[ToolUse] = []
        act, finished = Act.WORDS, None
        request, begun = self._request(attempt), self._vm.now()
        self._performance.asked(attempt.model, attempt.region, request)
        self._attempts.begun(begun)
        stream = self._context.client_of(attempt.model).stream(
            request,
            region=attempt.region,
            timeout=attempt.seconds,
            first_event_timeout=attempt.first_event_seconds,
            silence_timeout=attempt.silence_seconds,
        )
        try:
            async with stream:
                async for event in stream:
                    if "contentBlockDelta" in event:
                        self._attempts.came(self._vm.now() - begun)
                        self._performance.streamed(event)
                    parts = decoder.feed(event)
                    uses += [part for part in parts if isinstance(part, ToolUse)]
                    sentences = [part.text for part in parts if isinstance(part, Sentence)]
                    # A row of signs is nothing that anybody could hear.
                    texts = [text for text in sentences if any(map(str.isalnum, text))]
                    if "messageStop" in event and decoder.stop_reason is not None:
                        act = self._act(decoder, texts)
                        self._take(texts, repeats, self._ending(act, decoder))
                    else:
                        self._take(texts, repeats, None)
                    finished = next((part for part in parts if isinstance(part, Finished)), None)
                    if finished is not None:
                        self._attempts.answered(begun)
                        self._performance.answered(finished.usage, finished.stop_reason, len(uses))
                        break
        except BedrockError:
            if decoder.stop_reason is None:
                raise
            # The message is complete; only what it cost is not known.
        finally:
            self._performance.let_go()
        finished = finished or _ended_early(decoder, attempt.model)
        if act is Act.SHORTEN:
            message = "the conversation is longer than the model can take"
            raise BedrockError(ErrorKind.TOO_LONG, message, model=attempt.model)
        return finished, uses, act

    def _act(self, decoder: StreamDecoder, texts: list[str]) -> Act:
        """What follows the message that has just ended, with `texts` as its last sentences."""
        reason = decoder.stop_reason or "unknown"
        spoken = bool(texts) or len(self._told) > self._of_round
        act = self._outcomes.act(reason, spoken=spoken, tools=decoder.tools)
        log.debug("message_ended", call_id=self._context.call_id, reason=reason, act=act)
        if act is Act.BLOCKED and not spoken:
            texts.append(self._context.speaking.refusal)
        if act is Act.DONE and not spoken and decoder.unspoken:
            texts.append(decoder.unspoken)
        return act

    def _ending(self, act: Act, decoder: StreamDecoder) -> str | None:
        return decoder.stop_reason if act in (Act.DONE, Act.BLOCKED) else None

    def _take(self, texts: list[str], repeats: set[str], ends: str | None) -> None:
        """Say what has come. `ends`: the stop reason, when that was the last of the answer."""
        # Asked to go on, a model may begin with what it has said.
        while texts and _plain(texts[0]) in repeats:
            texts = texts[1:]
        if texts:
            repeats.clear()
        self._told += texts
        for left, text in zip(range(len(texts) - 1, -1, -1), texts, strict=True):
            self._say(text, None if left else ends)
        if ends is not None:
            # An answer with tools has more messages than the caller's first words.
            if ends == "end_turn" and len(self._messages) == 1:
                self._known.keep(self._told)
            self._tell(AnswerFinished(self._turn, ends))

    def _count_choice(self) -> None:
        choice = self._choice
        emit(self._vm, events.CHOICE, rule=choice.rule, model=choice.model)
        if (arm := choice.experiment) is not None:
            emit(self._vm, events.EXPERIMENT, experiment=arm.experiment, arm=arm.arm)

    # The end

    async def _answered_before(self) -> bool:
        """Answer as the question was answered lately, if it was. Another node's answer, and one to
        a question in other words, are looked for while the model thinks: who is first answers."""
        found = self._known.at_once()
        if found is None and self._known.elsewhere:
            asking = asyncio.ensure_future(self._rounds())
            looking = self._known.look()
            try:
                await asyncio.wait((asking, looking), return_when=asyncio.FIRST_COMPLETED)
                found = looking.result() if looking.done() else None
                if found is None or self._has_begun():
                    self._looked_up("late" if found else "miss")
                    await asking
                    return True
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        if found is None:
            if self._known.key is not None:
                self._looked_up("miss")
            return False
        self._looked_up(found.how)
        for text in found.sentences:
            self._say(text)
        self._performance.cached(found.how)
        self._tell(AnswerFinished(self._turn, "cached"))
        return True

    def _has_begun(self) -> bool:
        """Whether the model has said or done anything."""
        return self._seq > self._first_seq or len(self._messages) > 1

    def _looked_up(self, outcome: str) -> None:
        emit(self._vm, events.ANSWER_LOOKED_UP, call_id=self._context.call_id, outcome=outcome)

    def _last_words(self, words: LastWords) -> None:
        """Say something although no model does."""
        log.error(
            "answer_without_model",
            call_id=self._context.call_id,
            turn=self._turn,
            kind=words.kind.value,
            attempts=words.attempts,
        )
        # Who is being said goodbye to, or put through, needs no apology.
        agent = self._context.speaking
        sorry = agent.error_after_write if self._wrote else agent.error
        if not self._closing:
            self._say(sorry)
        self._performance.failed("error")
        self._tell(AnswerFinished(self._turn, "error"))

    # Tools

    async def _use_tools(self, finished: Finished, uses: list[ToolUse], *, allowed: bool) -> None:
        """Have the tools run, and give their results back in the order they were asked."""
        finished, uses = apart(finished, uses, self._messages)
        blocks = [block for block in finished.content if "text" not in block]
        said = (self._said, self._asked, self._before, self._unheard)
        asked = RunTools(self._turn, self._seq - 1, blocks, uses, *said)
        if allowed:
            outcomes = await self._vm.call(self._to, asked, asked.seconds)
        else:
            outcomes = [dict(_ENOUGH) for _ in uses]
            self._tell(asked.told(outcomes))
        self._messages += [
            *self._going_on,
            {"role": "assistant", "content": finished.content},
            {"role": "user", "content": results_of(uses, outcomes)},
        ]
        for use, outcome in zip(uses, outcomes, strict=True):
            effect = self._context.toolbox.effect(use.name)
            self._wrote = self._wrote or (effect == "write" and _may_have_happened(outcome))
            closing = CLOSING_REASONS.get(effect)
            if closing is not None and not {"error", "needs_confirmation"} & set(outcome):
                self._closing = True
                to = outcome.get("to")
                self._tell(CloseAsked(self._turn, closing, to if isinstance(to, str) else ""))


def _may_have_happened(outcome: Mapping[str, Any]) -> bool:
    """Whether a write with this outcome was done, or may have been."""
    if "needs_confirmation" in outcome:
        return False
    return outcome.get("error") in (None, "failed", "outcome_unknown")


_ENOUGH = {
    "error": "too_many_tools",
    "message": "No further tool can be used in this answer. Answer with what is known.",
}


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
