"""Stream tokens: a media stream is taken only for a call whose webhook was answered.

The TwiML of `/incoming` carries a token in a `<Parameter>` (Twilio drops a query from the stream's
URL); it comes back in the stream's `start`. A token holds its expiry and a nonce, and an
HMAC-SHA256 over both, the CallSid and all that the webhook told of the call: the carrier by which
it came, the account, From and To, when it began, who has its journal, by which route it has its
agent. So any node with the same key can check it, nobody without the key can make one, and a
`start` that says something else than its webhook has none. What the webhook did not tell is not
bound; `bound_names` says what is. The key is derived from the cluster's cookie (HKDF, RFC 5869); a
node without a cookie file has a random one.

What it guarantees: a `start` without a token made for its own CallSid within the last
`LIFE_SECONDS` is refused on every node, and a token that was taken is not taken again by the same
node, nor by another while the stream that it gave goes on (`aybiza.gateway.admission.lines`).
Within its life it could be used once more at another node when that stream is over, by somebody who
can read the TwiML on its way from us to Twilio.
The clocks of a cluster's nodes must agree within some seconds, or streams that land on another
node than their webhook come back by their `<Redirect>` for a new token.

Contract: `issue` a token for each TwiML, `refusal` of what came back: None, and the token is
used up, or why not, in a word. `clock`: wall clock, in seconds. A token is a secret: never log it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from aybiza.config import clocks

PARAMETER: Final = "StreamToken"
"""Name of the `<Parameter>`; logs hide values under such a name."""

LIFE_SECONDS: Final = 60.0
"""From the TwiML to the stream's `start` Twilio needs a second or two."""

CARRIER: Final = "Carrier"
ACCOUNT: Final = "Account"
BOUND: Final = (CARRIER, ACCOUNT, "From", "To", "Since", "Node", "Seam", "Route")
"""What a token may be bound to beside its call; each has its bit in the token."""

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_HEAD = struct.Struct(">dB16s")
_MAC_BYTES = 32
_INFO = b"aybiza stream token 2"


class StreamTokens:
    """Makes tokens and takes each of them once."""

    def __init__(
        self, key: bytes, clock: Callable[[], float] = clocks.wall, *, also: Sequence[bytes] = ()
    ) -> None:
        """Tokens are made with `key`; those made with one of `also` are taken, too."""
        self._keys = (key, *also)
        self._clock = clock
        # In the order of their expiry but for the differences of the nodes' clocks.
        self._used: dict[bytes, float] = {}

    def issue(self, call_id: str, told: Mapping[str, str] = _NONE) -> str:
        """A new token for this call, bound to what was `told` of it, by the names of `BOUND`."""
        names = sum(1 << bit for bit, name in enumerate(BOUND) if name in told)
        head = _HEAD.pack(self._clock() + LIFE_SECONDS, names, secrets.token_bytes(16))
        return base64.urlsafe_b64encode(head + _mac(self._keys[0], head, call_id, told)).decode(
            "ascii"
        )

    def refusal(self, token: str, call_id: str, told: Mapping[str, str] = _NONE) -> str | None:
        """Take the token for this call: None, or why not: missing, forged, expired, used.

        `told`: what the stream says of the call; of that, only what the token is bound to counts.
        """
        if not token:
            return "missing"
        data = _decoded(token)
        head, mac = data[: _HEAD.size], data[_HEAD.size :]
        whole = len(data) == _HEAD.size + _MAC_BYTES
        if not whole or not any(
            hmac.compare_digest(mac, _mac(key, head, call_id, told)) for key in self._keys
        ):
            return "forged"
        expires, _, nonce = _HEAD.unpack(head)
        self._forget(now := self._clock())
        if expires <= now:
            return "expired"
        if nonce in self._used:
            return "used"
        self._used[nonce] = expires
        return None

    def _forget(self, now: float) -> None:
        while self._used:
            nonce = next(iter(self._used))
            if self._used[nonce] > now:
                break
            del self._used[nonce]


def _mac(key: bytes, head: bytes, call_id: str, told: Mapping[str, str]) -> bytes:
    text = head
    for value in (call_id, *(told.get(name, "") for name in _names(head))):
        data = value.encode(errors="surrogateescape")
        text += len(data).to_bytes(4) + data
    return hmac.new(key, text, hashlib.sha256).digest()


def bound_names(token: str) -> frozenset[str]:
    """What a token that was taken is bound to, by the names of `BOUND`."""
    return frozenset(_names(_decoded(token)[: _HEAD.size]))


def given_at(token: str) -> float:
    """When a token that was taken was made, in unix time."""
    expires: float = _HEAD.unpack(_decoded(token)[: _HEAD.size])[0]
    return expires - LIFE_SECONDS


def _names(head: bytes) -> list[str]:
    names = _HEAD.unpack(head)[1]
    return [name for bit, name in enumerate(BOUND) if names >> bit & 1]


def _decoded(token: str) -> bytes:
    """The bytes of a token; of what is none, too few or too many."""
    try:
        data = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return b""
    # Python's decoder passes over padding that is too much: a token is written in one way.
    return data if base64.urlsafe_b64encode(data).decode("ascii") == token else b""


def derived_key(cookie: bytes) -> bytes:
    """The key of all nodes that have this cookie; nothing about the cookie can be told from it."""
    return hkdf(cookie, _INFO)


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, without salt, for 32 bytes: one block is all that these need."""
    extracted = hmac.new(bytes(hashlib.sha256().digest_size), secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()
