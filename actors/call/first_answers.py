"""FirstAnswers: has answered what callers usually ask first, while they hear the greeting.

    cast `Prepare(context, began)`     the agent's `first_questions` are asked of the model that a
                                       turn would ask; `began`: the call's time where the agent is

An answer is kept like that of a turn (`aybiza.actors.call.known_answers`), so whoever asks it in
the next minutes has it at once. One that is known is not asked for, nor is one for which the model
wants a tool kept. Nobody waits for any of it: it needs most of Bedrock's threads free and no quota
reached, goes by the model's breaker, and is charged to the call that began. `AT_ONCE` are asked at
a time, `MOST_WAITING` wait.

Errors: none; what fails is logged, and a turn asks its model. Source: specification 001, "Caching
Strategy".
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog

from aybiza.actors.call.answer_choice import choice_of, request_of, word_limits
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.known_answers import Inquiry
from aybiza.actors.circuit_breaker_actor import call_with_circuit_breaker
from aybiza.actors.measures import costs
from aybiza.actors.measures.performance import track_claude4_performance
from aybiza.actors.runtime import NORMAL, VM, Exit, FunctionClause, GenServer, Pid, Task
from aybiza.claude.choice import Choice
from aybiza.claude.stream import Finished, Sentence, StreamDecoder
from aybiza.dialogue.prompt import clock_prompt, length_prompt, system_prompt

AT_ONCE: Final = 2
MOST_WAITING: Final = 100
SECONDS: Final = 20.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Prepare:
    """See the module."""

    context: CallContext
    began: datetime


@dataclass(frozen=True, slots=True)
class _Asked:
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
        self._waiting: OrderedDict[tuple[str, str, str], _Asked] = OrderedDict()
        self._asking: dict[Pid, _Asked] = {}

    def get_state(self) -> Any:
        """For people: how many are asked, and how many wait."""
        return {"asking": len(self._asking), "waiting": len(self._waiting)}

    async def handle_cast(self, request: Any) -> None:
        match request:
            case Prepare(context, began):
                under_way = {asked.key for asked in self._asking.values()}
                for said in context.agent.first_questions if context.known_answers else ():
                    asked = _Asked(context, began, said)
                    if asked.key not in under_way and len(self._waiting) < MOST_WAITING:
                        self._waiting.setdefault(asked.key, asked)
                self._begin()
            case _:
                raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Exit(pid, reason) if pid in self._asking:
                call_id = self._asking.pop(pid).context.call_id
                if reason != NORMAL:
                    log.warning("first_answer_not_made", call_id=call_id, why=str(reason))
                self._begin()

    def _begin(self) -> None:
        while self._waiting and len(self._asking) < AT_ONCE:
            _, asked = self._waiting.popitem(last=False)
            self._asking[Task.start(self.vm, prepare, self.vm, asked).pid] = asked


async def prepare(vm: VM, asked: _Asked) -> None:
    """Have a question answered, unless its answer is known; for a Task."""
    context = asked.context
    messages = [{"role": "user", "content": [{"text": asked.said}]}]
    choice = choice_of(context, asked.said, messages, degrade=False)
    inquiry = Inquiry(vm, context, choice, asked.said, first_words=True)
    if inquiry.key is None or inquiry.at_once() is not None:
        return
    verdict = costs.verdict(vm, call_id=context.call_id, tenant_id=context.tenant or None)
    if verdict.action != "allow" or not context.bedrock.has_room():
        log.info("first_answer_not_made", call_id=context.call_id, why="no money or no room")
        return
    try:
        if inquiry.elsewhere:
            inquiry.look()
        ask = partial(_answer, vm, asked, choice, messages)
        kind, outcome = await call_with_circuit_breaker(vm, choice.model, ask, timeout=SECONDS)
        if kind == "ok" and outcome:
            inquiry.keep(outcome)
            await inquiry.share()
        elif kind == "error":
            log.warning("first_answer_not_made", call_id=context.call_id, why=str(outcome))
    finally:
        await inquiry.aclose()


async def _answer(
    vm: VM, asked: _Asked, choice: Choice, messages: list[dict[str, Any]]
) -> list[str]:
    """The sentences of the model's answer; none where it wants a tool or does not end."""
    context = asked.context
    began = vm.now()
    system = [
        system_prompt(context.agent),
        length_prompt(word_limits(context.agent.type)),
        clock_prompt(asked.began, began - context.opened),
    ]
    request = request_of(
        context, choice.model, messages, system, choice, max_tokens=choice.max_tokens
    )
    decoder, sentences = StreamDecoder(), list[str]()
    stream = context.bedrock.stream(request, region=choice.region, timeout=SECONDS)
    async with stream:
        async for event in stream:
            for part in decoder.feed(event):
                if isinstance(part, Sentence):
                    sentences.append(part.text)
                elif isinstance(part, Finished):
                    track_claude4_performance(
                        vm,
                        "first_answer",
                        profile=choice.profile,
                        usage=part.usage,
                        duration=(vm.now() - began) * 1000,
                        call_id=context.call_id,
                        tenant_id=context.tenant or None,
                        agent=context.agent.name,
                        region=choice.region,
                        stop_reason=part.stop_reason,
                    )
                    return sentences if part.stop_reason == "end_turn" else []
    return []
