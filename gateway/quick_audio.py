"""The caller's audio from the carrier's socket to the call's line, at once.

`divert` has whole messages of audio go to the line as they come: without a change of tasks, an
event or a dict for each, and those that came together as one. Everything else, and all of a carrier
whose codec knows no short cut, goes the way of `MediaStream`. Their order stays: while anything
waits there, what comes behind it waits, too.
"""

from __future__ import annotations

from typing import Any

from aybiza.gateway.carriers.codec import Codec, QuickCodec
from aybiza.speech.line import Line
from aybiza.speech.websocket import Message, Together


def divert(connection: Any, codec: Codec, line: Line) -> None:
    """See the module. Does nothing where connection or codec have no short cut."""
    if not (isinstance(connection, Together) and isinstance(codec, QuickCodec)):
        return
    audio_of, hear = codec.audio, line.hear

    def take(messages: list[Message]) -> int:
        heard: list[bytes] = []
        figures = line.figures
        for text, data in messages:
            audio = audio_of(data) if text else None
            if audio is None:
                break
            heard.append(audio)
            if figures is not None:
                figures.arrivals.took(line.clock(), codec.stamp_ms, len(audio))
        if heard:
            hear(heard[0] if len(heard) == 1 else b"".join(heard), None)
        return len(heard)

    connection.divert = take
