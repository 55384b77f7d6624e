"""`aybiza bench`: measures this machine can repeat.

Exit codes: 0 measured; 1 with `--check` when a target is missed.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aybiza.console.page import say

if TYPE_CHECKING:
    from aybiza.benchmarks.runtime import Figure

MAX_NODES = 64
MAX_CALLS = 1000
FAILURES_SHOWN = 5

app = typer.Typer(
    epilog="Example: aybiza bench runtime",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def measures() -> None:
    """Measure what this machine can do."""


RUNTIME_EXAMPLE = "Example: aybiza bench runtime --rounds 9 --json"


@app.command("runtime", epilog=RUNTIME_EXAMPLE)
def runtime(
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="Rounds; the median counts.")] = 9,
    peers: Annotated[
        bool, typer.Option(help="Measure pykka and Thespian too; Thespian starts OS processes.")
    ] = True,
    check: Annotated[bool, typer.Option("--check", help="Fail if a target is missed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure calls, starts, restarts and memory of processes, beside a bare queue and others.

    Each figure is a median of short samples. A busy machine slows all alike: compare in one run.
    """
    try:
        from aybiza.benchmarks.runtime import run

        figures = run(rounds, peers=peers)
    except ModuleNotFoundError as missing:
        typer.echo(f"{missing.name} is not installed: pip install 'aybiza[bench]'", err=True)
        raise typer.Exit(1) from None
    _show(figures, as_json=as_json, check=check)


CLAUDE_EXAMPLE = "Example: aybiza bench claude --turns 20 --check"


@app.command("claude", epilog=CLAUDE_EXAMPLE)
def claude(
    turns: Annotated[int, typer.Option(min=1, max=100, help="Measured turns of the call.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="Streams; the median counts.")] = 50,
    seconds: Annotated[
        float, typer.Option(min=0.5, max=60, help="How long the many streams are measured.")
    ] = 5.0,
    check: Annotated[bool, typer.Option("--check", help="Fail if a target is missed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure the way to the model and back: request, first sentence, many streams, cancellation.

    The model is an emulator on this machine; its own delays are left out.
    """
    from aybiza.benchmarks.claude import run

    try:
        figures = run(turns, rounds, seconds)
    except RuntimeError as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from None
    _show(figures, as_json=as_json, check=check)


CLUSTER_EXAMPLE = "Example: aybiza bench cluster --nodes 2,12 --check"


def _sizes(text: str) -> list[int]:
    sizes = text.split(",")
    if not all(size.isdecimal() and 2 <= int(size) <= MAX_NODES for size in sizes):
        raise typer.BadParameter(f"{text!r}: numbers from 2 to {MAX_NODES}, with commas between")
    return [int(size) for size in sizes]


@app.command("cluster", epilog=CLUSTER_EXAMPLE)
def cluster(
    nodes: Annotated[
        str, typer.Option(help="Sizes of the clusters that are measured, one after the other.")
    ] = "2,4,8,12",
    seconds: Annotated[
        float, typer.Option(min=0.5, max=600, help="How long an idle cluster is watched.")
    ] = 10.0,
    calls: Annotated[int, typer.Option(min=20, max=100_000, help="Remote calls.")] = 1000,
    names: Annotated[
        int, typer.Option(min=0, max=200_000, help="Names whose cost is measured; 0: none.")
    ] = 10_000,
    check: Annotated[bool, typer.Option("--check", help="Fail if a target is missed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure what a cluster costs by its number of nodes: heartbeats, calls, names, NodeDown.

    All nodes run on this machine, in a cluster of their own on loopback.
    """
    sizes = _sizes(nodes)
    try:
        from aybiza.benchmarks.cluster import names_cost, run

        figures = run(sizes, seconds, calls)
        figures += names_cost(names) if names else []
    except ModuleNotFoundError as missing:
        typer.echo(f"{missing.name} is not installed: pip install 'aybiza[bench]'", err=True)
        raise typer.Exit(1) from None
    except RuntimeError as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from None
    _show(figures, as_json=as_json, check=check)


def _show(figures: Sequence["Figure"], *, as_json: bool, check: bool) -> None:
    """Print figures with their targets; exits with 1 if one is missed and that is to be checked."""
    if as_json:
        table = {
            figure.name: {"value": figure.value, "unit": figure.unit, "target": figure.target}
            for figure in figures
        }
        typer.echo(json.dumps(table, indent=2))
    else:
        width = min(max(len(figure.name) for figure in figures), 34)
        for figure in figures:
            target = "" if figure.target is None else f"  at most {figure.target:,g}"
            verdict = "  MISSED" if figure.missed else "  met" if target else ""
            value = f"{figure.value:>12,.1f} {figure.unit:5}"
            named = f"{figure.name:{width}}" if len(figure.name) <= width else f"{'':{width}}"
            if len(figure.name) > width:
                typer.echo(figure.name)
            say(f"{named}  {value}{target}{verdict}", width + 2)
    if check and any(figure.missed for figure in figures):
        raise typer.Exit(1)


RESILIENCE_EXAMPLE = """\
\b
Examples:
  aybiza bench resilience --url http://127.0.0.1:{port} --
      aybiza run --http-port {port} --media-port 0 --cluster-port {port2}
  aybiza bench resilience --url ws://127.0.0.1:{port}/ws -- python bot.py

The command finds its providers in its environment: PORT, AWS_ENDPOINT_URL_BEDROCK_RUNTIME,
DEEPGRAM_URL and others (docs/resilience.md).
"""


@app.command("resilience", epilog=RESILIENCE_EXAMPLE)
def resilience(
    command: Annotated[list[str], typer.Argument(help="What starts the server.")],
    url: Annotated[
        str, typer.Option(help="What is called: a media websocket (ws) or a webhook (http).")
    ] = "ws://127.0.0.1:{port}/ws",
    plans: Annotated[
        str, typer.Option(help="Names of plans, with commas between; without it: all.")
    ] = "",
    jobs: Annotated[int, typer.Option(min=1, max=16, help="Plans at a time.")] = 1,
    speed: Annotated[float, typer.Option(min=0.1, max=20.0, hidden=True)] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure what callers hear of any server on Twilio's Media Streams when a provider fails, or
    the server is killed. Takes about a minute a plan."""
    from aybiza.benchmarks.resilience import plans as chosen
    from aybiza.benchmarks.resilience import table
    from aybiza.benchmarks.stranger import StrangerError, run

    try:
        wanted = chosen(plans)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    try:
        rows = run(command, url, plans=wanted, jobs=jobs, speed=speed, tell=_tell)
    except StrangerError as error:
        typer.echo(f"aybiza bench: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps({"plans": [row.as_dict() for row in rows]}, indent=2))
        return
    typer.echo("\n".join(table(rows)))


def _tell(line: str) -> None:
    """Where the table may go to a file, people see that it grows."""
    typer.echo(line, err=True)


LOAD_EXAMPLE = """\
\b
Examples:
  aybiza bench load --calls 1,20,50
  aybiza bench load --calls 20 --until-p95 60
  aybiza bench load --calls 20 --barge-in
  aybiza bench load --calls 20 --url ws://127.0.0.1:{port}/ws -- python bot.py

Without a command it measures this project's own node. The command finds its
providers in its environment, as for `aybiza bench resilience`.
"""


@app.command("load", epilog=LOAD_EXAMPLE)
def load(
    command: Annotated[list[str] | None, typer.Argument(help="What starts the server.")] = None,
    url: Annotated[
        str, typer.Option(help="The media websocket that is called.")
    ] = "ws://127.0.0.1:{port}/ws",
    calls: Annotated[str, typer.Option(help="Calls at a time, with commas between.")] = "1,20",
    seconds: Annotated[
        float, typer.Option(min=10, max=7200, help="How long callers ask and are answered.")
    ] = 60.0,
    barge_in: Annotated[
        bool, typer.Option("--barge-in", help="Callers break into answers: time to `clear`.")
    ] = False,
    until_p95: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="Find how many calls a core carries with p95 at most so many ms, all answered and"
            " no gap, from the first number of --calls on.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table as a page of docs has it.")
    ] = False,
) -> None:
    """Measure what a server on one core adds to a turn and takes, by the number of calls.

    Each caller asks every five seconds. Overhead is what is neither the caller's time nor the
    providers': transcript to request, token to speech, audio to telephone.
    """
    from aybiza.benchmarks.load import (
        BREAKS_IN_SECONDS,
        MARKDOWN,
        TABLE,
        Load,
        details,
        measured,
        most_calls,
        row,
        this_node,
    )
    from aybiza.benchmarks.stranger import StrangerError

    numbers = calls.split(",")
    if not all(number.isdecimal() and 1 <= int(number) <= MAX_CALLS for number in numbers):
        given = f"{calls!r}: numbers from 1 to {MAX_CALLS}, with commas between"
        raise typer.BadParameter(given)

    def measure(number: int) -> Load:
        with tempfile.TemporaryDirectory(prefix="aybiza-load-") as folder:
            words, where, more = (command, url, {}) if command else this_node(Path(folder))
            breaks_in = BREAKS_IN_SECONDS if barge_in else None
            given: dict[str, Any] = {"seconds": seconds, "more": more, "breaks_in": breaks_in}
            try:
                told = measured(words, where, calls=number, **given)
            except StrangerError as error:
                typer.echo(f"aybiza bench: {error}", err=True)
                raise typer.Exit(1) from None
        if not as_json:
            typer.echo(row(told, markdown=markdown))
            if not markdown:
                say(f"      {details(told)}", 6)
            for failure in told.failures[:FAILURES_SHOWN]:
                say(f"  failed: {failure}", 4)
        return told

    if not as_json:
        typer.echo(MARKDOWN if markdown else TABLE)
    if until_p95 is not None:
        most, loads = most_calls(measure, until_p95, first=int(numbers[0]), most=MAX_CALLS)
    else:
        most, loads = None, [measure(int(number)) for number in numbers]
    if as_json:
        figures = {"loads": [told.as_dict() for told in loads]}
        typer.echo(json.dumps(figures | ({} if most is None else {"calls_a_core": most}), indent=2))
    elif most is not None:
        typer.echo(f"calls a core with p95 at most {until_p95:g} ms: {most}")
    raise typer.Exit(int(most == 0 or (most is None and any(told.failures for told in loads))))


CALL_EXAMPLE = "Example: aybiza bench call --turns 500 --minutes 120 --check"


@app.command("call", epilog=CALL_EXAMPLE)
def call(
    turns: Annotated[int, typer.Option(min=5, max=2000, help="Turns of the caller.")] = 500,
    minutes: Annotated[float, typer.Option(min=1, max=230, help="How long they talk.")] = 120.0,
    memory: Annotated[bool, typer.Option(help="Measure memory too, in twice the time.")] = True,
    check: Annotated[bool, typer.Option("--check", help="Fail if a target is missed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure one long call in virtual time: requests, cache, memory, and what is forgotten."""
    from aybiza.benchmarks.long_call import talked

    _show(talked(turns, 60.0 * minutes, memory=memory).figures(), as_json=as_json, check=check)


TURN_EXAMPLE = "Example: aybiza bench turn --calls 10 --turns 5"
TURN_TARGET_MS = 10.0


@app.command("turn", epilog=TURN_EXAMPLE)
def turn(
    calls: Annotated[int, typer.Option(min=1, max=200, help="Calls at a time.")] = 1,
    turns: Annotated[int, typer.Option(min=1, max=100, help="Measured turns of each call.")] = 10,
    check: Annotated[bool, typer.Option("--check", help="Fail if the target is missed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure what the agent adds to a turn, the providers' own delays left out.

    hear: final transcript to request at Bedrock. think: first token to first sentence at
    Deepgram. speak: first audio from Deepgram to first media message at the telephone.
    """
    from aybiza.benchmarks.turn import run

    figures = run(calls, turns).as_dict()
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        typer.echo(f"{figures['calls']} calls at a time, {figures['turns']} turns measured")
        for name, row in figures["ms"].items():
            typer.echo(
                f"  {name:6} p50 {row['p50']:7.2f} ms"
                f"   p95 {row['p95']:7.2f}   max {row['max']:7.2f}"
            )
        verdict = "met" if figures["ms"]["total"]["p50"] <= TURN_TARGET_MS else "MISSED"
        typer.echo(f"  target total p50 at most {TURN_TARGET_MS:g} ms: {verdict}")
        typer.echo(f"  CPU    {figures['cpu_seconds_a_call_minute']:.2f} s a call-minute")
        for failure in figures["failures"]:
            say(f"  failed: {failure}", 4)
    missed = not figures["turns"] or figures["ms"]["total"]["p50"] > TURN_TARGET_MS
    if figures["failures"] or (check and missed):
        raise typer.Exit(1)
