"""The door of a node: who comes in, who is turned away, and what a stranger costs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest

from aybiza.actors.node import stream_door
from aybiza.actors.node.channel import KNOCK_BYTES, Secrets
from aybiza.actors.node.stream_door import ACCEPT_PAUSE, ACCEPTED_AT_ONCE, MAX_STRANGERS
from tests.actors.node.test_stream_carrier import OTHER, SECRETS, End, ends, until


@contextlib.asynccontextmanager
async def door() -> AsyncIterator[tuple[End, stream_door.StreamDoor]]:
    end = End("here")
    async with ends(end):
        assert end.carrier._door is not None
        yield end, end.carrier._door


async def caller(end: End) -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    async with asyncio.timeout(30):
        await asyncio.get_running_loop().sock_connect(made, end.card.address)
    return made


async def closed(stranger: socket.socket) -> bytes:
    """What a stranger has been told when the connection is over."""
    told = b""
    async with asyncio.timeout(60):
        while True:
            try:
                piece = await asyncio.get_running_loop().sock_recv(stranger, 4096)
            except ConnectionError:
                piece = b""
            if not piece:
                stranger.close()
                return told
            told += piece


@pytest.mark.parametrize(
    "sent",
    [
        bytes(KNOCK_BYTES),
        b"x" * KNOCK_BYTES * 100,
        b"GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: stranger\r\n\r\n",
        Secrets(OTHER).knock(),
        b"500>" + bytes(600),
    ],
    ids=["zeros", "text", "http", "another cookie", "frame"],
)
async def test_a_stranger_is_told_nothing(sent: bytes) -> None:
    async with door() as (end, here):
        stranger = await caller(end)
        stranger.send(sent)
        assert await closed(stranger) == b""
        assert here.refused == {"cookie": 1}


async def test_who_knocks_and_then_speaks_no_tls_is_told_an_alert_at_most() -> None:
    async with door() as (end, here):
        stranger = await caller(end)
        stranger.send(SECRETS.knock() + b"GET / HTTP/1.1\r\n\r\n" * 10)
        assert len(await closed(stranger)) < 100
        assert here.refused == {"cookie": 1}


async def test_a_knock_may_come_in_pieces() -> None:
    one, other = End("one"), End("other")
    async with ends(one, other):
        stranger = await caller(other)
        knock = SECRETS.knock()
        for byte in knock:
            stranger.send(bytes([byte]))
            await asyncio.sleep(0.002)
        assert other.carrier._door is not None
        await until(lambda: other.carrier._door and other.carrier._door._inside)
        stranger.close()
        assert not other.refused


async def test_who_says_too_little_goes_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_door, "ENTRY_SECONDS", 0.1)
    monkeypatch.setattr(stream_door, "SWEEP_SECONDS", 0.05)
    async with door() as (end, here):
        silent, slow, knocked = [await caller(end) for _ in range(3)]
        slow.send(b"x" * (KNOCK_BYTES - 1))
        knocked.send(SECRETS.knock())
        for stranger in (silent, slow, knocked):
            assert await closed(stranger) == b""
        assert here.refused == {"slow": 3}
        assert not here._strangers and not here._inside


async def test_a_node_comes_in_while_many_strangers_hold_the_line() -> None:
    one, other = End("one"), End("other")
    async with ends(one, other):
        assert other.carrier._door is not None
        strangers = await asyncio.gather(*(caller(other) for _ in range(120)))
        for stranger in strangers:
            with contextlib.suppress(OSError):  # those that have been turned away
                stranger.send(b"x")
        assert len(other.carrier._door._strangers) <= MAX_STRANGERS
        one.post(other, one.letter(1))
        await until(lambda: other.got)
        await until(lambda: other.refused.get("connections", 0) >= 120 - MAX_STRANGERS)
        for stranger in strangers:
            stranger.close()


async def test_a_flood_is_let_in_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[tuple[float, int]] = []
    plain_accept, plain_admit = stream_door.StreamDoor._accept, stream_door.StreamDoor._admit
    admitted = 0

    def accept(self: stream_door.StreamDoor, listening: socket.socket) -> None:
        before = admitted
        plain_accept(self, listening)
        looks.append((time.monotonic(), admitted - before))

    def admit(self: stream_door.StreamDoor, stranger: Any, room: Any) -> None:
        nonlocal admitted
        admitted += 1
        plain_admit(self, stranger, room)

    monkeypatch.setattr(stream_door.StreamDoor, "_accept", accept)
    monkeypatch.setattr(stream_door.StreamDoor, "_admit", admit)
    async with door() as (end, _here):
        strangers = await asyncio.gather(*(caller(end) for _ in range(120)))
        await until(lambda: admitted == 120)
        for stranger in strangers:
            stranger.close()
    assert max(count for _, count in looks) == ACCEPTED_AT_ONCE
    full = [at for at, count in looks if count == ACCEPTED_AT_ONCE]
    assert min(after - before for before, after in pairwise(full)) > ACCEPT_PAUSE / 2


async def test_who_has_come_in_and_says_what_no_node_says_is_put_out() -> None:
    one, other = End("one"), End("other")
    async with ends(one, other):
        one.post(other, one.letter(1))
        await until(lambda: other.got)
        [stream] = one.carrier._streams.values()
        assert stream._transport is not None
        stream._channel.seal(b"\xff" * 100)
        stream._transport.write(stream._channel.take())
        await until(lambda: other.refused == {"digest": 1})
        await until(lambda: one.got)


async def test_refusals_are_logged_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    async with door() as (_end, here):
        for _ in range(1000):
            here.refuse("cookie")
    assert capsys.readouterr().out.count("streams_refused") == 1


async def test_a_recorded_knock_is_a_strangers() -> None:
    async with door() as (end, here):
        knock = SECRETS.knock()
        first = await caller(end)
        first.send(knock)
        await until(lambda: here._guests)
        again = await caller(end)
        again.send(knock + b"\x16\x03\x01")
        assert await closed(again) == b""
        assert here.refused == {"cookie": 1}
        first.close()


async def test_no_flood_of_strangers_drives_a_node_out_that_shakes_hands() -> None:
    async with door() as (end, here):
        node = await caller(end)
        node.send(SECRETS.knock())
        await until(lambda: here._guests)
        strangers = [await caller(end) for _ in range(MAX_STRANGERS + 10)]
        await until(lambda: here.refused["connections"] >= 10)
        dialling = SECRETS.dial()
        dialling.feed(b"")
        node.send(dialling.take())
        dialling.feed(await asyncio.get_running_loop().sock_recv(node, 4096))
        assert dialling.open
        for one in (node, *strangers):
            one.close()


async def test_so_many_knocks_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_door, "KNOCKS_KEPT", 2)
    async with door() as (end, here):
        knocks = [SECRETS.knock() for _ in range(3)]
        nodes = []
        for knock in knocks:
            nodes.append(await caller(end))
            nodes[-1].send(knock)
            await until(lambda: len(here._guests) == len(nodes))
        assert list(here._heard) == knocks[1:]
        for node in nodes:
            node.close()
