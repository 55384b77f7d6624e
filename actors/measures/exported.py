"""The events of calls as plain rows, for sinks that keep them as they come.

    for row in rows(event, measurements, metadata, at, node="vm-1"): …

Errors: none. What JSON cannot hold becomes its `repr`; texts are cut to `MAX_CHARACTERS` and have
neither zero bytes nor half characters, which databases and collectors refuse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from aybiza.actors.measures import events
from aybiza.actors.runtime import telemetry
from aybiza.actors.runtime.telemetry import Event

MAX_CHARACTERS: Final = 200

EXPORTED: Final[tuple[Event, ...]] = tuple(
    event
    for event in events.EVENTS
    if event
    not in {
        # Of the sinks themselves, which would feed on them, and what is told of every process.
        *(events.METRIC, events.FIGURES, events.SINK_FAILED, events.SINK_LOST),
        *(telemetry.PROCESS_START, telemetry.PROCESS_STOP),
    }
)
"""The events that are worth keeping one by one."""


def row(
    event: Event, measured: Mapping[str, Any], told: Mapping[str, Any], at: float, node: str
) -> dict[str, Any]:
    """An event: `at` (unix time), `node`, `event` ("call.stop"), `call_id`, `measurements`,
    `metadata`."""
    metadata = {name: plain(value) for name, value in told.items() if name != "call_id"}
    return {
        "at": at,
        "node": node,
        "event": ".".join(event[1:]),
        "call_id": told.get("call_id"),
        "measurements": {name: plain(value) for name, value in measured.items()},
        "metadata": metadata,
    }


def plain(value: Any) -> Any:
    """A value that JSON and a database can hold; a number that is none is None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    return whole(value if isinstance(value, str) else repr(value))


def whole(text: str) -> str:
    """A text without what is no character, cut to `MAX_CHARACTERS`."""
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode().replace("\x00", "")
