"""The messages of Media Streams as Twilio writes and reads them, without I/O.

`StreamWriter` writes what goes to the agent, with Twilio's counters (strings, as Twilio has
them); `read` takes what the agent sends and is strict: what Twilio would answer with an error
is an `AgentError`, so that a call over the emulator finds it.

Source: Twilio, "Media Streams: WebSocket messages".
"""

import binascii
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aybiza.emulators.phone.audio import FRAME_MS

CONNECTED: Final = '{"event":"connected","protocol":"Call","version":"1.0.0"}'


class AgentError(Exception):
    """The agent sent something that Twilio would not take."""


@dataclass(frozen=True, slots=True)
class Audio:
    """Mu-law to be played."""

    mulaw: bytes


@dataclass(frozen=True, slots=True)
class MarkSet:
    """A mark to be sent back when everything before it was played."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Drop what is not yet played."""


AgentMessage = Audio | MarkSet | Clear


def new_sid(kind: str) -> str:
    """A fresh identifier: `kind` (CA a call, MZ a stream, AC an account), 32 hex digits."""
    return kind + secrets.token_hex(16)


class StreamWriter:
    """Writes one stream's messages in order; each call takes the next sequence number."""

    def __init__(self, stream_sid: str, call_sid: str, account_sid: str) -> None:
        self.stream_sid = stream_sid
        self._call_sid = call_sid
        self._account_sid = account_sid
        self._sequence = 0
        self._chunk = 0

    def start(self, parameters: Mapping[str, str]) -> str:
        """`start`, with the TwiML's parameters."""
        body = {
            "accountSid": self._account_sid,
            "streamSid": self.stream_sid,
            "callSid": self._call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": dict(parameters),
        }
        return self._message("start", json.dumps(body, separators=(",", ":")))

    def media(self, payload: str) -> str:
        """The next 20 ms of the caller; `payload` is base64 already."""
        timestamp = self._chunk * FRAME_MS
        self._chunk += 1
        return self._message(
            "media",
            f'{{"track":"inbound","chunk":"{self._chunk}","timestamp":"{timestamp}",'
            f'"payload":"{payload}"}}',
        )

    def dtmf(self, digit: str) -> str:
        """A key pressed."""
        return self._message("dtmf", f'{{"track":"inbound_track","digit":"{digit}"}}')

    def mark(self, name: str) -> str:
        """A mark sent back."""
        return self._message("mark", f'{{"name":{json.dumps(name)}}}')

    def stop(self) -> str:
        """The stream ends."""
        return self._message(
            "stop", f'{{"accountSid":"{self._account_sid}","callSid":"{self._call_sid}"}}'
        )

    def _message(self, event: str, body: str) -> str:
        self._sequence += 1
        return (
            f'{{"event":"{event}","sequenceNumber":"{self._sequence}",'
            f'"streamSid":"{self.stream_sid}","{event}":{body}}}'
        )


def read(frame: str | bytes, stream_sid: str) -> AgentMessage:
    """What the agent wants of stream `stream_sid`. Raises `AgentError`, and nothing else."""
    if not isinstance(frame, str):
        raise AgentError("the agent sent a binary frame")
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise AgentError(f"the agent sent what is not JSON: {frame[:80]!r}") from error
    if not isinstance(message, dict):
        raise AgentError(f"the agent sent what is not an object: {frame[:80]!r}")
    event = message.get("event")
    if message.get("streamSid") != stream_sid:
        sid = message.get("streamSid")
        raise AgentError(f"the agent sent {event!r} for stream {sid!r}, not {stream_sid}")
    body = message.get(event) if isinstance(event, str) else None
    match event, body:
        case "media", {"payload": str(payload)}:
            try:
                return Audio(binascii.a2b_base64(payload, strict_mode=True))
            except ValueError as error:
                raise AgentError("the agent sent media that is not base64") from error
        case "mark", {"name": str(name)}:
            return MarkSet(name)
        case "clear", _:
            return Clear()
        case (("media" | "mark"), _):
            raise AgentError(f"the agent sent {event} without its body: {frame[:80]!r}")
    raise AgentError(f"the agent sent the event {event!r}, which Twilio does not know")
