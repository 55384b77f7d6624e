"""A streamed service on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from aybiza.emulators.streamed.faults import Fault, struck
from aybiza.emulators.streamed.server import StreamedServer
from aybiza.emulators.streamed.steps import Begin, End, Piece, Request, Step, error


class Echo:
    """Says the request's body, letter by letter; `fault` strikes it."""

    def __init__(self, fault: Fault | None = None) -> None:
        self._fault = fault

    async def answer(self, request: Request, arrived: float) -> Iterator[Step]:
        if request.target.path != "/":
            return error(404, {})
        letters = [Step(0.0, Piece(bytes([letter]))) for letter in request.body]
        return struck(iter([Step(0.0, Begin(200, [])), *letters, Step(0.01, End())]), self._fault)


async def test_an_answer_comes_in_pieces_and_its_connection_stays() -> None:
    async with StreamedServer(Echo()) as server, httpx.AsyncClient() as client:
        for _ in range(2):
            assert (await client.post(server.url, content=b"abc")).text == "abc"
        assert (await client.post(f"{server.url}/x")).status_code == 404
        assert server.accepted == 1


@pytest.mark.parametrize("fault", [Fault("cut", into=1), Fault("hang_up")], ids=lambda f: f.kind)
async def test_a_connection_breaks_on_demand(fault: Fault) -> None:
    async with StreamedServer(Echo(fault)) as server, httpx.AsyncClient() as client:
        with pytest.raises(httpx.HTTPError):
            await client.post(server.url, content=b"abc")
