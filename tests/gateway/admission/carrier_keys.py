"""A Telnyx of one's own: its key, and what it signs."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TELNYX_KEY = base64.b64encode(PRIVATE.public_key().public_bytes_raw()).decode()


def telnyx_headers(body: bytes, at: float, key: Ed25519PrivateKey = PRIVATE) -> dict[str, str]:
    """The headers with which Telnyx posts this body at this unix time."""
    timestamp = str(int(at))
    signed = key.sign(timestamp.encode() + b"|" + body)
    return {
        "telnyx-timestamp": timestamp,
        "telnyx-signature-ed25519": base64.b64encode(signed).decode(),
    }
