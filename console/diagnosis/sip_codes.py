"""What the final responses of SIP mean to a call, and what mends them.

    STATUSES[488].means, STATUSES[488].fix

`fault` is False for what belongs to the life of a telephone: a busy line, a caller who gave up.

Source: RFC 3261, section 21; RFC 4028 (422), RFC 8197 (607), RFC 8688 (608); ITU-T Q.850 (causes);
specification 002, section D, "Call Failures".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Status(NamedTuple):
    """See the module."""

    means: str
    fix: str
    fault: bool = True


STATUSES: Final[Mapping[int, Status]] = {
    301: Status("the number has moved", "dial the address in its Contact", fault=False),
    302: Status("the call is sent elsewhere", "dial the address in its Contact", fault=False),
    305: Status("a proxy must be used", "send calls by the proxy in its Contact"),
    400: Status("the request is malformed", "compare the request with what the carrier documents"),
    401: Status("the password was not given, or is wrong", "check user, password and realm"),
    402: Status("payment is required", "top up the account at the carrier"),
    403: Status(
        "the carrier refuses",
        "check the account, the caller id, the countries that are allowed, and whether the"
        " switch's address is in the carrier's list",
    ),
    404: Status(
        "the number is unknown there", "check the number's form (E.164: +15550100) and the dialplan"
    ),
    405: Status("the method is not allowed", "turn the feature off towards this peer"),
    406: Status("what it accepts cannot be sent", "check Accept headers and the codec list"),
    407: Status("the password was not given, or is wrong", "check user, password and realm"),
    408: Status(
        "nobody answered in time",
        "look for packet loss, a firewall or a wrong address on the way; then try TCP or TLS, or a"
        " longer timer",
    ),
    410: Status("the number is gone", "take it out of the list"),
    413: Status("the request is too large", "offer fewer codecs, or use TCP"),
    415: Status("the kind of body is not understood", "send plain SDP, without multipart"),
    416: Status("the address's scheme is not understood", "dial sip: or tel: as the carrier asks"),
    420: Status("an extension is not known there", "take it out of Require"),
    421: Status("an extension is missing", "turn on what its Require names (100rel, timer)"),
    422: Status(
        "the session timer is too short", "raise Session-Expires to the Min-SE that it names"
    ),
    423: Status("the registration is too short", "raise Expires to the Min-Expires that it names"),
    480: Status(
        "the phone is not there now",
        "look whether it is registered; fail over to another destination",
    ),
    481: Status(
        "the call is not known there",
        "one side had ended it, or restarted: look for an ACK or BYE that got lost",
    ),
    482: Status("the call goes in a circle", "look for two peers that route to each other"),
    483: Status("too many hops", "look for two peers that route to each other"),
    484: Status("the number is incomplete", "check how the dialplan takes digits"),
    485: Status("the number is ambiguous", "dial the whole number"),
    486: Status("busy", "none: the line is in use", fault=False),
    487: Status("the caller gave up", "none: the call was cancelled", fault=False),
    488: Status(
        "no codec or no media that both can",
        "offer PCMU and PCMA (ulaw, alaw) on both sides; mend the SDP: address, SRTP or plain RTP",
    ),
    489: Status("the event is not known there", "turn the subscription off"),
    491: Status("two changes crossed", "none: they are tried again", fault=False),
    493: Status("the body cannot be deciphered", "turn S/MIME off"),
    500: Status("the server failed", "read its log of that second; fail over to another trunk"),
    501: Status("the method is not implemented", "turn the feature off towards this peer"),
    502: Status("what is behind the server failed", "fail over to another trunk"),
    503: Status(
        "the service is away or overloaded",
        "fail over to another trunk or carrier, honour Retry-After, check the limits of calls and"
        " of calls a second",
    ),
    504: Status("what is behind the server gave no answer", "fail over to another trunk"),
    505: Status("the version of SIP is not known", "send SIP/2.0"),
    513: Status("the message is too large", "offer fewer codecs, or use TCP"),
    580: Status("a precondition failed", "turn preconditions off"),
    600: Status("busy everywhere", "none: the line is in use", fault=False),
    603: Status("declined", "none, if a person did; else the carrier blocks the caller id"),
    604: Status("the number does not exist", "check the number"),
    606: Status(
        "no media that both can",
        "offer PCMU and PCMA (ulaw, alaw) on both sides; mend the SDP: address, SRTP or plain RTP",
    ),
    607: Status("unwanted", "the called person has blocked the caller id; do not call again"),
    608: Status("rejected as a nuisance", "register the caller id; look at its reputation"),
}

CODECS_REFUSED: Final = frozenset({406, 415, 488, 606})
"""The statuses of who could not take the media that was offered."""

UNKNOWN: Final = Status("refused", "read its Reason and Warning; ask who runs the peer")

CAUSES: Final[Mapping[int, str]] = {
    27: "the destination is out of order: fail over to another trunk",
    31: "normal, unspecified: ask who sent it",
    34: "no circuit is free: raise the trunk's limit of calls, or fail over",
    38: "the network is out of order: fail over to another trunk",
    41: "a temporary failure: fail over to another trunk",
    42: "the switch is congested: fewer calls a second, or another trunk",
    47: "resources are unavailable: fail over to another trunk",
    58: "the bearer is not available: check the codecs",
    65: "the bearer is not implemented: check the codecs",
    79: "not implemented there: turn the feature off towards this peer",
    88: "the destination is incompatible: check the codecs",
    102: "a timer ran out: an answer, an ACK or RTP got lost on the way",
    111: "a protocol error: compare the messages with what the peer documents",
    127: "interworking: ask who runs the peer for the cause behind it",
}
"""Causes of the `Reason` header (Q.850) that no caller's hanging up has."""
