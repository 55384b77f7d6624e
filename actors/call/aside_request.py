"""A request to a model beside a call, for whose answer nobody waits.

    why = refusal(vm, context)                  why none is to be made now, "": one may be
    answer = await asked(vm, context, "summary", request, profile, region, seconds=30.0)

It needs most of Bedrock's threads free and no quota reached, goes by the model's breaker, and is
charged to its call.

Errors: none; `Answer.why` says what has failed. Source: Bedrock, ConverseStream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from aybiza.actors.call.call_context import CallContext
from aybiza.actors.circuit_breaker_actor import call_with_circuit_breaker
from aybiza.actors.measures import costs
from aybiza.actors.measures.performance import track_claude4_performance
from aybiza.actors.runtime import VM
from aybiza.claude.models import ModelProfile
from aybiza.claude.stream import Finished, Sentence, StreamDecoder

FIRST_EVENT_SECONDS: Final = 10.0
NO_QUOTA: Final = "a quota is reached"
NO_ROOM: Final = "Bedrock's threads are for those who wait"


@dataclass(frozen=True, slots=True)
class Answer:
    """What has come: `sentences`, and the whole of it; None where it did not end. `why` it failed,
    "": it did not."""

    finished: Finished | None = None
    sentences: list[str] = field(default_factory=list)
    why: str = ""

    @property
    def text(self) -> str:
        """The text of a message that has come to its end, "" of any other; of one that was too
        long the whole lines."""
        if self.finished is None:
            return ""
        said = "".join(block["text"] for block in self.finished.content if "text" in block)
        if self.finished.stop_reason == "max_tokens":
            # Its last line is half a line.
            return said.rpartition("\n")[0]
        return said if self.finished.stop_reason == "end_turn" else ""


def refusal(vm: VM, context: CallContext) -> str:
    """See the module."""
    verdict = costs.verdict(vm, call_id=context.call_id, tenant_id=context.tenant or None)
    if verdict.action != "allow":
        return NO_QUOTA
    return "" if context.bedrock.has_room() else NO_ROOM


async def asked(
    vm: VM,
    context: CallContext,
    operation: str,
    request: Mapping[str, Any],
    profile: ModelProfile,
    region: str | None,
    *,
    seconds: float,
) -> Answer:
    """See the module. `operation` is what the figures have it under."""
    ask = partial(_ask, vm, context, operation, request, profile, region, seconds)
    kind, outcome = await call_with_circuit_breaker(vm, profile.id, ask, timeout=seconds)
    return Answer(why=str(outcome)) if kind == "error" else outcome


async def _ask(
    vm: VM,
    context: CallContext,
    operation: str,
    request: Mapping[str, Any],
    profile: ModelProfile,
    region: str | None,
    seconds: float,
) -> Answer:
    began = vm.now()
    decoder, sentences = StreamDecoder(), list[str]()
    stream = context.bedrock.stream(
        request, region=region, timeout=seconds, first_event_timeout=FIRST_EVENT_SECONDS
    )
    async with stream:
        async for event in stream:
            for part in decoder.feed(event):
                if isinstance(part, Sentence):
                    sentences.append(part.text)
                elif isinstance(part, Finished):
                    track_claude4_performance(
                        vm,
                        operation,
                        profile=profile,
                        usage=part.usage,
                        duration=(vm.now() - began) * 1000,
                        call_id=context.call_id,
                        tenant_id=context.tenant or None,
                        agent=context.agent.name,
                        region=region,
                        stop_reason=part.stop_reason,
                    )
                    return Answer(part, sentences)
    return Answer(sentences=sentences)
