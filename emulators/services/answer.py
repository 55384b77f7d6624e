"""What the emulated services answer with.

Contract: an `Answer` is a whole HTTP response; `Refused` is raised to answer with an error as AWS
writes it: the code in `x-amzn-errortype` and in `__type`, a message in the body.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body."""

    status: int
    headers: Headers
    body: bytes


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        made = as_json({"__type": code, "message": message}, status)
        self.answer = Answer(status, [*made.headers, ("x-amzn-errortype", code)], made.body)


def as_json(value: Any, status: int = 200, kind: str = "application/json") -> Answer:
    """A value as the body."""
    return Answer(status, [("Content-Type", kind)], json.dumps(value).encode())
