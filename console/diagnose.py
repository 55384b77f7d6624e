"""`aybiza diagnose`: what is wrong with answers, a call, a SIP trace or a recording, and the cure.

Each command reads what is there and decides by rules (`aybiza.console.diagnosis`); none of them
changes anything or needs a node.

Exit codes: 0 told; 1 there is nothing to read, it cannot be read, or with `--check` something is
wrong; 2 wrong usage.
"""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final

import typer

from aybiza.config.text_file import bytes_of
from aybiza.console.page import counted, folded, printable, say
from aybiza.console.period_records import (
    Files,
    Here,
    Period,
    PortOption,
    Sources,
    records_of_period,
)
from aybiza.console.setup import settings_or_exit

if TYPE_CHECKING:
    from aybiza.console.diagnosis.audio import Finding as AudioFinding
    from aybiza.console.diagnosis.audio import Track
    from aybiza.console.diagnosis.call_tree import Finding
    from aybiza.console.diagnosis.latency import Component
    from aybiza.console.diagnosis.sip_rules import Finding as SipFinding
    from aybiza.console.diagnosis.sip_trace import Trace
    from aybiza.console.diagnosis.wav import Sound

EXAMPLES: Final = """\
Examples:\n
\n
  aybiza diagnose latency --period 1h       each part of an answer, its budget\n
  aybiza diagnose call CA01234567           the decision tree, for one call\n
  aybiza diagnose sip /var/log/asterisk/full   response codes, codecs, NAT, DTMF\n
  aybiza diagnose audio call.wav            levels, clipping, holes, echo, a MOS\n
"""
MOST_BYTES: Final = 100 * 2**20
SHOWN: Final = 5
SHOWN_ID: Final = 24

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
    period: Period = "24h",
    budget: Annotated[
        list[str] | None,
        typer.Option(help="Another budget in ms: stt, node, llm, tts, network or response, =ms."),
    ] = None,
    file: Files = None,
    here: Here = False,
    port: PortOption = None,
    check: Check = False,
    as_json: AsJson = False,
) -> None:
    """Show what each component of an answer took, against its budget and as a share of the wait."""
    from aybiza.console.diagnosis.latency import BUDGETS, components, slowest

    budgets = {**BUDGETS, **_budgets(budget or (), BUDGETS)}
    records = records_of_period(period, Sources(file, here, port))
    found = components(records.rows.turns, budgets)
    worst = slowest(found)
    if as_json:
        parts = [dataclasses.asdict(part) for part in found]
        name = worst.name if worst else None
        typer.echo(json.dumps({"period": period, "slowest": name, "components": parts}))
    else:
        for line in latency_lines(found, worst, period):
            typer.echo(line)
    records.end()
    raise typer.Exit(int(check and any(part.verdict in ("over", "tail") for part in found)))


@app.command(epilog="Example: aybiza diagnose call CA01234567")
def call(
    call_id: Annotated[str, typer.Argument(help="The call's id, or how it begins.")],
    file: Files = None,
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


@app.command(epilog="Example: aybiza diagnose sip /var/log/asterisk/full")
def sip(
    log: Annotated[Path, typer.Argument(help="A log with SIP messages; `-` reads standard input.")],
    check: Check = False,
    as_json: AsJson = False,
) -> None:
    """Find what is wrong in a SIP trace of Asterisk, FreeSWITCH, sngrep or ngrep, with each cure.

    Response codes, calls nobody answers, one-way audio, missing DTMF relay, codecs.
    """
    from aybiza.console.diagnosis.sip_rules import judged
    from aybiza.console.diagnosis.sip_trace import lines_of, read

    with _opened(log) as file:
        trace = read(lines_of(file))
    found = judged(trace)
    if as_json:
        told = {"calls": len(trace.dialogs), "messages": trace.messages, "lines": trace.lines}
        findings = [finding._asdict() for finding in found]
        typer.echo(json.dumps({**told, "left_out": trace.left_out, "findings": findings}))
    else:
        for line in sip_lines(trace, found):
            typer.echo(line)
    raise typer.Exit(int(not trace.dialogs or (check and any(each.fault for each in found))))


@app.command(epilog="Example: aybiza diagnose audio call.wav --delay-ms 120 --loss 1")
def audio(
    file: Annotated[Path, typer.Argument(help="A WAV file: PCM, float, mu-law or A-law.")],
    delay_ms: Annotated[
        float, typer.Option(min=0, max=5000, help="One-way delay, for the MOS.")
    ] = 0.0,
    jitter_ms: Annotated[
        float, typer.Option(min=0, max=1000, help="Jitter that RTCP tells, for the MOS.")
    ] = 0.0,
    loss: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of packets lost, for the MOS.")
    ] = 0.0,
    check: Check = False,
    as_json: AsJson = False,
) -> None:
    """Measure a recording: levels, clipping, silence, dropouts, jitter, echo, an estimated MOS."""
    from aybiza.console.diagnosis.audio import Network, echo_of, judged, measured
    from aybiza.console.diagnosis.wav import WavError, read

    try:
        data = bytes_of(file, MOST_BYTES)
        if len(data) > MOST_BYTES:
            raise WavError(f"it is longer than {MOST_BYTES // 2**20} MB; cut a part of it out")
        sound = read(data)
    except OSError as error:
        say(f"aybiza: {file}: {error.strerror or error}", 8, err=True)
        raise typer.Exit(1) from None
    except WavError as error:
        say(f"aybiza: {file}: {error}", 8, err=True)
        raise typer.Exit(1) from None
    tracks = measured(sound, Network(delay_ms, jitter_ms, loss / 100.0))
    one, other = sound.channels[0], sound.channels[-1]
    echo = echo_of(one, other, sound.rate) if len(sound.channels) > 1 else None
    found = list(judged(tracks, echo))
    if as_json:
        about = {"rate": sound.rate, "code": sound.code, "bits": sound.bits, "cut": sound.cut}
        parts = [dataclasses.asdict(track) for track in tracks]
        findings = [finding._asdict() for finding in found]
        typer.echo(json.dumps({**about, "tracks": parts, "findings": findings}))
    else:
        for line in audio_lines(sound, tracks, found):
            typer.echo(line)
    raise typer.Exit(int(check and bool(found)))


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """The file for reading, whatever bytes are in it; ends the command where it cannot be read."""
    try:
        if str(path) == "-":
            yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
            return
        with path.open(encoding="utf-8", errors="replace") as file:
            yield file
    except OSError as error:
        say(f"aybiza: {path}: {error.strerror or error}", 8, err=True)
        raise typer.Exit(1) from None


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


def sip_lines(trace: Trace, found: Sequence[SipFinding]) -> Iterator[str]:
    """The findings for people, in 80 columns: those of one kind and one cure together."""
    if not trace.dialogs:
        yield f"no SIP message in {counted(trace.lines, 'line')}; have the switch write them:"
        yield "  Asterisk: pjsip set logger on    FreeSWITCH: sofia global siptrace on"
        return
    calls = sum(any(m.method == "INVITE" for m in d.messages) for d in trace.dialogs.values())
    faults = sum(finding.fault for finding in found)
    told = (counted(trace.messages, "message"), counted(calls, "call"))
    yield f"{', '.join(told)}; {counted(faults, 'fault')}"
    if trace.left_out:
        yield f"left out, because the log is too long: {counted(trace.left_out, 'message')}"
    groups: dict[tuple[str, str, bool], list[SipFinding]] = {}
    for finding in found:
        groups.setdefault((finding.about, finding.fix, finding.fault), []).append(finding)
    for (about, fix, fault), of in groups.items():
        yield ""
        times = f", {len(of):,} times" if len(of) > 1 else ""
        yield from folded(printable(f"{'FAULT' if fault else 'note '}  {about}{times}"), 7)
        for finding in of[:SHOWN]:
            whose = f" ({finding.call_id[:SHOWN_ID]})" if finding.call_id else ""
            where = f"line {finding.line}: " if finding.line else ""
            yield from folded(printable(f"       {where}{finding.seen}{whose}"), 9)
        yield from folded(f"       -> {fix}", 10)


def audio_lines(
    sound: Sound, tracks: Sequence[Track], found: Sequence[AudioFinding]
) -> Iterator[str]:
    """The tracks and what is wrong with them, for people."""
    kind = f"{sound.code}, {sound.bits} bits, {sound.rate:,} samples a second"
    cut = "; the file is cut off" if sound.cut else ""
    yield f"{sound.seconds:,.1f} s, {counted(len(tracks), 'channel')}, {kind}{cut}"
    yield _TRACK.format(*("CH", "SPEECH", "NOISE", "PEAK", "CLIPPED"), *_TRACK_HEAD)
    for track in tracks:
        yield _TRACK.format(
            track.channel,
            _db(track.speech_dbfs),
            _db(track.noise_dbfs),
            _db(track.peak_dbfs),
            f"{track.clipped:.2%}",
            f"{track.silence:.0%}",
            f"{track.longest_silence:.1f}",
            f"{track.dropouts:.1f}",
            f"{track.jitter_ms:.1f}",
            "" if track.mos is None else f"{track.mos:.2f}",
        ).rstrip()
    yield "levels in dBFS; longest silence in s, holes a minute of speech, jitter in ms"
    for finding in found:
        whose = f"channel {finding.channel}: " if finding.channel else ""
        yield ""
        yield from folded(f"{finding.about}  {whose}{finding.seen}", 7)
        yield from folded(f"       -> {finding.fix}", 10)


_TRACK: Final = "{:>2} {:>7} {:>7} {:>7} {:>8} {:>7} {:>8} {:>6} {:>7} {:>5}"
_TRACK_HEAD: Final = ("SILENT", "LONGEST", "HOLES", "JITTER", "MOS")


def _db(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


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
