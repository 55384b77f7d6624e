"""Requests of any method on a port of websockets, which itself reads nothing but GET.

Contract: `AnyMethod` is a connection of the websockets library. A request whose method is not GET
is read whole and handed on as a GET, its method and body in headers of their own; `method_and_body`
reads them again. Only the first request of a connection is looked at, so frames of an open
websocket pass as they are.
Errors: a body over `MOST_BODY` bytes, or a length that is none, is handed on with the method
`TOO_LARGE`.
Source: RFC 9112.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from websockets.asyncio.server import ServerConnection

METHOD = "x-emulator-method"
BODY = "x-emulator-body"
TOO_LARGE = "TOO-LARGE"
MOST_BODY = 4096
MOST_HEAD = 16_384

_END = b"\r\n\r\n"


class AnyMethod(ServerConnection):
    """See the module."""

    _head: bytes | None = b""

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += data
            whole = as_get(self._head)
            if whole is None:
                return
            self._head, data = None, whole
        super().data_received(data)


def as_get(data: bytes) -> bytes | None:
    """The beginning of a connection as a GET; None while more of it has to come."""
    if data[:4] == b"GET "[: len(data)]:
        return data if len(data) >= 4 else None
    head, end, rest = data.partition(_END)
    if not end:
        return data if len(data) > MOST_HEAD else None
    first, *lines = head.split(b"\r\n")
    method, _, target = first.partition(b" ")
    length = _length(lines)
    if length is None or length > MOST_BODY:
        method, rest = TOO_LARGE.encode(), b""
    elif len(rest) < length:
        return None
    else:
        rest = rest[:length]
    kept = [line for line in lines if not line.lower().startswith((b"content-", b"transfer-"))]
    added = [
        METHOD.encode() + b": " + method,
        BODY.encode() + b": " + base64.b64encode(rest),
    ]
    return b"\r\n".join([b"GET " + target, *kept, *added]) + _END


def method_and_body(headers: Mapping[str, str]) -> tuple[str, bytes]:
    """The method and the body of a request; header names are lower case."""
    return headers.get(METHOD, "GET"), base64.b64decode(headers.get(BODY, ""))


def _length(lines: list[bytes]) -> int | None:
    for line in lines:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value) if value.strip().isdigit() else None
        if name.strip().lower() == b"transfer-encoding":
            return None
    return 0
