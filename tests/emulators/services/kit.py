"""Headers that look signed."""

from __future__ import annotations


def signed(service: str) -> dict[str, str]:
    """A signature's shape, for a service."""
    scope = f"AKID/20261120/us-east-1/{service}/aws4_request"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"
    }
