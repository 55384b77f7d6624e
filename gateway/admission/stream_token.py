"""Stream tokens: a media stream is taken only for a call whose webhook was answered.

The TwiML of `/incoming` carries a token in a `<Parameter>` (Twilio drops a query from the stream's
URL); it comes back in the stream's `start`. A token holds its expiry and a nonce, and an
HMAC-SHA256 over both and the CallSid, so any node with the same key can check it and nobody without
the key can make one. The key is derived from the cluster's cookie (HKDF, RFC 5869); a node without
a cookie file has a random one.

What it guarantees: a `start` without a token made for its own CallSid within the last
`LIFE_SECONDS` is refused on every node, and a token that was taken is not taken again by the same
node. Nodes do not tell each other which tokens they took: within its life a token could be used
once more at each other node, by somebody who can read the TwiML on its way from us to Twilio.
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
import time
from collections.abc import Callable
from typing import Final

PARAMETER: Final = "StreamToken"
"""Name of the `<Parameter>`; logs hide values under such a name."""

LIFE_SECONDS: Final = 60.0
"""From the TwiML to the stream's `start` Twilio needs a second or two."""

_HEAD = struct.Struct(">d16s")
_MAC_BYTES = 32
_INFO = b"aybiza stream token 1"


class StreamTokens:
    """Makes tokens and takes each of them once."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock
        # In the order of their expiry but for the differences of the nodes' clocks.
        self._used: dict[bytes, float] = {}

    def issue(self, call_id: str) -> str:
        """A new token for this call."""
        head = _HEAD.pack(self._clock() + LIFE_SECONDS, secrets.token_bytes(16))
        return base64.urlsafe_b64encode(head + self._mac(head, call_id)).decode("ascii")

    def refusal(self, token: str, call_id: str) -> str | None:
        """Take the token for this call: None, or why not: missing, forged, expired, used."""
        if not token:
            return "missing"
        try:
            data = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            return "forged"
        head, mac = data[: _HEAD.size], data[_HEAD.size :]
        if len(data) != _HEAD.size + _MAC_BYTES or not hmac.compare_digest(
            mac, self._mac(head, call_id)
        ):
            return "forged"
        expires, nonce = _HEAD.unpack(head)
        self._forget(now := self._clock())
        if expires <= now:
            return "expired"
        if nonce in self._used:
            return "used"
        self._used[nonce] = expires
        return None

    def _mac(self, head: bytes, call_id: str) -> bytes:
        text = head + call_id.encode(errors="surrogateescape")
        return hmac.new(self._key, text, hashlib.sha256).digest()

    def _forget(self, now: float) -> None:
        while self._used:
            nonce = next(iter(self._used))
            if self._used[nonce] > now:
                break
            del self._used[nonce]


def derived_key(cookie: bytes) -> bytes:
    """The key of all nodes that have this cookie; nothing about the cookie can be told from it."""
    return hkdf(cookie, _INFO)


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, without salt, for 32 bytes: one block is all that these need."""
    extracted = hmac.new(bytes(hashlib.sha256().digest_size), secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()
