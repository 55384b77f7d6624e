"""A leaner Thespian: it waits as with an ordinary selector, and says what it said before."""

import errno
import os
import selectors
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.actors.node.lean import Poller

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def told(wanted: dict[int, int], selector: Poller | selectors.DefaultSelector) -> dict[int, int]:
    for fd, events in wanted.items():
        selector.register(fd, events)
    ready = {key.fd: events for key, events in selector.select(0)}
    selector.close()
    return ready


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([READ, WRITE, READ | WRITE]), st.booleans(), st.booleans()),
        max_size=8,
    )
)
def test_it_tells_what_a_selector_tells(sockets: list[tuple[int, bool, bool]]) -> None:
    opened = [socket.socketpair() for _ in sockets]
    try:
        wanted = {}
        for (one, other), (events, written, ended) in zip(opened, sockets, strict=True):
            wanted[one.fileno()] = events
            if written:
                other.send(b"x")
            if ended:
                other.close()
        assert told(wanted, Poller()) == told(wanted, selectors.DefaultSelector())
    finally:
        for pair in opened:
            for each in pair:
                each.close()


def test_reading_and_writing_may_be_registered_one_by_one(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    one, other = pair
    other.send(b"x")
    poller = Poller()
    poller.register(one.fileno(), READ)
    poller.register(one.fileno(), WRITE)
    assert [(key.fd, events) for key, events in poller.select(1)] == [(one.fileno(), READ | WRITE)]


def test_it_waits_no_longer_than_it_is_told(pair: tuple[socket.socket, socket.socket]) -> None:
    poller = Poller()
    poller.register(pair[0].fileno(), READ)
    began = time.monotonic()
    assert poller.select(0.05) == []
    assert 0.04 < time.monotonic() - began < 5
    assert poller.select(-1) == []


def test_a_closed_descriptor_is_an_error() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    os.close(reader)
    poller = Poller()
    poller.register(reader, READ)
    with pytest.raises(OSError, match="is closed") as error:
        poller.select(0)
    assert error.value.errno == errno.EBADF
    with pytest.raises(ValueError, match="-1 is no descriptor"):
        poller.register(-1, READ)


PROGRAM = """
    from datetime import timedelta
    from aybiza.actors.node.lean import Poller, use_lean_transport
    from thespian.actors import ActorAddress
    from thespian.system import timing
    from thespian.system.transport import TCPTransport as tcp, TransmitIntent
    from thespian.system.transport.IPBase import TCPv4ActorAddress

    def all_of_them():
        idle = tcp.IdleSocket(None, None)
        seen = [idle.expired()]
        idle.validity = timing.ExpirationTimer(timedelta(seconds=-1))
        one, same, other = (TCPv4ActorAddress("127.0.0.1", port) for port in (5001, 5001, 5002))
        return seen + [idle.expired(), {one: 1}.get(same), {one: 1}.get(other)]

    plain = all_of_them()
    use_lean_transport()
    assert all_of_them() == plain == [False, True, 1, None], (plain, all_of_them())
    assert tcp.selectors.DefaultSelector is Poller
    address = ActorAddress(TCPv4ActorAddress("127.0.0.1", 5001))
    text = TransmitIntent(address, b"x" * 1_000_000).identify()
    assert text.startswith("bytes to ActorAddr") and len(text) < 100, text
"""


def test_the_rest_says_what_it_said_before_and_puts_no_message_into_words() -> None:
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=30,
        check=True,
    )
