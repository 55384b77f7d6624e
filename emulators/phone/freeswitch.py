"""FreeSWITCH's side of a fork's websocket, without I/O; see `aybiza.emulators.phone.bridge`.

What mod_audio_fork does to audio and marks on their way to the playout buffer happens here as it
happens there: nothing is played before so many samples have come, a mark goes in ahead of the audio
that follows it, and killAudio leaves what has not reached the playout buffer.

Source: jambonz, freeswitch-modules: mod_audio_fork, `lws_glue.cpp`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from aybiza.emulators.phone.bridge import Frame, HangUp
from aybiza.emulators.phone.messages import AgentError, AgentMessage, Audio, Clear, MarkSet
from aybiza.speech import mulaw as g711

FIRST_SAMPLES: Final = 1280
MORE_SAMPLES: Final = 640
MAX_MARKS: Final = 30
MARKER: Final = -1
"""The sample that stands for a mark in the module's buffers."""


class FreeSwitchWire:
    """One fork, with its script."""

    subprotocol: str | None = "audio.drachtio.org"

    def __init__(self) -> None:
        self._threshold = FIRST_SAMPLES
        self._pre: list[bytes | str] = []
        self._samples = 0
        self._inventory: list[str] = []
        self._pending = 0

    def start(self, call_id: str, parameters: Mapping[str, str]) -> Sequence[Frame]:
        """The metadata."""
        return (json.dumps({"call": call_id, **parameters}, separators=(",", ":")),)

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """A binary frame."""
        return (g711.decode(mulaw).astype("<i2").tobytes(),)

    def dtmf(self, digit: str) -> Sequence[Frame]:
        """What the script sends as text."""
        return (json.dumps({"type": "dtmf", "digit": digit}),)

    def mark(self, name: str) -> Sequence[Frame]:
        """A mark, played or dropped."""
        self._pending = max(0, self._pending - 1)
        return (json.dumps({"type": "mark", "data": {"name": name, "event": "playout"}}),)

    def stop(self) -> Sequence[Frame]:
        """The text of `uuid_audio_fork stop`."""
        return ('{"type":"stop"}',)

    def read(self, frame: Frame) -> Sequence[AgentMessage | HangUp]:
        """What reaches the playout buffer for this frame, in order."""
        if isinstance(frame, bytes):
            return self._audio(frame)
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError):
            message = None
        return self._order(message)

    def _order(self, message: Any) -> Sequence[AgentMessage | HangUp]:
        match message:
            case {"type": "mark", "data": {"name": str(name)}}:
                return self._mark(name)
            case {"type": "killAudio"}:
                self._inventory.clear()
                self._pending = 0
                return (Clear(),)
            case {"type": "disconnect", "data": dict()}:
                return (HangUp(),)
        raise AgentError(f"the agent sent what mod_audio_fork does not know: {str(message)[:80]}")

    def _mark(self, name: str) -> Sequence[AgentMessage | HangUp]:
        if self._pending >= MAX_MARKS:
            return ()
        self._pending += 1
        if self._pre:
            self._inventory.append(name)
            return ()
        return (MarkSet(name),)

    def _audio(self, frame: bytes) -> Sequence[AgentMessage | HangUp]:
        if len(frame) % 2:
            raise AgentError("the agent sent half a sample")
        samples = np.frombuffer(frame, dtype="<i2")
        if (samples == MARKER).any():
            raise AgentError("the agent sent the sample that stands for a mark")
        self._pre += [*self._inventory, g711.encode(samples)]
        self._samples += len(samples) + len(self._inventory)
        self._inventory.clear()
        if self._samples < self._threshold:
            return ()
        self._threshold = MORE_SAMPLES
        ready, self._pre, self._samples = self._pre, [], 0
        return [Audio(item) if isinstance(item, bytes) else MarkSet(item) for item in ready]
