"""What nodes say on a stream, in bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aybiza.actors.cluster.carrier import Welcome
from aybiza.actors.cluster.link import Parcel
from aybiza.actors.cluster.membership import Card, Farewell, Letter, Refusal
from aybiza.actors.node.messages import Hello
from aybiza.actors.node.wire import MAX_FRAME, Message, Reader, WireFault, Writer

cards = st.builds(
    Card,
    st.text(max_size=20),
    st.integers(0, 2**63),
    st.text(max_size=20),
    st.tuples(st.text(max_size=15), st.integers(0, 65535)),
)
numbers = st.integers(0, 2**64 - 1)
parcels = st.builds(
    Parcel,
    numbers,
    numbers,
    numbers,
    numbers,
    numbers,
    st.lists(st.binary(max_size=40), max_size=5).map(tuple),
)
messages = st.one_of(
    st.builds(Letter, cards, numbers, parcels),
    st.builds(Refusal, cards),
    st.builds(Farewell, cards),
    st.builds(Hello, cards),
    st.builds(Welcome, st.text(max_size=20), st.lists(cards, max_size=3).map(tuple)),
)
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A machine that is busy makes inputs slowly."""
CARD = Card("front", 17, "10.0.0.1:1900", ("10.0.0.1", 5))


def read(pieces: Iterable[bytes]) -> list[Message]:
    reader = Reader()
    return [message for piece in pieces for message in reader.read(piece)]


def shown(found: Iterable[Message]) -> list[object]:
    """Messages that can be compared: Thespian's own kind of them cannot."""
    return [("hello", each.card) if isinstance(each, Hello) else each for each in found]


@unhurried
@given(st.lists(messages, max_size=6), st.lists(st.integers(1, 40), max_size=60))
def test_what_is_written_is_read_in_whatever_pieces(sent: list[Message], cuts: list[int]) -> None:
    writer = Writer()
    whole = b"".join(map(writer.written, sent))
    pieces = []
    while whole:
        size = cuts.pop() if cuts else len(whole)
        pieces.append(whole[:size])
        whole = whole[size:]
    assert shown(read(pieces)) == shown(sent)


def test_a_sender_is_named_once() -> None:
    writer = Writer()
    first, second = (writer.written(Letter(CARD, 0, Parcel(1, 1, n, n, 0))) for n in (1, 2))
    assert b"front" in first and b"front" not in second
    anew = writer.written(Letter(CARD._replace(incarnation=18), 0, Parcel(1, 1, 3, 3, 0)))
    assert b"front" in anew


@unhurried
@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_bytes_are_messages_or_a_fault(pieces: list[bytes]) -> None:
    try:
        read(pieces)
    except WireFault:
        return


@unhurried
@given(st.lists(messages, min_size=1, max_size=3), st.data())
def test_changed_bytes_are_messages_or_a_fault(sent: list[Message], data: st.DataObject) -> None:
    writer = Writer()
    whole = bytearray(b"".join(map(writer.written, sent)))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read([bytes(whole)])
    except WireFault:
        return


def frame(kind: int, body: bytes) -> bytes:
    return struct.pack(">IB", len(body), kind) + body


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">IB", MAX_FRAME + 1, 2),
        frame(2, b""),  # a letter of nobody
        frame(1, b"[]"),
        frame(1, b"no JSON"),
        frame(1, b"[" * 100_000),
        frame(1, b'["a", 1.5, "m", ["h", 1]]'),
        frame(1, b'["a", 1, "m", ["h", 1]]') + frame(2, b"short"),
        frame(1, b'["a", 1, "m", ["h", 1]]') + frame(2, struct.pack(">7Q", *[1] * 6, 2**40)),
        frame(1, b'["a", 1, "m", ["h", 1]]') + frame(2, struct.pack(">7QI", *[1] * 7, 9) + b"x"),
        frame(6, b'["m", {}]'),
        frame(6, b'["m", [1]]'),
    ],
)
def test_what_no_node_writes_is_a_fault(data: bytes) -> None:
    with pytest.raises(WireFault):
        read([data])


def test_a_kind_that_is_not_known_is_passed_over() -> None:
    letter = Letter(CARD, 0, Parcel(1, 1, 1, 1, 0, (b"x",)))
    assert read([frame(99, b"{}") + Writer().written(letter)]) == [letter]


def test_what_is_no_message_is_refused_to_its_sender() -> None:
    with pytest.raises(TypeError, match="str is nothing that a node says"):
        Writer().written("x")  # type: ignore[arg-type]


def test_nothing_is_kept_of_what_was_read() -> None:
    writer, reader = Writer(), Reader()
    for number in range(100):
        list(reader.read(writer.written(Letter(CARD, 0, Parcel(1, 1, number, number, 0, (b"x",))))))
    assert len(reader._buffer) == 0
