"""What every carrier's wire comes down to: the events of a stream, and the protocol of a codec.

A `Codec` stands behind one connection of a carrier and does no I/O: frames in, events out; commands
in, frames out. `MediaStream` knows codecs and no carrier; which codec a connection gets is decided
by the path that it came in by (`aybiza.gateway.carriers.paths`).

`decode` takes a frame as the connection delivered it and returns the events that it holds, in
their order, often one, sometimes none. It raises `ProtocolError`, whose `close_code` and `reason`
are ready for a websocket's close frame, and nothing else, whatever the bytes; an error leaves the
codec's state as it was. `media`, `mark` and `clear` have Twilio's meaning at every carrier: audio
is played in order behind what was sent before it; a mark comes back as a `Mark` when all audio
before it has been played, or at once when `clear` drops that audio.

What is refused, and with which websocket close code (RFC 6455, section 7.4.1):

    a frame of another kind, audio that cannot be decoded      1003 unsupported data
    not JSON, a field of the wrong type, bad base64            1007 invalid data
    an event out of its turn, a missing, ill-formed or
    foreign id                                                 1008 policy violation
    a frame over 64 KiB                                        1009 message too big

Source: Twilio, "Media Streams: WebSocket messages", whose vocabulary all the others share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, runtime_checkable

MAX_FRAME_BYTES: Final = 64 * 1024
"""The largest frame taken, in bytes; those of the carriers have about 350."""

CLOSE_UNSUPPORTED_DATA: Final = 1003
CLOSE_INVALID_DATA: Final = 1007
CLOSE_POLICY_VIOLATION: Final = 1008
CLOSE_MESSAGE_TOO_BIG: Final = 1009
CLOSE_TRY_AGAIN_LATER: Final = 1013

MAX_REASON_BYTES: Final = 123
"""A close frame carries at most 125 bytes, two of which are the code."""

Frame = str | bytes
"""What a connection carries: a websocket's text or binary message."""


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """How the audio of a stream is coded; `sample_rate` in Hz."""

    encoding: str
    sample_rate: int
    channels: int


MULAW_8000_MONO: Final = MediaFormat("audio/x-mulaw", 8000, 1)
"""What all audio is above the codecs, whatever a carrier sends."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection stands; `start` comes next."""


@dataclass(frozen=True, slots=True)
class Start:
    """The stream begins. `custom_parameters` are the `<Parameter>`s of the TwiML.

    `media_format` is that of the audio above the codec.
    """

    stream_sid: str
    call_sid: str
    account_sid: str
    tracks: tuple[str, ...]
    media_format: MediaFormat
    custom_parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Media:
    """Caller audio: raw mu-law, usually 160 bytes (20 ms), but no size is promised.

    `timestamp_ms` is media time since the stream's start, `chunk` counts from 1. `lasts_ms`: the
    payload is silence in the place of so much that is missing; 0: the carrier has sent it.
    """

    payload: bytes
    timestamp_ms: int
    chunk: int
    track: str
    lasts_ms: int = 0


@dataclass(frozen=True, slots=True)
class Dtmf:
    """The caller pressed a key: one of `0-9 * # A-D`."""

    digit: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark came back: all audio sent before it was played, or dropped by `clear`."""

    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The stream ended: the caller hung up, or the call went on elsewhere. May come twice."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that the codec does not know; to be logged and passed over."""

    event: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A well-formed message that is of no use here; `why` is for the log."""

    event: str
    why: str


Event = Connected | Start | Media | Dtmf | Mark | Stop | Unknown | Ignored


class ProtocolError(Exception):
    """The peer broke the protocol: close the websocket with `close_code` and `reason`.

    `reason` is ASCII and fits into a close frame.
    """

    def __init__(self, close_code: int, reason: str) -> None:
        self.close_code = close_code
        self.reason = reason.encode("ascii", "backslashreplace")[:MAX_REASON_BYTES].decode("ascii")
        super().__init__(f"{close_code} {self.reason}")


class Codec(Protocol):
    """One connection's wire. The encoders are used behind `Start`, in the order of sending.

    `carrier` is the name of who brings such connections.
    """

    carrier: ClassVar[str]

    def decode(self, frame: Frame) -> Sequence[Event]:
        """The events of a frame. Raises `ProtocolError`, and then nothing has changed."""

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """The frames that play `mulaw` (8000 Hz, any length) to the caller."""

    def mark(self, name: str) -> Sequence[Frame]:
        """The frames that ask for a `Mark` of this name once everything before has been played."""

    def clear(self) -> Sequence[Frame]:
        """The frames that drop all audio not yet played; pending marks come back at once."""

    def farewell(self) -> Sequence[Frame]:
        """What is sent before the connection is closed because the conversation is over."""


@runtime_checkable
class QuickCodec(Codec, Protocol):
    """A codec that knows the commonest message, the caller's audio, by its looks."""

    def audio(self, message: bytes) -> bytes | None:
        """What `decode` would give of this text message, if that is one `Media`: its payload. None
        for all else, and whenever a closer look is due: then nothing has happened."""

    @property
    def stamp_ms(self) -> int:
        """The `timestamp_ms` of what `audio` has given last."""


@runtime_checkable
class OrderedCodec(Codec, Protocol):
    """A codec that puts the caller's frames in order."""

    @property
    def mended(self) -> Mapping[str, int]:
        """How many frames were not heard as they came, by what was the matter with them."""
