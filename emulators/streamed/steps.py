"""A streamed answer as a list of steps: what goes out, and when.

    service.answer(request, arrived)         an iterator of steps; `Service` is what has this
    for step in steps:                       wait until `arrived + step.at`, do `step.action`

So the same service stands behind a port (`server`) and in memory, in virtual time. Times are
seconds. A step's error body is JSON.

Pure. Errors: none.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import SplitResult

Headers = list[tuple[str, str]]
JSON_TYPE: Headers = [("content-type", "application/json")]


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request; names of headers are lower case."""

    method: str
    target: SplitResult
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole response."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Begin:
    """The head of a response whose body comes in pieces."""

    status: int
    headers: Headers


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the body."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The end of the body, in order."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing goes out for so many seconds; None: until the client leaves."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks in the midst of the body."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection is closed without a word."""


Action = Whole | Begin | Piece | End | Wait | Cut | HangUp


@dataclass(frozen=True, slots=True)
class Step:
    """Do `action`, not before `at` seconds after the request arrived."""

    at: float
    action: Action


class Service(Protocol):
    """See the module."""

    def answer(self, request: Request, arrived: float) -> Awaitable[Iterator[Step]]: ...


def let_go(steps: Iterator[Step]) -> None:
    """Whoever asked is done with the answer, or gone: its service is told."""
    close = getattr(steps, "close", None)
    if close is not None:
        close()


def error(status: int, body: Mapping[str, Any]) -> Iterator[Step]:
    """The one step of an error."""
    yield Step(0.0, Whole(status, JSON_TYPE, json.dumps(body).encode()))
