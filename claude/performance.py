"""How well one turn of a call was answered: what the specification's PerformanceMonitor says of it.

    told = enhanced(metrics, policy.every)

Contract: pure. `metrics` is a mapping whose keys may all be missing:

    model_used, actual_complexity (0.0 to 1.0), cost_usd
    input_tokens, output_tokens, cache_read_input_tokens, cache_write_input_tokens
    cloudflare_timestamp, aws_timestamp     ms, on one clock
    recognition_ms, first_token_ms, generation_ms, synthesis_ms, total_ms

What cannot be said for want of a key is None. `models`: those that may be asked, one at least.
Errors: none.
Source: specification 000, section 4 (`track_conversation_performance`, `assess_model_selection`,
`calculate_edge_processing_time`); what it leaves undefined is worked out from its sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aybiza.claude.billing import cost_of
from aybiza.claude.models import ModelProfile
from aybiza.claude.selection import (
    LONG_CONVERSATION,
    LONG_CONVERSATION_FACTOR,
    TOOLS_FACTOR,
    complexity_of,
)
from aybiza.claude.stream import Usage
from aybiza.config.catalogue import TIERS, Tier
from aybiza.config.numbers import finite

STAGES: Final = ("edge", "recognition", "first_token", "generation", "synthesis")
"""The parts of the time from the caller's words to the answer, in their order."""

# The ladder of the specification's selection, as far as complexity decides.
_ASKS_FOR: Final[tuple[tuple[float, Tier], ...]] = ((0.9, "deep"), (0.6, "balanced"))
_PLAIN: Final[Tier] = "fast"
_TYPICAL: Final = Usage(input_tokens=10, output_tokens=1)
_DEFAULT_COMPLEXITY: Final = 0.5


@dataclass(frozen=True, slots=True)
class ModelAssessment:
    """Whether the model that answered was the one to ask. efficiency_score: see
    `calculate_efficiency_score`."""

    selected: str | None
    optimal: str
    was_optimal: bool
    efficiency_score: float | None


@dataclass(frozen=True, slots=True)
class LatencyBreakdown:
    """Where the time went. stages: ms of those of `STAGES` that are known. total_ms: of the whole
    turn; of the known stages if nobody has measured it. slowest: the longest of them."""

    stages: Mapping[str, float]
    total_ms: float | None
    slowest: str | None


def enhanced(metrics: Mapping[str, Any], models: Sequence[ModelProfile]) -> dict[str, Any]:
    """The metrics with what the specification adds to them."""
    return {
        **metrics,
        "edge_processing_time": calculate_edge_processing_time(metrics),
        "model_selection_accuracy": assess_model_selection(metrics, models),
        "cost_optimization_score": calculate_cost_efficiency(metrics, models),
        "latency_breakdown": analyze_latency_breakdown(metrics),
    }


def is_answered(metrics: Mapping[str, Any]) -> bool:
    """Whether a model gave the answer of this turn: it was no older answer, and no excuse."""
    return metrics.get("stop_reason") not in ("error", "cached")


def actual_complexity(said: str, *, messages: int, tools_called: int) -> float:
    """How hard a turn turned out to be: 0.0 to 1.0, from the caller's words, how long the
    conversation was, and whether tools were really needed. The weightiest of the two counts."""
    weight = max(
        LONG_CONVERSATION_FACTOR if messages > LONG_CONVERSATION else 0.0,
        TOOLS_FACTOR if tools_called else 0.0,
    )
    return complexity_of(said, weight).total


def calculate_edge_processing_time(metrics: Mapping[str, Any]) -> float | None:
    """Ms between the edge and AWS; None where one of the two timestamps is missing."""
    edge, aws = _number(metrics, "cloudflare_timestamp"), _number(metrics, "aws_timestamp")
    return None if edge is None or aws is None else aws - edge


def assess_model_selection(
    metrics: Mapping[str, Any], models: Sequence[ModelProfile]
) -> ModelAssessment:
    """The model that answered, beside the one that the turn's complexity asks for."""
    complexity = _number(metrics, "actual_complexity")
    optimal = determine_optimal_model_for_complexity(
        _DEFAULT_COMPLEXITY if complexity is None else complexity, models
    )
    used = metrics.get("model_used")
    selected = next((profile for profile in models if profile.id == used), None)
    return ModelAssessment(
        selected=used,
        optimal=optimal.id,
        was_optimal=used == optimal.id,
        efficiency_score=None
        if selected is None
        else calculate_efficiency_score(selected, optimal),
    )


def determine_optimal_model_for_complexity(
    complexity: float, models: Sequence[ModelProfile]
) -> ModelProfile:
    """Of these models the first of the tier that the complexity asks for; if there is none, of the
    nearest tier, the lower one of two."""
    tier = next((tier for above, tier in _ASKS_FOR if complexity > above), _PLAIN)
    wanted = TIERS.index(tier)

    def distance(profile: ModelProfile) -> tuple[int, int]:
        at = TIERS.index(profile.model.tier)
        return abs(at - wanted), at

    return min(models, key=distance)


def calculate_efficiency_score(selected: ModelProfile, optimal: ModelProfile) -> float:
    """1.0 for the optimal model; below, the part of its intelligence that a weaker one has, or the
    part of its own price for which the optimal one could be had."""
    if selected.id == optimal.id:
        return 1.0
    has, needs = selected.model.scores.intelligence, optimal.model.scores.intelligence
    if has < needs:
        return has / needs
    return _share(cost_of(optimal, _TYPICAL).total, cost_of(selected, _TYPICAL).total)


def calculate_cost_efficiency(
    metrics: Mapping[str, Any], models: Sequence[ModelProfile]
) -> float | None:
    """What the optimal model would have charged, of what was charged: 1.0 if that was no more.
    None where nothing is known to have been charged."""
    charged = _number(metrics, "cost_usd")
    optimal = optimal_cost_usd(metrics, models)
    return None if not charged or optimal is None else _share(optimal, charged)


def optimal_cost_usd(metrics: Mapping[str, Any], models: Sequence[ModelProfile]) -> float | None:
    """What the optimal model would have charged for these tokens, in USD."""
    assessment = assess_model_selection(metrics, models)
    optimal = next(profile for profile in models if profile.id == assessment.optimal)
    usage = Usage(
        *(
            int(_number(metrics, key) or 0)
            for key in (
                "input_tokens",
                "output_tokens",
                "cache_read_input_tokens",
                "cache_write_input_tokens",
            )
        )
    )
    cost = cost_of(optimal, usage)
    return cost.usd if cost.priced and cost.total else None


def analyze_latency_breakdown(metrics: Mapping[str, Any]) -> LatencyBreakdown:
    """Where the time of the turn went."""
    measured = {
        "edge": calculate_edge_processing_time(metrics),
        **{stage: _number(metrics, f"{stage}_ms") for stage in STAGES[1:]},
    }
    stages = {stage: ms for stage, ms in measured.items() if ms is not None}
    total = _number(metrics, "total_ms")
    if total is None and stages:
        total = sum(stages.values())
    slowest = max(stages, key=lambda stage: stages[stage]) if stages else None
    return LatencyBreakdown(stages, total, slowest)


def _number(metrics: Mapping[str, Any], key: str) -> float | None:
    return finite(metrics.get(key))


def _share(part: float, whole: float) -> float:
    return min(1.0, part / whole) if whole > 0 else 1.0
