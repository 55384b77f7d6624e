"""A streamed service in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from aybiza.emulators.streamed.faults import Fault, struck
from aybiza.emulators.streamed.steps import Begin, End, Piece, Request, Step, error
from aybiza.faults.memory_http import ROUND_TRIP_SECONDS, MemoryHttp
from aybiza.faults.virtual import ambient


class Slow:
    """Three pieces, one a second."""

    def __init__(self, fault: Fault | None = None) -> None:
        self._fault = fault

    async def answer(self, request: Request, arrived: float) -> Iterator[Step]:
        if request.target.path != "/say":
            return error(404, {"no": request.target.path})
        pieces = [Step(float(at), Piece(b"x")) for at in (1, 2, 3)]
        return struck(iter([Step(0.0, Begin(200, [])), *pieces, Step(3.0, End())]), self._fault)


def said(fault: Fault | None = None, path: str = "/say") -> tuple[httpx.Response, list[float]]:
    async def run() -> tuple[httpx.Response, list[float]]:
        line, times = MemoryHttp(Slow(fault)), []
        loop = asyncio.get_running_loop()
        async with httpx.AsyncClient(transport=line, trust_env=False) as client:
            async with client.stream("POST", f"http://h{path}") as response:
                began = loop.time() - ROUND_TRIP_SECONDS
                async for piece in response.aiter_bytes():
                    times += [round(loop.time() - began, 3)] * len(piece)
            assert not line.open and len(line.opened) == 1
            return response, times

    with ambient(0) as loop, asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(run())


def test_pieces_come_when_they_are_due() -> None:
    response, times = said()
    assert response.status_code == 200 and times == [1, 2, 3]


def test_a_whole_answer_comes_at_once() -> None:
    assert said(path="/other")[0].status_code == 404


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault("cut", into=1), httpx.ReadError), (Fault("hang_up"), httpx.RemoteProtocolError)],
)
def test_broken_connections_are_httpx_errors(fault: Fault, error: type[Exception]) -> None:
    with pytest.raises(error):
        said(fault)


def test_a_stall_takes_its_time() -> None:
    assert said(Fault("stall", into=1, seconds=9.0))[1] == [1, 11, 11]
