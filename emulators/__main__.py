"""`python -m aybiza.emulators`: Bedrock and Deepgram on loopback ports, in one process.

Contract: when they accept connections, one line of JSON with their URLs goes to standard output,
under the names of the environment variables that take them. The process runs until SIGTERM or
SIGINT, until its standard input closes (when that is a pipe), or until its parent is gone.
Exit codes: 0 ended as asked, 1 a server could not start, 2 wrong arguments, or an agent or rules
that cannot be read.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog

from aybiza.config.agents import AgentError
from aybiza.emulators.bedrock import BedrockEmulator, Pace
from aybiza.emulators.bedrock.continuation import Responder
from aybiza.emulators.bedrock.reader import reading
from aybiza.emulators.bedrock.rules import RulesError, load_rules
from aybiza.emulators.bedrock.stand_in import stand_in_of
from aybiza.emulators.chat.service import Chat
from aybiza.emulators.elevenlabs.service import ElevenLabs
from aybiza.emulators.services import ServicesEmulator
from aybiza.emulators.services.placed import PlacedEmulator
from aybiza.emulators.streamed.server import StreamedServer

STANDARD_INPUT = 0

EXAMPLE = """\
example:
  python -m aybiza.emulators --engine scripted --first-token-ms 300 --per-delta-ms 40

prints one line and serves until it is told to stop:
  {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:40123", "DEEPGRAM_URL": "ws://…:40124", …}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the emulators; the exit code."""
    options = argument_parser().parse_args(arguments)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        responder = (
            load_rules(options.rules)
            if options.rules
            else stand_in_of(options.agent, options.routes)
        )
        return asyncio.run(_serve(options, reading(responder)))
    except (AgentError, RulesError) as error:
        print(f"emulators: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"emulators: a server could not start: {error}", file=sys.stderr)
    except ImportError as error:
        print(f"emulators: {error}; install the extra: aybiza[offline]", file=sys.stderr)
    return 1


async def _serve(options: argparse.Namespace, responder: Responder) -> int:
    from aybiza.emulators.deepgram import DeepgramEmulator

    pace = Pace(options.first_token_ms, options.per_delta_ms, options.jitter)
    stop = asyncio.Event()
    with _told_to_stop(stop):
        async with (
            BedrockEmulator(
                host=options.host, port=options.bedrock_port, pace=pace, responder=responder
            ) as bedrock,
            DeepgramEmulator(
                engine=options.engine, host=options.host, port=options.deepgram_port
            ) as deepgram,
            StreamedServer(Chat(responder=responder, pace=pace), host=options.host) as chat,
            StreamedServer(ElevenLabs(deepgram.service.engine), host=options.host) as eleven,
            PlacedEmulator(host=options.host) as carrier,
            contextlib.AsyncExitStack() as others,
        ):
            urls = {
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
                "DEEPGRAM_URL": deepgram.url,
                "OPENAI_BASE_URL": f"{chat.url}/v1",
                "ELEVENLABS_URL": eleven.url,
                "AYBIZA_TWILIO_API": carrier.url,
            }
            if options.services:
                services = ServicesEmulator(host=options.host)
                urls |= (await others.enter_async_context(services)).environment()
            with contextlib.suppress(BrokenPipeError):
                print(json.dumps(urls), flush=True)
            await stop.wait()
    return 0


@contextlib.contextmanager
def _told_to_stop(stop: asyncio.Event) -> Iterator[None]:
    """Set `stop` when a signal comes, standard input closes or the parent is gone."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    input_watched = _somebody_holds_input()
    if input_watched:
        loop.add_reader(STANDARD_INPUT, _read_input, stop)
    parent = _parent()
    if parent is not None:
        loop.add_reader(parent, stop.set)
    try:
        yield
    finally:
        if input_watched:
            loop.remove_reader(STANDARD_INPUT)
        if parent is not None:
            loop.remove_reader(parent)
            os.close(parent)


def _read_input(stop: asyncio.Event) -> None:
    if not os.read(STANDARD_INPUT, 65536):
        stop.set()


def _somebody_holds_input() -> bool:
    """Whether there is somebody at the other end of standard input to close it."""
    try:
        mode = os.fstat(STANDARD_INPUT).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _parent() -> int | None:
    """A descriptor that becomes readable when the parent ends, where the system has such."""
    try:
        return os.pidfd_open(os.getppid())
    except (AttributeError, OSError):
        return None


def argument_parser() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(
        prog="python -m aybiza.emulators",
        description="Loopback Bedrock, Deepgram and others: the providers' wires without them.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--bedrock-port", type=_port, default=0, help="0 takes a free one")
    parser.add_argument("--deepgram-port", type=_port, default=0, help="0 takes a free one")
    parser.add_argument(
        "--engine",
        choices=("scripted", "acoustic"),
        default="scripted",
        help="how Deepgram hears and speaks: exact texts, or real speech (default: scripted)",
    )
    parser.add_argument(
        "--agent",
        default="clinic",
        metavar="NAME|FILE",
        help="the agent for which the model answers: by the rules in FILE's .rules.toml, as the"
        " clinic, or by repeating what it understood (default: clinic)",
    )
    parser.add_argument(
        "--routes",
        type=Path,
        metavar="FILE",
        help="the routes of a node with several agents: the model answers for each of them",
    )
    parser.add_argument(
        "--rules",
        type=Path,
        metavar="FILE",
        help="what the model answers, whatever the agent (docs/emulators.md)",
    )
    parser.add_argument(
        "--services",
        action="store_true",
        help="also what tools stand on: Lambda, SES, Kendra and a business system",
    )
    parser.add_argument(
        "--first-token-ms", type=_milliseconds, default=0.0, help="delay of a model's first token"
    )
    parser.add_argument(
        "--per-delta-ms", type=_milliseconds, default=0.0, help="delay from delta to delta"
    )
    parser.add_argument(
        "--jitter", type=_share, default=0.0, help="share by which delays vary, 0 to 1"
    )
    return parser


def _port(text: str) -> int:
    allowed = "a port from 0 to 65535"
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not {allowed}")
    return int(_number(text, 65_535, allowed))


def _milliseconds(text: str) -> float:
    return _number(text, 600_000, "milliseconds from 0 to 600000")


def _share(text: str) -> float:
    return _number(text, 1, "a number from 0 to 1")


def _number(text: str, most: float, allowed: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not {allowed}")
    return value


if __name__ == "__main__":
    sys.exit(main())
