"""`aybiza calls follow` and `aybiza calls hangup`: a call that goes on, from the command line.

What is said is printed as it is said, and nowhere else: who may ask the node may read its calls.

Exit codes: 0 the call is over, or was hung up, or Ctrl-C; 1 no node runs there, or it has no such
call; 2 wrong usage.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from aybiza.console.operate import AsJson, PortOption, ProcessNodeOption, asked, node_with
from aybiza.console.page import pause, say

POLL_SECONDS: Final = 0.3

CallArgument = Annotated[str, typer.Argument(help="The call's id; `aybiza calls` shows them.")]


def follow(
    call: CallArgument,
    port: PortOption = None,
    node: ProcessNodeOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each entry of the journal as JSON.")
    ] = False,
) -> None:
    """Print what is said on a call as it is said, until the call is over."""
    last = 0
    node = node or node_with(port, f"call:{call}")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            told = asked(port, {"op": "transcript", "call": call, "after": last}, node)
            for number, at, entry in told["rows"]:
                last = number
                if as_json:
                    typer.echo(json.dumps({"number": number, "at": at, **entry}))
                    continue
                for line in spoken(entry):
                    say(f"{time.strftime('%H:%M:%S', time.localtime(at))}  {line}", 19)
            if told["over"] and not told["rows"]:
                return
            pause(POLL_SECONDS)


def hangup(
    call: CallArgument,
    port: PortOption = None,
    node: ProcessNodeOption = None,
    as_json: AsJson = False,
) -> None:
    """End a call as if its caller had hung up; its carrier is told."""
    node = node or node_with(port, f"call:{call}")
    answer = asked(port, {"op": "hangup", "call": call}, node)
    typer.echo(json.dumps(answer) if as_json else f"{answer['hung_up']} was hung up")


def spoken(entry: Mapping[str, Any]) -> Iterator[str]:
    """What an entry of the journal is to people; nothing for what nobody hears.

    >>> list(spoken({"type": "caller_turn", "turn": 1, "text": "Hello."}))
    ['caller   Hello.']
    """
    match entry:
        case {"type": "caller_turn", "text": str(text)} if text:
            yield f"caller   {text}"
        case {"type": "agent_sentence", "text": text}:
            yield f"agent    {text}"
        case {"type": "interrupted", "fraction": float() | int() as fraction}:
            yield f"         (the caller broke in, {fraction:.0%} of the sentence heard)"
        case {"type": "tool_exchange", "tools": tools, "failed": failed}:
            yield f"         ({'failed: ' if failed else ''}{', '.join(tools)})"
        case {"type": "transferring", "to": to}:
            yield f"         (is put through to {to})"
        case {"type": "ended", "reason": reason}:
            yield f"         (the call is over: {reason})"
