"""What both control ports of a switch do: blocks in, one connection a session, an end that ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from aybiza.emulators.phone.switch import Switch, SwitchCall
from aybiza.emulators.phone.switch_door import MOST_BYTES, Session, SwitchDoor


class Repeating(Session):
    """Says each block again; `bye` ends it."""

    def greet(self) -> None:
        self.writer.write(b"hello\n\n")

    def take(self, block: str) -> None:
        self.writer.write(f"{block}\n\n".encode())
        self.switch.listeners.add(self.happened)
        self.open = block != "bye"

    def happened(self, what: str, call: SwitchCall) -> None:
        self.writer.write(f"{what} {call.id}\n\n".encode())


class Door(SwitchDoor):
    end = b"\n\n"

    def session(self, writer: asyncio.StreamWriter) -> Session:
        return Repeating(self.switch, writer)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with Door(Switch()) as opened:
        yield opened


class Client:
    """The other side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def of(cls, door: Door) -> "Client":
        host, _, port = door.address.partition(":")
        client = cls(*await asyncio.open_connection(host, int(port)))
        assert await client.next() == "hello"
        return client

    async def next(self) -> str:
        async with asyncio.timeout(5):
            return (await self._reader.readuntil(b"\n\n")).decode().strip()

    def say(self, text: str) -> None:
        self._writer.write(text.encode())

    async def ended(self) -> bool:
        async with asyncio.timeout(5):
            try:
                return await self._reader.read() == b""
            except ConnectionResetError:
                return True

    def close(self) -> None:
        self._writer.close()


async def test_what_comes_in_pieces_is_taken_when_the_block_is_whole(door: Door) -> None:
    client = await Client.of(door)
    client.say("one\ntw")
    client.say("o\n\nthree\n\n")
    assert [await client.next(), await client.next()] == ["one\ntwo", "three"]
    client.close()


async def test_a_deaf_door_answers_nothing_and_goes_on_when_it_hears_again(door: Door) -> None:
    client = await Client.of(door)
    door.deaf = True
    client.say("lost\n\n")
    other = await Client.of(door)
    door.deaf = False
    client.say("heard\n\n")
    assert await client.next() == "heard"
    client.close()
    other.close()


async def test_a_session_that_is_over_is_told_nothing_more_of_the_switch(door: Door) -> None:
    client = await Client.of(door)
    client.say("bye\n\n")
    assert await client.next() == "bye"
    assert await client.ended()
    assert not door.switch.listeners
    client.close()


async def test_a_block_that_is_too_long_ends_the_connection(door: Door) -> None:
    client = await Client.of(door)
    client.say("x" * (MOST_BYTES + 1) * 2)
    assert await client.ended()
    client.close()


async def test_the_doors_end_ends_its_connections() -> None:
    async with Door(Switch()) as door:
        client = await Client.of(door)
    assert await client.ended()
    client.close()
