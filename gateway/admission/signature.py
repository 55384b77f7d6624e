"""Twilio's request signature: whether a request was sent by who has the account's auth token.

Pure. A signature is base64(HMAC-SHA1(auth token, text)), and the text is

    a form        the URL, then name and value of each parameter, in the order of the names;
                  of a name that comes several times each value once, in order
    another body  the URL alone, whose query holds `bodySHA256`, the body's SHA-256 in hex
    a websocket   the URL alone, as it stands in the TwiML: wss://…, without parameters

The URL is the one that Twilio used: with scheme, host, path and query. Twilio is not consistent in
writing a port, so a URL also counts as signed without its port, or with its scheme's own port.
Comparisons take the same time whatever is compared. What cannot be read is not signed; nothing is
ever raised.

Source: Twilio, "Webhooks security"; "Media Streams configuration" (the header comes with the
websocket's handshake as well).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from aybiza.gateway.admission.form_pairs import FormFault, pairs

HEADER: Final = "x-twilio-signature"
FORM: Final = "application/x-www-form-urlencoded"
BODY_HASH: Final = "bodySHA256"

_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}

Parameters = Iterable[tuple[str, str]]
"""Names and values; a name may come several times."""


def signature(auth_token: str, url: str, parameters: Parameters = ()) -> str:
    """The signature of a request to exactly this URL."""
    return _seal(auth_token, url, _joined(parameters))


def _joined(parameters: Parameters) -> bytes:
    told = "".join(name + value for name, value in sorted(set(parameters)))
    return told.encode(errors="surrogateescape")


def _seal(auth_token: str, url: str, told: bytes) -> str:
    text = url.encode(errors="surrogateescape") + told
    digest = hmac.digest(auth_token.encode(), text, "sha1")
    return base64.b64encode(digest).decode("ascii")


def signed_part(target: str, body: bytes) -> bytes:
    """What of a POST's target and form a signature is over: the same, in whatever order, with
    whatever escapes and how often the form says it, and wherever a letter has moved to. Of another
    body all of it."""
    form = _parsed(body)
    told = body if form is None else _joined(form)
    return target.encode(errors="surrogateescape") + told


def is_signed(auth_token: str, given: str, url: str, parameters: Parameters = ()) -> bool:
    """Whether `given` is the signature of a form or, without parameters, of a websocket."""
    told = _joined(parameters)
    asked = given.encode(errors="replace")
    matches = [
        hmac.compare_digest(_seal(auth_token, each, told).encode(), asked)
        for each in _spellings(url)
    ]
    return any(matches)


def is_signed_body(
    auth_token: str, given: str, url: str, body: bytes, content_type: str = FORM
) -> bool:
    """Whether `given` is the signature of a POST with this body."""
    if content_type.partition(";")[0].strip().lower() == FORM:
        form = _parsed(body)
        return form is not None and is_signed(auth_token, given, url, form)
    hashes = _parsed(url.partition("?")[2].encode(errors="replace")) or []
    told = dict(hashes).get(BODY_HASH, "").encode(errors="replace")
    whole = hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), told)
    return is_signed(auth_token, given, url) and whole


def _parsed(form: bytes) -> list[tuple[str, str]] | None:
    try:
        return pairs(form)
    except FormFault:
        return None


def _spellings(url: str) -> list[str]:
    """The URL, and the same without a port and with its scheme's own."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return [url]
    if not host:
        return [url]
    bare = parts.netloc if port is None else parts.netloc.rpartition(":")[0]
    spellings = {url: None, _with(parts, bare, url): None}
    if port is None and parts.scheme in _PORTS:
        spellings[_with(parts, f"{bare}:{_PORTS[parts.scheme]}", url)] = None
    return list(spellings)


def _with(parts: SplitResult, netloc: str, url: str) -> str:
    """The URL with another host and port; the rest letter by letter as it was."""
    head = f"{parts.scheme}://"
    return head + netloc + url[len(head) + len(parts.netloc) :]
