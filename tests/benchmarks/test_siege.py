"""The strangers of a siege send what they say that they have sent, and end in time."""

from __future__ import annotations

import asyncio

import pytest

from aybiza.benchmarks.siege import besiege, main


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("connections", "5 connections"),
        ("events", "events on"),
        ("pings", "MB on"),
        ("slow", "bytes on 256 connections"),
    ],
)
async def test_each_kind_reaches_the_port(kind: str, told: str) -> None:
    came: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert told in await asyncio.to_thread(besiege, port, kind, "other", 5, 0.3)
    async with asyncio.timeout(10):
        while not came:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)
    server.close()
    await server.wait_closed()


def test_a_wrong_option_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--conections", "1"])
    assert ended.value.code == 2
    assert "--connections" in capsys.readouterr().err
