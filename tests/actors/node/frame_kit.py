"""A clock that tests set, and codecs of frames that stand on it."""

from typing import Any

import pytest

from aybiza.actors.node.frames import HEAD_BYTES, FrameCodec, FrameRefused, listener

COOKIE = b"a cookie of the tests"
HERE = listener("127.0.0.1", 1900)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def codec(clock: Clock, cookie: bytes = COOKIE) -> FrameCodec:
    made = FrameCodec(cookie, clock=clock, timer=clock)
    made.listen(HERE)
    return made


def acquainted(sender: FrameCodec, receiver: FrameCodec) -> None:
    """The sender knows the life and time of the receiver."""
    first = sender.sign(b"", HERE)
    assert sender.take_answer(first[:HEAD_BYTES], receiver.answer(first))


def refusal(ours: FrameCodec, frame: bytes) -> str:
    with pytest.raises(FrameRefused) as refused:
        ours.loads(frame)
    return str(refused.value)


class Bomb:
    """Unpickling it is noticed."""

    exploded = False

    def __reduce__(self) -> Any:
        return (setattr, (Bomb, "exploded", True))


def framed(payload: bytes) -> bytes:
    return b"%d>" % len(payload) + payload
