"""Asterisk's side of an AudioSocket, without I/O; see `aybiza.emulators.phone.bridge`.

Asterisk plays audio as it comes, so whoever sends it faster than it is played loses the rest: what
is more than `MAX_AHEAD_MS` ahead of its time is an `AgentError`. It breaks off at any message but
audio and the order to hang up, and at empty audio. A channel that was opened with slin16 or slin24
sends that, and is answered in it.

Source: Asterisk, "AudioSocket"; `app_audiosocket.c`, `res_audiosocket.c`.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from aybiza.config import clocks
from aybiza.emulators.phone.bridge import Frame, HangUp
from aybiza.emulators.phone.line_audio import LinearAudio
from aybiza.emulators.phone.messages import AgentError, AgentMessage, Audio

HANG_UP: Final = 0x00
ID: Final = 0x01
KEY: Final = 0x03
AUDIO: Final = 0x10
KINDS: Final = {8000: AUDIO, 16_000: 0x12, 24_000: 0x13}

MAX_AHEAD_MS: Final = 200.0
"""A jitter buffer's worth."""

_HEADER: Final = struct.Struct(">BH")


class AudioSocketWire:
    """One AudioSocket. `now`: a clock in seconds; `rate`: of the channel's format."""

    subprotocol: str | None = None

    def __init__(self, now: Callable[[], float] = clocks.monotonic, rate: int = 8000) -> None:
        self._now = now
        self._rate = rate
        self._pcm = LinearAudio(rate, "<")
        self._held = b""
        self._plays_until = 0.0

    def start(self, call_id: str, parameters: Mapping[str, str]) -> Sequence[Frame]:
        """The UUID; there is no more that Asterisk could tell."""
        return (_message(ID, UUID(call_id).bytes),)

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        """A message of 20 ms."""
        return (_message(KINDS[self._rate], self._pcm.sent(mulaw)),)

    def dtmf(self, digit: str) -> Sequence[Frame]:
        """A key."""
        return (_message(KEY, digit.encode()),)

    def mark(self, name: str) -> Sequence[Frame]:
        """Asterisk has no marks."""
        raise AssertionError(f"a mark {name!r} came back that nobody can have set")

    def stop(self) -> Sequence[Frame]:
        """The order to hang up."""
        return (_message(HANG_UP),)

    def read(self, frame: Frame) -> Sequence[AgentMessage | HangUp]:
        """What the pieces that came hold in whole messages."""
        assert isinstance(frame, bytes)
        self._held += frame
        found: list[AgentMessage | HangUp] = []
        while len(self._held) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._held)
            end = _HEADER.size + length
            if len(self._held) < end:
                break
            payload, self._held = self._held[_HEADER.size : end], self._held[end:]
            found.append(self._take(kind, payload))
        return found

    def _take(self, kind: int, payload: bytes) -> AgentMessage | HangUp:
        if kind == HANG_UP:
            return HangUp()
        if kind != KINDS[self._rate] or not payload or len(payload) % 2:
            raise AgentError(f"the agent sent kind 0x{kind:02x} with {len(payload)} bytes")
        now = self._now()
        self._plays_until = max(self._plays_until, now) + len(payload) / 2 / self._rate
        if (ahead := (self._plays_until - now) * 1000) > MAX_AHEAD_MS:
            raise AgentError(f"the agent's audio is {ahead:.0f} ms ahead of its time")
        return Audio(self._pcm.taken(payload))


def _message(kind: int, payload: bytes = b"") -> bytes:
    return _HEADER.pack(kind, len(payload)) + payload
