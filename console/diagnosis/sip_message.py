"""A SIP message as a trace shows it, and what its SDP offers. Pure.

    message = Message(7, "10:00:00.123", "10.0.0.1", "10.0.0.2", "INVITE sip:100@10.0.0.2 SIP/2.0")
    message.method, message.status, message.cseq, message.sdp

Only what diagnosis asks for is read: the start line, the headers that tell transactions and dialogs
apart, and the first audio of the SDP. Nothing raises: what cannot be read is empty.

Source: RFC 3261 (SIP), RFC 4566 and 3264 (SDP, offer and answer), RFC 3551 (payload types), RFC
4733 (telephone-event).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_METHODS: Final = (
    "INVITE|ACK|BYE|CANCEL|OPTIONS|REGISTER|PRACK|UPDATE|INFO|REFER|SUBSCRIBE|NOTIFY|MESSAGE"
    "|PUBLISH"
)
REQUEST: Final = re.compile(rf"({_METHODS}) (\S{{1,300}}) SIP/2\.0\.?$")
RESPONSE: Final = re.compile(r"SIP/2\.0 ([1-6]\d\d)(?: (.{0,200}))?$")

COMPACT: Final = {
    "i": "call-id",
    "m": "contact",
    "f": "from",
    "t": "to",
    "v": "via",
    "c": "content-type",
}
"""The short names of headers."""

_STATIC: Final = {
    "0": "PCMU",
    "3": "GSM",
    "4": "G723",
    "8": "PCMA",
    "9": "G722",
    "13": "CN",
    "18": "G729",
}
_BRANCH: Final = re.compile(r";\s*branch\s*=\s*([^;,\s]{1,200})", re.IGNORECASE)
_DTMF: Final = "TELEPHONE-EVENT"
_NOISE: Final = frozenset({_DTMF, "CN"})
_DIRECTIONS: Final = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})


class Sdp(NamedTuple):
    """The first audio of a session description. codecs: their names, the best first, in capitals;
    encrypted: whether SRTP is asked for; ice: whether addresses are found out by ICE, so that those
    of the description say nothing."""

    address: str
    port: int
    codecs: tuple[str, ...]
    dtmf: bool
    direction: str
    ptime: int | None
    encrypted: bool
    ice: bool = False


@dataclass(slots=True)
class Message:
    """See the module. line: where in the trace it begins; time: as it stands there; source and
    destination: addresses, "" where the trace does not tell; sent: whether the switch that wrote
    the trace sent it, None where that is not told. headers: lower case names, the first of each."""

    line: int
    time: str
    source: str
    destination: str
    start: str
    sent: bool | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)

    @property
    def method(self) -> str:
        """Of a request; of a response that of the request that it answers."""
        found = REQUEST.match(self.start)
        return found[1] if found else self.cseq[1]

    @property
    def status(self) -> int | None:
        """Of a response; None for a request."""
        found = RESPONSE.match(self.start)
        return int(found[1]) if found else None

    @property
    def reason(self) -> str:
        """The words behind the status."""
        found = RESPONSE.match(self.start)
        return (found[2] or "").strip() if found else ""

    @property
    def call_id(self) -> str:
        """What tells calls apart."""
        return self.headers.get("call-id", "")

    @property
    def cseq(self) -> tuple[int, str]:
        """The number and the method of the transaction; (0, "") where it has none."""
        number, _, method = self.headers.get("cseq", "").partition(" ")
        if not (number.isascii() and number.isdecimal() and len(number) <= 10):
            return 0, ""
        return int(number), method.strip().upper()

    @property
    def branch(self) -> str:
        """What tells apart the transactions of one number: of a request that a proxy has forked."""
        found = _BRANCH.search(self.headers.get("via", ""))
        return found[1] if found else ""

    @property
    def sdp(self) -> Sdp | None:
        """What it offers or answers; None if it has no audio."""
        return read_sdp(self.body)


def read_sdp(lines: Sequence[str]) -> Sdp | None:
    """The first audio of these lines.

    >>> read_sdp(["c=IN IP4 10.0.0.1", "m=audio 4000 RTP/AVP 0 101",
    ...           "a=rtpmap:101 telephone-event/8000"]).codecs
    ('PCMU',)
    """
    session, ours = _of_audio(lines)
    if not ours:
        return None
    media = ours[0][2:].split()
    if len(media) < 3:
        return None
    names = dict(_STATIC)
    direction, ptime, encrypted, ice = "sendrecv", None, "SAVP" in media[2].upper(), False
    for line in (*session, *ours):
        kind, _, value = line.partition(":")
        if kind == "a=rtpmap":
            number, _, name = value.partition(" ")
            names[number.strip()] = name.partition("/")[0].strip().upper()
        elif kind == "a=ptime" and _small(value):
            ptime = int(value)
        elif kind == "a=crypto":
            encrypted = True
        elif kind == "a=ice-ufrag":
            ice = True
        elif line[2:] in _DIRECTIONS:
            direction = line[2:]
    codecs = [names.get(number, number) for number in media[3:]]
    return Sdp(
        _address(ours) or _address(session),
        int(media[1]) if _small(media[1]) else 0,
        tuple(dict.fromkeys(codec for codec in codecs if codec not in _NOISE)),
        _DTMF in codecs,
        direction,
        ptime,
        encrypted,
        ice,
    )


def _of_audio(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines of the session, and those of its first audio."""
    session: list[str] = []
    ours: list[str] = []
    of: list[str] | None = session
    for line in lines:
        if line.startswith("m="):
            of = ours if line.startswith("m=audio") and not ours else None
        if of is not None:
            of.append(line.strip())
    return session, ours


def _address(lines: Sequence[str]) -> str:
    told = next((line.split() for line in lines if line.startswith("c=")), [])
    return told[2].partition("/")[0] if len(told) > 2 else ""


def _small(text: str) -> bool:
    text = text.strip()
    return text.isascii() and text.isdecimal() and len(text) <= 5
