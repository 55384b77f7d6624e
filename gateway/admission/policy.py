"""The doors of a node, all of them: who may come in by each, and what stands in the way.

One table, `POLICY`: a row for each path of each listener. Admission reads from it what a request
has to prove, the servers read from it which paths there are, and `aybiza node ports --policy`
prints it. A path without a row of its own has the row `*` of its listener, by which nobody comes
in. So a new path needs a row before it can be reached.

Contract: pure data; `door` finds the row of a request. Errors: none.
Source: `aybiza.gateway.admission.admission`; `aybiza.gateway.carriers.paths`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from aybiza.gateway.carriers.paths import CARRIERS, SOFTPHONE, WHISPER
from aybiza.gateway.console.assets import ASSETS
from aybiza.gateway.placed import BEHIND, STATUS

HTTP: Final = "http"
MEDIA: Final = "media"
AUDIO_SOCKET: Final = "audiosocket"
CLUSTER: Final = "cluster"

WEBSOCKET: Final = "WEBSOCKET"
"""In the place of a method: a GET that becomes a websocket."""

EVENTS: Final = "/console/events"
ACT: Final = "/console/act"
DIAL: Final = "/console/dial"
"""What the console's page asks of the node: to be told, to have something done, to place a call."""

CALLS: Final = "/outbound/calls"
"""Where a call is asked for that the node is to place."""

CAMPAIGNS: Final = "/outbound/campaigns"
"""Where campaigns are run, looked at and stopped."""

ELSEWHERE: Final = "*"
"""The path of the row for all paths that have none."""


class Proof(StrEnum):
    """What lets somebody in."""

    NONE = "nothing"
    SIGNATURE = "the carrier's signature"
    SEALED = "the carrier's signature, and an address that our answer sealed for it and its account"
    CONSOLE = "the console's token, or without one a request of this machine to a loopback name"
    SHELL = "nothing where the console has a token, for it holds nothing of the node; else as above"
    PAGE = "as above, the header that only the console's own page sends, and no Origin of another"
    SOCKET = "as above, with an Origin, which is the address asked, in place of the header"
    SIGNED_STREAM = "the carrier's signature, then the token of the call's TwiML"
    STREAM = "the token of the call's TwiML"
    SWITCH = "the address of a switch in AYBIZA_SWITCHES"
    COOKIE = "a seal made with the cluster's cookie"
    NOBODY = "none helps"


@dataclass(frozen=True, slots=True)
class Door:
    """One path of one listener. `method`: of HTTP; `carrier`: whose it is, if it is a carrier's.

    `cost`: the most that somebody without the proof may cost; `refusal`: what they are told.
    `is_call`: a call comes in there; `gives_a_line`: it may be answered with a stream.
    """

    listener: str
    method: str
    path: str
    who: str
    proof: Proof
    cost: str
    refusal: str
    carrier: str = ""
    is_call: bool = False
    gives_a_line: bool = False

    def row(self) -> dict[str, str]:
        """The row for people and for JSON."""
        told = asdict(self)
        del told["is_call"], told["gives_a_line"]
        return {name: str(value) for name, value in told.items()}


_REQUEST: Final = "16 KB of headers, 64 KB of body, 10 s, counted by address"
_PAGE: Final = "16 KB of headers, 10 s, counted by address"
_STREAM: Final = "16 KB of headers, then 8 events and 128 KB before `start`, 10 s each"


def _webhook(
    path: str, carrier: str, *, is_call: bool = True, proof: Proof = Proof.SIGNATURE
) -> Door:
    """A path at which a carrier posts; `is_call`: to ask what to do with a call."""
    who = f"{carrier}'s webhooks"
    refusal = "403 without it, 429 too often, 400, 413 or 415 for what is no webhook, 409 a call"
    refusal += " of another carrier, and what was answered and is sent once more"
    line = is_call or path.endswith(BEHIND)
    return Door(HTTP, "POST", path, who, proof, _REQUEST, refusal, carrier, is_call, line)


def _open(path: str) -> Door:
    cost = "16 KB of headers, 10 s; not counted, for an answer costs no more than a refusal"
    return Door(HTTP, "GET", path, "anybody", Proof.NONE, cost, "503 while it is not so")


def _page(path: str) -> Door:
    return Door(HTTP, "GET", path, "operators", Proof.CONSOLE, _PAGE, "401, 429 too often")


def _shell(path: str) -> Door:
    return Door(HTTP, "GET", path, "operators", Proof.SHELL, _PAGE, "401, 429 too often")


def _of_page(method: str, path: str) -> Door:
    refusal = "403 without the page's header, 401, 429 too often"
    return Door(HTTP, method, path, "the console's page", Proof.PAGE, _REQUEST, refusal)


def _socket(path: str) -> Door:
    cost = "16 KB of headers, 10 s, counted by address"
    refusal = "403 or 429 to the handshake, 401; 1013 where as many look as may"
    return Door(HTTP, WEBSOCKET, path, "the console's page", Proof.SOCKET, cost, refusal)


def _stream(path: str, carrier: str) -> Door:
    if carrier == SOFTPHONE.name:
        who, refusal = "the softphone's streams", "403 or 429 to the handshake, 1008 to the stream"
        return Door(MEDIA, "GET", path, who, Proof.STREAM, _STREAM, refusal, carrier)
    signed = Proof.SIGNED_STREAM if carrier == "twilio" else Proof.STREAM
    proof = signed if CARRIERS[carrier].webhook else Proof.SWITCH
    refusal = "403 or 429 to the handshake, 1008 to the stream, 404 a carrier that is not let in"
    return Door(MEDIA, "GET", path, f"{carrier}'s streams", proof, _STREAM, refusal, carrier)


def _table() -> Iterator[Door]:
    for carrier in CARRIERS.values():
        if carrier.webhook:
            yield _webhook(carrier.webhook, carrier.name)
            whisper = carrier.webhook + WHISPER
            yield _webhook(whisper, carrier.name, is_call=False, proof=Proof.SEALED)
            for behind in (BEHIND, STATUS):
                path = carrier.webhook + behind
                yield _webhook(path, carrier.name, is_call=False, proof=Proof.SEALED)
    yield _webhook("/status", "twilio", is_call=False)
    yield _open("/healthz")
    yield _open("/readyz")
    yield _page("/metrics")
    for asset in ASSETS:
        yield _shell(asset)
    yield _socket(EVENTS)
    refusal = "401, 429 too often, 409 by the rules of outgoing calls, 503 where none are placed"
    yield Door(HTTP, "POST", CALLS, "operators", Proof.CONSOLE, _REQUEST, refusal)
    yield Door(HTTP, "POST", CAMPAIGNS, "operators", Proof.CONSOLE, _REQUEST, refusal)
    refusal = "401, 429 too often, 404 no such campaign, 503 where no calls are placed"
    for method in ("GET", "DELETE"):
        yield Door(HTTP, method, CAMPAIGNS, "operators", Proof.CONSOLE, _PAGE, refusal)
    yield _of_page("POST", ACT)
    yield _of_page("POST", DIAL)
    yield Door(HTTP, "*", ELSEWHERE, "nobody", Proof.NOBODY, _PAGE, "401 or 404, 429 too often")
    for carrier in (*CARRIERS.values(), SOFTPHONE):
        yield _stream(carrier.path, carrier.name)
    refusal = "403, 404 or 429 to the handshake"
    yield Door(MEDIA, "*", ELSEWHERE, "nobody", Proof.NOBODY, _STREAM, refusal)
    yield Door(
        AUDIO_SOCKET,
        "TCP",
        ELSEWHERE,
        "Asterisk",
        Proof.SWITCH,
        "64 connections of strangers in all, 10 s and 128 KB each; switches have room of their own",
        "hung up on",
    )
    yield Door(
        CLUSTER,
        "TCP",
        ELSEWHERE,
        "nodes of the cluster, and `aybiza` on this machine",
        Proof.COOKIE,
        "64 connections that have not proved themselves, 5 s and some hundred bytes each",
        "hung up on without a word, and counted",
    )


WEBHOOKS: Final = (Proof.SIGNATURE, Proof.SEALED)
"""What is asked of carriers' webhooks."""

POLICY: Final[tuple[Door, ...]] = tuple(_table())
"""All doors; see the module."""

_ROWS: Final = {(row.listener, row.method, row.path): row for row in POLICY}


def door(listener: str, method: str, path: str) -> Door:
    """The row by which a request comes in; HEAD is GET without a body."""
    asked = "GET" if method == "HEAD" else method
    return _ROWS.get((listener, asked, path)) or _ROWS[listener, "*", ELSEWHERE]


def paths(listener: str) -> list[Door]:
    """The rows of a listener that have a path."""
    return [row for row in POLICY if row.listener == listener and row.path != ELSEWHERE]
