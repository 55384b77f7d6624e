"""Listening sockets: lent to one server after the other, and nobody is refused in between."""

from __future__ import annotations

import asyncio
import socket

import pytest

from aybiza.actors.runtime import SHUTDOWN, VM
from aybiza.config.ports import bound
from aybiza.gateway import listening
from aybiza.gateway.listening import retire


async def test_a_retired_server_serves_whom_it_has_accepted_and_nobody_else() -> None:
    async def answer_with(name: bytes, lent: socket.socket) -> asyncio.Server:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(name + await reader.readline())
            writer.close()

        return await asyncio.start_server(answer, sock=lent)

    async def knock() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port)

    async def answer_to(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b" hello\n")
        async with asyncio.timeout(60):
            answer = await reader.read()
        writer.close()
        return answer

    with bound("127.0.0.1", 0) as own:
        port = own.getsockname()[1]
        async with VM() as vm:
            first = await answer_with(b"first", own.dup())
            early = await knock()
            await asyncio.sleep(0)
            retire(vm, first.sockets, first.close)
            late = await knock()
            second = await answer_with(b"second", own.dup())
            assert await answer_to(*early) == b"first hello\n"
            assert await answer_to(*late) == b"second hello\n"
            second.close()
        assert not first.is_serving()


async def test_a_retired_server_is_closed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "RETIRE_SECONDS", 0.0)
    closed = asyncio.Event()
    async with VM() as vm:
        retire(vm, (), closed.set)
        async with asyncio.timeout(60):
            await closed.wait()
        for retired in vm.processes():
            await vm.join(retired)


async def test_the_end_of_the_vm_closes_it_at_once() -> None:
    closed: list[str] = []
    async with VM() as vm:
        retire(vm, (), lambda: closed.append("closed"))
        await asyncio.sleep(0)
        vm.exit(vm.processes()[0], SHUTDOWN)
    assert closed == ["closed"]
