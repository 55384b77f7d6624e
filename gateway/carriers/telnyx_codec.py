"""Telnyx Media Streaming without I/O: frames in, events out; commands in, frames out.

Twilio's events in other words: `stream_id`, `sequence_number`, a call that is known by its
`call_control_id`. What a server sends names no stream. Four things are Telnyx's own:

- Media may come out of order; `media.chunk` gives the order. What is ahead is held back for at most
  `HELD_CHUNKS` (100 ms at 20 ms a chunk), then what is missing is given up. A chunk that comes
  later still is passed over.
- The webhook and the stream may know the call by different ids. The stream is the call of its
  custom parameter `CallSid` if it has one, which `/incoming/telnyx` gives it.
- A `media` message has 20 ms to 30 s of audio.
- `error` says that a message of ours was not taken; it is passed over and logged.

What is refused, and how, stands in `aybiza.gateway.carriers.codec`. Media is PCMU, 8000 Hz, mono:
the stream has to be asked for like that, and for RTP both ways (`aybiza.gateway.carriers.paths`,
`stream_bidirectional_mode`).

Source: Telnyx, "Stream call media over WebSocket" (AsyncAPI) and "Media Streaming over Websockets".
"""

import json
import re
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
    MediaFormat,
    ProtocolError,
    Start,
    Stop,
    Unknown,
)
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
from aybiza.gateway.carriers.twilio_codec import TRANSITIONS, State
from aybiza.speech import mulaw as g711

HELD_CHUNKS: Final = 5
"""So many chunks may wait for one that is missing."""

MIN_BYTES: Final = g711.SAMPLE_RATE // 50
MAX_BYTES: Final = 30 * g711.SAMPLE_RATE
"""The least and the most audio in a message."""

CALL_PARAMETER: Final = "CallSid"
"""The custom parameter that says which call the stream is of."""

CONTROL_ID: Final = "CallControlId"
"""Beside the custom parameters: by what Telnyx's own API knows the call, where that is another id.
"""

PCMU_8000_MONO: Final = MediaFormat("PCMU", 8000, 1)

_SILENCE = bytes([g711.SILENCE])
_ID = re.compile(r"[0-9A-Za-z_.:=+/-]{1,128}\Z", re.ASCII)
_INBOUND_TRACKS = frozenset(("inbound", "inbound_track"))


class TelnyxCodec:
    """The codec of one of Telnyx's websockets; see `aybiza.gateway.carriers.codec.Codec`.

    `state` and `stream_id` (None before `start`) may be read at any time.
    """

    carrier: ClassVar[str] = "telnyx"

    def __init__(self) -> None:
        self.state = State.AWAITING_START
        self.stream_id: str | None = None
        self._order = Reorderer()

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
        self.state = next_state
        match event:
            case Start():
                self.stream_id = event.stream_sid
            case Media():
                return self._order.take(event)
            case Stop():
                return (*self._order.flush(), event)
        return (event,)

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """`media` messages of a length that is taken; silence fills up the last."""
        pieces = (mulaw[at : at + MAX_BYTES] for at in range(0, len(mulaw), MAX_BYTES))
        payloads = (base64_of(piece.ljust(MIN_BYTES, _SILENCE)) for piece in pieces)
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


class Reorderer:
    """Puts media into the order of its chunks; see the module. Chunk 0: unnumbered, as it comes."""

    def __init__(self, limit: int = HELD_CHUNKS) -> None:
        self._limit = limit
        self._next: int | None = None
        self._held: dict[int, Media] = {}

    def take(self, media: Media) -> Sequence[Event]:
        """What may be heard now that `media` has come, in order."""
        if media.chunk == 0:
            return (media,)
        if self._next is None:
            self._next = media.chunk
        if media.chunk < self._next:
            return (Ignored("media", f"chunk {media.chunk} came too late"),)
        self._held[media.chunk] = media
        ready = self._run()
        while len(self._held) > self._limit:
            self._next = min(self._held)
            ready += self._run()
        return ready

    def flush(self) -> Sequence[Media]:
        """All that is held back: what is missing will not come."""
        held = [self._held[chunk] for chunk in sorted(self._held)]
        self._held.clear()
        return held

    def _run(self) -> list[Media]:
        """The chunks without a gap from the next one on."""
        ready = []
        while self._next in self._held:
            ready.append(self._held.pop(self._next))
            self._next += 1
        return ready


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
        media_format=_media_format(start),
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
    if not isinstance(value, str) or not _ID.match(value):
        raise ProtocolError(
            CLOSE_POLICY_VIOLATION, f"start with an ill-formed {what}: {shown(value)}"
        )
    return value


def _media_format(start: Mapping[str, Any]) -> MediaFormat:
    if "media_format" not in start:
        return MULAW_8000_MONO
    body = object_in(start, "media_format")
    encoding = text(body.get("encoding"), "media_format.encoding")
    given = MediaFormat(encoding, counter(body, "sample_rate"), counter(body, "channels"))
    if given != PCMU_8000_MONO:
        raise ProtocolError(
            CLOSE_UNSUPPORTED_DATA,
            f"media format {printable(encoding)} {given.sample_rate} Hz x{given.channels}; "
            "only PCMU 8000 Hz x1 is taken",
        )
    return MULAW_8000_MONO


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
    names_the_call=True,
)
