"""Carrier: where a carrier's calls come in, and what its wire is. Without I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aybiza.gateway.carriers.codec import Codec


def _nothing(code: str, rate: int) -> Mapping[str, str]:
    """A carrier that knows mu-law alone."""
    return {}


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier. `path`: of its media websocket; `codec` makes the codec of a connection.

    `webhook`: the path at which it asks what to do with a call; empty if it does not ask.
    `stream`: attributes that `<Stream>` needs there; `asked`: those that ask for another code of
    the audio than PCMU, and its rate. `subprotocol`: what its websockets offer.
    `names_the_call`: its streams know a call by another id than its webhooks, so the parameter
    `CallSid` has to tell them.
    """

    name: str
    path: str
    codec: Callable[[], Codec]
    webhook: str = ""
    stream: Mapping[str, str] = field(default_factory=dict)
    asked: Callable[[str, int], Mapping[str, str]] = _nothing
    subprotocol: str = ""
    names_the_call: bool = False
