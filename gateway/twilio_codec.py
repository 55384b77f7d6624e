"""Twilio Media Streams without I/O: frames in, events out; commands in, frames out.

One `TwilioStream` stands behind one media websocket. `receive` takes a frame as the websocket
delivered it and returns exactly one event, or raises `ProtocolError`, whose `close_code` and
`reason` are ready for the close frame. An error leaves the stream's state as it was. Nothing
else is ever raised, whatever the bytes. The encoders at the end write the three messages that
a server may send.

What is refused, and with which websocket close code (RFC 6455, section 7.4.1):

    binary frame, other media format than mu-law 8000 Hz mono       1003 unsupported data
    not JSON, not an object, a field of the wrong type, bad base64  1007 invalid data
    an event out of its turn, a missing, ill-formed or foreign id   1008 policy violation
    a frame over 64 KiB                                             1009 message too big

What is tolerated: unknown events (`Unknown`: Twilio adds some now and then), tracks other than
the inbound one (`Ignored`), counters as strings or numbers, absent counters (0).

Source: Twilio, "Media Streams: WebSocket messages".
"""

import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

MAX_FRAME_BYTES: Final = 64 * 1024
"""The largest frame taken, in UTF-8 bytes; Twilio's own have about 350."""

CLOSE_UNSUPPORTED_DATA: Final = 1003
CLOSE_INVALID_DATA: Final = 1007
CLOSE_POLICY_VIOLATION: Final = 1008
CLOSE_MESSAGE_TOO_BIG: Final = 1009

MAX_REASON_BYTES: Final = 123
"""A close frame carries at most 125 bytes, two of which are the code."""

_MAX_SHOWN: Final = 48
_MAX_COUNTER: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """How the audio of a stream is coded; `sample_rate` in Hz."""

    encoding: str
    sample_rate: int
    channels: int


MULAW_8000_MONO: Final = MediaFormat("audio/x-mulaw", 8000, 1)
"""The one format that Twilio documents and this codec takes."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The websocket stands; `start` comes next."""


@dataclass(frozen=True, slots=True)
class Start:
    """The stream begins. `custom_parameters` are the `<Parameter>`s of the TwiML."""

    stream_sid: str
    call_sid: str
    account_sid: str
    tracks: tuple[str, ...]
    media_format: MediaFormat
    custom_parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Media:
    """Caller audio: raw mu-law, usually 160 bytes (20 ms), but no size is promised.

    `timestamp_ms` is media time since the stream's start, `chunk` counts from 1.
    """

    payload: bytes
    timestamp_ms: int
    chunk: int
    track: str


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
    """An event that this codec does not know; to be logged and passed over."""

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


class State(Enum):
    """Where a stream stands."""

    AWAITING_START = "awaiting start"
    STREAMING = "streaming"
    STOPPED = "stopped"


TRANSITIONS: Final[Mapping[State, Mapping[str, State]]] = {
    State.AWAITING_START: {
        "connected": State.AWAITING_START,
        "start": State.STREAMING,
    },
    State.STREAMING: {
        "media": State.STREAMING,
        "dtmf": State.STREAMING,
        "mark": State.STREAMING,
        "stop": State.STOPPED,
    },
    State.STOPPED: {
        "stop": State.STOPPED,
    },
}
"""State × event → next state. A known event that is not in its state's row is out of turn."""

# An id is spliced into JSON and written to logs, hence the alphabet. Twilio's have 32
# hexadecimal digits; nothing here depends on that, so the count is left to Twilio.
_STREAM_SID = re.compile(r"MZ[0-9A-Za-z_-]{1,62}\Z", re.ASCII)
_OTHER_SID = re.compile(r"[0-9A-Za-z_.:-]{1,64}\Z", re.ASCII)
_DIGITS = frozenset("0123456789*#ABCD")
_INBOUND_TRACKS = frozenset(("inbound", "inbound_track"))
_decode_json = json.JSONDecoder().decode
_EMPTY: Final[Mapping[str, Any]] = {}


class TwilioStream:
    """The receiving half of one media stream, as a state machine; see `TRANSITIONS`.

    `state` and `stream_sid` (None before `start`) may be read at any time.
    """

    __slots__ = ("state", "stream_sid")

    def __init__(self) -> None:
        self.state = State.AWAITING_START
        self.stream_sid: str | None = None

    def receive(self, frame: str | bytes) -> Event:
        """Take one websocket frame: `str` for a text frame, `bytes` for a binary one.

        Returns the one event that it holds. Raises `ProtocolError`, and then nothing has
        changed; whether to close is the caller's business, going on is possible.
        """
        message = _message(frame)
        name = message.get("event")
        if not isinstance(name, str):
            raise ProtocolError(CLOSE_INVALID_DATA, "message without an event name")
        reader = _READERS.get(name)
        if reader is None:
            return Unknown(_printable(name))
        next_state = TRANSITIONS[self.state].get(name)
        if next_state is None:
            raise ProtocolError(
                CLOSE_POLICY_VIOLATION, f"{name} out of turn: the stream is {self.state.value}"
            )
        if self.stream_sid is not None and message.get("streamSid") != self.stream_sid:
            raise ProtocolError(
                CLOSE_POLICY_VIOLATION,
                f"{name} for stream {_shown(message.get('streamSid'))}, "
                f"this one is {self.stream_sid}",
            )
        event = reader(message)
        if isinstance(event, Start):
            self.stream_sid = event.stream_sid
        self.state = next_state
        return event


def media(stream_sid: str, mulaw: bytes) -> str:
    """The message that plays `mulaw` (raw mu-law, 8000 Hz, any length) to the caller.

    `stream_sid` must be one that a `Start` event brought: it is not escaped.
    """
    payload = binascii.b2a_base64(mulaw, newline=False).decode("ascii")
    return f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"{payload}"}}}}'


def mark(stream_sid: str, name: str) -> str:
    """The message that asks for a `Mark` event once everything sent before it was played."""
    return f'{{"event":"mark","streamSid":"{stream_sid}","mark":{{"name":{json.dumps(name)}}}}}'


def clear(stream_sid: str) -> str:
    """The message that drops all audio not yet played; pending marks come back at once."""
    return f'{{"event":"clear","streamSid":"{stream_sid}"}}'


def _message(frame: str | bytes) -> dict[str, Any]:
    if not isinstance(frame, str):
        raise ProtocolError(CLOSE_UNSUPPORTED_DATA, "binary frame; Twilio sends text frames")
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


def _read_connected(message: Mapping[str, Any]) -> Event:
    return Connected()


def _read_start(message: Mapping[str, Any]) -> Event:
    start = _object(message, "start")
    stream_sid = message.get("streamSid", start.get("streamSid"))
    if not isinstance(stream_sid, str) or not _STREAM_SID.match(stream_sid):
        raise ProtocolError(
            CLOSE_POLICY_VIOLATION, f"start with an ill-formed streamSid: {_shown(stream_sid)}"
        )
    if start.get("streamSid", stream_sid) != stream_sid:
        raise ProtocolError(CLOSE_POLICY_VIOLATION, "start with two different streamSids")
    return Start(
        stream_sid=stream_sid,
        call_sid=_sid(start, "callSid"),
        account_sid=_sid(start, "accountSid") if "accountSid" in start else "",
        tracks=_tracks(start),
        media_format=_media_format(start),
        custom_parameters=_custom_parameters(start),
    )


def _read_media(message: Mapping[str, Any]) -> Event:
    body = _object(message, "media")
    track = body.get("track", "inbound")
    if not isinstance(track, str):
        raise ProtocolError(CLOSE_INVALID_DATA, f"media with track {_shown(track)}")
    if track not in _INBOUND_TRACKS:
        return Ignored("media", f"track {_printable(track)}")
    payload = body.get("payload")
    if not isinstance(payload, str):
        raise ProtocolError(CLOSE_INVALID_DATA, "media without a payload")
    try:
        mulaw = binascii.a2b_base64(payload, strict_mode=True)
    except ValueError as error:
        raise ProtocolError(CLOSE_INVALID_DATA, "media with a payload not in base64") from error
    return Media(mulaw, _counter(body, "timestamp"), _counter(body, "chunk"), track)


def _read_dtmf(message: Mapping[str, Any]) -> Event:
    digit = _object(message, "dtmf").get("digit")
    if not isinstance(digit, str) or digit not in _DIGITS:
        raise ProtocolError(CLOSE_INVALID_DATA, f"dtmf with digit {_shown(digit)}")
    return Dtmf(digit)


def _read_mark(message: Mapping[str, Any]) -> Event:
    return Mark(_text(_object(message, "mark").get("name"), "mark.name"))


def _read_stop(message: Mapping[str, Any]) -> Event:
    return Stop()


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Event]]] = {
    "media": _read_media,
    "connected": _read_connected,
    "start": _read_start,
    "dtmf": _read_dtmf,
    "mark": _read_mark,
    "stop": _read_stop,
}


def _object(message: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = message.get(key)
    if not isinstance(value, dict):
        raise ProtocolError(CLOSE_INVALID_DATA, f"{key} is {_shown(value)}, not an object")
    return value


def _text(value: object, what: str) -> str:
    """A string that can be stored, logged and sent on: JSON can hold half a surrogate pair."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            pass
        else:
            return value
    raise ProtocolError(CLOSE_INVALID_DATA, f"{what} is {_shown(value)}, not a string")


def _sid(start: Mapping[str, Any], key: str) -> str:
    value = start.get(key)
    if not isinstance(value, str) or not _OTHER_SID.match(value):
        raise ProtocolError(
            CLOSE_POLICY_VIOLATION, f"start with an ill-formed {key}: {_shown(value)}"
        )
    return value


def _tracks(start: Mapping[str, Any]) -> tuple[str, ...]:
    tracks = start.get("tracks", ["inbound"])
    if not isinstance(tracks, list):
        raise ProtocolError(CLOSE_INVALID_DATA, f"start.tracks is {_shown(tracks)}, not a list")
    return tuple(_text(track, "a track") for track in tracks)


def _media_format(start: Mapping[str, Any]) -> MediaFormat:
    if "mediaFormat" not in start:
        return MULAW_8000_MONO
    body = _object(start, "mediaFormat")
    encoding = _text(body.get("encoding"), "mediaFormat.encoding")
    given = MediaFormat(encoding, _counter(body, "sampleRate"), _counter(body, "channels"))
    if given != MULAW_8000_MONO:
        raise ProtocolError(
            CLOSE_UNSUPPORTED_DATA,
            f"media format {_printable(encoding)} {given.sample_rate} Hz x{given.channels}; "
            "only audio/x-mulaw 8000 Hz x1 is taken",
        )
    return MULAW_8000_MONO


def _custom_parameters(start: Mapping[str, Any]) -> Mapping[str, str]:
    parameters = start.get("customParameters", _EMPTY)
    if not isinstance(parameters, dict):
        raise ProtocolError(
            CLOSE_INVALID_DATA, f"customParameters is {_shown(parameters)}, not an object"
        )
    # A value may be a secret token: an error names the key only.
    return {
        _text(name, "a parameter's name"): _parameter(name, value)
        for name, value in parameters.items()
    }


def _parameter(name: str, value: object) -> str:
    try:
        return _text(value, "value")
    except ProtocolError:
        reason = f"customParameters[{_shown(name)}] is not a string"
        raise ProtocolError(CLOSE_INVALID_DATA, reason) from None


def _counter(body: Mapping[str, Any], key: str) -> int:
    value = body.get(key, 0)
    if isinstance(value, str | int) and not isinstance(value, bool):
        try:
            number = int(value)
        except ValueError:
            number = -1
        if 0 <= number <= _MAX_COUNTER:
            return number
    raise ProtocolError(CLOSE_INVALID_DATA, f"{key} is {_shown(value)}, not a count")


def _printable(text: str) -> str:
    return text[:_MAX_SHOWN].encode("ascii", "backslashreplace").decode("ascii")


def _shown(value: object) -> str:
    """A peer's value for an error: short, ASCII; an object or list by its kind only."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        return ascii(value[:_MAX_SHOWN])
    if isinstance(value, bool | int | float):
        return "a number" if isinstance(value, int) and abs(value) > _MAX_COUNTER else repr(value)
    return "an object" if isinstance(value, dict) else "a list"
