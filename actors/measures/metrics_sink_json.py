"""A file of JSON lines as a sink: one line an event, written by structlog's own renderer.

    child(MetricsSink, JsonLines(Path("/var/log/aybiza/events.jsonl"), node="vm-1"))

Contract: the file is opened for each batch, so that it may be rotated at any time; it is its
owner's alone. A batch is written by one call, so lines of several nodes do not mix.
Errors: `SinkError`, to be tried again: a disk that is full or away may be back.
Source: structlog, `JSONRenderer`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import structlog

from aybiza.actors.measures.exported import EXPORTED, row
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.runtime.telemetry import Event
from aybiza.config.private_files import private_file


class JsonLines:
    """See the module."""

    name: ClassVar[str] = "json"
    events: ClassVar[Sequence[Event]] = EXPORTED
    seconds: ClassVar[float | None] = 1.0

    def __init__(self, path: Path, *, node: str) -> None:
        self._path = path
        self._node = node
        self._render = structlog.processors.JSONRenderer(sort_keys=False)

    def hear(
        self, event: Event, measured: Mapping[str, Any], told: Mapping[str, Any], at: float
    ) -> Sequence[dict[str, Any]]:
        """The line of an event, not yet written."""
        return (row(event, measured, told, at, self._node),)

    def put(self, batch: Sequence[dict[str, Any]]) -> None:
        """Write a batch. Raises SinkError."""
        lines = "".join(f"{self._line(each)}\n" for each in batch)
        try:
            private_file(self._path)
            flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(self._path, flags), "ab", buffering=0) as file:
                file.write(lines.encode())
        except OSError as error:
            raise SinkError(f"{self._path}: {error.strerror}", again=True) from None

    def close(self) -> None:
        """Nothing stays open."""

    def _line(self, event: dict[str, Any]) -> str:
        at = datetime.fromtimestamp(event["at"], UTC).isoformat(timespec="milliseconds")
        said = {"timestamp": at, "event": event["event"], "node": event["node"]}
        if event["call_id"]:
            said["call_id"] = event["call_id"]
        told = {**event["metadata"], **event["measurements"]}
        rendered = self._render(
            None, "info", {**said, **{k: told[k] for k in told if k not in said}}
        )
        return rendered if isinstance(rendered, str) else rendered.decode()
