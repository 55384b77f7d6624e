"""Blocks of lines, one after the other."""

from __future__ import annotations

import asyncio

from aybiza.gateway.control.text_door import Block, TextDoor


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
