"""What is kept of turns in records, as the log that the models' trends are read from. Pure.

    log = log_of(rows.turns)
    analyze_model_performance_trends(log, "24h", now=…)

So trends go over all nodes whose records are at hand, and over their restarts, where
`aybiza.actors.measures.performance.performance_log` is one node's since its start.

Contract: a turn of which no model was asked counts only where its caller heard an excuse or an
older answer. A first token is counted from its request on.
Errors: none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from aybiza.claude.performance import ModelAssessment
from aybiza.claude.performance_trends import PerformanceLog
from aybiza.config.catalogue import MICRO

_ENDED_BY: Final[Mapping[str, str]] = {"apology": "error", "refused": "error", "cached": "cached"}
"""How the answer ended of which only the outcome is known."""


def log_of(turns: Iterable[Mapping[str, Any]]) -> PerformanceLog:
    """The log of these turns, which are rows of the records."""
    log = PerformanceLog()
    for turn in turns:
        outcome = turn["outcome"]
        if turn["model"] is None and outcome not in _ENDED_BY:
            continue
        first, request = turn["first_token"], turn["request"]
        metrics = {
            "model_used": turn["model"],
            "stop_reason": turn["stop_reason"] or _ENDED_BY.get(outcome, outcome),
            "cost_usd": (turn["micro_usd"] or 0) / MICRO,
            "first_token_ms": None
            if first is None or request is None
            else max(0.0, (first - request) * 1000.0),
        }
        optimal = turn["optimal"] or turn["model"]
        assessment = ModelAssessment(turn["model"], optimal, turn["model"] == optimal, None)
        usd = turn["optimal_micro_usd"]
        log.record(
            metrics,
            assessment,
            now=turn["at"],
            optimal_usd=None if usd is None else usd / MICRO,
        )
    return log
