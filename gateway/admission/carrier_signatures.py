"""Whether a webhook was sent by its carrier: each carrier's own signature, with its own key.

    twilio      X-Twilio-Signature: HMAC-SHA1 over URL and form, with TWILIO_AUTH_TOKEN
    signalwire  X-SignalWire-Signature: the same, with AYBIZA_SIGNALWIRE_SIGNING_KEY
    telnyx      Telnyx-Signature-Ed25519 over "timestamp|body", AYBIZA_TELNYX_PUBLIC_KEY; the
                timestamp is at most 5 minutes away, and a signature serves one URL

Telnyx signs no URL. So what it has signed could be sent again, to another path or with another
query: the first URL that a signature came with is the only one that it is good for.

Contract: `CarrierSignatures.fits` says whether; what cannot be read does not fit, nothing is
raised. Comparisons take the same time whatever is compared. `ValueError` from the constructor: a
public key that is none.
Source: Twilio, "Webhooks security"; SignalWire, "Compatibility API: validating requests"; Telnyx,
"Webhook signing"; RFC 8032.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from aybiza.config import clocks
from aybiza.gateway.admission import signature

TOLERANCE_SECONDS: Final = 300.0
"""How far the timestamp of a signature may be from the clock."""

REMEMBERED: Final = 10_000
"""Signatures whose URL is remembered; the oldest is forgotten first."""

_ED25519: Final = "telnyx-signature-ed25519"
_TIMESTAMP: Final = "telnyx-timestamp"
_MAX_TIMESTAMP_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it was signed: the URL by which the carrier came, headers in lower case."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class CarrierSignatures:
    """See the module. `keys`: by the carrier's name, those that the operator has given.

    As soon as there is one, every carrier has to sign: a lock at one door is of no use beside a
    door without.
    """

    def __init__(self, keys: Mapping[str, str], clock: Callable[[], float] = clocks.wall) -> None:
        self._checks: dict[str, Callable[[Signed], bool]] = {}
        self._clock = clock
        # In the order in which they came.
        self._urls: dict[bytes, str] = {}
        for carrier, key in keys.items():
            self._checks[carrier] = _MAKERS[carrier](self, key)

    @property
    def asked_for(self) -> bool:
        """Whether webhooks have to be signed."""
        return bool(self._checks)

    def knows(self, carrier: str) -> bool:
        """Whether there is a key of this carrier's."""
        return carrier in self._checks

    def fits(self, carrier: str, request: Signed) -> bool:
        """Whether the request was signed by this carrier."""
        check = self._checks.get(carrier)
        return check is not None and check(request)

    def signed_at(self, carrier: str, headers: Mapping[str, str]) -> int | None:
        """The second in which a request that fits was signed; None where no time is signed."""
        return int(headers[_TIMESTAMP]) if carrier == "telnyx" else None

    def _hmac(self, header: str, key: str) -> Callable[[Signed], bool]:
        def check(request: Signed) -> bool:
            given = request.headers.get(header, "")
            content_type = request.headers.get("content-type", signature.FORM)
            return bool(given) and signature.is_signed_body(
                key, given, request.url, request.body, content_type
            )

        return check

    def _twilio(self, key: str) -> Callable[[Signed], bool]:
        return self._hmac(signature.HEADER, key)

    def _signalwire(self, key: str) -> Callable[[Signed], bool]:
        return self._hmac("x-signalwire-signature", key)

    def _telnyx(self, key: str) -> Callable[[Signed], bool]:
        public = public_key(key)

        def check(request: Signed) -> bool:
            timestamp = request.headers.get(_TIMESTAMP, "")
            if not (timestamp.isascii() and timestamp.isdecimal()):
                return False
            if len(timestamp) > _MAX_TIMESTAMP_DIGITS:
                return False
            if abs(self._clock() - int(timestamp)) > TOLERANCE_SECONDS:
                return False
            try:
                given = base64.b64decode(request.headers.get(_ED25519, ""), validate=True)
                public.verify(given, timestamp.encode() + b"|" + request.body)
            except (binascii.Error, ValueError, InvalidSignature):
                return False
            # Over what was signed, for the signature itself could be written in two ways.
            return self._is_its_url(timestamp.encode() + b"|" + request.body, request.url)

        return check

    def _is_its_url(self, signed: bytes, url: str) -> bool:
        name = hashlib.sha256(signed).digest()
        first = self._urls.setdefault(name, url)
        if len(self._urls) > REMEMBERED:
            del self._urls[next(iter(self._urls))]
        return first == url


def public_key(text: str) -> Ed25519PublicKey:
    """Telnyx's public key, base64 of 32 bytes. Raises ValueError, which does not show it."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("not base64 of the 32 bytes of an Ed25519 public key") from None


_MAKERS: Final[Mapping[str, Callable[[CarrierSignatures, str], Callable[[Signed], bool]]]] = {
    "twilio": CarrierSignatures._twilio,
    "signalwire": CarrierSignatures._signalwire,
    "telnyx": CarrierSignatures._telnyx,
}
