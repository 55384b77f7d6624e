"""Asterisk's AudioSocket without I/O: messages in, events out; commands in, messages out.

    byte 0      kind: 0x00 hang up, 0x01 the call's UUID, 0x03 a key, 0x10 audio, 0xff an error
    bytes 1, 2  length of the payload, big-endian
    payload     audio: 16-bit linear, 8000 Hz, mono, little-endian

Asterisk speaks first, with the UUID; that is the call's id, and all that it tells of the call. It
takes audio and the order to hang up, and breaks off at anything else, an empty audio message too.

AudioSocket has no marks and no clear: Asterisk plays what comes as it comes. So both stay on this
side of the wire, where the pacer (`aybiza.gateway.carriers.pacer`) plays audio in real time. They
are frames of text here; audio and all that comes from Asterisk are frames of bytes, a whole message
each.

Source: Asterisk, "AudioSocket" (protocol definition); `res_audiosocket.c`.
"""

import struct
from collections.abc import Sequence
from typing import ClassVar, Final
from uuid import UUID

import numpy as np

from aybiza.gateway.carriers.codec import (
    CLOSE_INVALID_DATA,
    CLOSE_POLICY_VIOLATION,
    CLOSE_UNSUPPORTED_DATA,
    MULAW_8000_MONO,
    Dtmf,
    Event,
    Frame,
    Mark,
    Media,
    ProtocolError,
    Start,
    Stop,
    Unknown,
)
from aybiza.gateway.carriers.json_frames import DIGITS
from aybiza.speech import mulaw as g711

HANG_UP: Final = 0x00
ID: Final = 0x01
KEY: Final = 0x03
AUDIO: Final = 0x10
OTHER_RATES: Final = range(0x11, 0x19)
"""Audio of 12 to 192 kHz, which has to be asked for."""
ERROR: Final = 0xFF

CLEAR: Final = "clear"
MARK: Final = "mark "

FRAME_SAMPLES: Final = 160
"""20 ms: what Asterisk sends, and what it likes to get."""
SAMPLE_BYTES: Final = 2

_HEADER: Final = struct.Struct(">BH")
_ID_BYTES: Final = 16


def message(kind: int, payload: bytes = b"") -> bytes:
    """A message of this kind."""
    return _HEADER.pack(kind, len(payload)) + payload


def audio_of(frame: bytes) -> bytes:
    """The payload of a message."""
    return frame[_HEADER.size :]


class Parser:
    """Cuts what TCP brings into whole messages; a message has at most 64 KiB."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now."""
        self._held += data
        messages = []
        while len(self._held) >= _HEADER.size:
            end = _HEADER.size + _HEADER.unpack_from(self._held)[1]
            if len(self._held) < end:
                break
            messages.append(bytes(self._held[:end]))
            del self._held[:end]
        return messages


class AudioSocketCodec:
    """The codec of one AudioSocket; see `aybiza.gateway.carriers.codec.Codec` and the module."""

    carrier: ClassVar[str] = "asterisk"

    def __init__(self) -> None:
        self._started = False
        self._stopped = False
        self._heard = 0
        self._chunk = 0

    def decode(self, frame: Frame) -> Sequence[Event]:
        """The one event of a message, or of a mark that the pacer returns."""
        if isinstance(frame, str):
            return (Mark(frame.removeprefix(MARK)),)
        if len(frame) < _HEADER.size or len(frame) != _HEADER.size + _HEADER.unpack_from(frame)[1]:
            raise ProtocolError(CLOSE_INVALID_DATA, "a message of another length than it says")
        kind, payload = frame[0], audio_of(frame)
        if kind in (HANG_UP, ERROR) and self._started:
            self._stopped = True
            return (Stop(),)
        if self._started == (kind == ID) or self._stopped:
            state = "over" if self._stopped else "on" if self._started else "awaiting its UUID"
            raise ProtocolError(
                CLOSE_POLICY_VIOLATION, f"kind 0x{kind:02x} out of turn: the call is {state}"
            )
        if kind == ID:
            start = _start(payload)
            self._started = True
            return (start,)
        if kind == AUDIO:
            return (self._audio(payload),)
        if kind == KEY:
            return (_key(payload),)
        if kind in OTHER_RATES:
            raise ProtocolError(
                CLOSE_UNSUPPORTED_DATA, f"audio of kind 0x{kind:02x}; only 0x10, 8000 Hz, is taken"
            )
        return (Unknown(f"kind 0x{kind:02x}"),)

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """A message for each 20 ms, and one for the rest."""
        linear = g711.decode(mulaw).astype("<i2").tobytes()
        step = FRAME_SAMPLES * SAMPLE_BYTES
        return [message(AUDIO, linear[at : at + step]) for at in range(0, len(linear), step)]

    def mark(self, name: str) -> Sequence[Frame]:
        """The mark, for the pacer."""
        return (MARK + name,)

    def clear(self) -> Sequence[Frame]:
        """The clear, for the pacer."""
        return (CLEAR,)

    def farewell(self) -> Sequence[Frame]:
        """Nothing: the order to hang up goes out with every close."""
        return ()

    def _audio(self, payload: bytes) -> Media:
        if len(payload) % SAMPLE_BYTES:
            raise ProtocolError(CLOSE_INVALID_DATA, "audio with half a sample")
        timestamp = self._heard * 1000 // g711.SAMPLE_RATE
        self._heard += len(payload) // SAMPLE_BYTES
        self._chunk += 1
        samples = np.frombuffer(payload, dtype="<i2")
        return Media(g711.encode(samples), timestamp, self._chunk, "inbound")


def _start(payload: bytes) -> Start:
    if len(payload) != _ID_BYTES:
        raise ProtocolError(CLOSE_POLICY_VIOLATION, f"a UUID of {len(payload)} bytes")
    call = str(UUID(bytes=payload))
    return Start(call, call, "", ("inbound",), MULAW_8000_MONO, {})


def _key(payload: bytes) -> Dtmf:
    digit = payload.decode("latin-1")
    if digit not in DIGITS:
        raise ProtocolError(CLOSE_INVALID_DATA, f"a key of {payload[:8]!r}")
    return Dtmf(digit)
