"""What each command's exit codes mean: the table behind the end of every `--help`.

Contract: `codes_of(command)` gives what 0, 1 and 2 mean, "" for a code that a command never ends
with; `told(command)` is that as the end of its help. Code 2 has a wrong option or setting beside
what stands here. Pure; docs/console.md has the same table, which a test compares.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final, NamedTuple

WIDTH: Final = 78
WRONG: Final = "an option or a setting cannot be used"


class Codes(NamedTuple):
    """What a command's exit codes mean, beside a wrong option or setting."""

    done: str
    failed: str
    misused: str


_ROWS: Final = (
    (
        "run",
        "stopped as asked",
        "it did not start, was given up, or did not stop in order",
        "--node-main names none, a cookie or a certificate that cannot be used",
    ),
    ("demo", "the call came to its end, whole", "it did not", "a script that there is not"),
    (
        "tree, top, calls",
        "shown",
        "no node runs there, or it does not answer",
        "--node names none that is kept there",
    ),
    (
        "observe, kill, trace, calls follow, calls hangup",
        "done",
        "no node runs there, or it does not answer, or it has no such process or call",
        "--node names none that is kept there",
    ),
    (
        "stop",
        "ended",
        "no node runs there, or it did not end in time or in order",
        "--node names none that is kept there",
    ),
    ("node list, node ports", "shown", "no node runs there, or it does not answer", ""),
    (
        "node drain",
        "no call is left",
        "calls are left, or the node does not answer",
        "a node that the cluster has not",
    ),
    (
        "faults run, faults explore",
        "all held",
        "something is broken; --live: a node refuses or is lost",
        "a plan that cannot be used",
    ),
    (
        "dial",
        "all was as expected; a number: the carrier is asked",
        "something was not; --live, a number: no node runs there, or it refused",
        "a script or an emulator that cannot be used",
    ),
    ("campaign check", "it can be used", "", "a campaign or rules that cannot be used"),
    (
        "campaign run, campaign stop, campaign status",
        "done",
        "no node runs there, or it refused",
        "a campaign that cannot be used",
    ),
    ("loadtest", "all calls were carried", "some were not", ""),
    (
        "evals run",
        "as often as the threshold says",
        "fewer",
        "a persona or an agent that cannot be used",
    ),
    ("agents check", "all can be used", "one cannot", ""),
    ("agents show, agents export", "printed", "", "an agent that cannot be read"),
    (
        "agents try",
        "the call is over",
        "no answer has come",
        "an agent, tools or rules that cannot be used",
    ),
    ("agents import", "printed", "the agent has to be mended first", "a file that cannot be read"),
    (
        "tools try",
        "listed; the tool has a result",
        "the tool's result is an error",
        "a file or an input that cannot be used, no such tool, a write without --yes",
    ),
    (
        "calls list, calls show, calls export",
        "shown",
        "a store cannot be read, or has no such call",
        "calls are kept in nodes alone",
    ),
    (
        "calls forget",
        "forgotten",
        "something could not be, or goes on",
        "calls are kept in nodes alone",
    ),
    ("calls table", "the table is there", "it could not be made", ""),
    (
        "calls recording",
        "written",
        "there is none, or it cannot be opened",
        "the file of --to is there already",
    ),
    (
        "report, costs, performance",
        "shown",
        "there are no records, they cannot be read, or a machine has not answered",
        "the file of --html is there already",
    ),
    ("audit verify, audit show", "whole", "a trail was changed, or cannot be read", ""),
    (
        "diagnose latency, diagnose call, diagnose sip, diagnose audio",
        "told",
        "there is nothing to read; --check: something is wrong",
        "",
    ),
    ("config", "shown", "--check: something cannot be used", ""),
    ("models, models explain", "shown", "", "a catalogue or a selection that cannot be used"),
    (
        "bench runtime, bench claude, bench cluster, bench call, bench turn, bench load,"
        " bench resilience",
        "measured",
        "calls failed; --check: a target is missed",
        "",
    ),
    ("faults kinds, completion", "printed", "", ""),
)
"""Commands that mean the same, and what their codes mean."""

_BY_COMMAND: Final = {
    command: Codes(*meanings) for commands, *meanings in _ROWS for command in commands.split(", ")
}


def codes_of(command: str) -> Codes:
    """The meanings for a command by its whole name, such as `node list`.

    >>> codes_of("node drain").failed
    'calls are left, or the node does not answer'
    """
    return _BY_COMMAND[command]


def told(command: str) -> str:
    """The end of a command's help; "" for what is no command that ends with codes of its own.

    >>> print(told("completion").removeprefix("\\b").strip())
    Exit codes:
      0  printed
      2  an option or a setting cannot be used
    """
    if command not in _BY_COMMAND:
        return ""
    codes = codes_of(command)
    misused = f"{WRONG}; {codes.misused}" if codes.misused else WRONG
    return "\b\n" + "\n".join(_lines((codes.done, codes.failed, misused)))


def _lines(meanings: tuple[str, str, str]) -> Iterator[str]:
    yield "Exit codes:"
    for code, meaning in enumerate(meanings):
        if meaning:
            yield textwrap.fill(
                meaning, WIDTH, initial_indent=f"  {code}  ", subsequent_indent=" " * 5
            )
