"""`aybiza report` and `aybiza costs`: what the records of a cluster's nodes say of a period.

Where they look is in `aybiza.console.period_records`: at all machines of the cluster, if a node
runs here. Exit codes: 0 done, 1 there are no records, they cannot be read or a machine has not
answered, 2 wrong usage.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from aybiza.console.page import counted, folded, printable, say
from aybiza.console.period_records import (
    AsJson,
    Files,
    Here,
    Period,
    PortOption,
    Sources,
    records_of_period,
)

WIDTH: Final = 80
SHOWN_ID: Final = 14
REPORT_EXAMPLE: Final = "Example: aybiza report --period 7d --html report.html"
COSTS_EXAMPLE: Final = "Example: aybiza costs --by agent --period 30d --csv"
_BARS: Final = "▁▂▃▄▅▆▇█"

COLUMNS: Final = ("what", "model", "quantity", "charges", "usd")
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("day",),
    "tenant": ("tenant",),
    "agent": ("agent",),
    "call": ("call_id",),
    "turn": ("call_id", "turn"),
    "model": (),
}


def report(
    period: Period = "24h",
    html: Annotated[
        Path | None, typer.Option(help="Write it as one HTML file with plots, and print nothing.")
    ] = None,
    file: Files = None,
    here: Here = False,
    port: PortOption = None,
    as_json: AsJson = False,
    force: Annotated[bool, typer.Option("--force", help="Write over the file of --html.")] = False,
) -> None:
    """Show how calls were answered: latency by stage, models, cost, trends, what to do better."""
    from aybiza.actors.measures.report import report as made

    if html is not None and html.exists() and not force:
        say(f"aybiza: --html: {html} is there already; name another, or add --force", 8, err=True)
        raise typer.Exit(2)
    found = records_of_period(period, Sources(file, here, port))
    told = {**made(found.rows, found.since, found.until), **found.told()}
    if html is not None:
        from aybiza.console.report_html import page

        try:
            html.write_text(page(told, period), encoding="utf-8")
        except OSError as error:
            say(f"aybiza: {html}: {error.strerror}", 8, err=True)
            raise typer.Exit(1) from None
    elif as_json:
        typer.echo(json.dumps(told))
    else:
        for line in report_lines(told, period):
            typer.echo(line)
    found.end()


def costs(
    period: Period = "24h",
    by: Annotated[str, typer.Option(help="day, tenant, agent, call, turn or model.")] = "model",
    file: Files = None,
    here: Here = False,
    port: PortOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, amounts in USD.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what calls have cost: models, speech and carriers, exact to a millionth of a dollar."""
    if by not in KEYS:
        raise typer.BadParameter(f"{by!r}: must be one of {', '.join(KEYS)}", param_hint="--by")
    found = records_of_period(period, Sources(file, here, port))
    table = cost_rows(found.rows.charges, by)
    total = sum(row["micro_usd"] for row in table)
    if as_json:
        told = {"since": found.since, "until": found.until, "by": by, **found.told()}
        typer.echo(json.dumps({**told, "rows": table, "micro_usd": total}))
    elif as_csv:
        typer.echo(as_table(table, by), nl=False)
    else:
        for line in cost_lines(table, by, total):
            typer.echo(line)
    found.end()


def cost_rows(charges: Sequence[Mapping[str, Any]], by: str) -> list[dict[str, Any]]:
    """The charges added up by `by`, and by what was charged for."""
    keys = KEYS[by]
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for charge in charges:
        about = {**charge, "day": datetime.fromtimestamp(charge["at"], UTC).date().isoformat()}
        key = tuple(about[name] for name in (*keys, "what", "model"))
        row = found.setdefault(
            key,
            {**dict(zip((*keys, "what", "model"), key, strict=True))}
            | {"quantity": 0.0, "charges": 0, "micro_usd": 0},
        )
        row["quantity"] += charge["quantity"] or 0.0
        row["charges"] += 1
        row["micro_usd"] += charge["micro_usd"]
    return sorted(
        found.values(), key=lambda row: ([str(row[name]) for name in keys], -row["micro_usd"])
    )


def as_table(table: Sequence[Mapping[str, Any]], by: str) -> str:
    """The rows as CSV; amounts are USD with six decimals."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*KEYS[by], *COLUMNS))
    for row in table:
        told = {**row, "usd": _usd(row["micro_usd"]), "quantity": f"{row['quantity']:g}"}
        writer.writerow([_cell(told[name]) for name in (*KEYS[by], *COLUMNS)])
    return out.getvalue()


def cost_lines(table: Sequence[Mapping[str, Any]], by: str, total: int) -> Iterator[str]:
    """The rows for people."""
    width = 22 if KEYS[by] else 0
    row_of = f"{{:{width}.{max(1, width - 1)}}}{{:8}} {{:30.30}} {{:>10}} {{:>7}}"
    key = by.upper() if width else ""
    yield (row_of.format(key, "WHAT", "MODEL", "USD", "TIMES")).strip()
    for row in table:
        name = _name(row, by)
        model = str(row["model"] or "").removeprefix("global.").removeprefix("anthropic.")
        shown = row_of.format(
            name, str(row["what"]), model, _usd(row["micro_usd"]), f"{row['charges']:,}"
        )
        yield shown.rstrip() if width else shown.strip()
    yield f"{_usd(total)} USD in all"


def _name(row: Mapping[str, Any], by: str) -> str:
    """What the row is of; of a call as many characters as `aybiza calls list` shows."""
    keys = KEYS[by]
    parts = ["-" if row[part] is None else str(row[part]) for part in keys]
    if len(keys) > 1:
        parts[0] = parts[0][:SHOWN_ID]
    return printable(" ".join(parts))


def report_lines(told: Mapping[str, Any], period: str) -> Iterator[str]:
    """The report for people, in 80 columns."""
    calls, turns, spent = told["calls"], told["turns"], told["cost"]
    if not turns["count"] and not calls["count"]:
        yield f"no call in the last {period}"
        return
    yield f"the last {period}: {counted(calls['count'], 'call')}, {calls['minutes']:,} minutes"
    yield f"  ended   {_counts(calls['outcomes'])}"
    yield f"  turns   {turns['count']:,}: {_counts(turns['outcomes'])}"
    yield ""
    yield f"{'UNTIL, FROM THE VOICE ON':30} {'TURNS':>7} {'P50 MS':>9} {'P95 MS':>9} {'TOOK':>9}"
    for stage, of in told["latency"].items():
        took = _ms(of.get("took_ms"))
        name = "edge to node, before" if stage == "edge" else stage.replace("_", " ")
        yield f"{name:30} {of['count']:>7,} {_ms(of['p50_ms']):>9} {_ms(of['p95_ms']):>9} {took:>9}"
    yield ""
    yield f"{'MODEL':40} {'TURNS':>7} {'TOKEN P50':>9} {'P95':>7} {'USD/TURN':>10}"
    for of in told["models"]:
        model = of["model"].removeprefix("global.").removeprefix("anthropic.")
        yield (
            f"{model:40.40} {of['turns']:>7,} {_ms(of['token_p50_ms']):>9}"
            f" {_ms(of['token_p95_ms']):>7} {of['usd_a_turn']:>10.5f}"
        )
    yield from _groups(told)
    yield ""
    yield from folded(f"cost        {spent['usd']:.4f} USD: {_amounts(spent['by_what'])}", 12)
    a_call, a_turn = spent["usd_a_call"], spent["usd_a_turn"]
    efficiency = "unknown" if spent["efficiency"] is None else f"{spent['efficiency']:.0%}"
    yield (
        f"            {_or(a_call, '.4f')} a call, {_or(a_turn, '.5f')} a turn;"
        f" cost efficiency of models {efficiency}"
    )
    chosen = told["selection"]
    share = "none" if chosen["share"] is None else f"{chosen['share']:.1%}"
    yield f"selection   {share} of {chosen['judged']:,} answers by the model that fits"
    yield f"responses   {_bars([part['p50_ms'] for part in told['trend']])}  p50, oldest first"
    yield f"turns       {_bars([float(part['turns']) for part in told['trend']])}"
    yield from _experiments(told["experiments"])
    for advice in told["recommendations"]:
        yield ""
        yield from _wrapped(f"{advice['about'].replace('_', ' ')}: {advice['says']}")


def _groups(told: Mapping[str, Any]) -> Iterator[str]:
    for title in ("countries", "regions", "nodes"):
        named = [of for of in told[title] if of["name"] != "unknown"]
        if not named:
            continue
        yield ""
        yield f"{title.upper():40} {'TURNS':>7} {'P50 MS':>9} {'P95 MS':>7}"
        for of in named[:10]:
            p50, p95 = _ms(of["p50_ms"]), _ms(of["p95_ms"])
            yield f"{of['name']:40.40} {of['turns']:>7,} {p50:>9} {p95:>7}"


def _experiments(arms: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not arms:
        return
    yield ""
    yield f"{'EXPERIMENT / ARM':26} {'TURNS':>6} {'ANSWERED':>16} {'MS':>13} {'USD/TURN':>15}"
    for arm in arms:
        name = f"{arm['experiment']} / {arm['arm']}"
        share, between = arm["answered_share"], arm["answered_interval"]
        answered = "" if share is None else f"{share:.0%} ({between[0]:.0%}-{between[1]:.0%})"
        response, around = arm["response_ms"], arm["response_interval"]
        ms = "" if response is None else f"{response:.0f}{_spread(response, around, '.0f')}"
        usd = f"{arm['usd_a_turn']:.5f}{_spread(arm['usd_a_turn'], arm['usd_interval'], '.5f')}"
        yield f"{name:26.26} {arm['turns']:>6,} {answered:>16} {ms:>13} {usd:>15}"


def _spread(mean: float, between: Sequence[float] | None, form: str) -> str:
    return "" if between is None else f"±{between[1] - mean:{form}}"


def _bars(values: Sequence[float | None]) -> str:
    """A line of bars, one a value; a blank where there is none."""
    most = max((value for value in values if value), default=0.0)
    steps = len(_BARS) - 1
    return "".join(
        " " if value is None or not most else _BARS[round(value / most * steps)] for value in values
    )


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False)


def _counts(counts: Mapping[str, int]) -> str:
    most = sorted(counts.items(), key=lambda item: -item[1])[:5]
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in most) or "none"


def _amounts(amounts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {usd:.4f}" for name, usd in amounts.items()) or "nothing"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _or(value: float | None, form: str) -> str:
    return "unknown" if value is None else format(value, form)


def _usd(micro: int) -> str:
    return f"{micro // 1_000_000}.{micro % 1_000_000:06d}"


def _cell(value: Any) -> Any:
    """A spreadsheet would run what begins like a formula."""
    text = "" if value is None else printable(str(value))
    try:
        float(text)
    except ValueError:
        return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
    return text
