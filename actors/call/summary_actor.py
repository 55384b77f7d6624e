"""SummaryActor: has the beginnings of long calls summed up, while the calls go on.

    cast `Summarise(context, to, draft)`   in time `to` gets `Summarised(turn, entry)`; `entry` is
                                           None where there is no summary to be had

Nobody waits for it: a call that gets none shortens its history by rules
(`aybiza.dialogue.condense`). The cheapest model that the node may ask does it, if its breaker gives
leave, no quota is reached and most of Bedrock's threads are free. `AT_ONCE` are made at a time,
`MOST_WAITING` calls wait, each for one. What it costs is charged to its call.

Errors: none; what fails is logged. Source: Bedrock, ConverseStream.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from aybiza.actors.call.call_context import CallContext
from aybiza.actors.circuit_breaker_actor import call_with_circuit_breaker
from aybiza.actors.measures import costs
from aybiza.actors.measures.performance import track_claude4_performance
from aybiza.actors.runtime import NORMAL, VM, Exit, FunctionClause, GenServer, Pid, Task
from aybiza.claude.converse import converse_request
from aybiza.claude.stream import Finished, StreamDecoder
from aybiza.dialogue.condense import Draft, summed_up
from aybiza.dialogue.journal import Condensed
from aybiza.dialogue.prompt import SUMMARY_PROMPT

AT_ONCE: Final = 2
MOST_WAITING: Final = 100
SECONDS: Final = 30.0
FIRST_EVENT_SECONDS: Final = 10.0

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
        self._waiting: dict[str, Summarise] = {}
        self._making: dict[Pid, Summarise] = {}

    def get_state(self) -> Any:
        """For people: how many are made, and how many wait."""
        return {"making": len(self._making), "waiting": len(self._waiting)}

    async def handle_cast(self, request: Any) -> None:
        match request:
            case Summarise(context):
                if len(self._waiting) >= MOST_WAITING:
                    log.warning("summary_not_made", call_id=context.call_id, why="too many wait")
                    self.vm.send(request.to, Summarised(request.draft.turn, None))
                    return
                self._waiting[context.call_id] = request
                self._begin()
            case _:
                raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Exit(pid, reason) if pid in self._making:
                done = self._making.pop(pid)
                if reason != NORMAL:
                    call_id = done.context.call_id
                    log.warning("summary_not_made", call_id=call_id, why=str(reason))
                    self.vm.send(done.to, Summarised(done.draft.turn, None))
                self._begin()

    def _begin(self) -> None:
        while self._waiting and len(self._making) < AT_ONCE:
            request = self._waiting.pop(next(iter(self._waiting)))
            task = Task.start(self.vm, summarise, self.vm, request)
            self._making[task.pid] = request


async def summarise(vm: VM, request: Summarise) -> None:
    """Have the draft summed up, and tell whoever has asked for it."""
    entry = await _entry(vm, request)
    vm.send(request.to, Summarised(request.draft.turn, entry))


async def _entry(vm: VM, request: Summarise) -> Condensed | None:
    context, draft = request.context, request.draft
    call_id = context.call_id
    verdict = costs.verdict(vm, call_id=call_id, tenant_id=context.tenant or None)
    why = ""
    if verdict.action != "allow":
        why = "a quota is reached"
    elif not context.bedrock.has_room():
        why = "Bedrock's threads are for those who wait"
    if why:
        log.info("summary_not_made", call_id=call_id, why=why)
        return None
    model = context.policy.cheapest.id
    ask = partial(_asked, vm, context, draft)
    kind, outcome = await call_with_circuit_breaker(vm, model, ask, timeout=SECONDS)
    if kind == "error":
        log.warning("summary_not_made", call_id=call_id, model=model, why=str(outcome))
        return None
    entry = summed_up(draft, outcome)
    log.info("call_summed_up", call_id=call_id, model=model, turn=draft.turn, made=bool(entry))
    return entry


async def _asked(vm: VM, context: CallContext, draft: Draft) -> str:
    """What the model makes of the draft; "" if it is no whole summary."""
    profile, region = context.policy.cheapest, context.policy.region
    request = converse_request(
        profile,
        [{"role": "user", "content": [{"text": draft.text}]}],
        system=SUMMARY_PROMPT,
        max_tokens=draft.tokens,
        temperature=0.0,
        guardrail=context.guardrail,
        call_id=context.call_id,
        tenant_id=context.tenant or None,
    )
    began = vm.now()
    decoder = StreamDecoder()
    stream = context.bedrock.stream(
        request,
        region=context.policy.region_of(profile, region),
        timeout=SECONDS,
        first_event_timeout=FIRST_EVENT_SECONDS,
    )
    async with stream:
        async for event in stream:
            for part in decoder.feed(event):
                if isinstance(part, Finished):
                    track_claude4_performance(
                        vm,
                        "summary",
                        profile=profile,
                        usage=part.usage,
                        duration=(vm.now() - began) * 1000,
                        call_id=context.call_id,
                        tenant_id=context.tenant or None,
                        region=region,
                    )
                    return _text(part)
    return ""


def _text(done: Finished) -> str:
    said = "".join(block["text"] for block in done.content if "text" in block)
    if done.stop_reason == "max_tokens":
        # Its last line is half a line.
        return said.rpartition("\n")[0]
    return said if done.stop_reason == "end_turn" else ""
