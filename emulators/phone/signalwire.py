"""SignalWire's side of the media websocket, without I/O; see `aybiza.emulators.phone.bridge`.

Messages are Twilio's without the `streamSid` of `media` and `stop`, and UUIDs for ids; in the
envelope in which SignalWire documents them if `enveloped`. `codec`: what `<Stream codec>` asked
for, as `AYBIZA_STREAM_CODEC` names it.

Source: SignalWire, "Compatibility API: cXML <Stream>".
"""

import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from aybiza.emulators.phone.bridge import Frame, HangUp
from aybiza.emulators.phone.line_audio import line_audio
from aybiza.emulators.phone.messages import AgentMessage, Audio, read

ENCODINGS = {"PCMU": "audio/x-mulaw", "PCMA": "audio/x-alaw", "L16": "audio/x-L16"}

NAMED = frozenset(("dtmf", "mark"))
"""Events that name their stream outside their body."""


class SignalWireWire:
    """One stream of SignalWire's."""

    subprotocol: str | None = None

    def __init__(self, enveloped: bool = False, codec: str = "PCMU") -> None:
        self._codec = codec
        self._audio = line_audio(codec, "<")
        self.stream_sid = str(uuid4())
        self._enveloped = enveloped
        self._sequence = 0
        self._chunk = 0

    def start(self, call_id: str, parameters: Mapping[str, str]) -> Sequence[Frame]:
        """`connected` and `start`."""
        body = {
            "streamSid": self.stream_sid,
            "accountSid": str(uuid4()),
            "callSid": call_id,
            "tracks": ["inbound"],
            "customParameters": dict(parameters),
            "mediaFormat": {
                "encoding": ENCODINGS[self._codec.partition("@")[0]],
                "sampleRate": int(self._codec.partition("@")[2] or 8000),
                "channels": 1,
            },
        }
        hello = self._wrapped({"event": "connected", "protocol": "Call", "version": "0.2.0"})
        return (hello, self._message("start", body))

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """`media`."""
        self._chunk += 1
        payload = binascii.b2a_base64(self._audio.sent(mulaw), newline=False).decode()
        timestamp = str((self._chunk - 1) * 20)
        body = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": timestamp,
            "payload": payload,
        }
        return (self._message("media", body),)

    def dtmf(self, digit: str) -> Sequence[Frame]:
        """`dtmf`."""
        return (self._message("dtmf", {"duration": 200, "digit": digit}),)

    def mark(self, name: str) -> Sequence[Frame]:
        """`mark`."""
        return (self._message("mark", {"name": name}),)

    def stop(self) -> Sequence[Frame]:
        """`stop`, without a body."""
        return (self._message("stop", None),)

    def read(self, frame: Frame) -> Sequence[AgentMessage | HangUp]:
        """The one message of a text frame."""
        message = read(frame, self.stream_sid)
        if isinstance(message, Audio):
            return (Audio(self._audio.taken(message.mulaw)),)
        return (message,)

    def cleared(self) -> Frame:
        """What SignalWire says when a clear has been done."""
        return self._wrapped({"event": "clear", "streamSid": self.stream_sid})

    def _message(self, event: str, body: Mapping[str, Any] | None) -> str:
        self._sequence += 1
        message: dict[str, Any] = {"event": event, "sequenceNumber": str(self._sequence)}
        if event in NAMED:
            message["streamSid"] = self.stream_sid
        if body is not None:
            message[event] = body
        return self._wrapped(message)

    def _wrapped(self, message: Mapping[str, Any]) -> str:
        if not self._enveloped:
            return json.dumps(message)
        envelope = {
            "timestamp": "2025-09-26T16:25:04.794Z",
            "direction": "inbound",
            "eventType": message["event"],
            "streamSid": self.stream_sid,
            "rawEvent": message,
        }
        return json.dumps(envelope)
