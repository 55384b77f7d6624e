"""How the answers of this node perform: recorded as they are given, and looked back on.

    turn = TurnPerformance(vm, context, choice, said, messages)   when an answer begins
    turn.asked(model, region) … turn.first_token() … turn.answered(usage, stop_reason, tools)
    turn.finished()                                               when it is over
    await analyze_model_performance_trends(vm, "24h")             for people

What is recorded goes to the node's metrics, to the log, to CloudWatch if there is a sink
(`aybiza.actors.measures.metrics_sink`), to the subscribers of `TOPIC`, and into a table of the VM
that outlives every actor. Recording waits for nothing; looking back is done in a thread. Times are
in ms, as the specification has them.

Errors: `ValueError` for a period that is none; nothing else.
Source: specification 000, sections 2 to 4; 001, "Performance Metrics".
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog

from aybiza.actors.call.call_context import CallContext
from aybiza.actors.measures import costs, events
from aybiza.actors.measures.events import emit
from aybiza.actors.measures.metrics_sink import put_metric
from aybiza.actors.registry_actor import publish
from aybiza.actors.runtime import VM
from aybiza.claude import performance_trends as trends
from aybiza.claude.billing import Cost
from aybiza.claude.chat.models import provider_of
from aybiza.claude.choice import Choice
from aybiza.claude.models import ModelProfile
from aybiza.claude.performance import (
    actual_complexity,
    enhanced,
    is_answered,
    optimal_cost_usd,
)
from aybiza.claude.performance_trends import PerformanceLog
from aybiza.claude.prompt_cache import CHARACTERS_A_TOKEN, estimated_tokens
from aybiza.claude.stream import Usage
from aybiza.config.catalogue import MICRO

TABLE: Final = "performance"
_OF_A_PROMPT: Final = ("system", "messages", "toolConfig")
TOPIC: Final = "performance"

log = structlog.get_logger(__name__)


def performance_log(vm: VM) -> PerformanceLog:
    """What is kept of the turns of this node."""
    found = vm.tables.get(TABLE)
    if not isinstance(found, PerformanceLog):
        found = vm.tables[TABLE] = PerformanceLog()
    return found


def track_conversation_performance(
    vm: VM, call_id: str, metrics: Mapping[str, Any], models: Sequence[ModelProfile]
) -> dict[str, Any]:
    """Record a turn: its metrics (`aybiza.claude.performance`), with what can be said of them.

    models: those that might have answered.
    """
    told = {"call_sid": call_id, **enhanced(metrics, models)}
    assessment, latency = told["model_selection_accuracy"], told["latency_breakdown"]
    moment = time.time()
    performance_log(vm).record(
        metrics, assessment, now=moment, optimal_usd=optimal_cost_usd(metrics, models)
    )
    if is_answered(metrics):
        fit = "fitting" if assessment.was_optimal else "another"
        emit(vm, events.TURN_JUDGED, call_id=call_id, fit=fit)
    sent = {
        "model": metrics.get("model_used"),
        "tenant_id": metrics.get("tenant_id"),
        "total_ms": latency.total_ms,
        "edge_ms": told["edge_processing_time"],
        "cost_usd": metrics.get("cost_usd"),
        "cost_optimization_score": told["cost_optimization_score"],
        "efficiency_score": assessment.efficiency_score,
        "actual_complexity": metrics.get("actual_complexity"),
    }
    put_metric(vm, "Conversation", sent, at=moment)
    publish(vm, TOPIC, ("turn_performance", call_id, told))
    log.info(
        "turn_performance",
        call_id=call_id,
        turn=metrics.get("turn"),
        model=assessment.selected,
        fitting=assessment.optimal,
        complexity=metrics.get("actual_complexity"),
        stop_reason=metrics.get("stop_reason"),
        cost_usd=metrics.get("cost_usd"),
        total_ms=latency.total_ms,
        slowest=latency.slowest,
    )
    return told


def track_claude4_performance(
    vm: VM,
    operation: str,
    *,
    profile: ModelProfile,
    usage: Usage,
    duration: float,
    tools_count: int = 0,
    call_id: str = "",
    turn: int | None = None,
    tenant_id: str | None = None,
    agent: str = "",
    region: str | None = None,
    stop_reason: str | None = None,
) -> Cost:
    """Record one request to a model, and charge for it. duration: ms. What it has cost."""
    about: dict[str, Any] = {"turn": turn, "agent": agent, "region": region}
    cost = costs.charge(vm, profile, usage, call_id=call_id, tenant_id=tenant_id, **about)
    emit(vm, events.PROVIDER_WORKED, provider=provider_of(profile.id), call_id=call_id)
    emit(
        vm,
        events.REQUEST_STOP,
        seconds=duration / 1000,
        tools=tools_count,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_input_tokens,
        cache_write_tokens=usage.cache_write_input_tokens,
        call_id=call_id,
        turn=turn,
        model=profile.id,
        region=region,
        stop_reason=stop_reason,
    )
    metrics: dict[str, Any] = {
        "operation": operation,
        "model": profile.id,
        "region": region,
        "latency_ms": round(duration, 1),
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "tools_called": tools_count,
        "cost_usd": cost.usd,
    }
    put_metric(vm, "Claude4Performance", metrics)
    log.info("claude_operation_completed", call_id=call_id, **metrics)
    return cost


def record_first_token_latency(vm: VM, latency: float, *, model: str, **about: Any) -> None:
    """Ms from a request to the model's first text. about: its call_id, turn and region."""
    emit(vm, events.REQUEST_FIRST_TOKEN, seconds=latency / 1000, model=model, **about)


def record_tts_latency(
    vm: VM, call_id: str, latency: float, seq: int, turn: int | None = None
) -> None:
    """Ms from a sentence to its first audio."""
    about = {"call_id": call_id, "turn": turn, "seq": seq}
    emit(vm, events.SPEECH_FIRST_AUDIO, seconds=latency / 1000, **about)
    put_metric(vm, "Speech", {"synthesis_ms": latency})
    log.debug("tts_latency", call_id=call_id, seq=seq, latency_ms=round(latency, 1))


def record_conversation_latency(vm: VM, call_id: str, total_latency: float, turn: int) -> None:
    """Ms from the caller's words to the last sentence of the answer."""
    emit(vm, events.TURN_STOP, call_id=call_id, turn=turn, seconds=total_latency / 1000)
    log.debug(
        "conversation_latency", call_id=call_id, turn=turn, latency_ms=round(total_latency, 1)
    )


async def analyze_model_performance_trends(vm: VM, period: str = "24h") -> dict[str, Any]:
    """How this node's models have done since the period began. Raises ValueError."""
    analyze = partial(trends.analyze_model_performance_trends, performance_log(vm), period)
    return await vm.run_blocking(partial(analyze, now=time.time()))


class TurnPerformance:
    """One answer, from the caller's words to its end; see the module.

    messages: how many the conversation had.
    """

    def __init__(
        self, vm: VM, context: CallContext, choice: Choice, turn: int, said: str, messages: int
    ) -> None:
        self._vm = vm
        self._context = context
        self._turn = turn
        self._said = said
        self._messages = messages
        self._began = self._asked = time.monotonic()
        self._awaits_token = False
        self._first_token: float | None = None
        self._model, self._region = choice.model, choice.region
        # Stays unknown where a stream breaks off behind the last word, and with it the cost.
        self._stop_reason: str | None = None
        self._choice = choice
        self._tools = 0
        self._cost = 0
        self._usage = Usage()
        self._request: Mapping[str, Any] | None = None
        self._characters = 0
        self._cache: str | None = None

    def asked(self, model: str, region: str | None, request: Mapping[str, Any]) -> None:
        """A request goes to a model."""
        self._request, self._characters = request, 0
        self._model, self._region = model, region or self._region
        self._asked = time.monotonic()
        self._awaits_token = True
        told = {"turn": self._turn, "model": model, "region": self._region}
        emit(self._vm, events.REQUEST_START, call_id=self._context.call_id, **told)

    def streamed(self, event: Mapping[str, Any]) -> None:
        """A piece of its answer has come; of a request the first one is its first token."""
        self._characters += _written(event["contentBlockDelta"].get("delta"))
        if not self._awaits_token:
            return
        self._awaits_token = False
        now = time.monotonic()
        record_first_token_latency(
            self._vm,
            (now - self._asked) * 1000,
            model=self._model,
            call_id=self._context.call_id,
            turn=self._turn,
            region=self._region,
        )
        if self._first_token is None:
            self._first_token = now

    def first_sentence(self) -> None:
        """There is something to say."""
        emit(self._vm, events.TURN_FIRST_SENTENCE, call_id=self._context.call_id, turn=self._turn)

    def let_go(self) -> None:
        """The stream is over. One that broke off, or was cut short, is charged for by what has come
        of it, as Bedrock does: it tells the tokens only behind a whole message."""
        request, self._request = self._request, None
        if request is None or self._awaits_token:
            return
        context = self._context
        usage = Usage(
            estimated_tokens([request.get(part) for part in _OF_A_PROMPT]),
            self._characters // CHARACTERS_A_TOKEN + 1,
        )
        cost = costs.charge(
            self._vm,
            context.policy.profile(self._model),
            usage,
            call_id=context.call_id,
            tenant_id=context.tenant or None,
            turn=self._turn,
            agent=context.agent.name,
            region=self._region,
            estimated=True,
        )
        self._cost += cost.total

    def answered(self, usage: Usage, stop_reason: str, tools: int) -> None:
        """The model's message is complete. tools: how many it wants run."""
        self._request = None
        context = self._context
        cost = track_claude4_performance(
            self._vm,
            "converse_stream",
            profile=context.policy.profile(self._model),
            usage=usage,
            duration=(time.monotonic() - self._asked) * 1000,
            tools_count=tools,
            call_id=context.call_id,
            turn=self._turn,
            stop_reason=stop_reason,
            agent=context.agent.name,
            tenant_id=context.tenant or None,
            region=self._region,
        )
        self._cost += cost.total
        self._tools += tools
        self._stop_reason = stop_reason
        self._usage += usage

    def failed(self, stop_reason: str) -> None:
        """No model gave the answer: it was an excuse."""
        self._stop_reason = stop_reason

    def cached(self, how: str) -> None:
        """An older answer was given: exact, shared or similar."""
        self._stop_reason, self._cache = "cached", how

    def finished(self) -> None:
        """The answer is over."""
        now, context = time.monotonic(), self._context
        total = (now - self._began) * 1000
        record_conversation_latency(self._vm, context.call_id, total, self._turn)
        metrics: dict[str, Any] = {
            "turn": self._turn,
            "tenant_id": context.tenant or None,
            "model_used": self._model,
            "region": self._region,
            "stop_reason": self._stop_reason,
            "actual_complexity": round(
                actual_complexity(self._said, messages=self._messages, tools_called=self._tools), 3
            ),
            "tools_called": self._tools,
            "cost_usd": self._cost / MICRO,
            **self._usage.as_dict(),
            "total_ms": round(total, 1),
        }
        if self._first_token is not None:
            metrics["first_token_ms"] = round((self._first_token - self._began) * 1000, 1)
            metrics["generation_ms"] = round((now - self._first_token) * 1000, 1)
        if context.edge is not None and self._turn == 1:
            # The caller has waited for that once.
            sent, came = context.edge
            metrics |= {"cloudflare_timestamp": sent, "aws_timestamp": came}
        told = track_conversation_performance(
            self._vm, context.call_id, metrics, context.policy.every
        )
        self._measured(told, context)

    def _measured(self, told: Mapping[str, Any], context: CallContext) -> None:
        """Tell of the turn for who keeps or exports it."""
        arm = self._choice.experiment
        optimal = optimal_cost_usd(told, context.policy.every)
        emit(
            self._vm,
            events.TURN_MEASURED,
            call_id=context.call_id,
            turn=self._turn,
            tenant=context.tenant,
            agent=context.agent.name,
            country=context.country,
            model=self._model,
            region=self._region,
            optimal=told["model_selection_accuracy"].optimal,
            stop_reason=self._stop_reason,
            cache=self._cache,
            rule=self._choice.rule,
            experiment=arm.experiment if arm else None,
            arm=arm.arm if arm else None,
            total_ms=told["total_ms"],
            first_token_ms=told.get("first_token_ms"),
            generation_ms=told.get("generation_ms"),
            complexity=told["actual_complexity"],
            edge_ms=told["edge_processing_time"],
            tools=self._tools,
            micro_usd=self._cost,
            optimal_micro_usd=None if optimal is None else round(optimal * MICRO),
            input_tokens=self._usage.input_tokens,
            output_tokens=self._usage.output_tokens,
            cache_read_tokens=self._usage.cache_read_input_tokens,
            cache_write_tokens=self._usage.cache_write_input_tokens,
        )


def _written(delta: Any) -> int:
    """How many characters a piece of a message has: of words, of thoughts, of a tool's input."""
    match delta:
        case str(text):
            return len(text)
        case Mapping():
            return sum(map(_written, delta.values()))
    return 0
