"""FreeSWITCH without I/O: the websocket of mod_audio_fork with its stream of audio both ways.

    up     one text frame, the metadata of `uuid_audio_fork start`: {"call":"<uuid>", …strings…}
           binary frames: the caller, 16-bit linear, 8000 Hz, mono, little-endian
           {"type":"mark","data":{"name":…,"event":"playout"|"cleared"}}
           {"type":"dtmf","digit":…} and {"type":"stop"}, which the dialplan's script sends as text
    down   binary frames: the agent, in the same form
           {"type":"mark","data":{"name":…}}
           {"type":"killAudio"}
           {"type":"disconnect","data":{"reason":…}}: the conversation is over, hang up

The fork has to be started as `mono 8000` with bidirectional audio and its stream enabled at 8000;
`deploy/freeswitch/aybiza.lua` does. Of the module's own ways two are met here:

- It plays nothing of what is less than `FIRST_SAMPLES` at first, `MORE_SAMPLES` later, and would
  keep the end of a sentence until there is more. So silence fills up what is short, ahead of a mark
  and ahead of killAudio, which does not reach what is kept.
- Among audio it takes the sample -1 for a mark. No mu-law code stands for that sample.

After killAudio it swallows as many marks as it has dropped; what such a mark would have told the
ledger knows two seconds later (`aybiza.speech.playout`).

Source: jambonz, freeswitch-modules: mod_audio_fork, README, `lws_glue.cpp`, `mod_audio_fork.c`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import numpy as np

from aybiza.gateway.carriers.carrier import Carrier
from aybiza.gateway.carriers.codec import (
    CLOSE_INVALID_DATA,
    CLOSE_MESSAGE_TOO_BIG,
    CLOSE_POLICY_VIOLATION,
    MAX_FRAME_BYTES,
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
from aybiza.gateway.carriers.ids import PLAIN
from aybiza.gateway.carriers.json_frames import (
    digit_of,
    message_of,
    object_in,
    printable,
    shown,
    text,
)
from aybiza.speech import mulaw as g711

SUBPROTOCOL: Final = "audio.drachtio.org"
"""What mod_audio_fork offers, unless MOD_AUDIO_FORK_SUBPROTOCOL_NAME says otherwise."""

FIRST_SAMPLES: Final = 1280
MORE_SAMPLES: Final = 640
"""What the module wants to have before it plays: 160 ms at first, 80 ms from then on."""

FAREWELL: Final = '{"type":"disconnect","data":{"reason":"the conversation is over"}}'

_SAMPLE_BYTES: Final = 2
_SAMPLES_A_MS: Final = 8


class FreeSwitchCodec:
    """The codec of one fork's websocket; see `aybiza.gateway.carriers.codec.Codec`."""

    carrier: ClassVar[str] = "freeswitch"

    def __init__(self) -> None:
        self._started = False
        self._stopped = False
        self._odd = b""
        self._heard = 0
        self._chunk = 0
        self._kept = 0
        self._wanted = FIRST_SAMPLES

    def decode(self, frame: Frame) -> Sequence[Event]:
        """The one event of a frame."""
        if not isinstance(frame, str):
            return (self._audio(frame),)
        message = message_of(frame)
        if not self._started:
            start = _start(message)
            self._started = True
            return (start,)
        name = message.get("type")
        if not isinstance(name, str):
            raise ProtocolError(CLOSE_INVALID_DATA, "message without a type")
        reader = _READERS.get(name)
        if reader is None:
            return (Unknown(printable(name)),)
        if self._stopped and name != "stop":
            raise ProtocolError(CLOSE_POLICY_VIOLATION, f"{name} out of turn: the fork is stopped")
        event = reader(message)
        self._stopped = self._stopped or isinstance(event, Stop)
        return (event,)

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """One binary frame."""
        return (self._linear(g711.decode(mulaw)),) if mulaw else ()

    def mark(self, name: str) -> Sequence[Frame]:
        """What lets all before it be played, and the mark."""
        return (*self._filling(), f'{{"type":"mark","data":{{"name":{json.dumps(name)}}}}}')

    def clear(self) -> Sequence[Frame]:
        """What lets go of all that is kept, and the order to drop it."""
        return (*self._filling(), '{"type":"killAudio"}')

    def farewell(self) -> Sequence[Frame]:
        """The order to hang up."""
        return (FAREWELL,)

    def _audio(self, frame: bytes) -> Media:
        if not self._started or self._stopped:
            state = "stopped" if self._stopped else "awaiting its metadata"
            raise ProtocolError(CLOSE_POLICY_VIOLATION, f"audio out of turn: the fork is {state}")
        if len(frame) > MAX_FRAME_BYTES:
            raise ProtocolError(CLOSE_MESSAGE_TOO_BIG, f"frame over {MAX_FRAME_BYTES} bytes")
        linear = self._odd + frame
        whole = len(linear) // _SAMPLE_BYTES * _SAMPLE_BYTES
        self._odd = linear[whole:]
        timestamp = self._heard // _SAMPLES_A_MS
        self._heard += whole // _SAMPLE_BYTES
        self._chunk += 1
        samples = np.frombuffer(linear[:whole], dtype="<i2")
        return Media(g711.encode(samples), timestamp, self._chunk, "inbound")

    def _linear(self, samples: g711.Pcm) -> bytes:
        self._kept += len(samples)
        if self._kept >= self._wanted:
            self._kept, self._wanted = 0, MORE_SAMPLES
        return samples.astype("<i2").tobytes()

    def _filling(self) -> Sequence[bytes]:
        if not self._kept:
            return ()
        return (self._linear(np.zeros(self._wanted - self._kept, dtype=np.int16)),)


def _start(message: Mapping[str, Any]) -> Start:
    parameters = {text(name, "a name"): _parameter(name, value) for name, value in message.items()}
    call = parameters.pop("call", "")
    if not PLAIN.match(call):
        raise ProtocolError(
            CLOSE_POLICY_VIOLATION, f"metadata with an ill-formed call: {shown(call or None)}"
        )
    return Start(call, call, "", ("inbound",), MULAW_8000_MONO, parameters)


def _parameter(name: str, value: object) -> str:
    # It may be a secret: an error names it only.
    try:
        return text(value, "value")
    except ProtocolError:
        reason = f"metadata[{shown(name)}] is not a string"
        raise ProtocolError(CLOSE_INVALID_DATA, reason) from None


def _read_mark(message: Mapping[str, Any]) -> Event:
    return Mark(text(object_in(message, "data").get("name"), "data.name"))


def _read_dtmf(message: Mapping[str, Any]) -> Event:
    return Dtmf(digit_of(message))


def _read_stop(message: Mapping[str, Any]) -> Event:
    return Stop()


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Event]]] = {
    "mark": _read_mark,
    "dtmf": _read_dtmf,
    "stop": _read_stop,
}


CARRIER: Final = Carrier(
    "freeswitch", "/media/freeswitch", FreeSwitchCodec, subprotocol=SUBPROTOCOL
)
