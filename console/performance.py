"""`aybiza performance`: how the models have done, over all nodes of a cluster and their restarts.

It puts the specification's five questions to the records of a period; where those are looked for
is in `aybiza.console.period_records`. Exit codes: 0 done, 1 there are no records, they cannot be
read or a machine has not answered, 2 wrong usage.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from aybiza.console.page import say
from aybiza.console.period_records import (
    AsJson,
    Files,
    Here,
    PortOption,
    Sources,
    records_of_period,
)

EXAMPLE = "Example: aybiza performance --period 7d"


def performance(
    period: Annotated[
        str, typer.Option(help="How far to look back: 30m, 24h or 7d; at most 7d.")
    ] = "24h",
    file: Files = None,
    here: Here = False,
    port: PortOption = None,
    node: Annotated[
        str | None, typer.Option(help="Which of the cluster's nodes; without it: all of them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how the models have done, what they cost, and what could be done better."""
    from aybiza.actors.measures.performance_records import log_of
    from aybiza.claude.performance_trends import analyze_model_performance_trends, seconds_of

    try:
        seconds_of(period)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--period") from None
    found = records_of_period(period, Sources(file, here, port))
    log = log_of(turn for turn in found.rows.turns if node in (None, turn["node"]))
    told = analyze_model_performance_trends(log, period, now=found.until)
    if as_json:
        typer.echo(json.dumps({"performance": told, **found.told()}))
    else:
        for line in performance_lines(told):
            say(line, 4)
    found.end()


def performance_lines(told: dict[str, Any]) -> list[str]:
    """How the models have done, for people."""
    usage, latency = told["model_usage_distribution"], told["latency_trends"]
    cost, quality = told["cost_trends"], told["quality_metrics"]
    if not quality["turns"]:
        return ["no turn was answered in this time"]
    lines = [
        f"{model}  {of['turns']:,} turns ({of['share']:.0%})"
        f"  first token{_first_token(latency[model])}"
        for model, of in usage.items()
    ]
    lines.append(
        f"cost  {cost['usd']:.4f} USD, {cost['usd_a_turn']:.5f} a turn{_grown(cost)};"
        f" {cost['needless_usd']:.4f} that the fitting models would not have charged"
    )
    lines.append(
        f"quality  {quality['answered_share']:.0%} answered, {quality['cut_share']:.0%} cut off,"
        f" {_percent(quality['fitting_share'])} by the fitting model"
    )
    advice = told["optimization_recommendations"]
    return [
        *lines,
        *(f"advice on {each['about'].replace('_', ' ')}: {each['says']}" for each in advice),
    ]


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.0%}"


def _first_token(latency: dict[str, Any]) -> str:
    if latency["p50_ms"] is None:
        return " never came"
    return f" within {latency['p50_ms']:g} ms, 95% within {latency['p95_ms']:g} ms{_grown(latency)}"


def _grown(trend: dict[str, Any]) -> str:
    change = trend["change_percent"]
    return "" if change is None else f" ({change:+.0f}% since the half before)"
