"""`aybiza diagnose`: what is wrong with answers, a call, a SIP trace or a recording, and the cure.

Each command reads what is there and decides by rules (`aybiza.console.diagnosis`); none of them
changes anything or needs a node.

Exit codes: 0 told; 1 there is nothing to read, it cannot be read, or with `--check` something is
wrong; 2 wrong usage.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from aybiza.console import report
from aybiza.console.page import folded, printable, say
from aybiza.console.setup import settings_or_exit

if TYPE_CHECKING:
    from aybiza.console.diagnosis.call_tree import Finding
    from aybiza.console.diagnosis.latency import Component

EXAMPLES: Final = """\
Examples:\n
\n
  aybiza diagnose latency --period 1h       each part of an answer, its budget\n
  aybiza diagnose call CA01234567           the decision tree, for one call\n
"""

app = typer.Typer(
    help="Find what is wrong with answers, a call, a SIP trace or a recording.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Check = Annotated[bool, typer.Option("--check", help="Exit with 1 if something is wrong.")]


@app.command(epilog="Example: aybiza diagnose latency --period 1h --budget stt=300")
def latency(
    period: report.Period = "24h",
    budget: Annotated[
        list[str] | None,
        typer.Option(help="Another budget in ms: stt, node, llm, tts, network or response, =ms."),
    ] = None,
    file: report.Files = None,
    check: Check = False,
    as_json: AsJson = False,
) -> None:
    """Show what each component of an answer took, against its budget and as a share of the wait."""
    from aybiza.console.diagnosis.latency import BUDGETS, components, slowest

    budgets = {**BUDGETS, **_budgets(budget or (), BUDGETS)}
    rows, _, _ = report.rows_of_period(period, file)
    found = components(rows.turns, budgets)
    worst = slowest(found)
    if as_json:
        parts = [dataclasses.asdict(part) for part in found]
        name = worst.name if worst else None
        typer.echo(json.dumps({"period": period, "slowest": name, "components": parts}))
    else:
        for line in latency_lines(found, worst, period):
            typer.echo(line)
    raise typer.Exit(int(check and any(part.verdict in ("over", "tail") for part in found)))


@app.command(epilog="Example: aybiza diagnose call CA01234567")
def call(
    call_id: Annotated[str, typer.Argument(help="The call's id, or how it begins.")],
    file: report.Files = None,
    check: Check = False,
    as_json: AsJson = False,
) -> None:
    """Walk the decision tree for a call: latency, audio, conversation, failure, each with its cure.

    What was said on it is not printed.
    """
    from aybiza.actors.measures.records import NAME
    from aybiza.console.diagnosis.call_tree import walk
    from aybiza.console.diagnosis.evidence import EvidenceError, of_call

    settings = settings_or_exit()
    files = file or [settings.memory_path.with_name(NAME)]
    try:
        known = of_call(settings, call_id, files)
    except EvidenceError as error:
        say(f"aybiza: {error}", 8, err=True)
        raise typer.Exit(1) from None
    found = list(walk(known.evidence))
    if as_json:
        told: dict[str, Any] = {"call_id": known.call_id, "missing": known.missing}
        told["findings"] = [finding._asdict() for finding in found]
        typer.echo(json.dumps(told))
    else:
        for line in call_lines(known.call_id, known.missing, found):
            typer.echo(line)
    raise typer.Exit(int(check and any(finding.answer == "yes" for finding in found)))


def latency_lines(
    found: Sequence[Component], worst: Component | None, period: str
) -> Iterator[str]:
    """The components for people, in 80 columns."""
    whole = found[-1]
    if not whole.turns:
        yield f"no turn was answered in the last {period}"
        return
    yield f"the last {period}: {whole.turns:,} answered turns, from the end of the caller's voice"
    yield _ROW.format("COMPONENT", "BUDGET", "P50 MS", "P95 MS", "SHARE", "OVER", "")
    for part in found:
        yield _ROW.format(
            part.name,
            f"{part.budget_ms:,.0f}",
            _ms(part.p50_ms),
            _ms(part.p95_ms),
            _share(part.share),
            _share(part.over),
            _VERDICTS[part.verdict],
        ).rstrip()
    told = dict.fromkeys(part.advice for part in found if part.verdict == "over" and part.advice)
    if worst is not None and worst.p50_ms is not None:
        yield ""
        over = worst.p50_ms - worst.budget_ms
        yield f"most over its budget: {worst.name}, by {over:,.0f} ms in the middle turn"
    for advice in told:
        names = ", ".join(part.name for part in found if part.advice == advice)
        yield from folded(f"{names:9}  {advice}", 11)


_ROW: Final = "{:10} {:>8} {:>9} {:>9} {:>7} {:>7}  {}"
_VERDICTS: Final = {
    "met": "met",
    "tail": "met by the middle turn",
    "over": "OVER",
    "unknown": "not measured",
}


def call_lines(call_id: str, missing: Sequence[str], found: Sequence[Finding]) -> Iterator[str]:
    """The tree for people, in 80 columns."""
    yield from folded(printable(f"call {call_id}"), 5)
    for why in missing:
        yield from folded(printable(f"without: {why}"), 9)
    branch = ""
    for finding in found:
        if finding.branch != branch:
            branch = finding.branch
            yield ""
            yield branch
        answer = finding.answer.upper() if finding.answer == "yes" else finding.answer
        yield from folded(printable(f"  {answer:8} {finding.asks} {finding.seen}"), 11)
        if finding.fix:
            yield from folded(f"           -> {finding.fix}", 14)


def _budgets(given: Sequence[str], known: Any) -> dict[str, float]:
    """`stt=300` as a budget. Raises BadParameter."""
    found = {}
    for each in given:
        name, _, number = each.partition("=")
        digits = number.isascii() and number.isdecimal() and len(number) < 7
        if name not in known or not digits or not int(number):
            wanted = f"{', '.join(known)}, then = and milliseconds"
            raise typer.BadParameter(f"{each!r}: must be one of {wanted}", param_hint="--budget")
        found[name] = float(number)
    return found


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"
