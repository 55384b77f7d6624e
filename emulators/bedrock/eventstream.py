"""The frames of `application/vnd.amazon.eventstream`, as bytes.

Contract: pure functions from an event's type and payload to one whole frame; nothing is kept and
nothing is sent. All integers are big-endian; every frame carries the CRC32 of its prelude and of
itself.
Errors: a header name over 255 bytes or a value over 65,535 bytes raises `struct.error`.
Source: Amazon event stream encoding (Bedrock: ConverseStream).
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_STRING = 7
_PRELUDE_AND_CRCS = 16


def frame(headers: Mapping[str, str], payload: bytes = b"") -> bytes:
    """One frame with string headers, in their given order, and a payload."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", _PRELUDE_AND_CRCS + len(head) + len(payload), len(head))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return message + struct.pack("!I", zlib.crc32(message))


def event_frame(event_type: str, payload: Mapping[str, Any]) -> bytes:
    """An event, such as `messageStart` with `{"role": "assistant"}`."""
    headers = {
        ":event-type": event_type,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return frame(headers, _json(payload))


def exception_frame(exception_type: str, message: str) -> bytes:
    """A modelled exception in the stream, such as `throttlingException`."""
    headers = {
        ":exception-type": exception_type,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return frame(headers, _json({"message": message}))


def error_frame(code: str, message: str) -> bytes:
    """An error that the service's model does not know: headers only."""
    headers = {":message-type": "error", ":error-code": code, ":error-message": message}
    return frame(headers)


def with_bad_crc(whole: bytes) -> bytes:
    """The same frame with a message CRC that does not hold."""
    return whole[:-4] + bytes(byte ^ 0xFF for byte in whole[-4:])


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _STRING, len(text)) + text


def _json(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload).encode()
