"""The report as one HTML file: nothing is fetched, plots are SVG drawn here. Pure.

    path.write_text(page(report(rows, since, until), "24h"))

Errors: none. All texts are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

WIDE: Final = 720
HIGH: Final = 160
_LEFT: Final = 48
_BELOW: Final = 20

_STYLE: Final = """
body{font:14px/1.5 system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#222}
h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}table{border-collapse:collapse;width:100%}
td,th{padding:.2em .5em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}
li{margin:.4em 0}.axis{stroke:#999}.text{font-size:11px;fill:#555}
@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#ddd}td,th{border-color:#444}
.text{fill:#aaa}}
"""


def page(told: Mapping[str, Any], period: str) -> str:
    """The file's text."""
    calls, turns, spent = told["calls"], told["turns"], told["cost"]
    trend = told["trend"]
    hours = [part["at"] for part in trend]
    parts = [
        f"<h1>Calls of the last {escape(period)}</h1>",
        f"<p>{_when(told['since'])} to {_when(told['until'])} UTC: {calls['count']:,} calls,"
        f" {turns['count']:,} turns, {spent['usd']:.4f} USD.</p>",
        _advice(told["recommendations"]),
        "<h2>Response: from the end of the voice to the first frame of the answer, ms</h2>",
        lines(hours, {name: [part[f"{name}_ms"] for part in trend] for name in ("p50", "p95")}),
        "<h2>Where the time goes</h2>",
        _stages(told["latency"]),
        "<h2>Turns</h2>",
        bars(hours, [part["turns"] for part in trend]),
        "<h2>Cost, USD</h2>",
        bars(hours, [part["usd"] for part in trend]),
        _table(("charged for", "USD"), [(k, f"{v:.6f}") for k, v in spent["by_what"].items()]),
        "<h2>Models</h2>",
        _models(told["models"]),
    ]
    for title in ("countries", "regions", "nodes"):
        rows = [
            (of["name"], of["turns"], _ms(of["p50_ms"]), _ms(of["p95_ms"])) for of in told[title]
        ]
        parts += [f"<h2>{title.capitalize()}</h2>", _table((title, "turns", "p50", "p95"), rows)]
    if told["experiments"]:
        parts += ["<h2>Experiments, with intervals of 95 %</h2>", _experiments(told["experiments"])]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Report of calls</title>\n'
        f"<style>{_STYLE}</style>\n<body>\n{body}\n</body></html>\n"
    )


def lines(at: Sequence[float], series: Mapping[str, Sequence[float | None]]) -> str:
    """A plot of several lines over time; a line has a gap where nothing is known."""
    most = max((value for values in series.values() for value in values if value), default=0.0)
    drawn = []
    for number, (name, values) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        pieces: list[list[str]] = [[]]
        for place, value in enumerate(values):
            if value is None:
                pieces.append([])
            else:
                pieces[-1].append(f"{_x(place, len(values)):.1f},{_y(value, most):.1f}")
        drawn += [
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(piece)}"/>'
            for piece in pieces
            if piece
        ]
        x = _LEFT + 8 + number * 60
        drawn.append(
            f'<text class="text" x="{x}" y="12" style="fill:{colour}">{escape(name)}</text>'
        )
    return _plot(at, most, drawn)


def bars(at: Sequence[float], values: Sequence[float]) -> str:
    """A plot of one bar a part of the period."""
    most = max(values, default=0.0)
    wide = (WIDE - _LEFT) / max(1, len(values)) * 0.8
    drawn = [
        f'<rect x="{_x(place, len(values)) - wide / 2:.1f}" y="{_y(value, most):.1f}"'
        f' width="{wide:.1f}" height="{HIGH - _y(value, most):.1f}" fill="{_COLOURS[0]}"/>'
        for place, value in enumerate(values)
        if value
    ]
    return _plot(at, most, drawn)


_COLOURS: Final = ("#2a6fbb", "#c8553d", "#4d8b31", "#8a5a9e")


def _plot(at: Sequence[float], most: float, drawn: Iterable[str]) -> str:
    first, last = (_when(at[place]) if at else "" for place in (0, -1))
    return (
        f'<svg viewBox="0 0 {WIDE} {HIGH + _BELOW}" role="img">'
        f'<line class="axis" x1="{_LEFT}" y1="{HIGH}" x2="{WIDE}" y2="{HIGH}"/>'
        f'<text class="text" x="0" y="12">{most:,.4g}</text>'
        f'<text class="text" x="0" y="{HIGH}">0</text>'
        f'<text class="text" x="{_LEFT}" y="{HIGH + 15}">{first}</text>'
        f'<text class="text" x="{WIDE}" y="{HIGH + 15}" text-anchor="end">{last}</text>'
        f"{''.join(drawn)}</svg>"
    )


def _x(place: int, of: int) -> float:
    return _LEFT + (WIDE - _LEFT) * (place + 0.5) / max(1, of)


def _y(value: float, most: float) -> float:
    return HIGH - (HIGH - 20) * value / most if most else float(HIGH)


def _advice(advices: Sequence[Mapping[str, Any]]) -> str:
    if not advices:
        return "<p>Nothing stands out that could be done better.</p>"
    items = "".join(
        f"<li><b>{escape(each['about'].replace('_', ' '))}</b>: {escape(each['says'])}</li>"
        for each in advices
    )
    return f"<h2>What could be done better</h2><ul>{items}</ul>"


def _stages(latency: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            name.replace("_", " "),
            f"{of['count']:,}",
            _ms(of["p50_ms"]),
            _ms(of["p95_ms"]),
            _ms(of.get("took_ms")),
        )
        for name, of in latency.items()
    ]
    return _table(("stage", "turns", "p50 ms", "p95 ms", "took ms"), rows)


def _models(models: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            of["model"],
            f"{of['turns']:,}",
            _ms(of["token_p50_ms"]),
            _ms(of["token_p95_ms"]),
            f"{of['usd_a_turn']:.6f}",
        )
        for of in models
    ]
    return _table(("model", "turns", "first token p50 ms", "p95 ms", "USD a turn"), rows)


def _experiments(arms: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"{arm['experiment']} / {arm['arm']}",
            f"{arm['turns']:,}",
            _between(arm["answered_share"], arm["answered_interval"], ".1%"),
            _between(arm["response_ms"], arm["response_interval"], ",.0f"),
            _between(arm["usd_a_turn"], arm["usd_interval"], ".6f"),
        )
        for arm in arms
    ]
    return _table(("arm", "turns", "answered", "response ms", "USD a turn"), rows)


def _between(value: float | None, interval: Sequence[float] | None, form: str) -> str:
    if value is None:
        return ""
    around = f" ({interval[0]:{form}} to {interval[1]:{form}})" if interval else ""
    return f"{value:{form}}{around}"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
