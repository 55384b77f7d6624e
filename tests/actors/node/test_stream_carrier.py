"""Streams between nodes: what is posted arrives, and what breaks is told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from aybiza.actors.cluster.carrier import Unreachable, Welcome
from aybiza.actors.cluster.link import Parcel
from aybiza.actors.cluster.membership import Card, Farewell, Letter
from aybiza.actors.node import stream_carrier
from aybiza.actors.node.carrier import Greeting
from aybiza.actors.node.channel import Secrets
from aybiza.actors.node.stream_carrier import StreamCarrier

COOKIE = b"4fd1a0c37be952e8"
OTHER = b"9ab7c4e1f02d6835"
SECRETS = Secrets(COOKIE)
LIMIT = 60.0


class End:
    """A node's carrier, and what it has received."""

    def __init__(self, name: str, secrets: Secrets = SECRETS, machine: str = "m:1") -> None:
        self.door = socket.create_server(("127.0.0.1", 0), backlog=stream_carrier.BACKLOG)
        self.card = Card(name, 7, machine, self.door.getsockname())
        self.thespian: list[Any] = []
        self.got: list[Any] = []
        self.carrier = StreamCarrier(self.card, (), self.thespian.append, secrets, [self.door])
        self.carrier.attach(lambda message, _sender: self.got.append(message))

    def letter(self, number: int, *items: bytes) -> Letter:
        return Letter(self.card, 9, Parcel(1, 2, number, number, 0, items))

    def post(self, to: End, message: Any) -> None:
        self.carrier.post(to.card.address, message)

    @property
    def refused(self) -> dict[str, int]:
        assert self.carrier._door is not None
        return dict(self.carrier._door.refused)


async def until(condition: Callable[[], Any], seconds: float = LIMIT) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - of what other tasks and sockets do
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def ends(*made: End) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for end in made:
            await end.carrier.open()
            stack.push_async_callback(end.carrier.close)
        yield


async def test_what_is_posted_arrives_in_its_order() -> None:
    one, other = End("one"), End("other")
    async with ends(one, other):
        letters = [one.letter(number, b"x" * number) for number in range(300)]
        for letter in letters:
            one.post(other, letter)
        await until(lambda: len(other.got) == 300)
        assert other.got == letters
        other.post(one, Farewell(other.card))
        await until(lambda: one.got == [Farewell(other.card)])


@pytest.mark.parametrize("size", [0, 1, stream_carrier.SLICE_BYTES, 8_000_000])
async def test_a_message_of_any_size_arrives_whole(size: int) -> None:
    one, other = End("one"), End("other")
    async with ends(one, other):
        sent = [one.letter(1, bytes(size)), one.letter(2, b"after"), one.letter(3, bytes(size))]
        for letter in sent:
            one.post(other, letter)
        await until(lambda: len(other.got) == 3)
        assert other.got == sent


def nobody() -> tuple[str, int]:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        host, port = gone.getsockname()
    return host, port


async def test_a_node_that_nobody_is_is_unreachable() -> None:
    one, address = End("one"), nobody()
    async with ends(one):
        one.carrier.post(address, one.letter(1))
        await until(lambda: one.got == [Unreachable(address)])
        one.carrier.post(address, one.letter(1))
        await until(lambda: one.got == [Unreachable(address)] * 2)


@pytest.mark.parametrize("address", [("127.0.0.1", 99_999_999), ("no\0host", 1), ("a" * 100, 1)])
async def test_a_stream_to_what_is_no_address_ends(address: tuple[str, int]) -> None:
    one = End("one")
    async with ends(one):
        one.carrier.post(address, Farewell(one.card))
        await until(lambda: not one.carrier._streams)


async def test_a_node_that_ends_is_unreachable_at_once() -> None:
    one, other = End("one"), End("other")
    async with ends(one):
        async with ends(other):
            one.post(other, one.letter(1))
            await until(lambda: other.got)
        await until(lambda: one.got == [Unreachable(other.card.address)])


async def test_who_comes_again_is_heard_again() -> None:
    one, other = End("one"), End("other")
    async with ends(one, other):
        one.post(other, one.letter(1))
        await until(lambda: len(other.got) == 1)
        assert other.carrier._door is not None
        for incoming in list(other.carrier._door._inside):
            incoming.abort()
        await until(lambda: one.got == [Unreachable(other.card.address)])
        one.post(other, one.letter(2))
        await until(lambda: len(other.got) == 2)


async def test_nodes_of_another_cookie_hear_nothing_of_each_other() -> None:
    one, other = End("one"), End("other", Secrets(OTHER))
    async with ends(one, other):
        one.post(other, one.letter(1))
        other.post(one, other.letter(1))
        await until(lambda: one.refused.get("cookie") and other.refused.get("cookie"))
        assert one.got == other.got == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(COOKIE, COOKIE + b"\n" + OTHER), (COOKIE + b"\n" + OTHER, OTHER + b"\n" + COOKIE)],
)
async def test_either_of_two_cookies_will_do(ours: bytes, theirs: bytes) -> None:
    one, other = End("one", Secrets(ours)), End("other", Secrets(theirs))
    async with ends(one, other):
        one.post(other, one.letter(1))
        other.post(one, other.letter(2))
        await until(lambda: one.got and other.got)


async def test_a_stream_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_carrier, "STALLED_SECONDS", 0.2)
    monkeypatch.setattr(stream_carrier, "SWEEP_SECONDS", 0.05)
    one, other = End("one"), End("other")
    async with ends(one, other):
        one.post(other, one.letter(1))
        await until(lambda: other.got)
        assert other.carrier._door is not None
        [incoming] = other.carrier._door._inside
        assert incoming._transport is not None
        incoming._transport.pause_reading()
        for number in range(2, 40):
            one.post(other, one.letter(number, bytes(1_000_000)))
        [stream] = one.carrier._streams.values()
        await until(lambda: other.card.address not in one.carrier._streams)
        assert stream._waiting_bytes <= stream_carrier.MAX_WAITING_BYTES


async def test_what_waits_for_one_node_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_carrier, "MAX_WAITING_BYTES", 5000)
    one, other = End("one"), End("other")
    async with ends(one, other):
        for number in range(100):
            one.post(other, one.letter(number, bytes(100)))
        assert (
            not one.carrier._streams
            or sum(stream._waiting_bytes for stream in one.carrier._streams.values()) <= 5000
        )


async def test_a_stream_that_nobody_uses_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_carrier, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(stream_carrier, "IDLE_SECONDS", 0.1)
    one, other = End("one"), End("other")
    async with ends(one, other):
        one.post(other, one.letter(1))
        await until(lambda: other.got)
        assert other.carrier._door is not None
        door = other.carrier._door
        await until(lambda: not one.carrier._streams and not door._inside)
        assert one.got == []


async def test_what_was_posted_last_is_written_before_the_end() -> None:
    one, other = End("one"), End("other")
    async with ends(other):
        async with ends(one):
            one.post(other, one.letter(1))
            await until(lambda: other.got)
            one.post(other, Farewell(one.card))
        await until(lambda: other.got[-1] == Farewell(one.card))


async def test_a_machine_that_others_can_reach_is_asked_by_a_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = End("one"), End("other", machine="10.0.0.2:1900")
    async with ends(one, other):
        one.carrier.hello([other.card.address])
        [greeting] = one.thespian
        assert isinstance(greeting, Greeting)
        assert greeting.machines == (other.card.address,)
        monkeypatch.setattr(stream_carrier, "is_loopback", lambda _host: False)
        one.carrier.hello([other.card.address])
        assert one.thespian[1].machines == ()  # our own keeper only
        await until(lambda: one.got == [Welcome("10.0.0.2:1900", (other.card,))])
        sibling = Card("sibling", 8, "10.0.0.2:1900", ("10.0.0.2", 5))
        other.carrier.receive(Welcome("10.0.0.2:1900", (other.card, sibling)), None)
        one.carrier.hello([other.card.address])
        await until(lambda: len(one.got) == 2)
        assert one.got[1].cards == (other.card, sibling)


async def test_nothing_of_what_is_said_can_be_read_on_the_way() -> None:
    one, other = End("one"), End("other")
    seen = bytearray()
    handled: list[asyncio.Task[Any]] = []

    async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                seen.extend(data)
                sink.write(data)
        sink.close()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handled.append(task)
        theirs, ours = await asyncio.open_connection(*other.card.address)
        await asyncio.gather(pass_on(reader, ours), pass_on(theirs, writer))
        await asyncio.gather(ours.wait_closed(), writer.wait_closed(), return_exceptions=True)

    server = await asyncio.start_server(between, "127.0.0.1", 0)
    async with ends(one, other):
        host, port = server.sockets[0].getsockname()
        for number in range(50):
            one.carrier.post((host, port), one.letter(number, b"what the caller has said"))
        await until(lambda: len(other.got) == 50)
    await asyncio.wait(handled, timeout=LIMIT)
    server.close()
    assert len(seen) > 50 * 24
    for plain in (b"what the caller", b'["one"', COOKIE):
        assert plain not in seen


def test_a_machine_on_loopback_has_no_door_for_others() -> None:
    doors = stream_carrier.listening("127.0.0.1:1900")
    addresses = [door.getsockname()[0] for door in doors]
    for door in doors:
        door.close()
    assert addresses == ["127.0.0.1"]
