"""A connection to a switch's control door: text in blocks of `Name: value`, one after the other.

    async with TextDoor.opened("127.0.0.1:8021", CRLF) as door:
        door.write("Action: Ping")
        block = await door.read()

Contract: a block is a mapping of its lines, of which the last of a name counts; `body` has what
follows it by its Content-Length. A block and a body have `MOST_BYTES`, and `MOST_LINES`; others
have their turn of the loop between two blocks. There is a connection for each piece of business; it
ends with it.

Errors: `ControlError` for a door that cannot be reached, that closes, or that says what nobody can
read. Waiting is bounded by who waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Self

from aybiza.gateway.control.control import ControlError

OPEN_SECONDS: Final = 1.0
MOST_BYTES: Final = 64 * 1024
MOST_LINES: Final = 2_000
"""An event of a switch has some two hundred, and a line for each variable of its call."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `lines` are in their order, for names that come more than once."""

    lines: Sequence[tuple[str, str]]
    body: str = ""
    named: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, end: str) -> Self:
        """The block of these lines, each of which has this end and no other: a value may hold what
        others take for one. A line without a name is passed over. Raises ControlError."""
        if text.count(end) > MOST_LINES:
            raise ControlError(f"more than {MOST_LINES} lines that nobody has asked for")
        parted = (line.partition(":") for line in text.split(end))
        lines = [(name.strip(), value.strip()) for name, colon, value in parted if colon]
        return cls(lines, named=dict(lines))

    def __getitem__(self, name: str) -> str:
        return self.named.get(name, "")


class TextDoor:
    """See the module. `end`: what a line ends with."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, where: str, end: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._where = where
        self._end = end

    @classmethod
    @asynccontextmanager
    async def opened(cls, where: str, end: str) -> AsyncIterator[Self]:
        """A connection to `where`, host:port."""
        host, _, port = where.rpartition(":")
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                opening = asyncio.open_connection(host, int(port), limit=MOST_BYTES)
                reader, writer = await opening
        except (OSError, TimeoutError) as error:
            raise ControlError(f"{where} cannot be reached ({type(error).__name__})") from None
        try:
            yield cls(reader, writer, where, end)
        finally:
            # All that was asked has been answered, or never will be.
            writer.transport.abort()
            await asyncio.sleep(0)

    def write(self, *lines: str) -> None:
        """Send a block of these lines."""
        assert not any("\n" in line or "\r" in line for line in lines), "a line of many"
        self._writer.write((self._end.join((*lines, "")) + self._end).encode())

    async def line(self) -> str:
        """The next line, without a block around it."""
        return (await self._until(self._end)).strip()

    async def read(self) -> Block:
        """The next block."""
        # What has come already is not waited for: time limits, too, need a turn of the loop.
        await asyncio.sleep(0)
        block = Block.of(await self._until(self._end * 2), self._end)
        length = block["Content-Length"]
        if not length:
            return block
        if not length.isascii() or not length.isdecimal() or int(length) > MOST_BYTES:
            raise ControlError(f"{self._where} announces a body of {length[:20]!r} bytes")
        try:
            body = await self._reader.readexactly(int(length))
        except (OSError, EOFError) as error:
            raise self._lost(error) from None
        return Block(block.lines, body.decode("utf-8", "replace"), block.named)

    async def _until(self, end: str) -> str:
        try:
            return (await self._reader.readuntil(end.encode())).decode("utf-8", "replace")
        except (OSError, EOFError) as error:
            raise self._lost(error) from None
        except asyncio.LimitOverrunError:
            raise ControlError(f"{self._where} says more than anybody reads") from None

    def _lost(self, error: Exception) -> ControlError:
        return ControlError(f"{self._where} has closed the connection ({type(error).__name__})")


@asynccontextmanager
async def limited(who: str, seconds: float, what: str) -> AsyncIterator[None]:
    """What is done inside has so long, or `who` did not do `what`: a ControlError."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise ControlError(f"{who} did not {what} within {seconds:g} s") from None
