"""Many who send at the same moment are read in many turns, and each is answered once."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from aybiza.actors.runtime import VM
from aybiza.config.ports import bound
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.turnstile import Turnstile
from aybiza.gateway.http_server import HttpServer
from tests.call.caller import LIMIT

STRANGERS = 40
IN_A_TURN = 4
ASKED = b"GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n"


async def test_a_turn_of_the_loop_answers_few_and_all_are_answered() -> None:
    turn, answered = 0, list[int]()

    async def healthz(_: Request) -> PlainTextResponse:
        answered.append(turn)
        return PlainTextResponse("ok\n")

    def turned() -> None:
        nonlocal turn
        turn += 1
        ticking[0] = asyncio.get_running_loop().call_soon(turned)

    admission = Admission()
    admission.turnstile = Turnstile(IN_A_TURN)
    listening = bound("127.0.0.1", 0)
    async with VM() as vm, asyncio.timeout(LIMIT):
        app = Starlette(routes=[Route("/healthz", healthz)])
        await vm.start(HttpServer, listening, app, admission)
        address = listening.getsockname()
        strangers = [await asyncio.open_connection(*address) for _ in range(STRANGERS)]
        ticking = [asyncio.get_running_loop().call_soon(turned)]
        for _, writer in strangers:
            writer.write(ASKED * 3)
        said = [await reader.read() for reader, _ in strangers]
        ticking[0].cancel()
        for _, writer in strangers:
            writer.close()
    listening.close()
    assert [each.count(b"HTTP/1.1 200") for each in said] == [1] * STRANGERS
    assert max(map(answered.count, answered)) <= IN_A_TURN
