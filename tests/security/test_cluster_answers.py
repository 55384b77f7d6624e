"""A stranger at a cluster port looks for an answer, which would test guesses of the cookie."""

import pickle
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.node.frames import (
    ACK,
    HEAD_BYTES,
    MAC_BYTES,
    NAK,
    FrameCodec,
    listener,
)
from aybiza.actors.node.guard import GuardedBuffer
from tests.cases import each

HERE = listener("127.0.0.1", 1900)


def door() -> FrameCodec:
    codec = FrameCodec(b"a cookie of the cluster", quiet=True)
    codec.listen(HERE)
    return codec


def told(codec: FrameCodec, sent: bytes) -> tuple[bool, bytes]:
    """Whether the door closes without a word, and what it tells, for what a stranger has sent."""
    coming = GuardedBuffer(codec.loads)
    coming.addMore(sent)
    return coming.refused, coming.answer


@each(product([*range(0, 200), 1000, 100_000], [b"\0", b"x"]))
def test_a_frame_of_any_length_without_the_cookie_closes_the_door_without_a_word(
    length: int, byte: bytes
) -> None:
    assert told(door(), b"%d>" % length + byte * length) == (True, b"")


@given(st.binary(min_size=MAC_BYTES, max_size=MAC_BYTES))
def test_no_guess_at_an_acknowledgement_gets_a_word(token: bytes) -> None:
    assert told(door(), b"%d>" % len(token) + token) == (True, b"")


@pytest.mark.parametrize("text", [ACK, NAK])
def test_the_clusters_own_acknowledgement_is_read_as_connections_are_used_both_ways(
    text: str,
) -> None:
    codec = door()
    token = codec.token(text)
    coming = GuardedBuffer(codec.loads)
    coming.addMore(b"%d>" % len(token) + token)
    assert not coming.refused and coming.answer == b""
    assert coming.completed() == (text, b"")


def test_a_recorded_head_with_another_body_gets_no_word_either() -> None:
    codec = door()
    frame = codec.sign(pickle.dumps("a message"), HERE)
    forged = frame[:HEAD_BYTES] + bytes(len(frame) - HEAD_BYTES)
    assert told(codec, b"%d>" % len(forged) + forged) == (True, b"")


def test_what_is_authenticated_and_cannot_be_unpickled_is_still_refused_to_its_sender() -> None:
    codec = door()
    frame = codec.sign(b"no pickle", HERE)
    coming = GuardedBuffer(codec.loads)
    coming.addMore(b"%d>" % len(frame) + frame)
    assert not coming.refused
    error: Any = pickle.UnpicklingError
    with pytest.raises(error):
        coming.completed()
