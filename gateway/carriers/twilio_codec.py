"""Twilio Media Streams without I/O: frames in, events out; commands in, frames out.

`TwilioCodec` is the codec of one websocket, which puts the caller's frames in order
(`aybiza.gateway.carriers.frame_order`); behind it `TwilioStream`, whose `receive` takes a frame as
the websocket delivered it and returns exactly one event, or raises `ProtocolError`. An error leaves
the stream's state as it was. The functions at the end write the three messages that a server may
send.

What is refused, and how, stands in `aybiza.gateway.carriers.codec`. What is tolerated: unknown
events (`Unknown`: Twilio adds some now and then), tracks other than the inbound one (`Ignored`),
counters as strings or numbers, absent counters (0), messages behind `start` that do not name their
stream. Twilio's media is mu-law, 8000 Hz, mono, and
nothing else; a dialect has other `codes`.

Source: Twilio, "Media Streams: WebSocket messages".
"""

import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Final

from aybiza.gateway.carriers.carrier import Carrier
from aybiza.gateway.carriers.codec import (
    CLOSE_INVALID_DATA,
    CLOSE_POLICY_VIOLATION,
    MAX_FRAME_BYTES,
    MULAW_8000_MONO,
    Connected,
    Dtmf,
    Event,
    Frame,
    Ignored,
    Mark,
    Media,
    ProtocolError,
    Start,
    Stop,
    Unknown,
)
from aybiza.gateway.carriers.frame_order import FrameOrder
from aybiza.gateway.carriers.ids import PLAIN
from aybiza.gateway.carriers.json_frames import (
    base64_of,
    counter,
    digit_of,
    event_name,
    message_of,
    object_in,
    payload_of,
    printable,
    shown,
    strings_in,
    text,
)
from aybiza.gateway.carriers.line_formats import LineFormat, Mulaw, format_told, heard, whole


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

_INBOUND_TRACKS = frozenset(("inbound", "inbound_track"))

# A message of the caller's audio as Twilio writes it; `streamSid` is known to stand at either end.
_COUNT = rb' ?"([0-9]{1,18})", ?'
_AUDIO = re.compile(
    rb'\{"event": ?"media", ?"sequenceNumber": ?"[0-9]{1,18}", ?'
    rb'(?:"streamSid": ?"([^"\\]{1,64})", ?)?'
    rb'"media": ?\{"track": ?"inbound", ?"chunk":%(count)b"timestamp":%(count)b'
    # Whether it is base64 is seen when it is read.
    rb'"payload": ?"([^"]+)"\}(?:, ?"streamSid": ?"([^"\\]{1,64})")?\}' % {b"count": _COUNT}
)


class TwilioStream:
    """The receiving half of one media stream, as a state machine; see `TRANSITIONS`.

    `state`, `stream_sid` (None before `start`) and `form` may be read at any time.
    """

    __slots__ = ("_sid", "form", "state", "stream_sid")

    sid_pattern = re.compile(r"MZ[0-9A-Za-z_-]{1,62}\Z", re.ASCII)
    """What a stream's id looks like."""

    codes: ClassVar[Mapping[str, str]] = {"audio/x-mulaw": "PCMU"}
    """What a start message may tell of the audio."""

    def __init__(self) -> None:
        self.state = State.AWAITING_START
        self.stream_sid: str | None = None
        self.form: LineFormat = Mulaw()
        self._sid = b""

    def receive(self, frame: Frame) -> Event:
        """Take one websocket frame: `str` for a text frame, `bytes` for a binary one.

        Returns the one event that it holds. Raises `ProtocolError`, and then nothing has
        changed; whether to close is the caller's business, going on is possible.
        """
        return self.take(message_of(frame))

    def audio(self, message: bytes) -> tuple[int, bytes, bytes] | None:
        """Chunk, timestamp and payload of a message that is the caller's audio by its looks."""
        looks = _AUDIO.fullmatch(message)
        if looks is None or self.state is not State.STREAMING or len(message) > MAX_FRAME_BYTES:
            return None
        before, chunk, stamp, payload, behind = looks.groups(b"")
        if before + behind != self._sid or (before and behind):
            return None
        try:
            audio = binascii.a2b_base64(payload, strict_mode=True)
        except ValueError:
            return None
        return None if len(audio) % self.form.sample_bytes else (int(chunk), stamp, audio)

    def take(self, message: Mapping[str, Any]) -> Event:
        """Take a message that has been read."""
        name = event_name(message)
        reader = _READERS.get(name)
        if reader is None:
            return Unknown(printable(name))
        next_state = TRANSITIONS[self.state].get(name)
        if next_state is None:
            raise ProtocolError(
                CLOSE_POLICY_VIOLATION, f"{name} out of turn: the stream is {self.state.value}"
            )
        if self.stream_sid not in (None, message.get("streamSid", self.stream_sid)):
            raise ProtocolError(
                CLOSE_POLICY_VIOLATION,
                f"{name} for stream {shown(message.get('streamSid'))}, this one is "
                f"{self.stream_sid}",
            )
        event = reader(message)
        if isinstance(event, Start):
            if not self.sid_pattern.match(event.stream_sid):
                raise ProtocolError(
                    CLOSE_POLICY_VIOLATION,
                    f"start with an ill-formed streamSid: {shown(event.stream_sid)}",
                )
            self.form = self._form(object_in(message, "start"))
            self.stream_sid = event.stream_sid
            self._sid = event.stream_sid.encode()
        elif isinstance(event, Media):
            whole(self.form, event.payload)
        self.state = next_state
        return event

    def _form(self, start: Mapping[str, Any]) -> LineFormat:
        if "mediaFormat" not in start:
            return Mulaw()
        told = object_in(start, "mediaFormat")
        encoding = text(told.get("encoding"), "mediaFormat.encoding")
        rate, channels = counter(told, "sampleRate"), counter(told, "channels")
        return format_told(encoding, rate, channels, self.codes, swapped=True)


class TwilioCodec:
    """The codec of one of Twilio's websockets; see `aybiza.gateway.carriers.codec.Codec`."""

    carrier: ClassVar[str] = "twilio"

    def __init__(self, stream: TwilioStream | None = None) -> None:
        self._stream = stream or TwilioStream()
        self._order = FrameOrder()
        self._form: LineFormat = Mulaw()

    def decode(self, frame: Frame) -> Sequence[Event]:
        """The events of a frame: none while one before it is missing, several when it has come."""
        event = self._stream.receive(frame)
        match event:
            case Start():
                self._form = self._stream.form
                self._order = FrameOrder(self._form.bytes_a_ms)
            case Media():
                return heard(self._form, self._order.take(event))
            case Stop():
                return (*heard(self._form, self._order.flush()), event)
        return (event,)

    def audio(self, message: bytes) -> bytes | None:
        """As `aybiza.gateway.carriers.codec.QuickCodec.audio`."""
        found = self._stream.audio(message)
        if found is None or not self._order.goes_on(found[0], found[1], len(found[2])):
            return None
        return self._form.heard(found[2])

    @property
    def stamp_ms(self) -> int:
        """As `aybiza.gateway.carriers.codec.QuickCodec.stamp_ms`."""
        return self._order.stamp_ms

    @property
    def mended(self) -> Mapping[str, int]:
        """As `aybiza.gateway.carriers.codec.OrderedCodec.mended`."""
        return self._order.mended

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """One `media` message."""
        return (media(self._sid, self._form.said(mulaw)),)

    def mark(self, name: str) -> Sequence[Frame]:
        """One `mark` message."""
        return (mark(self._sid, name),)

    def clear(self) -> Sequence[Frame]:
        """One `clear` message."""
        return (clear(self._sid),)

    def farewell(self) -> Sequence[Frame]:
        """Nothing: closing the websocket says it."""
        return ()

    @property
    def _sid(self) -> str:
        return self._stream.stream_sid or ""


def media(stream_sid: str, mulaw: bytes) -> str:
    """The message that plays `mulaw` (raw mu-law, 8000 Hz, any length) to the caller.

    `stream_sid` must be one that a `Start` event brought: it is not escaped.
    """
    payload = base64_of(mulaw)
    return f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"{payload}"}}}}'


def mark(stream_sid: str, name: str) -> str:
    """The message that asks for a `Mark` event once everything sent before it was played."""
    return f'{{"event":"mark","streamSid":"{stream_sid}","mark":{{"name":{json.dumps(name)}}}}}'


def clear(stream_sid: str) -> str:
    """The message that drops all audio not yet played; pending marks come back at once."""
    return f'{{"event":"clear","streamSid":"{stream_sid}"}}'


def _read_connected(message: Mapping[str, Any]) -> Event:
    return Connected()


def _read_start(message: Mapping[str, Any]) -> Event:
    start = object_in(message, "start")
    stream_sid = message.get("streamSid", start.get("streamSid"))
    if not isinstance(stream_sid, str):
        raise ProtocolError(
            CLOSE_POLICY_VIOLATION, f"start with an ill-formed streamSid: {shown(stream_sid)}"
        )
    if start.get("streamSid", stream_sid) != stream_sid:
        raise ProtocolError(CLOSE_POLICY_VIOLATION, "start with two different streamSids")
    return Start(
        stream_sid=stream_sid,
        call_sid=_sid(start, "callSid"),
        account_sid=_sid(start, "accountSid") if "accountSid" in start else "",
        tracks=_tracks(start),
        media_format=MULAW_8000_MONO,
        custom_parameters=strings_in(start, "customParameters"),
    )


def _read_media(message: Mapping[str, Any]) -> Event:
    body = object_in(message, "media")
    track = body.get("track", "inbound")
    if not isinstance(track, str):
        raise ProtocolError(CLOSE_INVALID_DATA, f"media with track {shown(track)}")
    if track not in _INBOUND_TRACKS:
        return Ignored("media", f"track {printable(track)}")
    return Media(payload_of(body), counter(body, "timestamp"), counter(body, "chunk"), track)


def _read_dtmf(message: Mapping[str, Any]) -> Event:
    return Dtmf(digit_of(object_in(message, "dtmf")))


def _read_mark(message: Mapping[str, Any]) -> Event:
    return Mark(text(object_in(message, "mark").get("name"), "mark.name"))


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


def _sid(start: Mapping[str, Any], key: str) -> str:
    value = start.get(key)
    if not isinstance(value, str) or not PLAIN.match(value):
        raise ProtocolError(
            CLOSE_POLICY_VIOLATION, f"start with an ill-formed {key}: {shown(value)}"
        )
    return value


def _tracks(start: Mapping[str, Any]) -> tuple[str, ...]:
    tracks = start.get("tracks", ["inbound"])
    if not isinstance(tracks, list):
        raise ProtocolError(CLOSE_INVALID_DATA, f"start.tracks is {shown(tracks)}, not a list")
    return tuple(text(track, "a track") for track in tracks)


CARRIER: Final = Carrier("twilio", "/media", TwilioCodec, "/incoming")
