"""The guard of Thespian's sockets: what is refused by its first bytes, and who is answered."""

import os
import pickle
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.node.frames import ACK, ANSWER_BYTES, HEAD_BYTES, MAX_FRAME, FrameCodec, listener
from aybiza.actors.node.guard import AnswerBuffer, GuardedBuffer
from tests.actors.node.frame_kit import HERE, Bomb, Clock, codec, framed


@pytest.fixture
def clock() -> Clock:
    return Clock()


def answered(ours: FrameCodec, frame: bytes) -> bytes:
    """What the sender of this frame gets from a listener of ours, without its length."""
    coming = GuardedBuffer(ours.loads)
    coming.addMore(framed(frame))
    return coming.answer.partition(b">")[2]


def test_nobody_else_is_answered(clock: Clock) -> None:
    ours, strangers = codec(clock), codec(clock, b"another cookie of theirs")
    frame = ours.sign(pickle.dumps(1), HERE)
    ours.loads(frame)
    elsewhere = ours.sign(pickle.dumps(1), listener("127.0.0.1", 1901))
    for sent in (strangers.sign(pickle.dumps(1), HERE), frame, elsewhere, b"x" * 200):
        assert answered(ours, sent) == b""


def test_an_answer_that_is_no_clock_of_the_receivers_is_refused(clock: Clock) -> None:
    ours = codec(clock)
    frame = framed(ours.sign(pickle.dumps(1), HERE))
    forged = AnswerBuffer(ours.loads, frame)
    forged.addMore(framed(b"x" * ANSWER_BYTES))
    assert (forged.refused, forged.told, forged.completed()) == (True, False, None)
    taken = AnswerBuffer(ours.loads, frame)
    taken.addMore(framed(ours.answer(frame.partition(b">")[2])))
    assert (taken.refused, taken.told, taken.completed()) == (False, True, None)
    ack = AnswerBuffer(ours.loads, frame)
    ack.addMore(framed(ours.token(ACK)))
    assert ack.completed() == (ACK, b"")


@given(st.lists(st.integers(1, 60), max_size=30))
def test_a_frame_may_come_in_any_pieces(cuts: list[int]) -> None:
    ours = codec(Clock())
    whole = framed(ours.sign(pickle.dumps("content"), HERE))
    coming = GuardedBuffer(ours.loads)
    while whole:
        size = min(cuts.pop() if cuts else len(whole), coming.remainingAmount())
        piece, whole = whole[:size], whole[size:]
        coming.addMore(piece)
    assert coming.isDone()
    assert coming.completed() == coming.completed() == ("content", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"no length at all, for ever and ever",
        b"99999999999>",
        b"-5>" + b"x" * 100,
        b"12_0>" + b"x" * 200,
        b"0>",
        framed(b"x" * 500),
        framed(pickle.dumps(Bomb())),
        b"%d>" % MAX_FRAME + b"x" * HEAD_BYTES,
        b"%d>" % (MAX_FRAME + 1),
    ],
)
def test_what_is_no_frame_is_refused_by_its_first_bytes(clock: Clock, data: bytes) -> None:
    ours = codec(clock)
    coming = GuardedBuffer(ours.loads)
    for index in range(len(data)):
        coming.addMore(data[index : index + 1])
        if coming.refused:
            assert index < HEAD_BYTES + 20
            break
    assert coming.refused or coming.completed() is None
    coming.addMore(b"x" * 1_000_000)
    assert len(coming._buf) < 1000
    assert coming.completed() is None
    assert not Bomb.exploded


def test_no_bare_pickle_is_left_in_the_transport() -> None:
    program = """
        from aybiza.actors.node.guard import guard_frames
        codec = guard_frames(b"x" * 32)
        from thespian.system.transport import TCPTransport as tcp, streamBuffer
        assert tcp.serializer is codec
        assert tcp.ReceiveBuffer(codec.loads).__class__.__name__ == "GuardedBuffer"
        assert b"ACK" not in tcp.ackMsg + tcp.ackDataErrMsg
        assert (tcp.ackMsg, tcp.ackDataErrMsg) == (streamBuffer.ackMsg, streamBuffer.ackDataErrMsg)
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=30,
        check=True,
    )
