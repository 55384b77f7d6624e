"""SignalWire's streams without I/O: Twilio's messages, told apart where they differ.

The compatibility API speaks Twilio's dialect. What differs:

    streamSid, callSid     UUIDs
    streamSid              stands in `start`, and is absent from `media` and `stop`
    stop                   has no body
    envelope               SignalWire documents its messages inside `rawEvent` of another object;
                           both forms are taken
    clear                  comes back when it has been done; passed over
    mediaFormat            may be PCMA or L16, little-endian, if `<Stream codec>` asked for it; its
                           words for these are not documented, so the usual ones are taken
    dtmf                   has a duration as well

What a server sends is Twilio's to the letter.

Source: SignalWire, "Compatibility API: cXML <Stream>", "WebSocket connection" and "Sending
WebSocket Messages".
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from aybiza.gateway.carriers.carrier import Carrier
from aybiza.gateway.carriers.codec import CLOSE_INVALID_DATA, Event, Ignored, ProtocolError
from aybiza.gateway.carriers.twilio_codec import TwilioCodec, TwilioStream


class SignalWireStream(TwilioStream):
    """The receiving half of one stream; see `TwilioStream`."""

    __slots__ = ()

    codes: ClassVar[Mapping[str, str]] = {
        "audio/x-mulaw": "PCMU",
        "audio/x-alaw": "PCMA",
        "audio/x-L16": "L16",
        "audio/x-l16": "L16",
        "PCMU": "PCMU",
        "PCMA": "PCMA",
        "L16": "L16",
    }

    sid_pattern = re.compile(r"[0-9A-Za-z_-]{1,64}\Z", re.ASCII)

    def take(self, message: Mapping[str, Any]) -> Event:
        """Take a message, in its envelope or without."""
        message = _unwrapped(message)
        if message.get("event") == "clear":
            return Ignored("clear", "our own, done")
        if self.stream_sid is not None:
            message = {"streamSid": self.stream_sid, **message}
        return super().take(message)


class SignalWireCodec(TwilioCodec):
    """The codec of one of SignalWire's websockets; see `aybiza.gateway.carriers.codec.Codec`."""

    carrier: ClassVar[str] = "signalwire"

    def __init__(self) -> None:
        super().__init__(SignalWireStream())


def _unwrapped(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message in `rawEvent`, with the stream's id of the envelope; any other as it is."""
    if "rawEvent" not in message or "event" in message:
        return message
    inner = message["rawEvent"]
    if not isinstance(inner, dict):
        raise ProtocolError(CLOSE_INVALID_DATA, "rawEvent is not an object")
    outer = {"streamSid": message["streamSid"]} if "streamSid" in message else {}
    return {**outer, **inner}


def _asked(code: str, rate: int) -> Mapping[str, str]:
    return {"codec": f"{code}@{rate}h"}


CARRIER: Final = Carrier(
    "signalwire", "/media/signalwire", SignalWireCodec, "/incoming/signalwire", asked=_asked
)
