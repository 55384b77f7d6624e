"""Blocks of lines, one after the other."""

from __future__ import annotations

import asyncio

import pytest

from aybiza.gateway.control.control import ControlError
from aybiza.gateway.control.text_door import Block, TextDoor, limited


def test_a_block_is_its_lines_of_which_the_last_of_a_name_counts() -> None:
    block = Block.of("A: 1\r\nno name\r\nB:2\r\nA: 3: 4", "\r\n")
    assert (block["A"], block["B"], block["C"]) == ("3: 4", "2", "")
    assert block.lines == [("A", "1"), ("B", "2"), ("A", "3: 4")]


async def test_a_body_follows_its_block() -> None:
    gone = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\n\n")
        writer.write(b"Asked: " + asked.strip() + b"\nContent-Length: 5\n\na\n\nbcNext: 1\n\n")
        try:
            await reader.read()
        except OSError:
            pass
        finally:
            writer.transport.abort()
            gone.set()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with TextDoor.opened(f"{host}:{port}", "\n") as door:
            door.write("api x")
            first = await door.read()
            assert (first["Asked"], first.body) == ("api x", "a\n\nbc")
            assert (await door.read())["Next"] == "1"
        await gone.wait()
        await asyncio.sleep(0)


async def test_a_switch_that_talks_without_end_holds_nobody_up_and_is_left_in_time() -> None:
    """It has said all of it before the first block is read."""
    others = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.transport.is_closing():
            writer.write(b"Event: x\n\n" * 500)
            await asyncio.sleep(0)
        gone.set()

    async def turns() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    gone = asyncio.Event()
    async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        counting = asyncio.ensure_future(turns())
        async with TextDoor.opened(f"{host}:{port}", "\n") as door:
            await door.read()
            began = others
            for _ in range(400):
                await door.read()
            assert others - began >= 400
            with pytest.raises(ControlError, match="did not answer within"):
                async with limited("it", 0.05, "answer"):
                    while True:
                        await door.read()
        counting.cancel()
        await gone.wait()


def test_a_block_of_more_lines_than_a_switch_says_is_not_read() -> None:
    with pytest.raises(ControlError, match="more than 2000 lines"):
        Block.of("A\n" * 20_000, "\n")
