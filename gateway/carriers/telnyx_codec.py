"""Telnyx Media Streaming without I/O: frames in, events out; commands in, frames out.

Twilio's events in other words: `stream_id`, `sequence_number`, a call that is known by its
`call_control_id`. What a server sends names no stream. Four things are Telnyx's own:

- Media may come out of order; `media.chunk` gives the order
  (`aybiza.gateway.carriers.frame_order`).
- The webhook and the stream may know the call by different ids. The stream is the call of its
  custom parameter `CallSid` if it has one, which `/incoming/telnyx` gives it.
- A `media` message has 20 ms to 30 s of audio.
- `error` says that a message of ours was not taken; it is passed over and logged.

What is refused, and how, stands in `aybiza.gateway.carriers.codec`. The start message tells in
which code the caller's audio comes: PCMU, PCMA or L16. It does not tell in which the agent's is
taken. That is PCMU, as the stream is asked for, unless the custom parameter `Codec` names another
(`line_formats.NAMES`), which `/incoming/telnyx` gives where `AYBIZA_STREAM_CODEC` asks for one.
The stream has to be asked for RTP both ways (`stream_bidirectional_mode`).

Source: Telnyx, "Stream call media over WebSocket" (AsyncAPI) and "Media Streaming over Websockets".
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from aybiza.gateway.carriers.carrier import Carrier
from aybiza.gateway.carriers.codec import (
    CLOSE_INVALID_DATA,
    CLOSE_POLICY_VIOLATION,
    CLOSE_UNSUPPORTED_DATA,
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
from aybiza.gateway.carriers.ids import WIDE
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
from aybiza.gateway.carriers.line_formats import (
    CODEC_PARAMETER,
    PCMU,
    LineFormat,
    Mulaw,
    format_told,
    heard,
    line_format,
    named,
    whole,
)
from aybiza.gateway.carriers.twilio_codec import TRANSITIONS, State
from aybiza.speech import mulaw as g711

MIN_BYTES: Final = g711.SAMPLE_RATE // 50
MAX_BYTES: Final = 30 * g711.SAMPLE_RATE
"""The least and the most audio in a message, as mu-law."""

CALL_PARAMETER: Final = "CallSid"
"""The custom parameter that says which call the stream is of."""

CONTROL_ID: Final = "CallControlId"
"""Beside the custom parameters: by what Telnyx's own API knows the call, where that is another id.
"""

CODES: Final[Mapping[str, str]] = {"PCMU": "PCMU", "PCMA": "PCMA", "L16": "L16"}

_SILENCE = bytes([g711.SILENCE])
_INBOUND_TRACKS = frozenset(("inbound", "inbound_track"))


class TelnyxCodec:
    """The codec of one of Telnyx's websockets; see `aybiza.gateway.carriers.codec.Codec`.

    `state` and `stream_id` (None before `start`) may be read at any time.
    """

    carrier: ClassVar[str] = "telnyx"

    def __init__(self) -> None:
        self.state = State.AWAITING_START
        self.stream_id: str | None = None
        self._order = FrameOrder()
        self._heard: LineFormat = Mulaw()
        self._said: LineFormat = Mulaw()

    def decode(self, frame: Frame) -> Sequence[Event]:
        """The events of a frame: none while one before it is missing, several when it has come."""
        message = message_of(frame)
        name = event_name(message)
        if name == "error":
            return (_error(message),)
        reader = _READERS.get(name)
        if reader is None:
            return (Unknown(printable(name)),)
        next_state = TRANSITIONS[self.state].get(name)
        if next_state is None:
            raise ProtocolError(
                CLOSE_POLICY_VIOLATION, f"{name} out of turn: the stream is {self.state.value}"
            )
        if message.get("stream_id", self.stream_id) != self.stream_id and name != "start":
            raise ProtocolError(
                CLOSE_POLICY_VIOLATION,
                f"{name} for stream {shown(message.get('stream_id'))}, this one is "
                f"{self.stream_id}",
            )
        event = reader(message)
        match event:
            case Start():
                self._heard, self._said = _media_format(message), _said_format(event)
                self._order = FrameOrder(self._heard.bytes_a_ms)
                self.stream_id = event.stream_sid
            case Media():
                whole(self._heard, event.payload)
        self.state = next_state
        match event:
            case Media():
                return heard(self._heard, self._order.take(event))
            case Stop():
                return (*heard(self._heard, self._order.flush()), event)
        return (event,)

    @property
    def mended(self) -> Mapping[str, int]:
        """As `aybiza.gateway.carriers.codec.OrderedCodec.mended`."""
        return self._order.mended

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """`media` messages of a length that is taken; silence fills up the last."""
        pieces = (mulaw[at : at + MAX_BYTES] for at in range(0, len(mulaw), MAX_BYTES))
        said = self._said.said
        payloads = (base64_of(said(piece.ljust(MIN_BYTES, _SILENCE))) for piece in pieces)
        return [f'{{"event":"media","media":{{"payload":"{payload}"}}}}' for payload in payloads]

    def mark(self, name: str) -> Sequence[Frame]:
        """One `mark` message."""
        return (f'{{"event":"mark","mark":{{"name":{json.dumps(name)}}}}}',)

    def clear(self) -> Sequence[Frame]:
        """One `clear` message."""
        return ('{"event":"clear"}',)

    def farewell(self) -> Sequence[Frame]:
        """Nothing: closing the websocket says it."""
        return ()


def _read_connected(message: Mapping[str, Any]) -> Event:
    return Connected()


def _read_start(message: Mapping[str, Any]) -> Event:
    start = object_in(message, "start")
    parameters = _parameters(start)
    control = _id(start.get("call_control_id"), "call_control_id")
    call = _id(parameters.get(CALL_PARAMETER, control), CALL_PARAMETER)
    known = {} if call == control else {CONTROL_ID: control}
    return Start(
        stream_sid=_id(message.get("stream_id"), "stream_id"),
        call_sid=call,
        account_sid=text(start.get("user_id", ""), "user_id"),
        tracks=("inbound",),
        media_format=MULAW_8000_MONO,
        custom_parameters={**parameters, **known},
    )


def _parameters(start: Mapping[str, Any]) -> Mapping[str, str]:
    """The custom parameters; the numbers of the call stand beside them, and are Twilio's two."""
    numbers = {
        name: text(start[key], key)
        for name, key in (("From", "from"), ("To", "to"))
        if start.get(key) is not None
    }
    return {**numbers, **strings_in(start, "custom_parameters")}


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


def _error(message: Mapping[str, Any]) -> Event:
    payload = message.get("payload")
    body = payload if isinstance(payload, dict) else {}
    told = [str(body[key]) for key in ("code", "title", "detail") if body.get(key) is not None]
    return Unknown(printable(f"error {' '.join(told)}".strip()))


def _id(value: object, what: str) -> str:
    if not isinstance(value, str) or not WIDE.match(value):
        raise ProtocolError(
            CLOSE_POLICY_VIOLATION, f"start with an ill-formed {what}: {shown(value)}"
        )
    return value


def _media_format(message: Mapping[str, Any]) -> LineFormat:
    start = object_in(message, "start")
    if "media_format" not in start:
        return Mulaw()
    told = object_in(start, "media_format")
    encoding = text(told.get("encoding"), "media_format.encoding")
    return format_told(encoding, counter(told, "sample_rate"), counter(told, "channels"), CODES)


def _said_format(start: Start) -> LineFormat:
    name = start.custom_parameters.get(CODEC_PARAMETER, PCMU)
    form = line_format(*named(name))
    if form is None:
        raise ProtocolError(
            CLOSE_UNSUPPORTED_DATA, f"{CODEC_PARAMETER} {printable(name)} is no code that is known"
        )
    return form


def _asked(code: str, rate: int) -> Mapping[str, str]:
    return {"codec": code, "bidirectionalCodec": code, "bidirectionalSamplingRate": str(rate)}


CARRIER: Final = Carrier(
    "telnyx",
    "/media/telnyx",
    TelnyxCodec,
    "/incoming/telnyx",
    # Without these the stream is one-way but for MP3 files, in whatever codec the call has.
    {
        "track": "inbound_track",
        "codec": "PCMU",
        "bidirectionalMode": "rtp",
        "bidirectionalCodec": "PCMU",
        "bidirectionalSamplingRate": "8000",
    },
    asked=_asked,
    names_the_call=True,
)
