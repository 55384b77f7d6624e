"""Whether a request carries a well-formed Signature Version 4 for Bedrock.

Contract: `refusal` looks at the headers' shape alone: the scheme, the scope's service, the signed
headers, a date, 64 hexadecimal digits; `region` reads the scope's region. Any key and any signature
will do, so that no secret is needed on a loopback.
Errors: returned, not raised: the service's error code and message.
Source: AWS Signature Version 4; Bedrock signs with the service name `bedrock`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 "
    r"Credential=(?P<key>[^/,\s]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)"
    r"/aws4_request,\s*"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+),\s*"
    r"Signature=[0-9a-f]{64}"
)
_DATE = re.compile(r"\d{8}T\d{6}Z")


def region(headers: Mapping[str, str]) -> str:
    """The region that a request is signed for; "" if it is not signed."""
    match = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    return match["region"] if match else ""


def refusal(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """The error code and message for these (lower-case) headers; None when they are in order."""
    authorization = headers.get("authorization", "")
    if not authorization:
        return "MissingAuthenticationTokenException", "Missing Authentication Token"
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        return (
            "IncompleteSignatureException",
            "Authorization header is not a complete AWS4-HMAC-SHA256 signature: it needs "
            "Credential, SignedHeaders and Signature.",
        )
    if match["service"] != "bedrock":
        return (
            "InvalidSignatureException",
            f"Credential should be scoped to correct service: 'bedrock', not {match['service']!r}.",
        )
    date = headers.get("x-amz-date", "")
    if not _DATE.fullmatch(date) or not date.startswith(match["day"]):
        return (
            "InvalidSignatureException",
            "X-Amz-Date is missing or is not the day of the credential's scope.",
        )
    if "host" not in match["signed"].split(";"):
        return "InvalidSignatureException", "The host header has to be signed."
    return None
