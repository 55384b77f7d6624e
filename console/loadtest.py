"""`aybiza loadtest`: many calls at once to any node, and what the callers heard.

Exit codes: 0 all calls were carried; 1 some failed or were not answered; 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from aybiza.console.page import counted, folded, printable, say

EXAMPLE: Final = "Example: aybiza loadtest --url ws://127.0.0.1:8080/media --calls 20 --ramp 10"
RECORDING: Final = "opening_hours_ask.wav"
PROGRESS_SECONDS: Final = 1.0
PROGRESS_WIDTH: Final = 60


def loadtest(
    url: Annotated[
        str, typer.Option(help="A media websocket (ws, wss), or a voice webhook (http, https).")
    ],
    calls: Annotated[int, typer.Option(min=1, max=1000, help="Calls at a time.")] = 10,
    ramp: Annotated[
        float, typer.Option(min=0, max=3600, help="Seconds over which the calls begin.")
    ] = 5.0,
    seconds: Annotated[
        float, typer.Option(min=1, max=14_400, help="How long each call asks.")
    ] = 60.0,
    every: Annotated[
        float, typer.Option(min=2, max=600, help="Seconds between two questions of a call.")
    ] = 8.0,
    wav: Annotated[
        Path | None, typer.Option(help="A recording of the question; without it: one of ours.")
    ] = None,
    codes: Annotated[
        bool, typer.Option("--codes", help="Ask in codes, for nodes of --emulated=scripted.")
    ] = False,
    token: Annotated[
        str | None,
        typer.Option(envvar="TWILIO_AUTH_TOKEN", help="Signs requests to a webhook."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Place many calls at a node and tell how soon each was answered, and what failed and why.

    Calls cost what calls cost, where the node's providers are real.
    """
    from aybiza.actors.runtime.loops import new_event_loop
    from aybiza.benchmarks.load_test import Plan, load_test
    from aybiza.emulators import phone
    from aybiza.emulators.phone.audio import utterance_of_wav
    from aybiza.speech.wav import AudioError

    _look_at(url)
    voice = None
    if not codes:
        path = wav or Path(phone.__file__).with_name("recordings") / RECORDING
        try:
            payloads = utterance_of_wav(path).payloads
        except AudioError as error:
            say(f"aybiza: {error}", 8, err=True)
            raise typer.Exit(1) from None
        voice = lambda _: payloads  # noqa: E731
    ended = 0

    def over() -> None:
        nonlocal ended
        ended += 1

    async def run() -> dict[str, Any]:
        shown = asyncio.create_task(_progress(calls, lambda: ended))
        try:
            return await load_test(url, plan, over)
        finally:
            shown.cancel()
            await asyncio.gather(shown, return_exceptions=True)

    plan = Plan(calls, ramp, seconds, every, voice=voice, token=token)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        told = runner.run(run())
    if as_json:
        typer.echo(json.dumps(told))
    else:
        for line in load_lines(told):
            typer.echo(line)
    raise typer.Exit(int(bool(told["failed"] or told["unanswered"])))


def _look_at(url: str) -> None:
    """Raise a usage error for what is no address of a node."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("ws", "wss", "http", "https") and bool(parts.hostname)
        usable = usable and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise typer.BadParameter(f"{url!r}: must be ws, wss, http or https://host:port/path")


async def _progress(calls: int, ended: Callable[[], int]) -> None:
    """Say each second how it goes, where a terminal shows it; the line goes with its end."""
    if not sys.stderr.isatty():
        return
    began = time.monotonic()
    try:
        while True:
            seconds = time.monotonic() - began
            line = f"{seconds:.0f} s, {ended()} of {calls} calls are over"
            typer.echo(f"\r{line:<{PROGRESS_WIDTH}}", nl=False, err=True)
            await asyncio.sleep(PROGRESS_SECONDS)
    finally:
        typer.echo(f"\r{'':<{PROGRESS_WIDTH}}\r", nl=False, err=True)


def load_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """What was measured, for people, in 80 columns."""
    from aybiza.benchmarks.load_test import LATE_MS

    well = told["calls"] - told["failed"]
    calls = counted(told["calls"], "call")
    yield f"{calls} in {told['seconds']:g} s: {well} carried, {told['failed']} failed"
    questions, gaps = counted(told["asked"], "question"), counted(told["gaps"], "gap")
    yield f"{questions}, {told['unanswered']} without an answer, {gaps}"
    if told["response_ms"]["p50"] is not None:
        times = "  ".join(f"{name} {ms:,.0f} ms" for name, ms in told["response_ms"].items())
        yield f"response  {times}"
    for cause, count in told["failures"].items():
        yield from folded(printable(f"{count:>5} times  {cause}"), 13)
    if (told["late_p95_ms"] or 0.0) > LATE_MS:
        late = f"the callers' frames left {told['late_p95_ms']:g} ms late"
        yield from folded(f"{late}: this machine is too busy, and the figures are of it", 2)
