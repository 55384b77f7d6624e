"""What a world's parts log, in its trace instead of on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from aybiza.faults.trace import Trace

_LEVEL = 30


@contextmanager
def logs_in(trace: Trace) -> Iterator[None]:
    """Have warnings and errors noted in `trace`, and lesser events dropped, inside the block."""

    def note(_: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        name = str(event.pop("event", ""))
        plain = (f"{key}={value}" for key, value in sorted(event.items()) if _is_plain(value))
        trace.note("log", method, " ".join([name, *plain]))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[note],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVEL),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)
