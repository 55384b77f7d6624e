"""The phone on the command line.

Exit codes: 0 the script ran to its end and all it expects held, 1 it did not, 2 bad usage or a
script that cannot be read, 130 interrupted.
"""

import argparse
import asyncio
import json
import os
import random
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aybiza.emulators.phone.caller import SPEAKS_TEXTS
from aybiza.emulators.phone.faults import Fault
from aybiza.emulators.phone.flow import Party
from aybiza.emulators.phone.phone import Phone
from aybiza.emulators.phone.report import Progress, Report
from aybiza.emulators.phone.script import Script, ScriptError, load, names

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130

EXAMPLES = """\
examples:
  python -m aybiza.emulators.phone --url ws://127.0.0.1:8080/media --script booking
  python -m aybiza.emulators.phone --http http://127.0.0.1:3000 --script my_call.toml

With an auth token, webhooks and websockets are signed as Twilio signs them. A guarded node takes
only streams of its own webhooks: use --http there. The environment is the better place for the
token, as others on this machine can read a command line.
"""


def parser() -> argparse.ArgumentParser:
    """The command line's options."""
    it = argparse.ArgumentParser(
        prog="python -m aybiza.emulators.phone",
        description="Place a scripted call over Twilio Media Streams and report how it went.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    it.add_argument("--url", help="the media websocket to call, ws://host:port/media")
    it.add_argument(
        "--http",
        metavar="URL",
        help="the voice webhook; the call goes where its TwiML says, and --url is not used",
    )
    it.add_argument(
        "--script",
        default="booking",
        metavar="FILE_OR_NAME",
        help="a caller script (TOML), or the name of one that comes with the phone: "
        + ", ".join(names())
        + " (default: booking)",
    )
    it.add_argument(
        "--mode",
        choices=("audio", "text"),
        help="send recordings, or their words as the scripted speech emulator reads them "
        "(default: what the node speaks, audio first if the script has recordings)",
    )
    it.add_argument(
        "--record",
        type=Path,
        metavar="WAV",
        help="write a stereo WAV: left the caller, right the agent as heard",
    )
    it.add_argument("--json", action="store_true", help="print the report as JSON, nothing else")
    it.add_argument(
        "--speed", type=_positive, default=1.0, help="run call time faster (default: 1)"
    )
    it.add_argument(
        "--jitter-ms", type=_not_negative, default=0.0, help="delay frames by up to this much"
    )
    it.add_argument(
        "--burst", type=_count, default=1, help="hold frames back and send so many together"
    )
    it.add_argument("--seed", type=int, help="make jitter repeatable")
    it.add_argument(
        "--auth-token",
        metavar="TOKEN",
        help="Twilio's auth token, to sign with (default: TWILIO_AUTH_TOKEN of the environment)",
    )
    it.add_argument(
        "--ca",
        type=Path,
        metavar="PEM",
        help="certificates to trust at https and wss addresses (default: those of the system)",
    )
    it.add_argument("--from", dest="from_number", metavar="NUMBER", help="the caller's number")
    it.add_argument("--to", dest="to_number", metavar="NUMBER", help="the number called")
    it.add_argument(
        "--param",
        action="append",
        type=_parameter,
        default=[],
        metavar="NAME=VALUE",
        help="a customParameter of the stream, when --url is used; may be repeated",
    )
    it.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="JSON",
        help='what goes wrong on the line, such as \'{"kind": "mark_lost"}\'; may be repeated',
    )
    it.add_argument(
        "--party",
        type=_party,
        action="append",
        default=[],
        metavar="NUMBER=OUTCOME",
        help="what becomes of a number that is dialled: completed, busy, no-answer, failed",
    )
    it.add_argument(
        "--press", action="append", default=[], metavar="KEYS", help="keys at the next <Gather>"
    )
    return it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = parser().parse_args(argv)
    if not options.url and not options.http:
        parser().error("one of --url and --http is needed; see --help for examples")
    try:
        script = load(options.script, options.mode)
    except ScriptError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    if options.record is not None and not options.record.resolve().parent.is_dir():
        print(f"error: --record {options.record}: no such folder", file=sys.stderr)
        return EXIT_USAGE
    tls = None
    if options.ca is not None:
        try:
            tls = ssl.create_default_context(cafile=options.ca)
        except OSError as error:
            print(f"error: --ca {options.ca}: {error.strerror or error}", file=sys.stderr)
            return EXIT_USAGE
    try:
        report = asyncio.run(_call(options, script, tls))
        if report.failure == SPEAKS_TEXTS and options.mode is None:
            print("the node speaks in texts: calling again, as with --mode text", file=sys.stderr)
            report = asyncio.run(_call(options, load(options.script, "text"), tls))
    except ScriptError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_FAILED
    print(json.dumps(report.as_dict(), indent=2) if options.json else "\n".join(report.lines()))
    return EXIT_OK if report.ok else EXIT_FAILED


async def _call(options: argparse.Namespace, script: Script, tls: ssl.SSLContext | None) -> Report:
    async with Phone(
        options.url,
        script,
        http=options.http,
        record=options.record,
        parameters=dict(options.param),
        auth_token=options.auth_token or os.environ.get("TWILIO_AUTH_TOKEN") or None,
        tls=tls,
        from_number=options.from_number,
        to_number=options.to_number,
        on_progress=None if options.json else _show,
        speed=options.speed,
        jitter_ms=options.jitter_ms,
        burst=options.burst,
        rng=random.Random(options.seed),
        faults=options.fault,
        parties=dict(options.party),
        digits=options.press,
    ) as phone:
        return await phone.run()


def _show(progress: Progress) -> None:
    print(progress, flush=True)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _fault(text: str) -> Fault:
    try:
        return Fault.from_json(json.loads(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _party(text: str) -> tuple[str, Party]:
    number, outcome = _parameter(text)
    try:
        return number, Party(outcome)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value
