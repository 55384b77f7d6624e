"""Who sends more than anybody reads, and goes, leaves nothing behind at Asterisk's door."""

from __future__ import annotations

import asyncio
from typing import cast

from aybiza.gateway.carriers.audio_socket import BACKLOG, AudioSocket
from aybiza.gateway.carriers.audio_socket_codec import message


class Gone:
    """A connection that nothing can be written to."""

    @property
    def transport(self) -> Gone:
        return self

    def abort(self) -> None:
        """It is gone."""

    def write(self, data: bytes) -> None:
        """Nobody reads it."""


async def test_a_connection_that_nobody_reads_ends_when_it_is_told_to() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(message(3, b"5") * (2 * BACKLOG))
    connection = AudioSocket(reader, cast(asyncio.StreamWriter, Gone()))
    running = asyncio.create_task(connection.run())
    while not connection._incoming.full():  # noqa: ASYNC110
        await asyncio.sleep(0)
    running.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(running, return_exceptions=True)
    async with asyncio.timeout(5):
        assert len([frame async for frame in connection]) < BACKLOG
