"""SummaryActor: has the beginnings of long calls summed up, while the calls go on.

    cast `Summarise(context, to, draft)`   in time `to` gets `Summarised(turn, entry)`; `entry` is
                                           None where there is no summary to be had

Nobody waits for it: a call that gets none shortens its history by rules
(`aybiza.dialogue.condense`). The cheapest model that the node may ask does it, if its breaker gives
leave, no quota is reached and most of Bedrock's threads are free (`aside_request`). A few are made
at a time, and `MOST_WAITING` calls wait (`backlog`). What it costs is charged to its call.

Errors: none; what fails is logged. Source: Bedrock, ConverseStream.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import structlog

from aybiza.actors.call.aside_request import asked, refusal
from aybiza.actors.call.backlog import MOST_WAITING, Backlog
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.runtime import VM, Exit, FunctionClause, GenServer, Pid
from aybiza.claude.converse import converse_request
from aybiza.dialogue.condense import Draft, summed_up
from aybiza.dialogue.journal import Condensed
from aybiza.dialogue.prompt import SUMMARY_PROMPT

SECONDS: Final = 30.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Summarise:
    """See the module. `to`: the CallActor."""

    context: CallContext
    to: Pid
    draft: Draft


@dataclass(frozen=True, slots=True)
class Summarised:
    """See the module. `turn`: up to which it goes."""

    turn: int
    entry: Condensed | None


class SummaryActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self) -> None:
        self._backlog = Backlog(self.vm, summarise, most=MOST_WAITING)

    def get_state(self) -> Any:
        """For people: how many are made, and how many wait."""
        return self._backlog.state

    async def handle_cast(self, request: Any) -> None:
        match request:
            case Summarise(context, to):
                if not self._backlog.put((context.call_id, to), request):
                    self._not_made(request, "too many wait")
            case _:
                raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Exit():
                over = self._backlog.ended(message)
                if over is not None and over.why is not None:
                    self._not_made(over.item, over.why)

    def _not_made(self, request: Summarise, why: str) -> None:
        log.warning("summary_not_made", call_id=request.context.call_id, why=why)
        self.vm.send(request.to, Summarised(request.draft.turn, None))


async def summarise(vm: VM, request: Summarise) -> None:
    """Have the draft summed up, and tell whoever has asked for it."""
    entry = await _entry(vm, request)
    vm.send(request.to, Summarised(request.draft.turn, entry))


async def _entry(vm: VM, request: Summarise) -> Condensed | None:
    context, draft = request.context, request.draft
    call_id, policy = context.call_id, context.policy
    if why := refusal(vm, context):
        log.info("summary_not_made", call_id=call_id, why=why)
        return None
    profile = policy.cheapest
    wanted = converse_request(
        profile,
        [{"role": "user", "content": [{"text": draft.text}]}],
        system=SUMMARY_PROMPT,
        max_tokens=draft.tokens,
        temperature=0.0,
        guardrail=context.guardrail,
        call_id=call_id,
        tenant_id=context.tenant or None,
    )
    region = policy.region_of(profile, policy.region)
    answer = await asked(vm, context, "summary", wanted, profile, region, seconds=SECONDS)
    if answer.why:
        log.warning("summary_not_made", call_id=call_id, model=profile.id, why=answer.why)
        return None
    entry = summed_up(draft, answer.text)
    log.info("call_summed_up", call_id=call_id, model=profile.id, turn=draft.turn, made=bool(entry))
    return entry
