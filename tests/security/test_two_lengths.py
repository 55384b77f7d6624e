"""A request that says twice how long it is: a proxy in front may have believed the other one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from aybiza.actors.runtime import VM
from aybiza.config.ports import bound
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.http_admission import HttpAdmission
from aybiza.gateway.http_server import HttpServer
from tests.call.caller import LIMIT

SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n"
BODY = b"0\r\n\r\n" + SMUGGLED
BOTH = [
    b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(BODY),
    b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(BODY),
    b"transfer-encoding: chunked\r\ncontent-length: 0\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    b"Content-Length: 5\r\nContent-Length: %d\r\n" % len(BODY),
    b"Content-Length: +%d\r\n" % len(BODY),
    b"Content-Length : 5\r\n",
]


@pytest.mark.parametrize("path", [b"/incoming", b"/healthz", b"/console/act"])
async def test_nothing_behind_it_is_read_as_a_request(tmp_path: Path, path: bytes) -> None:
    asked: list[str] = []

    async def answer(request: Request) -> PlainTextResponse:
        asked.append(request.scope["path"])
        return PlainTextResponse("ok\n")

    admission = Admission()
    app = HttpAdmission(
        Starlette(routes=[Route("/{any:path}", answer, methods=["GET", "POST"])]),
        admission,
        lambda query, body: "busy",
    )
    listening = bound("127.0.0.1", 0)
    async with VM() as vm:
        await vm.start(HttpServer, listening, app, admission)
        for lengths in BOTH:
            asked.clear()
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(
                b"POST " + path + b" HTTP/1.1\r\nHost: node\r\n" + lengths + b"\r\n" + BODY
            )
            async with asyncio.timeout(LIMIT):
                said = await reader.read()
            writer.close()
            assert asked == []
            assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501")), lengths
            assert said.count(b"HTTP/1.1 ") == 1
    listening.close()
