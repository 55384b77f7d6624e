"""What is recorded of answers that are given, and what is told of them afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.measures import costs, metrics_sink
from aybiza.actors.measures.metrics_actor import MetricsActor, table
from aybiza.actors.measures.metrics_sink import TABLE as SINK_TABLE
from aybiza.actors.measures.metrics_sink import MetricsSink
from aybiza.actors.measures.metrics_sink_cloudwatch import CloudWatch
from aybiza.actors.measures.performance import (
    TOPIC,
    analyze_model_performance_trends,
    record_conversation_latency,
    record_first_token_latency,
    record_tts_latency,
    track_claude4_performance,
    track_conversation_performance,
)
from aybiza.actors.registry_actor import subscribe
from aybiza.actors.runtime import VM, GenServer, virtual_time
from aybiza.claude.billing import Cost
from aybiza.claude.models import profile_of
from aybiza.claude.stream import Usage
from aybiza.emulators.bedrock import Fault, use
from aybiza.emulators.services import ServicesEmulator
from aybiza.faults.desk import Answers
from tests.actors.call.answer_kit import HAIKU, SONNET, Stage, stage

MODELS = (profile_of(HAIKU), profile_of(SONNET))


class Listener(GenServer):
    """Keeps what is told to the topic."""

    async def init(self) -> None:
        subscribe(self.vm, TOPIC)
        self.heard: list[Any] = []

    async def handle_info(self, message: Any) -> None:
        self.heard.append(message)

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return self.heard


async def turn_told(place: Stage) -> tuple[str, dict[str, Any]]:
    """The one turn that was told to the topic: its call, and what was told."""
    await settle(place)
    ((kind, call_id, told),) = await place.vm.call("listener", "heard")
    assert kind == "turn_performance"
    return call_id, told


def figure(vm: VM, name: str, **labels: str) -> float:
    return table(vm).registry.get_sample_value(name, labels) or 0.0


async def settle(place: Stage, turns: int = 1) -> None:
    """Return when so many turns are recorded: what they cost is known behind their last word."""
    async with asyncio.timeout(60):
        while figure(place.vm, "aybiza_conversation_seconds_count") < turns:  # noqa: ASYNC110
            await asyncio.sleep(0.002)


async def test_an_answer_is_recorded_with_its_model_tokens_cost_and_time() -> None:
    async with stage({"Hello.": ["Hi there. How are you?"]}, tenant="clinic") as place:
        await place.vm.start(Listener, name="listener")
        with capture_logs() as logs:
            told = await place.answer("Hello.")
            await settle(place)
        vm = place.vm
        (usage,) = (entry for entry in logs if entry["event"] == "claude_operation_completed")
        assert (usage["operation"], usage["model"]) == ("converse_stream", HAIKU)
        assert (usage["call_id"], usage["region"]) == (told.call_id, "us-east-1")
        assert usage["latency_ms"] > 0
        for kind in ("input", "output"):
            counted = figure(vm, "aybiza_tokens_total", model=HAIKU, kind=kind)
            assert counted == usage[f"{kind}_tokens"] > 0
        assert (
            figure(vm, "aybiza_cost_usd_total", what="model", model=HAIKU) == usage["cost_usd"] > 0
        )
        for name in ("model", "first_token"):
            assert figure(vm, f"aybiza_{name}_seconds_count", model=HAIKU) == 1
        assert figure(vm, "aybiza_conversation_seconds_count") == 1
        assert figure(vm, "aybiza_model_fit_total", fit="fitting") == 1
        call_id, turn = await turn_told(place)
    assert call_id == told.call_id
    assert (turn["model_used"], turn["stop_reason"], turn["tenant_id"]) == (
        HAIKU,
        "end_turn",
        "clinic",
    )
    assert turn["cost_usd"] == usage["cost_usd"]
    assert 0 < turn["first_token_ms"] <= turn["total_ms"]
    assert set(turn["latency_breakdown"].stages) == {"first_token", "generation"}
    assert turn["model_selection_accuracy"].was_optimal
    assert turn["cost_optimization_score"] == 1.0
    assert turn["edge_processing_time"] is None


async def test_rounds_with_tools_are_added_up() -> None:
    answers: Answers = {"Look.": [use("look_up", {"what": "a"}), "Found it."]}
    async with stage(answers) as place:
        await place.vm.start(Listener, name="listener")
        await place.answer("Look.")
        await settle(place)
        tokens = figure(place.vm, "aybiza_tokens_total", model=HAIKU, kind="input")
        assert figure(place.vm, "aybiza_tools_called_total") == 1
        assert figure(place.vm, "aybiza_tool_seconds_count", tool="look_up") == 1
        assert figure(place.vm, "aybiza_model_seconds_count", model=HAIKU) == 2
        assert figure(place.vm, "aybiza_conversation_seconds_count") == 1
        _, turn = await turn_told(place)
    assert (turn["tools_called"], turn["input_tokens"]) == (1, tokens)
    # That tools were needed makes it harder than its words.
    assert turn["actual_complexity"] > 0.4


async def test_the_model_that_answered_in_the_end_is_the_one_that_counts() -> None:
    async with stage({"Hello.": ["Hi."]}, fallback_region=None) as place:
        await place.vm.start(Listener, name="listener")
        fault = Fault("http_error", code="AccessDeniedException", times=None, model=HAIKU)
        place.bedrock.faults.add(fault)
        await place.answer("Hello.")
        _, turn = await turn_told(place)
    assert (turn["model_used"], turn["stop_reason"]) == (SONNET, "end_turn")
    assert turn["model_selection_accuracy"].optimal == HAIKU
    assert turn["cost_optimization_score"] < 0.5


async def test_an_answer_without_a_model_is_recorded_as_a_failure() -> None:
    async with stage({}, fallback_region=None) as place:
        place.bedrock.faults.add(Fault("http_error", code="AccessDeniedException", times=None))
        await place.answer("Hello.")
        await settle(place)
        told = await analyze_model_performance_trends(place.vm)
    assert told["quality_metrics"]["answered_share"] == 0
    assert told["quality_metrics"]["fitting_share"] is None
    assert told["cost_trends"]["usd"] == 0


async def test_the_turns_of_a_period_are_looked_back_on() -> None:
    async with stage({"Hello.": ["Hi."]}) as place:
        for _ in range(3):
            await place.answer("Hello.")
        await settle(place, 3)
        told = await analyze_model_performance_trends(place.vm, "1h")
        with pytest.raises(ValueError, match="is no period"):
            await analyze_model_performance_trends(place.vm, "soon")
    assert told["model_usage_distribution"] == {HAIKU: {"turns": 3, "share": 1.0}}
    assert told["latency_trends"][HAIKU]["p50_ms"] > 0
    assert told["quality_metrics"]["fitting_share"] == 1.0


async def test_answers_reach_cloudwatch_without_the_callers_words_or_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is sent at the end takes as long as the machine needs.
    monkeypatch.setattr(metrics_sink, "LAST_SEND_SECONDS", 60.0)
    monkeypatch.setattr(metrics_sink, "SEND_SECONDS", 60.0)
    async with (
        ServicesEmulator() as services,
        stage({"Hello.": ["Hi."]}, caller="+14155550100") as (place),
    ):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        service = CloudWatch(
            "AYBIZA", region="us-east-1", credentials=keys, endpoint_url=services.url
        )
        sink = await place.vm.start(MetricsSink, service)
        assert sink is not None
        await place.answer("Hello.")
        await settle(place)
        record_tts_latency(place.vm, "CA1", 120.0, 1)
        async with asyncio.timeout(60):
            await place.vm.stop(sink)
        service.close()
    received = {datum.name: datum for datum in services.metrics.received}
    assert set(received) >= {
        "Claude4Performance.latency_ms",
        "Claude4Performance.input_tokens",
        "Claude4Performance.output_tokens",
        "Claude4Performance.tools_called",
        "Claude4Performance.cost_usd",
        "Conversation.total_ms",
        "Conversation.cost_optimization_score",
        "Speech.synthesis_ms",
    }
    latency = received["Claude4Performance.latency_ms"]
    assert latency.unit == "Milliseconds"
    assert latency.dimensions == {
        "model": HAIKU,
        "operation": "converse_stream",
        "region": "us-east-1",
    }
    everything = str(list(services.metrics.received))
    assert "Hello" not in everything
    assert "4155550100" not in everything


@virtual_time
async def test_a_request_is_charged_to_its_call_and_tenant() -> None:
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        cost = track_claude4_performance(
            vm,
            "converse_stream",
            profile=MODELS[0],
            usage=Usage(1_000, 0, 500),
            duration=250.0,
            tools_count=2,
            call_id="CA1",
            tenant_id="clinic",
        )
        await vm.call("metrics", "render")
        assert cost == Cost(1_000, 0, 50)
        assert costs.ledger(vm).calls == {"CA1": 1_050}
        assert figure(vm, "aybiza_model_seconds_sum", model=HAIKU) == 0.25
        assert figure(vm, "aybiza_tools_called_total") == 2
        assert figure(vm, "aybiza_tokens_total", model=HAIKU, kind="cache_read") == 500
        assert not any(str(name).startswith(SINK_TABLE) for name in vm.tables)


@virtual_time
async def test_latencies_are_recorded_in_seconds() -> None:
    async with VM() as vm:
        await vm.start(MetricsActor, name="metrics")
        record_first_token_latency(vm, 300.0, model=HAIKU)
        record_tts_latency(vm, "CA1", 120.0, 3)
        record_conversation_latency(vm, "CA1", 900.0, 1)
        await vm.call("metrics", "render")
        assert figure(vm, "aybiza_first_token_seconds_sum", model=HAIKU) == 0.3
        assert figure(vm, "aybiza_tts_first_audio_seconds_sum") == 0.12
        assert figure(vm, "aybiza_conversation_seconds_sum") == 0.9


@virtual_time
async def test_metrics_that_say_nothing_are_recorded_as_a_turn() -> None:
    async with VM() as vm:
        told = track_conversation_performance(vm, "CA1", {}, MODELS)
        assert told["call_sid"] == "CA1"
        trends = await analyze_model_performance_trends(vm)
        assert trends["quality_metrics"]["turns"] == 1
