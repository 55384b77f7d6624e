"""Who asks and does not read the answer is given up, as who does not finish asking is."""

from __future__ import annotations

import asyncio
import socket

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from aybiza.actors.runtime import VM
from aybiza.config.ports import bound
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.waiting_room import WaitingRoom
from aybiza.gateway.http_server import HttpServer
from tests.call.caller import LIMIT

WAITING = 0.3
ANSWER = "ok\n" * 50_000
ASKED = b"GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"


async def healthz(_: Request) -> PlainTextResponse:
    return PlainTextResponse(ANSWER)


@pytest.mark.parametrize("asked", [ASKED, LAST], ids=["goes on", "closes"])
async def test_a_connection_that_does_not_read_its_answers_is_given_up(asked: bytes) -> None:
    refused: list[tuple[str, str]] = []

    def count(door: str, reason: str, address: str) -> None:
        refused.append((door, reason))

    admission = Admission()
    admission.room = WaitingRoom(count, seconds=WAITING)
    listening = bound("127.0.0.1", 0)
    # Small buffers in the kernel, so that it is the node that has to keep what is not read.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    loop = asyncio.get_running_loop()
    async with VM() as vm:
        await vm.start(
            HttpServer, listening, Starlette(routes=[Route("/healthz", healthz)]), admission
        )
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            stranger.setblocking(False)
            await loop.sock_connect(stranger, listening.getsockname())
            await loop.sock_sendall(stranger, asked)
            async with asyncio.timeout(LIMIT):
                while not refused:  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(0.01)
        assert refused == [("http", "slow")]
        assert len(admission.room) == 0
    listening.close()
