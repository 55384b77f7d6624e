"""Web pages that a developer opens do not drive the emulators.

A browser lets any page send requests to a port of its machine. It tells where they come from, in
`Origin` and `Sec-Fetch-Site`, or in `Host`, where the page's own name was made to lead here. Who
types the address, and programs that are no browsers, send nothing of it.

Contract: `refusal` of a request to a control path is None, or why it is refused, for people. Names
of `headers` are in lower case.
Source: Fetch, "Origin header"; W3C, "Fetch Metadata Request Headers"; RFC 9110, section 7.2.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

_OWN_SITES: Final = ("none", "same-origin")


def refusal(headers: Mapping[str, str]) -> str | None:
    """See the module.

    >>> refusal({"host": "127.0.0.1:9000"})
    >>> refusal({"host": "127.0.0.1:9000", "origin": "https://evil.example"})
    'web pages of others may not control the emulator'
    """
    host = headers.get("host", "")
    origin = headers.get("origin")
    if not _is_sound(host):
        return "the emulator is asked by an address, or by a name without a dot"
    if headers.get("sec-fetch-site", "none") not in _OWN_SITES or (
        origin is not None and origin != f"http://{host}"
    ):
        return "web pages of others may not control the emulator"
    return None


def _is_sound(host: str) -> bool:
    """Whether no page can have this name: an address, or a name that is not the network's."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name != "" and "." not in name
    return True
