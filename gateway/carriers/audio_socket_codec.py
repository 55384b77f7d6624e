"""Asterisk's AudioSocket without I/O: messages in, events out; commands in, messages out.

    byte 0      kind: 0x00 hang up, 0x01 the call's UUID, 0x03 a key, 0xff an error
                audio: 0x10 8000 Hz, 0x12 16,000, 0x13 24,000
    bytes 1, 2  length of the payload, big-endian
    payload     audio: 16-bit linear, mono, little-endian

Asterisk speaks first, with the UUID; that is the call's id, and all that it tells of the call. It
takes audio and the order to hang up, and breaks off at anything else, an empty audio message too.
The rate is that of the format with which the dialplan or external media opened the socket (slin,
slin16, slin24); it is told by the kind of the first audio, stays, and the agent's audio goes back
in it. Other rates are refused: what is above 4 kHz is not heard here.

AudioSocket has no marks and no clear: Asterisk plays what comes as it comes. So both stay on this
side of the wire, where the pacer (`aybiza.gateway.carriers.pacer`) plays audio in real time. They
are frames of text here; audio and all that comes from Asterisk are frames of bytes, a whole message
each.

Source: Asterisk, "AudioSocket" (protocol definition); `res_audiosocket.c`.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final
from uuid import UUID

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
from aybiza.gateway.carriers.line_formats import Linear, whole

HANG_UP: Final = 0x00
ID: Final = 0x01
KEY: Final = 0x03
AUDIO: Final = 0x10
RATES: Final[Mapping[int, int]] = {AUDIO: 8000, 0x12: 16_000, 0x13: 24_000}
"""Kinds of audio that are taken, and their rates."""
OTHER_RATES: Final = frozenset(range(AUDIO, 0x19)) - RATES.keys()
"""Audio of 12 to 192 kHz."""
ERROR: Final = 0xFF

CLEAR: Final = "clear"
MARK: Final = "mark "

FRAME_MS: Final = 20
"""What Asterisk sends, and what it likes to get."""
SAMPLE_BYTES: Final = 2

_HEADER: Final = struct.Struct(">BH")
_ID_BYTES: Final = 16


def message(kind: int, payload: bytes = b"") -> bytes:
    """A message of this kind."""
    return _HEADER.pack(kind, len(payload)) + payload


def audio_of(frame: bytes) -> bytes:
    """The payload of a message."""
    return frame[_HEADER.size :]


def seconds_of(frame: bytes) -> float:
    """How long a message of audio plays."""
    return len(audio_of(frame)) / SAMPLE_BYTES / RATES[frame[0]]


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
        self._kind = 0
        self._form = Linear(RATES[AUDIO], "<")

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
        if kind in RATES:
            return (self._audio(kind, payload),)
        if kind == KEY:
            return (_key(payload),)
        if kind in OTHER_RATES:
            raise ProtocolError(
                CLOSE_UNSUPPORTED_DATA,
                f"audio of kind 0x{kind:02x}; taken are {sorted(RATES.values())} Hz",
            )
        return (Unknown(f"kind 0x{kind:02x}"),)

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """A message for each 20 ms, and one for the rest."""
        kind, linear = self._kind or AUDIO, self._form.said(mulaw)
        step = FRAME_MS * self._form.bytes_a_ms
        return [message(kind, linear[at : at + step]) for at in range(0, len(linear), step)]

    def mark(self, name: str) -> Sequence[Frame]:
        """The mark, for the pacer."""
        return (MARK + name,)

    def clear(self) -> Sequence[Frame]:
        """The clear, for the pacer."""
        return (CLEAR,)

    def farewell(self) -> Sequence[Frame]:
        """Nothing: the order to hang up goes out with every close."""
        return ()

    def _audio(self, kind: int, payload: bytes) -> Media:
        if self._kind not in (0, kind):
            raise ProtocolError(
                CLOSE_POLICY_VIOLATION, f"audio of kind 0x{kind:02x} behind 0x{self._kind:02x}"
            )
        whole(self._form, payload)
        if not self._kind:
            self._kind = kind
            self._form = Linear(RATES[kind], "<")
        timestamp = self._heard // self._form.bytes_a_ms
        self._heard += len(payload)
        self._chunk += 1
        return Media(self._form.heard(payload), timestamp, self._chunk, "inbound")


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
