"""What is wrong with the calls of a SIP trace, and what mends it: one rule a kind of fault. Pure.

    for finding in judged(trace):
        print(finding.about, finding.call_id, finding.seen, finding.fix)

`RULES` look at one dialog each; what the log itself says and RTP that goes one way are told of the
trace. A fault is a finding with `fault`; the others are worth knowing.

Errors: none.
Source: RFC 3261, RFC 3264; specification 002, "Common SIP Failures" and section D.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from aybiza.console.diagnosis.sip_codes import CAUSES, CODECS_REFUSED, STATUSES, UNKNOWN
from aybiza.console.diagnosis.sip_message import Message, Sdp
from aybiza.console.diagnosis.sip_trace import Dialog, Trace

RETRANSMITTED_ENOUGH: Final = 3
PACKETS_ENOUGH: Final = 50
"""A second of RTP."""
PTIME: Final = 20
G711: Final = frozenset({"PCMU", "PCMA"})

_PRIVATE: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"),
    )
)
_CAUSE: Final = re.compile(r"cause\s*=\s*\"?(\d{1,3})\b")


class Finding(NamedTuple):
    """See the module. about: the kind; call_id: "" if it is of the trace; line: where in the
    trace."""

    about: str
    call_id: str
    line: int
    seen: str
    fix: str
    fault: bool = True


@dataclass
class Transaction:
    """A request, how often it was sent, and its responses."""

    number: int
    method: str
    requests: list[Message] = field(default_factory=list)
    responses: list[Message] = field(default_factory=list)

    @property
    def final(self) -> Message | None:
        """The response that ends it."""
        return next((each for each in self.responses if (each.status or 0) >= 200), None)

    @property
    def line(self) -> int:
        """Where it begins."""
        return (self.requests or self.responses)[0].line


@dataclass
class Call:
    """A dialog by its transactions."""

    dialog: Dialog

    @cached_property
    def transactions(self) -> list[Transaction]:
        """All but the ACKs, in order."""
        found: dict[tuple[int, str, str], Transaction] = {}
        for message in self.dialog.messages:
            number, method = message.cseq[0], message.method
            if method in ("", "ACK"):
                continue
            key = (number, method, message.branch)
            of = found.setdefault(key, Transaction(number, method))
            (of.requests if message.status is None else of.responses).append(message)
        return list(found.values())

    def answered(self, transaction: Transaction) -> bool:
        """Whether another branch of this transaction was."""
        return any(
            (each.final.status or 0) < 300
            for each in self.transactions
            if (each.number, each.method) == (transaction.number, transaction.method) and each.final
        )

    @cached_property
    def newest(self) -> dict[str, int]:
        """The last number of each method."""
        numbers: dict[str, int] = {}
        for each in self.transactions:
            numbers[each.method] = max(each.number, numbers.get(each.method, each.number))
        return numbers

    @cached_property
    def media(self) -> list[tuple[Message, Sdp, Message, Sdp]]:
        """Each offer with its answer."""
        acks: defaultdict[int, list[Message]] = defaultdict(list)
        for message in self.dialog.messages:
            if message.method == "ACK":
                acks[message.cseq[0]].append(message)
        found = []
        for each in self.transactions:
            if each.method not in ("INVITE", "UPDATE"):
                continue
            asked, told = _last(each.requests), _last(_successes(each.responses))
            for offer, answer in ((asked, told), (told, _last(acks.get(each.number, ())))):
                if offer is not None and answer is not None:
                    found.append((*offer, *answer))
                    break
        return found


def judged(trace: Trace) -> list[Finding]:
    """All findings, the faults first, each in the order of the trace."""
    found = [
        finding
        for dialog in trace.dialogs.values()
        for rule in RULES
        for finding in rule(Call(dialog))
    ]
    found += _hinted(trace)
    found += _rtp(trace)
    # What each offer of a call has, and each branch of a forked one, is said once.
    found.sort(key=lambda finding: finding.line)
    once = {(each.about, each.call_id, each.seen): each for each in reversed(found)}
    found = [each for each in found if once[each.about, each.call_id, each.seen] is each]
    return sorted(found, key=lambda finding: (not finding.fault, finding.line))


def _refused(call: Call) -> Iterator[Finding]:
    for each in call.transactions:
        final = each.final
        if final is None or final.status is None or final.status < 300:
            continue
        if final.status in (401, 407) and _tried_again(call, each):
            continue
        told = STATUSES.get(final.status, UNKNOWN)
        headers = final.headers
        later = f"Retry-After {headers['retry-after']}" if "retry-after" in headers else ""
        parts = (final.reason, headers.get("warning"), headers.get("reason"), later)
        words = " ".join(filter(None, parts))
        seen = f"{each.method} was answered {final.status} {words}: {told.means}"
        if final.status in CODECS_REFUSED and (offer := _last(each.requests)) is not None:
            kind = "SRTP" if offer[1].encrypted else "plain RTP"
            seen += f"; offered was {_list(offer[1].codecs)} over {kind}"
        about, fault = str(final.status), told.fault
        if call.answered(each):
            seen += "; another branch of the call was answered"
            fault = False
        yield Finding(about, call.dialog.call_id, final.line, seen, told.fix, fault)


def _unanswered(call: Call) -> Iterator[Finding]:
    methods = {each.method for each in call.transactions}
    for each in call.transactions:
        if each.final is not None or not each.requests:
            continue
        times = len(each.requests)
        if each.responses:
            if each.method == "INVITE" and not methods & {"CANCEL", "BYE"}:
                last = each.responses[-1].status or 100
                seen = (
                    f"{_PROGRESS.get(last, 'it went on')} ({last}) and the trace has no end of it"
                )
                fix = "trace longer, or look why nobody answers there"
                yield Finding("rings", call.dialog.call_id, each.line, seen, fix, fault=False)
            continue
        seen = f"{each.method} was sent {_times(times)} and nothing came back"
        fix = (
            "the peer is not reached: check its address, NAT, and the firewall for SIP (UDP or TCP"
            " 5060, TLS 5061)"
        )
        fault = times >= RETRANSMITTED_ENOUGH
        yield Finding("no response", call.dialog.call_id, each.line, seen, fix, fault)


_PROGRESS: Final[Mapping[int, str]] = {
    100: "it was taken up",
    180: "it rang",
    181: "it was forwarded",
    182: "it waits in a queue",
    183: "early media came",
}
"""What a response means that is not the last."""


def _times(count: int) -> str:
    """How often, in words.

    >>> _times(1), _times(7)
    ('once', '7 times')
    """
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _lost(call: Call) -> Iterator[Finding]:
    for each in call.transactions:
        if each.final is not None and len(each.requests) >= RETRANSMITTED_ENOUGH:
            seen = f"{each.method} was sent {_times(len(each.requests))} before it was answered"
            fix = "packets get lost or the peer is slow: look at the way, its load, or use TCP"
            yield Finding("retransmissions", call.dialog.call_id, each.line, seen, fix)


def _no_ack(call: Call) -> Iterator[Finding]:
    acked = {m.cseq[0] for m in call.dialog.messages if m.status is None and m.method == "ACK"}
    for each in call.transactions:
        final = each.final
        if each.method != "INVITE" or final is None or final.status is None or final.status >= 300:
            continue
        if each.number not in acked:
            times = sum(message.status == final.status for message in each.responses)
            seen = f"the call was answered {_times(times)} and no ACK came; it drops after 32 s"
            fix = (
                "the Contact of the answer is an address that the caller does not reach: set the"
                " switch's outside address (external_signaling_address, ext-sip-ip)"
            )
            yield Finding("no ACK", call.dialog.call_id, final.line, seen, fix)


def _codecs(call: Call) -> Iterator[Finding]:
    for asked, offer, told, answer in call.media:
        common = [codec for codec in answer.codecs if codec in offer.codecs]
        names = f"offered {_list(offer.codecs)}, answered {_list(answer.codecs)}"
        if offer.codecs and not common:
            fix = "allow PCMU and PCMA (ulaw, alaw) on both sides (allow=, codec-prefs)"
            yield Finding("codecs", call.dialog.call_id, told.line, names, fix)
        elif offer.codecs and not G711 & set(offer.codecs):
            fix = "offer PCMU: the telephone speaks it, and whatever else is offered is transcoded"
            yield Finding("codecs", call.dialog.call_id, asked.line, names, fix, fault=False)
        if offer.encrypted != answer.encrypted and answer.port:
            which = f"{_srtp(offer)} was offered and {_srtp(answer)} answered"
            fix = "set the same on both sides: media_encryption=sdes or no, rtp_secure_media"
            yield Finding("encryption", call.dialog.call_id, told.line, which, fix)
        if answer.ptime not in (None, PTIME):
            seen = f"packets hold {answer.ptime} ms"
            fix = f"ask for {PTIME} ms (ulaw:20): other lengths cost delay or packets"
            yield Finding("packet time", call.dialog.call_id, told.line, seen, fix, fault=False)


def _dtmf(call: Call) -> Iterator[Finding]:
    info = next((each for each in call.transactions if each.method == "INFO"), None)
    for asked, offer, told, answer in call.media:
        if offer.dtmf and answer.dtmf:
            continue
        who, line = ("the offer", asked.line) if not offer.dtmf else ("the answer", told.line)
        seen = f"{who} has no telephone-event: keys are not relayed as events"
        if info is not None:
            seen += "; they come as INFO, which few carriers take"
        fix = "dtmf_mode=rfc4733 (Asterisk), rfc2833-pt=101 and dtmf-type=rfc2833 (FreeSWITCH)"
        yield Finding("DTMF", call.dialog.call_id, line, seen, fix)


def _one_way(call: Call) -> Iterator[Finding]:
    first = call.media[0][0].cseq if call.media else None
    for asked, offer, told, answer in call.media:
        begins = asked.cseq == first
        for message, sdp in ((asked, offer), (told, answer)):
            yield from _behind_nat(call, message, sdp, begins=begins)
        ways = f"{offer.direction} was offered, {answer.direction} answered"
        # A hold is a second offer; a first one that sends one way only is a fault.
        if answer.port == 0:
            seen, fix = "the audio was refused: port 0 was answered", _FIX_MEDIA
            yield Finding("one-way audio", call.dialog.call_id, told.line, seen, fix)
        elif {offer.direction, answer.direction} != {"sendrecv"}:
            about, fix = ("one-way audio", _FIX_WAYS) if begins else ("hold", _FIX_HOLD)
            yield Finding(about, call.dialog.call_id, told.line, ways, fix, fault=begins)


_FIX_MEDIA: Final = "offer PCMU and PCMA over plain RTP, or what the other side takes"
_FIX_WAYS: Final = "look who puts the call on hold as it begins (music on hold, early media)"
_FIX_HOLD: Final = "none, if a person held the call; who holds sends the music, or silence"
_FIX_OURS: Final = (
    "set the switch's outside address for media: external_media_address and local_net (Asterisk),"
    " ext-rtp-ip (FreeSWITCH); let UDP of the RTP ports in"
)
_FIX_THEIRS: Final = (
    "the peer is behind NAT: answer to where its RTP comes from (rtp_symmetric=yes,"
    " force_rport=yes, rewrite_contact=yes; FreeSWITCH: NDLB-force-rport, without"
    " disable-rtp-auto-adjust)"
)


_FIX_SILENT: Final = "find why the switch sends nothing: a hold, codecs, the bridge to the agent"


def _behind_nat(call: Call, message: Message, sdp: Sdp, *, begins: bool) -> Iterator[Finding]:
    if sdp.ice or not sdp.port:
        return
    call_id = call.dialog.call_id
    if sdp.address in ("0.0.0.0", "::"):
        seen = f"the SDP says to send audio to {sdp.address}: an old way to hold"
        about, fix = ("one-way audio", _FIX_WAYS) if begins else ("hold", _FIX_HOLD)
        yield Finding(about, call_id, message.line, seen, fix, fault=begins)
        return
    source, destination = message.source, message.destination
    # A capture has both ends; who sends from a private address to a public one is on our side.
    ours = _is_public(destination) and not _is_public(source)
    across = destination if ours else source
    if _is_private(sdp.address) and _is_public(across):
        seen = f"the SDP asks for audio at the private address {sdp.address}, across {across}"
        fix = _FIX_OURS if ours else _FIX_THEIRS
        yield Finding("one-way audio", call_id, message.line, seen, fix)


def _ended(call: Call) -> Iterator[Finding]:
    for message in call.dialog.messages:
        if message.method not in ("BYE", "CANCEL") or message.status is not None:
            continue
        found = _CAUSE.search(message.headers.get("reason", ""))
        cause = int(found[1]) if found else 0
        if cause in CAUSES:
            seen = f"{message.method} with cause {cause}"
            about = f"cause {cause}"
            yield Finding(about, call.dialog.call_id, message.line, seen, CAUSES[cause])


RULES: Final[Sequence[Callable[[Call], Iterator[Finding]]]] = (
    _refused,
    _unanswered,
    _lost,
    _no_ack,
    _codecs,
    _dtmf,
    _one_way,
    _ended,
)

_HINTED: Final[Mapping[str, tuple[str, str]]] = {
    "codecs": ("codecs", "allow PCMU and PCMA (ulaw, alaw) on both sides (allow=, codec-prefs)"),
    "silence": (
        "one-way audio",
        "no RTP came: NAT or a firewall keeps it out; see external_media_address, ext-rtp-ip, and"
        " the RTP ports of the firewall",
    ),
    "lost": ("no response", "packets get lost on the way: firewall, NAT, or a peer that is away"),
}


def _hinted(trace: Trace) -> Iterator[Finding]:
    for hint in trace.hints:
        about, fix = _HINTED[hint.about]
        yield Finding(about, "", hint.line, f"the log says {hint.words!r}", fix)


def _rtp(trace: Trace) -> Iterator[Finding]:
    for who in sorted({*trace.got, *trace.sent}):
        got, sent = trace.got.get(who, 0), trace.sent.get(who, 0)
        if min(got, sent) == 0 and max(got, sent) >= PACKETS_ENOUGH:
            seen = f"{sent} packets went to {who} and {got} came from there"
            fix = (
                _FIX_OURS if not got else "find why the switch sends nothing: hold, codecs, bridge"
            )
            yield Finding("one-way audio", "", 0, seen, fix)


def _tried_again(call: Call, tried: Transaction) -> bool:
    return call.newest[tried.method] > tried.number


def _successes(responses: Sequence[Message]) -> list[Message]:
    """The response that carries the answer is the last: a 200 says it again, or for the first
    time."""
    return [each for each in responses if each.status is not None and 180 <= each.status < 300]


def _last(messages: Sequence[Message]) -> tuple[Message, Sdp] | None:
    return next(((each, sdp) for each in reversed(messages) if (sdp := each.sdp)), None)


def _is_private(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _PRIVATE)


def _is_public(address: str) -> bool:
    return bool(address) and not _is_private(address)


def _srtp(sdp: Sdp) -> str:
    return "SRTP" if sdp.encrypted else "plain RTP"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
