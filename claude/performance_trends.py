"""How the models have done over a period, and what could be done better.

    log = PerformanceLog()
    log.record(metrics, assessment, now=…)                        each turn
    analyze_model_performance_trends(log, "24h", now=…)

Contract: pure; the clock is handed in as seconds since 1970. Turns are added up by slots of
`SLOT_SECONDS` and by model, so that what is kept is bounded however many there are: a week, in
histograms. Percentiles are read from those, to the width of a bucket. A period is a number with
`m`, `h` or `d` behind it; a trend compares its second half with its first.
Errors: `ValueError` for a period that is none, or longer than a week.
Source: specification 000, section 4 (`analyze_model_performance_trends`,
`generate_optimization_recommendations`); what it leaves undefined is worked out here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.claude.performance import ModelAssessment, is_answered
from aybiza.config.catalogue import MICRO

SLOT_SECONDS: Final = 300
MAX_SLOTS: Final = 7 * 24 * 12
MAX_MODELS: Final = 32
OTHER: Final = "other"
BOUNDS_MS: Final = (
    *(50, 100, 150, 200, 250, 300, 400, 500, 600, 750, 1_000, 1_250),
    *(1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 7_500, 10_000, 15_000, 20_000),
)

ENOUGH_TURNS: Final = 20
"""Of fewer turns nothing is concluded."""
FITTING_ENOUGH: Final = 0.8
LATE_MS: Final = 1_000.0
"""A first token that comes later is heard as a silence."""
NEEDLESS_ENOUGH: Final = 0.1

_PERIOD = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS: Final = {"m": 60, "h": 3_600, "d": 86_400}


@dataclass(slots=True)
class Figures:
    """What one model did in some time.

    turns: those it answered, of them `failed` without an answer and `cut` off by its token limit.
    micro_usd: what they cost; needless_micro_usd: what of it another model would not have charged.
    instead: for how many another model was the fitting one, by its id. first_token: how many began
    within each of `BOUNDS_MS`, and later.
    """

    turns: int = 0
    failed: int = 0
    cut: int = 0
    micro_usd: int = 0
    needless_micro_usd: int = 0
    instead: Counter[str] = field(default_factory=Counter)
    first_token: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))

    @property
    def answered(self) -> int:
        """The turns that the model did answer."""
        return self.turns - self.failed

    def add(self, other: Figures) -> None:
        """Take in those of another time."""
        self.turns += other.turns
        self.failed += other.failed
        self.cut += other.cut
        self.micro_usd += other.micro_usd
        self.needless_micro_usd += other.needless_micro_usd
        self.instead.update(other.instead)
        self.first_token = [a + b for a, b in zip(self.first_token, other.first_token, strict=True)]

    def percentile(self, percent: float) -> float | None:
        """Ms within which so many of the turns began: the upper bound of a bucket."""
        measured = sum(self.first_token)
        if not measured:
            return None
        wanted, seen = measured * percent / 100, 0
        for bound, number in zip((*BOUNDS_MS, BOUNDS_MS[-1]), self.first_token, strict=True):
            seen += number
            if seen >= wanted:
                return float(bound)
        return float(BOUNDS_MS[-1])


@dataclass(slots=True)
class PerformanceLog:
    """See the module."""

    _slots: dict[int, dict[str, Figures]] = field(default_factory=dict)

    def record(
        self,
        metrics: Mapping[str, Any],
        assessment: ModelAssessment,
        *,
        now: float,
        optimal_usd: float | None = None,
    ) -> None:
        """Enter a turn: its metrics (`aybiza.claude.performance`, and `stop_reason`), and the
        judgement on its model. optimal_usd: what the optimal model would have charged."""
        slot = int(now // SLOT_SECONDS)
        models = self._slots.setdefault(slot, {})
        if len(self._slots) > MAX_SLOTS:
            del self._slots[min(self._slots)]
        model = str(metrics.get("model_used") or OTHER)
        if model not in models and len(models) >= MAX_MODELS:
            model = OTHER
        figures = models.setdefault(model, Figures())
        figures.turns += 1
        answered = is_answered(metrics)
        figures.failed += not answered
        figures.cut += metrics.get("stop_reason") == "max_tokens"
        cost = metrics.get("cost_usd") or 0.0
        figures.micro_usd += round(cost * MICRO)
        if optimal_usd is not None and answered:
            figures.needless_micro_usd += max(0, round((cost - optimal_usd) * MICRO))
        if answered and not assessment.was_optimal:
            figures.instead[assessment.optimal] += 1
        first = metrics.get("first_token_ms")
        if first is not None and answered:
            figures.first_token[bisect_left(BOUNDS_MS, first)] += 1

    def between(self, since: float, until: float) -> dict[str, Figures]:
        """The figures of each model from the slot of `since` to before that of `until`."""
        first, last = (int(at // SLOT_SECONDS) for at in (since, until))
        found: dict[str, Figures] = {}
        for slot in sorted(self._slots):
            if first <= slot < last:
                # Copied at once, for it may be read in a thread while turns go on being recorded.
                for model, figures in list(self._slots.get(slot, {}).items()):
                    found.setdefault(model, Figures()).add(figures)
        return found


@dataclass(frozen=True, slots=True)
class PerformanceData:
    """The figures of a period by model: of all of it, and of its two halves."""

    period: str
    models: Mapping[str, Figures]
    earlier: Mapping[str, Figures]
    later: Mapping[str, Figures]

    @property
    def whole(self) -> Figures:
        """Those of all models together."""
        return _together(self.models)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What could be done better. about: `cost`, `latency` or `model_selection`."""

    about: str
    says: str


def seconds_of(period: str, most: int = MAX_SLOTS * SLOT_SECONDS) -> int:
    """How long a period is, at most `most`. Raises ValueError."""
    match = _PERIOD.fullmatch(period)
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < seconds <= most:
        days = most // 86_400
        raise ValueError(f"{period!r} is no period: write 30m, 24h or 7d, at most {days}d")
    return seconds


def get_performance_data(log: PerformanceLog, period: str, *, now: float) -> PerformanceData:
    """What was recorded in the period that ends now. Raises ValueError."""
    until = now + SLOT_SECONDS
    since = until - max(seconds_of(period), 2 * SLOT_SECONDS)
    middle = (since + until) / 2
    earlier, later = log.between(since, middle), log.between(middle, until)
    models: dict[str, Figures] = {}
    for model, figures in (*earlier.items(), *later.items()):
        models.setdefault(model, Figures()).add(figures)
    return PerformanceData(period, models, earlier, later)


def analyze_model_performance_trends(
    log: PerformanceLog, period: str = "24h", *, now: float
) -> dict[str, Any]:
    """The specification's five answers about a period, as JSON can carry them."""
    data = get_performance_data(log, period, now=now)
    recommendations = generate_optimization_recommendations(data)
    return {
        "model_usage_distribution": get_model_usage_stats(data),
        "latency_trends": analyze_latency_trends(data),
        "cost_trends": analyze_cost_trends(data),
        "quality_metrics": assess_conversation_quality(data),
        "optimization_recommendations": [
            {"about": each.about, "says": each.says} for each in recommendations
        ],
    }


def get_model_usage_stats(data: PerformanceData) -> dict[str, dict[str, float]]:
    """By model: the turns it answered, and their share."""
    turns = data.whole.turns
    return {
        model: {"turns": figures.turns, "share": figures.turns / turns}
        for model, figures in data.models.items()
    }


def analyze_latency_trends(data: PerformanceData) -> dict[str, dict[str, float | None]]:
    """By model: ms to the first token, and by how many percent the median has grown."""
    return {
        model: {
            "p50_ms": figures.percentile(50),
            "p95_ms": figures.percentile(95),
            "change_percent": _change(
                data.earlier.get(model, Figures()).percentile(50),
                data.later.get(model, Figures()).percentile(50),
            ),
        }
        for model, figures in data.models.items()
    }


def analyze_cost_trends(data: PerformanceData) -> dict[str, float | None]:
    """What the turns cost, what one did, by how many percent that has grown, and what of it other
    models would not have charged."""
    whole = data.whole
    return {
        "usd": whole.micro_usd / MICRO,
        "usd_a_turn": _a_turn(whole),
        "change_percent": _change(_a_turn(_together(data.earlier)), _a_turn(_together(data.later))),
        "needless_usd": whole.needless_micro_usd / MICRO,
    }


def assess_conversation_quality(data: PerformanceData) -> dict[str, float | None]:
    """The shares of the turns that a model answered and that were cut off; of those that a model
    answered, the share of the fitting one."""
    whole = data.whole
    return {
        "turns": whole.turns,
        "answered_share": _share(whole.turns - whole.failed, whole.turns),
        "cut_share": _share(whole.cut, whole.turns),
        "fitting_share": _share(whole.answered - whole.instead.total(), whole.answered),
    }


def generate_optimization_recommendations(data: PerformanceData) -> list[Recommendation]:
    """What could be done better: about cost, latency and the selection of models, in this order."""
    advice = (
        (has_cost_optimization_potential, suggest_cost_optimizations),
        (has_latency_issues, suggest_latency_optimizations),
        (should_adjust_model_selection, suggest_model_selection_changes),
    )
    return [suggest(data) for applies, suggest in advice if applies(data)]


def should_adjust_model_selection(data: PerformanceData) -> bool:
    """Whether too many turns were answered by another model than the fitting one."""
    whole = data.whole
    fitting = whole.answered - whole.instead.total()
    return whole.answered >= ENOUGH_TURNS and fitting < FITTING_ENOUGH * whole.answered


def suggest_model_selection_changes(data: PerformanceData) -> Recommendation:
    """Which model should have answered instead, most of all."""
    model, figures = max(data.models.items(), key=lambda item: item[1].instead.total())
    better, turns = figures.instead.most_common(1)[0]
    return Recommendation(
        "model_selection",
        f"{turns} of {data.whole.answered} turns were answered by {model} where {better} fits their"
        " complexity: let the rule choose (AYBIZA_SELECTION=current), or ask that one first"
        " (AWS_DEFAULT_BEDROCK_MODEL)",
    )


def has_latency_issues(data: PerformanceData) -> bool:
    """Whether a model lets callers wait."""
    return bool(_late(data))


def suggest_latency_optimizations(data: PerformanceData) -> Recommendation:
    """Which models let callers wait, and what can be done."""
    late = ", ".join(f"{model} ({ms:g} ms)" for model, ms in _late(data).items())
    return Recommendation(
        "latency",
        f"one turn in twenty waits more than {LATE_MS:g} ms for its first token at {late}: put a"
        " faster model first, or ask in a nearer region (AWS_REGION)",
    )


def has_cost_optimization_potential(data: PerformanceData) -> bool:
    """Whether a good part of what was paid would not have been charged by the fitting models."""
    whole = data.whole
    needless = whole.needless_micro_usd
    return whole.turns >= ENOUGH_TURNS and 0 < NEEDLESS_ENOUGH * whole.micro_usd <= needless


def suggest_cost_optimizations(data: PerformanceData) -> Recommendation:
    """Which model costs more than it had to."""
    model, figures = max(data.models.items(), key=lambda item: item[1].needless_micro_usd)
    whole = data.whole
    return Recommendation(
        "cost",
        f"{whole.needless_micro_usd / MICRO:.2f} of {whole.micro_usd / MICRO:.2f} USD would not"
        f" have been charged by the fitting models, most of it by {model}"
        f" ({figures.needless_micro_usd / MICRO:.2f} USD): let the rule choose"
        " (AYBIZA_SELECTION=current)",
    )


def _late(data: PerformanceData) -> dict[str, float]:
    slow = {
        model: figures.percentile(95) or 0.0
        for model, figures in data.models.items()
        if sum(figures.first_token) >= ENOUGH_TURNS
    }
    return {model: ms for model, ms in slow.items() if ms > LATE_MS}


def _together(models: Mapping[str, Figures]) -> Figures:
    whole = Figures()
    for figures in models.values():
        whole.add(figures)
    return whole


def _a_turn(figures: Figures) -> float | None:
    return figures.micro_usd / MICRO / figures.turns if figures.turns else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _change(before: float | None, after: float | None) -> float | None:
    return None if not before or after is None else (after - before) / before * 100
