"""What a socket's machine is told, and what it wants done: decisions on one side, I/O on the other.

A `Session` is one websocket of Deepgram's without the websocket: it is told what came and what time
it is, and answers with actions, in order. It reads no clock, starts no task and knows no socket, so
the same machine stands behind a port (`server`) and in memory, in virtual time (`carry`).

    actions = session.opened(now)             the handshake is done
    actions = await session.received(now, m)  a text or binary message came
    actions = session.wake(now)               `session.due` has come
    actions = session.synthesised(now, …)     what a `Synthesise` asked for is there

Times are seconds of one clock. `received` awaits its recogniser and nothing else. After a `Close`
or an `Abort` a session is told nothing more.
Source: Deepgram, listen v1, listen v2 and speak v1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Send:
    """Put a message on the socket: text as str, audio as bytes."""

    data: str | bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket in order, with a code and a reason."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Abort:
    """Cut the connection without a word."""


@dataclass(frozen=True, slots=True)
class Synthesise:
    """Have `text` spoken; `synthesised` is told the audio under the same `ticket`."""

    ticket: int
    text: str
    voice: str


Action = Send | Close | Abort | Synthesise


class Note(Protocol):
    """Enters what happened in the journal."""

    def __call__(self, what: str, /, **more: Any) -> None: ...


class Session(Protocol):
    """See the module."""

    @property
    def due(self) -> float | None:
        """When `wake` wants to be called; None: not before something comes."""

    def opened(self, now: float) -> list[Action]: ...

    async def received(self, now: float, message: str | bytes) -> list[Action]: ...

    def wake(self, now: float) -> list[Action]: ...

    def synthesised(self, now: float, ticket: int, audio: bytes | None) -> list[Action]:
        """The audio of a text, or None when it could not be spoken."""

    async def gone(self) -> None:
        """The socket has ended, whoever ended it. Idempotent."""


def said(message: Mapping[str, Any]) -> Send:
    """A JSON message on its way out."""
    return Send(json.dumps(message))


def earliest(*times: float | None) -> float | None:
    """The first of some times, those that there are."""
    first: float | None = None
    for time in times:
        if time is not None and (first is None or time < first):
            first = time
    return first
