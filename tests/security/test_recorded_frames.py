"""Somebody on the network records frames of the cluster and shows them to other processes."""

import os
import pickle
import subprocess
import sys
import textwrap

from aybiza.actors.node.frames import HEAD_BYTES, WINDOW, FrameCodec, FrameRefused, listener

COOKIE = b"a cookie of the cluster"
HERE = listener("127.0.0.1", 1900)


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def door(clock: Clock) -> FrameCodec:
    """A process that has just started to listen."""
    codec = FrameCodec(COOKIE, clock=clock, timer=clock, quiet=True)
    codec.listen(HERE)
    return codec


def greeted(sender: FrameCodec, receiver: FrameCodec) -> bytes:
    """The sender's first frame, which the receiver has answered with who it is."""
    first = sender.sign(pickle.dumps("do it"), HERE)
    assert taken(receiver, first) == "unmet"
    assert sender.take_answer(first[:HEAD_BYTES], receiver.answer(first))
    return first


def taken(codec: FrameCodec, frame: bytes) -> object:
    """What the frame holds, or why it is refused."""
    try:
        return codec.loads(frame)
    except FrameRefused as refusal:
        return str(refusal)


def test_a_frame_to_a_process_is_none_to_its_successor_at_the_same_address() -> None:
    clock = Clock()
    sender = FrameCodec(COOKIE, clock=clock, timer=clock, quiet=True)
    first_of_all = greeted(sender, before := door(clock))
    recorded = sender.sign(pickle.dumps("do it"), HERE)
    assert taken(before, recorded) == "do it"
    clock.now += 5
    after = door(clock)
    assert taken(after, recorded) == "incarnation"
    assert taken(after, first_of_all) == "unmet"
    assert taken(after, first_of_all) == taken(after, recorded) == "replay"


def test_a_sender_with_a_clock_ahead_is_no_way_around_it() -> None:
    clock, ahead = Clock(), Clock(1_000_000.0 + WINDOW - 1)
    sender = FrameCodec(COOKIE, clock=ahead, timer=ahead, quiet=True)
    greeted(sender, before := door(clock))
    recorded = sender.sign(pickle.dumps("do it"), HERE)
    assert taken(before, recorded) == "do it"
    for _ in range(10):
        clock.now += WINDOW / 5
        assert taken(door(clock), recorded) == "incarnation"


def test_what_was_refused_for_its_time_is_not_taken_when_its_time_has_come() -> None:
    clock, ahead = Clock(), Clock(1_000_000.0 + 10 * WINDOW)
    sender = FrameCodec(COOKIE, clock=ahead, timer=ahead, quiet=True)
    here = door(clock)
    recorded = sender.sign(pickle.dumps("do it"), HERE)
    for _ in range(60):
        assert taken(here, recorded) != "do it"
        clock.now += WINDOW / 4


def test_the_first_frame_of_a_sender_is_answered_but_once() -> None:
    clock = Clock()
    sender, here = FrameCodec(COOKIE, clock=clock, timer=clock, quiet=True), door(clock)
    recorded = greeted(sender, here)
    assert [taken(here, recorded) for _ in range(3)] == ["replay"] * 3


def test_a_forked_process_takes_nothing_that_was_meant_for_its_parent() -> None:
    program = """
        import os, pickle
        from aybiza.actors.node.frames import FrameRefused, listener
        from aybiza.actors.node.guard import guard_frames
        codec = guard_frames(b"a cookie of the cluster", quiet=True)
        here = listener("127.0.0.1", 1900)
        codec.listen(here)
        recorded = codec.sign(pickle.dumps("do it"), here)
        if os.fork():
            assert codec.loads(recorded) == "do it"
            assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
        else:
            try:
                codec.loads(recorded)
            except FrameRefused as refusal:
                os._exit(0 if str(refusal) == "receiver" else 3)
            os._exit(2)
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=30,
        check=True,
    )
