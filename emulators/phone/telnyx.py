"""Telnyx's side of the media websocket, without I/O; see `aybiza.emulators.phone.bridge`.

Media comes out of order now and then, as Telnyx says it may: of every `SWAP_EVERY` chunks two are
swapped. `codec` is in what the stream was asked for, both ways, as `AYBIZA_STREAM_CODEC` names it.

Source: Telnyx, "Stream call media over WebSocket" (AsyncAPI).
"""

import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from aybiza.emulators.phone.bridge import Frame, HangUp
from aybiza.emulators.phone.line_audio import line_audio
from aybiza.emulators.phone.messages import AgentError, AgentMessage, Audio, Clear, MarkSet

SWAP_EVERY: Final = 25
CHUNK_MS: Final = 20
MIN_MS: Final = 20
"""The shortest media that Telnyx takes."""
MAX_MS: Final = 30_000
"""The longest."""


class TelnyxWire:
    """One stream of Telnyx's."""

    subprotocol: str | None = None

    def __init__(self, swap_every: int = SWAP_EVERY, codec: str = "PCMU") -> None:
        self._codec = codec
        self._audio = line_audio(codec, ">")
        self.stream_id = str(uuid4()).upper()
        self._swap_every = swap_every
        self._sequence = 0
        self._chunk = 0
        self._held: str | None = None

    def start(self, call_id: str, parameters: Mapping[str, str]) -> Sequence[Frame]:
        """`connected` and `start`."""
        numbers = {"from": parameters.get("From"), "to": parameters.get("To")}
        body = {
            "user_id": "3E6F995F-85F7-4705-9741-53B116D28237",
            "call_control_id": call_id,
            "call_session_id": str(uuid4()),
            **{key: value for key, value in numbers.items() if value},
            "client_state": "aGF2ZSBhIG5pY2UgZGF5ID1d",
            "custom_parameters": dict(parameters),
            "media_format": {
                "encoding": self._codec.partition("@")[0],
                "sample_rate": int(self._codec.partition("@")[2] or 8000),
                "channels": 1,
            },
        }
        return ('{"event":"connected","version":"1.0.0"}', self._message("start", body))

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """`media`; none now and two next time where chunks are swapped."""
        self._chunk += 1
        body = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str((self._chunk - 1) * CHUNK_MS),
            "payload": binascii.b2a_base64(self._audio.sent(mulaw), newline=False).decode(),
        }
        message = self._message("media", body)
        if self._swap_every and self._chunk % self._swap_every == 0:
            self._held = message
            return ()
        held, self._held = self._held, None
        return (message, held) if held else (message,)

    def dtmf(self, digit: str) -> Sequence[Frame]:
        """`dtmf`."""
        return (self._message("dtmf", {"digit": digit}, occurred_at="2026-01-01T00:00:00.000000Z"),)

    def mark(self, name: str) -> Sequence[Frame]:
        """`mark`."""
        return (self._message("mark", {"name": name}),)

    def stop(self) -> Sequence[Frame]:
        """`stop`."""
        return (self._message("stop", {"user_id": "3E6F995F-85F7-4705-9741-53B116D28237"}),)

    def read(self, frame: Frame) -> Sequence[AgentMessage | HangUp]:
        """The one message of a text frame."""
        try:
            message = json.loads(frame) if isinstance(frame, str) else None
        except (ValueError, RecursionError):
            message = None
        match message:
            case {"event": "media", "media": {"payload": str(payload)}}:
                return (Audio(self._audio.taken(self._played(payload))),)
            case {"event": "mark", "mark": {"name": str(name)}}:
                return (MarkSet(name),)
            case {"event": "clear"}:
                return (Clear(),)
        raise AgentError(f"the agent sent what Telnyx does not take: {frame[:80]!r}")

    def _message(self, event: str, body: Mapping[str, Any], **more: Any) -> str:
        self._sequence += 1
        return json.dumps(
            {
                "event": event,
                "sequence_number": str(self._sequence),
                "stream_id": self.stream_id,
                **more,
                event: body,
            }
        )

    def _played(self, payload: str) -> bytes:
        try:
            audio = binascii.a2b_base64(payload, strict_mode=True)
        except ValueError as error:
            raise AgentError("the agent sent media that is not base64") from error
        if not MIN_MS <= len(audio) / self._audio.bytes_a_ms <= MAX_MS:
            raise AgentError(f"the agent sent {len(audio)} bytes of media; 20 ms to 30 s are taken")
        return audio
