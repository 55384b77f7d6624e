"""The trace as a sequence for people: who sent what to whom, exits, restarts, what was heard.

What comes all the time (audio, ticks of the node's own housekeeping, writes of the journal) is left
out, and the same message again and again is one line with its count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final

from aybiza.faults.trace import Happened

MOST: Final = 200

_NOISE: Final = frozenset(("audio", "look", "check", "pace", "write", "inbox"))
_HOUSE: Final = ("PlacementActor", "DrainActor", "MetricsActor", "MemoryActor", "RegistryActor")
_KINDS: Final = {
    "exit": "✝",
    "restart": "↻",
    "fault": "⚡",
    "entry": "·",
    "log": "!",
    "report": "!",
    "door": "≈",
    "line": "☎",
}


def sequence(events: Iterable[Happened], most: int = MOST) -> list[str]:
    """Lines for people, the last `most` of them."""
    lines = list(_lines(events))
    left_out = len(lines) - most
    return lines if left_out <= 0 else [f"… {left_out} lines before", *lines[-most:]]


def _lines(events: Iterable[Happened]) -> Iterator[str]:
    told = [(event.at, text) for event in events if (text := _line(event)) is not None]
    for line, same in groupby(told, key=itemgetter(1)):
        times = [at for at, _ in same]
        again = f"  × {len(times)}" if len(times) > 1 else ""
        yield f"{times[0]:8.2f}  {line}{again}"


def _line(event: Happened) -> str | None:
    if event.kind == "start":
        return None
    if event.kind == "send":
        name = event.what.partition("(")[0].split()
        if (name and name[-1] in _NOISE) or event.what.endswith(" bytes"):
            return None
        if event.what.startswith("Audio(") or event.who.startswith(_HOUSE):
            return None
        if event.to.startswith(_HOUSE):
            return None
        return f"{event.who} → {event.to}: {event.what}"
    if event.kind in ("exit", "restart") and event.who.startswith("Task"):
        return None
    return f"{_KINDS.get(event.kind, ' ')} {event.who} {event.kind} {event.what}".rstrip()
