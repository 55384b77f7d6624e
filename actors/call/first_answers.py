"""FirstAnswers: has answered what callers usually ask first, while they hear the greeting.

    cast `Prepare(context, began)`     the agent's `first_questions` are asked of the model that a
                                       turn would ask; `began`: the call's time where the agent is

An answer is kept like that of a turn (`aybiza.actors.call.known_answers`), so whoever asks it in
the next minutes has it at once. One that is known is not asked for, nor is one for which the model
wants a tool kept. Nobody waits for any of it: it needs most of Bedrock's threads free and no quota
reached, goes by the model's breaker, and is charged to the call that began (`aside_request`). A few
are asked at a time, and a bounded number waits (`backlog`).

Errors: none; what fails is logged, and a turn asks its model. Source: specification 001, "Caching
Strategy".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from aybiza.actors.call.answer_choice import choice_of, request_of, word_limits
from aybiza.actors.call.aside_request import Answer, asked, refusal
from aybiza.actors.call.backlog import Backlog
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.known_answers import Inquiry
from aybiza.actors.runtime import VM, Exit, FunctionClause, GenServer
from aybiza.claude.choice import Choice
from aybiza.dialogue.prompt import clock_prompt, length_prompt, system_prompt

SECONDS: Final = 20.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Prepare:
    """See the module."""

    context: CallContext
    began: datetime


@dataclass(frozen=True, slots=True)
class _Question:
    """A question to be answered, for whoever asks it next."""

    context: CallContext
    began: datetime
    said: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.context.agent.name, self.context.tenant, self.said


class FirstAnswers(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self) -> None:
        self._backlog = Backlog(self.vm, prepare)

    def get_state(self) -> Any:
        """For people: how many are asked, and how many wait."""
        return self._backlog.state

    async def handle_cast(self, request: Any) -> None:
        match request:
            case Prepare(context, began):
                for said in context.agent.first_questions if context.known_answers else ():
                    question = _Question(context, began, said)
                    self._backlog.put(question.key, question)
            case _:
                raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Exit():
                over = self._backlog.ended(message)
                if over is not None and over.why is not None:
                    call_id = over.item.context.call_id
                    log.warning("first_answer_not_made", call_id=call_id, why=over.why)


async def prepare(vm: VM, question: _Question) -> None:
    """Have a question answered, unless its answer is known; for a Task."""
    context = question.context
    messages = [{"role": "user", "content": [{"text": question.said}]}]
    choice = choice_of(context, question.said, messages, degrade=False)
    inquiry = Inquiry(vm, context, choice, question.said, first_words=True)
    if inquiry.key is None or inquiry.at_once() is not None:
        return
    if why := refusal(vm, context):
        log.info("first_answer_not_made", call_id=context.call_id, why=why)
        return
    try:
        if inquiry.elsewhere:
            inquiry.look()
        answer = await _answer(vm, question, choice, messages)
        whole = answer.finished is not None and answer.finished.stop_reason == "end_turn"
        if whole and answer.sentences:
            inquiry.keep(answer.sentences)
            await inquiry.share()
        elif answer.why:
            log.warning("first_answer_not_made", call_id=context.call_id, why=answer.why)
    finally:
        await inquiry.aclose()


async def _answer(
    vm: VM, question: _Question, choice: Choice, messages: list[dict[str, Any]]
) -> Answer:
    """The model's answer, as a turn would ask for it."""
    context = question.context
    system = [
        system_prompt(context.agent),
        length_prompt(word_limits(context.agent.type)),
        clock_prompt(question.began, vm.now() - context.opened),
    ]
    request = request_of(
        context, choice.model, messages, system, choice, max_tokens=choice.max_tokens
    )
    profile, region = choice.profile, choice.region
    return await asked(vm, context, "first_answer", request, profile, region, seconds=SECONDS)
