"""What the emulators that speak HTTP share: a port that is open as long as it should be."""

import asyncio

import httpx
import pytest

from aybiza.emulators.bedrock.connection import Connection, HttpRequest
from aybiza.emulators.http_service import HttpService


class Echo(HttpService):
    """Answers with the path; never answers `/never`."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port=port)
        self.ended = asyncio.Event()
        self.asked = asyncio.Event()

    async def _handle(self, connection: Connection, request: HttpRequest) -> None:
        if request.target.path == "/never":
            try:
                self.asked.set()
                await asyncio.Event().wait()
            finally:
                self.ended.set()
        await connection.answer(200, [], request.target.path.encode())


async def test_each_request_is_answered_at_the_address_that_it_names() -> None:
    async with Echo() as echo, httpx.AsyncClient(base_url=echo.url) as client:
        assert (await client.get("/one")).text == "/one"
        assert (await client.get("/two")).text == "/two"
        assert echo.accepted == 1


async def test_its_end_ends_what_is_being_answered_and_frees_the_port() -> None:
    async with Echo() as echo, httpx.AsyncClient(base_url=echo.url) as client:
        waiting = asyncio.ensure_future(client.get("/never"))
        await echo.asked.wait()
        await echo.stop()
        await echo.stop()
        assert echo.ended.is_set()
        with pytest.raises(httpx.TransportError):
            await waiting
        async with Echo(echo.port):
            pass


async def test_a_port_that_is_taken_is_told() -> None:
    async with Echo() as echo:
        with pytest.raises(OSError, match=str(echo.port)):
            await Echo(echo.port).start()
