"""What a node's records say of a period: the content of `aybiza report`.

    with reading(path) as connection:
        told = report(rows_of(connection, since, until), since, until)

Contract: `report` is pure; what it gives is JSON's. Latencies are ms from the end of the caller's
voice, of answered turns; `took_ms` is what each stage added to the one before. A turn that is not
answered by a model says nothing of speed or of the model's choice. A recommendation comes with the
numbers that led to it.
Errors: none; a period without records has zeros and None.
Source: specification 000, section 4 (PerformanceMonitor), and "Phase 4" (A/B testing).
"""

from __future__ import annotations

import sqlite3
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.actors.measures.turn_fold import STAGES
from aybiza.claude.intervals import mean_interval, percentile, share_interval
from aybiza.claude.performance_trends import ENOUGH_TURNS, FITTING_ENOUGH, LATE_MS, NEEDLESS_ENOUGH
from aybiza.config.catalogue import MICRO

ANSWERED: Final = "answered"
BUCKETS: Final = 24
"""Into how many parts a period is cut, to see where it is going."""
EXCUSES_ENOUGH: Final = 0.02
"""Of more turns that end in an apology somebody should know."""
SLOW_STAGE: Final = 0.5
EDGE_MS: Final = 300.0

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """The records of a period, oldest first."""

    calls: Sequence[Row] = ()
    turns: Sequence[Row] = ()
    charges: Sequence[Row] = ()

    def __add__(self, other: Rows) -> Rows:
        """Those of two files."""
        return Rows(
            *(
                sorted((*getattr(self, name), *getattr(other, name)), key=lambda row: row["at"])
                for name in ("calls", "turns", "charges")
            )
        )


@dataclass(frozen=True, slots=True)
class Advice:
    """What could be done better. numbers: what says so."""

    about: str
    says: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def rows_of(connection: sqlite3.Connection, since: float, until: float) -> Rows:
    """The records from `since` to before `until`."""
    return Rows(
        *(
            [
                dict(row)
                for row in connection.execute(
                    f"SELECT * FROM {table} WHERE at >= ? AND at < ? ORDER BY at", (since, until)
                )
            ]
            for table in ("calls", "turns", "charges")
        )
    )


def report(rows: Rows, since: float, until: float) -> dict[str, Any]:
    """All that is told of a period."""
    told: dict[str, Any] = {
        "since": since,
        "until": until,
        "calls": _calls(rows.calls),
        "turns": {"count": len(rows.turns), "outcomes": dict(_count(rows.turns, "outcome"))},
        "latency": latency(rows.turns),
        "models": _models(rows.turns),
        "selection": selection(rows.turns),
        "cost": cost(rows),
        "countries": _groups(rows.turns, "country"),
        "regions": _groups(rows.turns, "region"),
        "nodes": _groups(rows.turns, "node"),
        "trend": trend(rows, since, until),
        "experiments": experiments(rows),
    }
    told["recommendations"] = [
        {"about": each.about, "says": each.says, "numbers": dict(each.numbers)}
        for advise in _ADVICE
        if (each := advise(told)) is not None
    ]
    return told


def latency(turns: Iterable[Row]) -> dict[str, dict[str, float | int | None]]:
    """Each stage: how many turns have it, ms from the end of the caller's voice, and what it took
    behind the stage before; `edge` is the way from the edge network, ahead of all."""
    answered = [turn for turn in turns if turn["outcome"] == ANSWERED]
    found = {"edge": _spread(_values(answered, "edge_ms", 1.0))}
    before: str | None = None
    for stage in STAGES:
        at = _values(answered, stage, 1000.0)
        took = [
            (turn[stage] - (turn[before] if before else 0.0)) * 1000.0
            for turn in answered
            if turn[stage] is not None and (before is None or turn[before] is not None)
        ]
        found[stage] = {**_spread(at), "took_ms": _rounded(percentile(took, 50))}
        before = stage
    return found


def selection(turns: Iterable[Row]) -> dict[str, Any]:
    """How often the model that answered was the one that the turn's complexity asks for."""
    judged = [turn for turn in turns if turn["outcome"] == ANSWERED and turn["optimal"]]
    fitting = sum(turn["model"] == turn["optimal"] for turn in judged)
    instead = Counter(
        (turn["model"], turn["optimal"]) for turn in judged if turn["model"] != turn["optimal"]
    )
    return {
        "judged": len(judged),
        "fitting": fitting,
        "share": fitting / len(judged) if judged else None,
        "instead": [
            {"model": model, "optimal": optimal, "turns": count}
            for (model, optimal), count in instead.most_common(5)
        ],
    }


def cost(rows: Rows) -> dict[str, Any]:
    """What the period cost, in USD, by what and by whom; what of the models' part other models
    would not have charged."""
    total = sum(row["micro_usd"] for row in rows.charges)
    judged = [turn for turn in rows.turns if turn["micro_usd"] and turn["optimal_micro_usd"]]
    charged = sum(turn["micro_usd"] for turn in judged)
    optimal = sum(min(turn["micro_usd"], turn["optimal_micro_usd"]) for turn in judged)
    return {
        "usd": total / MICRO,
        "by_what": _usd_by(rows.charges, "what"),
        "by_agent": _usd_by(rows.charges, "agent"),
        "estimated_usd": sum(row["micro_usd"] for row in rows.charges if row["estimated"]) / MICRO,
        "usd_a_call": total / MICRO / len(rows.calls) if rows.calls else None,
        "usd_a_turn": total / MICRO / len(rows.turns) if rows.turns else None,
        "needless_usd": (charged - optimal) / MICRO,
        "efficiency": optimal / charged if charged else None,
    }


def trend(rows: Rows, since: float, until: float) -> list[dict[str, Any]]:
    """The period in `BUCKETS` parts, oldest first; across nodes and their restarts."""
    width = (until - since) / BUCKETS
    turns: dict[int, list[Row]] = defaultdict(list)
    spent: Counter[int] = Counter()
    for turn in rows.turns:
        turns[min(BUCKETS - 1, int((turn["at"] - since) / width))].append(turn)
    for charge in rows.charges:
        spent[min(BUCKETS - 1, int((charge["at"] - since) / width))] += charge["micro_usd"]
    found = []
    for number in range(BUCKETS):
        here = turns[number]
        frames = _values([t for t in here if t["outcome"] == ANSWERED], "first_frame", 1000.0)
        found.append(
            {
                "at": since + number * width,
                "turns": len(here),
                "p50_ms": _rounded(percentile(frames, 50)),
                "p95_ms": _rounded(percentile(frames, 95)),
                "apologies": sum(turn["outcome"] == "apology" for turn in here),
                "usd": spent[number] / MICRO,
            }
        )
    return found


def experiments(rows: Rows) -> list[dict[str, Any]]:
    """Each arm: its turns, the share that was answered, what a turn cost and how long it took
    until the first frame, each with its interval of 95 %."""
    spent: Counter[tuple[str, int]] = Counter()
    for charge in rows.charges:
        if charge["what"] == "model" and charge["turn"] is not None:
            spent[charge["call_id"], charge["turn"]] += charge["micro_usd"]
    arms: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for turn in rows.turns:
        if turn["experiment"]:
            arms[turn["experiment"], turn["arm"]].append(turn)
    found = []
    for (experiment, arm), turns in sorted(arms.items()):
        answered = [turn for turn in turns if turn["outcome"] == ANSWERED]
        usd = [spent[turn["call_id"], turn["turn"]] / MICRO for turn in turns]
        frames = _values(answered, "first_frame", 1000.0)
        # A turn that the caller cut short is no failure of its model.
        over = [turn for turn in turns if turn["outcome"] != "interrupted"]
        found.append(
            {
                "experiment": experiment,
                "arm": arm,
                "turns": len(turns),
                "answered_share": len(answered) / len(over) if over else None,
                "answered_interval": share_interval(len(answered), len(over)),
                "usd_a_turn": statistics.fmean(usd),
                "usd_interval": mean_interval(usd),
                "response_ms": statistics.fmean(frames) if frames else None,
                "response_interval": mean_interval(frames),
            }
        )
    return found


def _late(told: Mapping[str, Any]) -> Advice | None:
    stages = told["latency"]
    whole = stages["first_frame"]
    if whole["count"] < ENOUGH_TURNS or (whole["p95_ms"] or 0) <= LATE_MS:
        return None
    took = {name: of["took_ms"] or 0.0 for name, of in stages.items() if name != "edge"}
    slowest = max(took, key=lambda name: took[name])
    numbers = {"p95_ms": whole["p95_ms"], "turns": whole["count"], "slowest": slowest}
    numbers["took_ms"] = took[slowest]
    return Advice(
        "latency",
        f"one caller in twenty waits {whole['p95_ms']:,.0f} ms for an answer; most of the median is"
        f" {slowest.replace('_', ' ')} ({took[slowest]:,.0f} ms): {FASTER[slowest]}",
        numbers,
    )


FASTER: Final[Mapping[str, str]] = {
    "end_of_turn": "let the turn end sooner (the agent's pauses, or a flux- listen model)",
    "request": "look for a busy node (aybiza_loop_blocked_total), or give it fewer calls",
    "first_token": "put a faster model first, or ask in a nearer region (AWS_REGION)",
    "first_sentence": "have the agent begin with short sentences",
    "first_audio": "look at the speech service (aybiza_tts_first_audio_seconds)",
    "first_frame": "look for silence that is still being played, or for a busy node",
}


def _choice(told: Mapping[str, Any]) -> Advice | None:
    chosen = told["selection"]
    if chosen["judged"] < ENOUGH_TURNS or chosen["share"] >= FITTING_ENOUGH:
        return None
    most = chosen["instead"][0]
    return Advice(
        "model_selection",
        f"{most['turns']} of {chosen['judged']} turns were answered by {most['model']} where"
        f" {most['optimal']} fits their complexity: let the rule choose (AYBIZA_SELECTION=current)",
        {"judged": chosen["judged"], "fitting": chosen["fitting"], **most},
    )


def _cheaper(told: Mapping[str, Any]) -> Advice | None:
    spent = told["cost"]
    models = spent["by_what"].get("model", 0.0)
    enough = told["turns"]["count"] >= ENOUGH_TURNS
    if not enough or not 0 < NEEDLESS_ENOUGH * models <= spent["needless_usd"]:
        return None
    return Advice(
        "cost",
        f"{spent['needless_usd']:.4f} of {models:.4f} USD would not have been charged by the models"
        " that fit: let the rule choose (AYBIZA_SELECTION=current)",
        {"needless_usd": spent["needless_usd"], "models_usd": models},
    )


def _excuses(told: Mapping[str, Any]) -> Advice | None:
    count, of = told["turns"]["count"], told["turns"]["outcomes"]
    bad = of.get("apology", 0)
    if count < ENOUGH_TURNS or bad <= EXCUSES_ENOUGH * count:
        return None
    return Advice(
        "errors",
        f"{bad} of {count} turns had no answer of a model: aybiza_errors_total says which model and"
        " region failed; add a fallback region or another model (AWS_BEDROCK_MODELS)",
        {"turns": count, "without_answer": bad},
    )


def _edge(told: Mapping[str, Any]) -> Advice | None:
    edge = told["latency"]["edge"]
    if edge["count"] < ENOUGH_TURNS or (edge["p50_ms"] or 0) <= EDGE_MS:
        return None
    return Advice(
        "edge",
        f"half of the calls take {edge['p50_ms']:,.0f} ms or more from the edge to a node: add an"
        " origin nearer to the callers (see the countries)",
        {"p50_ms": edge["p50_ms"], "calls": edge["count"]},
    )


_ADVICE: Final[Sequence[Callable[[Mapping[str, Any]], Advice | None]]] = (
    _excuses,
    _late,
    _cheaper,
    _choice,
    _edge,
)


def _calls(calls: Sequence[Row]) -> dict[str, Any]:
    seconds = _values(calls, "seconds", 1.0)
    return {
        "count": len(calls),
        "outcomes": dict(_count(calls, "outcome")),
        "minutes": round(sum(seconds) / 60, 2),
        "p50_seconds": percentile(seconds, 50),
    }


def _models(turns: Iterable[Row]) -> list[dict[str, Any]]:
    models: dict[str, list[Row]] = defaultdict(list)
    for turn in turns:
        models[turn["model"] or "none"].append(turn)
    found = []
    for model, of in sorted(models.items(), key=lambda item: -len(item[1])):
        answered = [turn for turn in of if turn["outcome"] == ANSWERED]
        tokens = [
            (turn["first_token"] - turn["request"]) * 1000.0
            for turn in answered
            if turn["first_token"] is not None and turn["request"] is not None
        ]
        usd = sum(turn["micro_usd"] or 0 for turn in of) / MICRO
        found.append(
            {
                "model": model,
                "turns": len(of),
                "answered": len(answered),
                "usd_a_turn": usd / len(of),
                **{f"token_{name}": value for name, value in _spread(tokens).items()},
            }
        )
    return found


def _groups(turns: Iterable[Row], key: str) -> list[dict[str, Any]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for turn in turns:
        groups[turn[key] or "unknown"].append(turn)
    found = []
    for name, of in sorted(groups.items(), key=lambda item: -len(item[1])):
        frames = _values([t for t in of if t["outcome"] == ANSWERED], "first_frame", 1000.0)
        found.append({"name": name, "turns": len(of), **_spread(frames)})
    return found


def _spread(values: Sequence[float]) -> dict[str, float | int | None]:
    return {
        "count": len(values),
        "p50_ms": _rounded(percentile(values, 50)),
        "p95_ms": _rounded(percentile(values, 95)),
    }


def _values(rows: Iterable[Row], key: str, times: float) -> list[float]:
    return [row[key] * times for row in rows if row[key] is not None]


def _count(rows: Iterable[Row], key: str) -> Counter[str]:
    return Counter(row[key] or "unknown" for row in rows)


def _usd_by(charges: Iterable[Row], key: str) -> dict[str, float]:
    found: Counter[str] = Counter()
    for charge in charges:
        found[charge[key] or "unknown"] += charge["micro_usd"]
    return {name: micro / MICRO for name, micro in found.most_common()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
