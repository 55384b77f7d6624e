"""Hundreds of strangers who send the beginning of a TLS handshake, or of a websocket's, at the same
moment: a turn of the loop answers few of them, and an honest peer among them is served."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from aybiza.actors.runtime import VM
from aybiza.config.ports import bound
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.handshakes import IN_A_TURN
from aybiza.gateway.admission.rules import Knock
from aybiza.gateway.admission.tls import server_context
from aybiza.gateway.admission.turnstile import IN_A_TURN as REQUESTS_IN_A_TURN
from aybiza.gateway.http_server import HttpServer
from aybiza.gateway.media_server import MediaServer
from tests.call.caller import LIMIT
from tests.gateway.admission.certificates import certificate, hello

STRANGERS = 60


class Turns:
    """Counts the turns of the loop, and what happens in each."""

    def __init__(self) -> None:
        self.now = 0
        self.seen: list[int] = []
        self._next = asyncio.get_running_loop().call_soon(self._turned)

    def note(self) -> None:
        self.seen.append(self.now)

    def most(self) -> int:
        """The most in one turn."""
        return max(map(self.seen.count, self.seen))

    def stop(self) -> None:
        self._next.cancel()

    def _turned(self) -> None:
        self.now += 1
        self._next = asyncio.get_running_loop().call_soon(self._turned)


async def test_a_turn_of_the_loop_answers_few_tls_handshakes_and_an_honest_one_among_them(
    tmp_path: Path,
) -> None:
    made, key = certificate(tmp_path)
    tls, theirs = server_context(made, key), ssl.create_default_context(cafile=str(made))
    listening = bound("127.0.0.1", 0)

    async def healthz(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    async with VM() as vm, asyncio.timeout(LIMIT):
        app = Starlette(routes=[Route("/healthz", healthz)])
        await vm.start(HttpServer, listening, app, Admission(tls=tls))
        address = listening.getsockname()
        strangers = [await asyncio.open_connection(*address) for _ in range(STRANGERS)]
        said = [hello(theirs)[0] for _ in strangers]
        turns = Turns()
        # OpenSSL asks it in the midst of the first message of each.
        tls.sni_callback = lambda *_: turns.note()
        for (_, writer), told in zip(strangers, said, strict=True):
            writer.write(told)
        honest, asking = await asyncio.open_connection(*address, ssl=theirs)
        asking.write(b"GET /healthz HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")
        answer = await honest.read()
        for reader, writer in strangers:
            assert await reader.readexactly(1) == b"\x16"
            writer.close()
        asking.close()
        turns.stop()
    listening.close()
    assert b"200 OK" in answer
    assert len(turns.seen) >= STRANGERS and turns.most() <= IN_A_TURN


async def test_a_turn_of_the_loop_answers_few_handshakes_of_websockets() -> None:
    admission, listening = Admission(), bound("127.0.0.1", 0)
    asked = b"GET /nowhere HTTP/1.1\r\nHost: node\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    asked += b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    nobody: Callable[..., Any] = lambda *_: None  # noqa: E731
    async with VM() as vm, asyncio.timeout(LIMIT):
        await vm.start(MediaServer, listening, nobody, admission=admission)
        strangers = [
            await asyncio.open_connection(*listening.getsockname()) for _ in range(STRANGERS)
        ]
        turns, handshake = Turns(), admission.handshake

        async def noted(knock: Knock) -> Any:
            turns.note()
            return await handshake(knock)

        admission.handshake = noted  # type: ignore[method-assign]
        for _, writer in strangers:
            writer.write(asked)
        for reader, writer in strangers:
            assert b" 404 " in await reader.readline()
            writer.close()
        turns.stop()
    listening.close()
    assert len(turns.seen) == STRANGERS and turns.most() <= REQUESTS_IN_A_TURN
