"""A Redis server with what counting needs: one script of `limits`, and TTL. RESP2 on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class RedisDouble:
    """`counts`: by key; `silent`: takes everything and answers nothing."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.until: dict[str, float] = {}
        self.passwords: set[str] = set()
        self.silent = False
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while command := await _command(reader):
                if not self.silent:
                    writer.write(self.answer(command).encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, command: list[str]) -> str:
        match command[0].upper(), command[1:]:
            case "EVALSHA", [_, "1", key, expiry, amount]:
                if key not in self.counts:
                    self.until[key] = time.time() + int(expiry)
                self.counts[key] = self.counts.get(key, 0) + int(amount)
                return f":{self.counts[key]}\r\n"
            case "TTL", [key]:
                left = self.until.get(key, 0.0) - time.time()
                return f":{max(-2, round(left))}\r\n"
            case "AUTH", [*_, password]:
                self.passwords.add(password)
                return "+OK\r\n"
            case "HELLO", _:
                return "-ERR unknown command 'HELLO'\r\n"
        return "+OK\r\n"


@asynccontextmanager
async def redis_double() -> AsyncIterator[RedisDouble]:
    """A running one."""
    double = RedisDouble()
    server = await asyncio.start_server(double.serve, "127.0.0.1", 0)
    double.url = f"redis://:s3cret@127.0.0.1:{server.sockets[0].getsockname()[1]}/0?protocol=2"
    try:
        yield double
    finally:
        server.close()


async def _command(reader: asyncio.StreamReader) -> list[str]:
    head = await reader.readline()
    if not head:
        return []
    words = []
    for _ in range(int(head[1:])):
        length = int((await reader.readline())[1:])
        words.append((await reader.readexactly(length + 2))[:-2].decode())
    return words
