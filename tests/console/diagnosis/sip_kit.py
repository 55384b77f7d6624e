"""SIP messages for tests, as switches write them into their logs."""

from __future__ import annotations

from collections.abc import Iterable

CARRIER, SWITCH = "198.18.0.1", "198.18.9.9"
G711 = "0 8 101"
EVENTS = "a=rtpmap:101 telephone-event/8000"


def sdp(ip: str = CARRIER, codecs: str = G711, proto: str = "RTP/AVP", more: str = EVENTS) -> str:
    """An audio of a session description."""
    lines = ["v=0", f"c=IN IP4 {ip}", f"m=audio 4000 {proto} {codecs}", *more.split("\n")]
    return "\n".join(filter(None, lines))


def message(start: str, cseq: str, body: str = "", more: str = "", call_id: str = "c1") -> str:
    """A message; `INVITE` and `200 OK` stand for whole start lines."""
    first = f"SIP/2.0 {start}" if start[0].isdigit() else f"{start} sip:100@{SWITCH} SIP/2.0"
    headers = [f"Call-ID: {call_id}", f"CSeq: {cseq}", "From: <sip:a@b>;tag=1", more]
    return "\n".join([first, *filter(None, headers), "", body])


def asterisk(messages: Iterable[tuple[str, str]]) -> list[str]:
    """A log of PJSIP: each message with `in` or `out`."""
    log = []
    for way, text in messages:
        told = "Received SIP request" if way == "in" else "Transmitting SIP response"
        to = "from" if way == "in" else "to"
        log.append(
            f"[Nov 30 10:00:00] VERBOSE[1] x.c: <--- {told} (9 bytes) {to} UDP:{CARRIER}:5060 --->"
        )
        log += [*text.split("\n"), ""]
    return log


def freeswitch(messages: Iterable[tuple[str, str]]) -> list[str]:
    """A log of Sofia."""
    log = []
    for way, text in messages:
        told = "recv 9 bytes from" if way == "in" else "send 9 bytes to"
        log.append(f"{told} udp/[{CARRIER}]:5060 at 10:00:00.123456:")
        log += ["   " + "-" * 72, *(f"   {line}" for line in text.split("\n")), "   " + "-" * 72]
    return log


def sngrep(messages: Iterable[tuple[str, str]]) -> list[str]:
    """What sngrep saves as text."""
    log = []
    for way, text in messages:
        ends = (CARRIER, SWITCH) if way == "in" else (SWITCH, CARRIER)
        log.append(f"2026/01/01 10:00:00.123456 {ends[0]}:5060 -> {ends[1]}:5060")
        log += [*text.split("\n"), "", ""]
    return log


def ngrep(messages: Iterable[tuple[str, str]]) -> list[str]:
    """What ngrep prints by lines: a dot for each carriage return."""
    log = ["interface: eth0", ""]
    for way, text in messages:
        ends = (CARRIER, SWITCH) if way == "in" else (SWITCH, CARRIER)
        log.append(f"U 2026/01/01 10:00:00.123456 {ends[0]}:5060 -> {ends[1]}:5060")
        log += [f"{line}." for line in text.split("\n")] + [""]
    return log


FORMS = {"asterisk": asterisk, "freeswitch": freeswitch, "sngrep": sngrep, "ngrep": ngrep}


def good(offer: str = "", answer: str = "") -> list[tuple[str, str]]:
    """A call that is taken and ended."""
    return [
        ("in", message("INVITE", "1 INVITE", offer or sdp())),
        ("out", message("100 Trying", "1 INVITE")),
        ("out", message("200 OK", "1 INVITE", answer or sdp(SWITCH))),
        ("in", message("ACK", "1 ACK")),
        ("in", message("BYE", "2 BYE", more="Reason: Q.850;cause=16")),
        ("out", message("200 OK", "2 BYE")),
    ]
