"""What a carrier, or a switch, can be told to do with a call.

A `Control` ends calls; a `Switch`, which asks no webhook, also puts callers through. Both are
bounded in time and never block the loop; who uses them goes on in another way where they fail.

Errors: `ControlError` says what was not done and why, in words without secrets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol, runtime_checkable

from aybiza.gateway.carriers.codec import Start

HANG_UP_SECONDS: Final = 2.0
"""The longest that the end of a call waits for a carrier; the caller hears silence so long."""
RINGING_MORE_SECONDS: Final = 10.0
"""How much longer than it may ring a switch has to say what came of it."""

_NUMBER: Final = re.compile(
    r"(\+[1-9][0-9]{3,14}|sips?:[A-Za-z0-9+._-]{1,64}@[A-Za-z0-9.:-]{1,128})\Z", re.ASCII
)


class ControlError(Exception):
    """See the module."""


class Control(Protocol):
    """Ends calls by something else than their media."""

    async def hang_up(self, start: Start) -> None:
        """End the call that began with `start`; done as well if it is over already. Takes at most
        `HANG_UP_SECONDS`. Raises ControlError."""

    async def aclose(self) -> None:
        """Let go of what is open."""


@runtime_checkable
class Switch(Control, Protocol):
    """A switch of one's own: it is told where a call goes."""

    async def put_through(self, start: Start, number: str, seconds: int) -> str:
        """Have `number` rung for so many seconds and the caller connected with who answers.

        Returns as soon as it is known what comes of it: an outcome of `aybiza.dialogue.transfer`.
        Unless somebody answered, the switch brings the caller back on a new stream a moment later.
        Takes at most `RINGING_MORE_SECONDS` longer than it rings. Raises ControlError, and then
        the call may be where it was.
        """


NO_CONTROLS: Final[Mapping[str, Control]] = MappingProxyType({})
"""Carriers that can be told nothing."""


def checked_number(number: str) -> str:
    """The number, if no dialplan can take it for anything else. Raises ControlError.

    >>> checked_number("+14155550100")
    '+14155550100'
    """
    if not _NUMBER.match(number):
        raise ControlError("the number has characters that a dialplan could take for its own")
    return number
