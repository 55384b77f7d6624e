"""A handshake is read in its turn, whole, and what comes behind it is the TLS's."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from aybiza.actors.runtime import VM
from aybiza.config.ports import bound
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.tls import server_context
from aybiza.gateway.http_server import HttpServer
from tests.call.caller import LIMIT
from tests.gateway.admission.certificates import certificate, hello


async def test_a_peer_that_says_more_than_its_handshake_is_heard_to_the_end(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    tls, theirs = server_context(made, key), ssl.create_default_context(cafile=str(made))
    listening = bound("127.0.0.1", 0)

    async def healthz(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    async with VM() as vm, asyncio.timeout(LIMIT):
        app = Starlette(routes=[Route("/healthz", healthz)])
        await vm.start(HttpServer, listening, app, Admission(tls=tls))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        first, client, coming, going = hello(theirs)
        for at in range(len(first)):
            # A byte at a time, each in a turn of its own.
            writer.write(first[at : at + 1])
            await asyncio.sleep(0)
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                coming.write(await reader.read(4096))
        client.write(b"GET /healthz HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")
        # The end of the handshake and a request in one piece.
        writer.write(going.read())
        coming.write(await reader.read())
        answer = b""
        while piece := _read(client):
            answer += piece
        writer.close()
    listening.close()
    assert b"200 OK" in answer and answer.endswith(b"ok\n")


def _read(client: ssl.SSLObject) -> bytes:
    try:
        return client.read(4096)
    except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
        return b""
