"""What comes from a server is read no further than it may be; its process has what it is given."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from aybiza.dialogue.tools.mcp_bounds import MESSAGE_BYTES, WINDOW_BYTES
from aybiza.dialogue.tools.mcp_transports import Bounded, stdio
from tests.slowness import slowness

JSON, EVENTS = "application/json", "text/event-stream"


def answering(size: int, kind: str, **headers: str) -> httpx2.AsyncClient:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(size // 10_000):
            yield b"x" * 10_000

    def answer(request: Any) -> Any:
        return httpx2.Response(200, headers={"content-type": kind, **headers}, content=body())

    return httpx2.AsyncClient(transport=Bounded(httpx2.MockTransport(answer)))


@pytest.mark.parametrize(
    ("size", "kind", "fits"),
    [
        (MESSAGE_BYTES, JSON, True),
        (MESSAGE_BYTES + 10_000, JSON, False),
        (2 * MESSAGE_BYTES, EVENTS, True),
        (WINDOW_BYTES + 10_000, EVENTS, False),
    ],
)
async def test_an_answer_is_read_up_to_its_bound(size: int, kind: str, fits: bool) -> None:
    async with answering(size, kind) as client:
        if fits:
            assert len((await client.get("http://x/")).content) == size
        else:
            with pytest.raises(httpx2.ReadError, match="than"):
                await client.get("http://x/")


async def test_an_answer_that_is_packed_is_refused() -> None:
    async with answering(10_000, JSON, **{"content-encoding": "gzip"}) as client:
        with pytest.raises(httpx2.DecodingError):
            await client.get("http://x/")


@pytest.mark.real_time
async def test_a_process_has_the_environment_that_it_is_given_and_its_last_words_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "s3cret")
    told = tmp_path / "told"
    program = (
        "import json, os, sys;"
        f"open({str(told)!r}, 'w').write(json.dumps(dict(os.environ)));"
        "sys.exit('no such shelf')"
    )
    why: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with stdio(sys.executable, ("-c", program), {"OWN": "1"}, tmp_path, why.set_result):
        async with asyncio.timeout(20 * slowness()):
            assert await why == "it has ended: no such shelf"
    environment = json.loads(told.read_text())
    assert environment["OWN"] == "1" and "OURS" not in environment and "PATH" in environment


async def test_an_end_that_is_cut_off_ends_the_process_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begin, begun = asyncio.create_subprocess_exec, asyncio.Queue[asyncio.subprocess.Process]()

    async def noted(*command: str, **options: Any) -> asyncio.subprocess.Process:
        begun.put_nowait(process := await begin(*command, **options))
        return process

    async def use() -> None:
        deaf = ("-c", "import time; time.sleep(3600)")
        async with stdio(sys.executable, deaf, {}, tmp_path, lambda _: None):
            await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    using = asyncio.create_task(use())
    async with asyncio.timeout(60 * slowness()):
        process = await begun.get()
        while not using.done():
            using.cancel()
            await asyncio.sleep(0.05)
        assert await process.wait() == -signal.SIGKILL
