"""Reading the fields of a carrier's JSON messages: each check once, with the refusal it deserves.

Every function takes what the peer sent and returns it in our types or raises `ProtocolError`, and
nothing else. A refusal names the field and shows the value short and in ASCII; of what may be
secret it names the field only.
"""

import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from aybiza.gateway.carriers.codec import (
    CLOSE_INVALID_DATA,
    CLOSE_MESSAGE_TOO_BIG,
    CLOSE_UNSUPPORTED_DATA,
    MAX_FRAME_BYTES,
    Frame,
    ProtocolError,
)

DIGITS: Final = frozenset("0123456789*#ABCD")

_MAX_SHOWN: Final = 48
_MAX_COUNTER: Final = 2**63 - 1
_decode_json = json.JSONDecoder().decode


def message_of(frame: Frame) -> dict[str, Any]:
    """The JSON object of a text frame."""
    if not isinstance(frame, str):
        raise ProtocolError(CLOSE_UNSUPPORTED_DATA, "binary frame; this carrier sends text frames")
    if len(frame) > MAX_FRAME_BYTES or (
        not frame.isascii() and len(frame.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES
    ):
        raise ProtocolError(CLOSE_MESSAGE_TOO_BIG, f"frame over {MAX_FRAME_BYTES} bytes")
    try:
        message = _decode_json(frame)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(CLOSE_INVALID_DATA, "frame is not JSON") from error
    if not isinstance(message, dict):
        raise ProtocolError(CLOSE_INVALID_DATA, "frame is not a JSON object")
    return message


def event_name(message: Mapping[str, Any]) -> str:
    """The name in `event`."""
    name = message.get("event")
    if not isinstance(name, str):
        raise ProtocolError(CLOSE_INVALID_DATA, "message without an event name")
    return name


def object_in(message: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object at `key`."""
    value = message.get(key)
    if not isinstance(value, dict):
        raise ProtocolError(CLOSE_INVALID_DATA, f"{key} is {shown(value)}, not an object")
    return value


def text(value: object, what: str) -> str:
    """A string that can be stored, logged and sent on: JSON can hold half a surrogate pair."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            pass
        else:
            return value
    raise ProtocolError(CLOSE_INVALID_DATA, f"{what} is {shown(value)}, not a string")


def strings_in(message: Mapping[str, Any], key: str) -> Mapping[str, str]:
    """The object at `key`, all of whose values are strings; empty if it is absent.

    A value may be a secret token: an error names the key only.
    """
    values = message.get(key, {})
    if not isinstance(values, dict):
        raise ProtocolError(CLOSE_INVALID_DATA, f"{key} is {shown(values)}, not an object")
    return {
        text(name, f"a name in {key}"): _secret(name, value, key) for name, value in values.items()
    }


def _secret(name: str, value: object, where: str) -> str:
    try:
        return text(value, "value")
    except ProtocolError:
        reason = f"{where}[{shown(name)}] is not a string"
        raise ProtocolError(CLOSE_INVALID_DATA, reason) from None


def counter(body: Mapping[str, Any], key: str) -> int:
    """The count at `key`, a number or a string of one; 0 if it is absent or null."""
    value = body.get(key)
    if value is None:
        return 0
    if isinstance(value, float) and value.is_integer():
        # JSON has one kind of number; some write 8000.0.
        value = int(value)
    if isinstance(value, str | int) and not isinstance(value, bool):
        try:
            number = int(value)
        except ValueError:
            number = -1
        if 0 <= number <= _MAX_COUNTER:
            return number
    raise ProtocolError(CLOSE_INVALID_DATA, f"{key} is {shown(value)}, not a count")


def payload_of(body: Mapping[str, Any]) -> bytes:
    """The bytes of the base64 text at `payload`."""
    payload = body.get("payload")
    if not isinstance(payload, str):
        raise ProtocolError(CLOSE_INVALID_DATA, "media without a payload")
    try:
        return binascii.a2b_base64(payload, strict_mode=True)
    except ValueError as error:
        raise ProtocolError(CLOSE_INVALID_DATA, "media with a payload not in base64") from error


def digit_of(body: Mapping[str, Any]) -> str:
    """The key at `digit`."""
    digit = body.get("digit")
    if not isinstance(digit, str) or digit not in DIGITS:
        raise ProtocolError(CLOSE_INVALID_DATA, f"dtmf with digit {shown(digit)}")
    return digit


def base64_of(audio: bytes) -> str:
    """`audio` as the text of a `payload`."""
    return binascii.b2a_base64(audio, newline=False).decode("ascii")


def printable(given: str) -> str:
    """A peer's word for a log: short and ASCII."""
    return given[:_MAX_SHOWN].encode("ascii", "backslashreplace").decode("ascii")


def shown(value: object) -> str:
    """A peer's value for an error: short, ASCII; an object or list by its kind only."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        return ascii(value[:_MAX_SHOWN])
    if isinstance(value, bool | int | float):
        return "a number" if isinstance(value, int) and abs(value) > _MAX_COUNTER else repr(value)
    return "an object" if isinstance(value, dict) else "a list"
