"""The short cut of a caller's audio: what goes by it, together, and what does not."""

from __future__ import annotations

import base64
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.server import ServerProtocol

from aybiza.emulators.phone.messages import StreamWriter
from aybiza.gateway.carriers.codec import Codec, Media
from aybiza.gateway.carriers.telnyx_codec import TelnyxCodec
from aybiza.gateway.carriers.twilio_codec import TwilioCodec
from aybiza.gateway.quick_audio import divert
from aybiza.speech.line import Line
from aybiza.speech.line_figures import LineFigures
from aybiza.speech.websocket import Message, Together

STREAM = "MZ" + "0" * 32


class Connection(Together, ServerConnection):
    pass


class Sink:
    def media(self, mulaw: bytes) -> None: ...

    def mark(self, name: str) -> None: ...

    def clear(self) -> None: ...


class Call:
    """A line with a connection, and what was heard on it at a time."""

    def __init__(self, codec: Codec) -> None:
        self.writer = StreamWriter(STREAM, "CA1", "AC1")
        self.line = Line("CA1", Sink())
        self.heard: list[int] = []
        self.line.listener = self._listen
        kind: Any = Connection
        self.connection = kind(ServerProtocol(), None)
        divert(self.connection, codec, self.line)

    def _listen(self, audio: bytes) -> None:
        self.line.audio_signalled = False
        self.heard.append(self.line.ring.end)

    def media(self, audio: bytes) -> Message:
        return Message(True, self.writer.media(base64.b64encode(audio).decode()).encode())


def twilio() -> TwilioCodec:
    codec = TwilioCodec()
    codec.decode(StreamWriter(STREAM, "CA1", "AC1").start({}))
    return codec


async def test_audio_that_comes_together_is_heard_as_one() -> None:
    call = Call(twilio())
    assert call.connection.divert([call.media(b"ab"), call.media(b"cd")]) == 2
    assert call.connection.divert([call.media(b"ef")]) == 1
    assert call.line.ring.since(0) == (0, b"abcdef")
    assert call.heard == [4, 6]


async def test_how_audio_came_is_measured_by_its_stamps_on_the_short_cut_too() -> None:
    call = Call(twilio())
    clock = [1.0]
    call.line.clock = lambda: clock[0]
    call.line.figures = LineFigures()
    for _ in range(4):
        clock[0] += 0.030
        call.connection.divert([call.media(bytes(160))])
    arrivals = call.line.figures.arrivals
    assert (arrivals.frames, round(arrivals.jitter_ms)) == (3, 10)
    assert arrivals.lost == 0.0


async def test_a_frame_that_is_early_is_left_to_a_closer_look() -> None:
    codec = twilio()
    call = Call(codec)
    first, second, third = (call.media(bytes([code])) for code in b"abc")
    assert call.connection.divert([first, third]) == 1
    assert codec.decode(third.data.decode()) == []
    assert call.connection.divert([second]) == 0
    told = codec.decode(second.data.decode())
    assert [event.payload for event in told if isinstance(event, Media)] == [b"b", b"c"]
    assert call.connection.divert([call.media(b"d")]) == 1


async def test_what_is_no_audio_is_left_with_all_behind_it() -> None:
    call = Call(twilio())
    mark = Message(True, call.writer.mark("1").encode())
    assert call.connection.divert([call.media(b"ab"), mark, call.media(b"cd")]) == 1
    assert call.connection.divert([mark]) == 0
    assert call.connection.divert([Message(False, b"\x00")]) == 0
    assert call.heard == [2]


async def test_a_codec_without_a_short_cut_takes_none() -> None:
    assert Call(TelnyxCodec()).connection.divert is None


async def test_a_connection_of_another_kind_is_left_alone() -> None:
    other = object()
    divert(other, twilio(), Line("CA1", Sink()))
    assert not hasattr(other, "divert")
