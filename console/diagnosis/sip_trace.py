"""The SIP messages in a log of Asterisk, FreeSWITCH, sngrep or ngrep, by calls. Pure.

    trace = read(lines)
    trace.dialogs["7f3c@10.0.0.1"].messages

Whatever else stands in the log is passed over, but for a few lines that switches write when media
fails (`HINTS`) and Asterisk's lines of RTP packets, which are counted. How a switch announces a
message is one row of `ANNOUNCED`; a message that nobody announces is read as well, without its
addresses. Colours are passed over, and so is what collectors of logs put before each line: a
container's name, FreeSWITCH's ids, the time and the host of a journal. Headers that are folded are
read whole, and of a body in several parts its SDP. What is kept is bounded: beyond `MOST_MESSAGES`
messages `trace.left_out` counts.

Errors: none; a log without SIP gives a trace without dialogs.
Source: Asterisk, `pjsip set logger on`, `sip set debug on`, `rtp set debug on`; FreeSWITCH, `sofia
global siptrace on`; sngrep, "save as TXT"; ngrep, `-W byline`; tcpdump, `-A`. RFC 3261, section
7.3.1 (folded headers); RFC 5621 (bodies in parts).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Final, NamedTuple

from aybiza.console.diagnosis.sip_message import COMPACT, REQUEST, RESPONSE, Message

LONGEST_LINE: Final = 4_096
MOST_MESSAGES: Final = 50_000
MOST_OF_A_CALL: Final = 500
MOST_HEADERS: Final = 100
MOST_BODY: Final = 200
MOST_ADDRESSES: Final = 10_000

_HOST: Final = r"\[?(?P<{0}>[0-9A-Fa-f.:]+?)\]?:\d{{1,5}}"
_TO, _FROM = _HOST.format("to"), _HOST.format("source")
_DUMPED: Final = (
    r"(?P<{0}>(?:\d{{1,3}}\.){{3}}\d{{1,3}}|[0-9a-f:]*:[0-9a-f:.]*)\.(?:\d{{1,5}}|sips?)"
)
_WHEN: Final = r"(?P<time>[\d/-]*[ T]?\d\d:\d\d:\d\d[.\d]*)"

ANNOUNCED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"<--- (?:Received|SIP read) .{{0,60}}?from [A-Za-z]+:{_FROM}",
        rf"<--- (?:Transmitting|Reliably Transmitting) .{{0,60}}?to (?:[A-Za-z]+:)?{_TO}",
        rf"(?:Reliably )?Transmitting \([\w ]{{1,20}}\) to (?:[A-Za-z]+:)?{_TO}",
        rf"Retransmitting #\d+ .{{0,20}}?to {_TO}",
        rf"recv \d+ bytes from [a-z]+/{_FROM} at {_WHEN}",
        rf"send \d+ bytes to [a-z]+/{_TO} at {_WHEN}",
        rf"(?:U )?(?:{_WHEN} )?{_FROM} -> {_TO}",
        rf"(?:{_WHEN} )?(?:IP6? )?{_DUMPED.format('source')} > {_DUMPED.format('to')}: ",
    )
)
"""How each switch announces a message. A message with one address only was received from it, or
sent to it."""

_MARKS: Final = ("<--- ", "ransmitting ", " bytes ", " -> ", " > ")
"""One of them stands in each announcement."""

_RTP: Final = re.compile(
    r"(?P<did>Got|Sent)\s+RTP (?:P2P )?packet (?:from|to)\s+"
    r"(?P<who>[0-9A-Fa-f.:\[\]]{3,50}:\d{1,5})"
)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BEFORE: Final = re.compile(
    r"(?:[\w.-]{1,64} +\|(?= |$)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?= |$))"
)
"""What stands before each line of a log: the container's name, or FreeSWITCH's id of the call."""

_STAMP: Final = re.compile(r"^\[?(\w{3} +\d+ \d\d:\d\d:\d\d[.\d]*|[\d-]+[ T]\d\d:\d\d:\d\d[.\d]*)")
_HEADER: Final = re.compile(r"([A-Za-z][\w.!%*+`'~-]{0,59})\s*:\s*(.*)$")
_BOUNDARY: Final = re.compile(r"multipart/.*;\s*boundary\s*=\s*\"?([^\";\s]{1,70})", re.IGNORECASE)
_DIGITS: Final = str.maketrans("123456789", "000000000")

HINTS: Final = (
    ("No compatible codecs", "codecs"),
    ("CODEC NEGOTIATION ERROR", "codecs"),
    ("INCOMPATIBLE_DESTINATION", "codecs"),
    ("MEDIA_TIMEOUT", "silence"),
    ("Lack of RTP activity", "silence"),
    ("Retransmission timeout reached", "lost"),
    ("RECOVERY_ON_TIMER_EXPIRE", "lost"),
)
"""What switches write when media fails, and what it is about."""


class Hint(NamedTuple):
    """A line of the switch that says what failed."""

    line: int
    about: str
    words: str


@dataclass(slots=True)
class Dialog:
    """The messages with one Call-ID, in order."""

    call_id: str
    messages: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class Trace:
    """See the module. got, sent: RTP packets by the other
    side's address and port."""

    dialogs: dict[str, Dialog] = field(default_factory=dict)
    hints: list[Hint] = field(default_factory=list)
    got: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    lines: int = 0
    messages: int = 0
    left_out: int = 0

    def put(self, message: Message) -> None:
        """Enter a message with its call; one without a Call-ID belongs to none."""
        if not message.call_id:
            return
        known = self.dialogs.get(message.call_id)
        full = known is not None and len(known.messages) >= MOST_OF_A_CALL
        if full or self.messages >= MOST_MESSAGES:
            self.left_out += 1
            return
        self.messages += 1
        dialog = self.dialogs.setdefault(message.call_id, Dialog(message.call_id))
        dialog.messages.append(message)


def lines_of(file: IO[str]) -> Iterator[str]:
    """The lines of a file; what is longer than any line of SIP is cut into several."""
    while line := file.readline(LONGEST_LINE):
        yield line


def read(lines: Iterable[str]) -> Trace:
    """All that the lines tell."""
    trace = Trace()
    announced: dict[str, str] = {}
    taking: _Taking | None = None
    dotted = False
    for number, raw in enumerate(lines, 1):
        trace.lines = number
        line = _bare(raw)
        if dotted:
            line = line.removesuffix(".")
        told = _announced(line)
        begins = None if told else _start(line)
        if told is not None or begins is not None:
            if taking is not None:
                trace.put(taking.message)
            taking = None
            if told is not None:
                announced, dotted = told, line.startswith("U ")
            if begins is not None:
                message = _begun(number, begins[0], announced)
                taking, announced = _Taking(message, line[: begins.start()]), {}
            continue
        if taking is not None:
            if taking.takes(line):
                continue
            if taking.body or line.strip():
                trace.put(taking.message)
                taking = None
        _aside(trace, number, line)
    if taking is not None:
        trace.put(taking.message)
    return trace


def _start(line: str) -> re.Match[str] | None:
    return (RESPONSE.search(line) or REQUEST.search(line)) if "SIP/2.0" in line else None


def _bare(raw: str) -> str:
    """A line without what terminals and containers put around it; how far it is indented stays."""
    line = raw[:LONGEST_LINE]
    if "\x1b" in line:
        line = _COLOUR.sub("", line)
    line = line.rstrip()
    found = _BEFORE.match(line.lstrip())
    return line if found is None else line.lstrip()[found.end() :].removeprefix(" ")


class _Taking:
    """A message whose lines are still coming. `before`: what stands before its first line in the
    log, as before each of its lines but for the figures of a time."""

    def __init__(self, message: Message, before: str) -> None:
        self.message = message
        self.body = False
        self._before = before.translate(_DIGITS)
        self._last = ""
        self._boundary: str | None = None

    def takes(self, line: str) -> bool:
        """Whether the line is part of the message."""
        line = self._own(line)
        if not line.strip() or not line.strip(" -"):
            # A blank line ends headers; FreeSWITCH draws a line around a message.
            first, self.body = not self.body, self.body or not line.strip()
            if first and self.body:
                found = _BOUNDARY.match(self.message.headers.get("content-type", ""))
                self._boundary = found[1] if found else None
            return first or not line.strip()
        return self._takes_body(line.strip()) if self.body else self._takes_header(line)

    def _own(self, line: str) -> str:
        size = len(self._before)
        if line[:size].translate(_DIGITS) == self._before:
            return line[size:]
        return "" if line.translate(_DIGITS) == self._before.rstrip() else line

    def _takes_body(self, line: str) -> bool:
        body = self.message.body
        if len(line) > 1 and line[1] == "=" and len(body) < MOST_BODY:
            body.append(line)
            return True
        if self._boundary is None or len(body) >= MOST_BODY:
            return False
        if line == f"--{self._boundary}--":
            self._boundary = None
        return True

    def _takes_header(self, line: str) -> bool:
        headers = self.message.headers
        if line[0] in " \t" and self._last:
            whole = f"{headers[self._last]} {line.strip()}"
            headers[self._last] = whole[:LONGEST_LINE]
            return True
        found = _HEADER.match(line.strip())
        if found is None or len(headers) >= MOST_HEADERS:
            return False
        name = found[1].lower()
        name = COMPACT.get(name, name)
        # What goes on below a second Via is no part of the first.
        self._last = "" if name in headers else name
        headers.setdefault(name, found[2])
        return True


def _begun(number: int, start: str, announced: dict[str, str]) -> Message:
    sent = None
    if ("source" in announced) != ("to" in announced):
        sent = "to" in announced
    return Message(
        number,
        announced.get("time", ""),
        announced.get("source", ""),
        announced.get("to", ""),
        start,
        sent,
    )


def _announced(line: str) -> dict[str, str] | None:
    if not any(mark in line for mark in _MARKS):
        return None
    for pattern in ANNOUNCED:
        found = pattern.search(line)
        if found is not None:
            told = {name: value for name, value in found.groupdict().items() if value}
            stamp = _STAMP.match(line)
            if "time" not in told and stamp:
                told["time"] = stamp[1]
            return told
    return None


def _aside(trace: Trace, number: int, line: str) -> None:
    """What a line tells that is no part of a message."""
    packet = _RTP.search(line)
    if packet is not None:
        counts = trace.got if packet["did"] == "Got" else trace.sent
        if packet["who"] in counts or len(counts) < MOST_ADDRESSES:
            counts[packet["who"]] = counts.get(packet["who"], 0) + 1
        return
    for words, about in HINTS:
        if words in line and len(trace.hints) < MOST_ADDRESSES:
            trace.hints.append(Hint(number, about, words))
