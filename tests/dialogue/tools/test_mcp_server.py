"""Servers of the Model Context Protocol are kept, whatever they do: real ones, made with the SDK,
and rogue ones."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from aybiza.config.ports import free_port
from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools import mcp_server, mcp_transports
from aybiza.dialogue.tools.mcp_server import McpServer
from tests.slowness import slowness

HERE = Path(__file__).parent
LIMIT = 60.0 * slowness()

pytestmark = [
    pytest.mark.real_time,
]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """To import the SDK takes two seconds of a processor, at each end."""
    monkeypatch.setattr(mcp_server, "START_SECONDS", 60.0 * slowness())


@asynccontextmanager
async def kept(*command: str, url: str = "") -> AsyncIterator[McpServer]:
    def over_http(ended: Any) -> Any:
        return mcp_transports.http(url, {})

    args = [str(HERE / one) if one.endswith(".py") else one for one in command]
    own = partial(mcp_transports.stdio, sys.executable, args, {}, HERE)
    server = McpServer("desk", over_http if url else own)
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.close)


async def outcome(server: McpServer, name: str, given: Any = None, seconds: float = 5.0) -> Any:
    """What a tool gives, or the code of its refusal, or the name of its error."""
    try:
        return await server.call(name, given or {}, seconds * slowness())
    except ToolError as refused:
        return refused.code
    except Exception as error:
        return type(error).__name__


async def comes_back(server: McpServer, name: str, given: Any, expected: Any) -> None:
    async with asyncio.timeout(LIMIT):
        while await outcome(server, name, given) != expected:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.05)


@contextmanager
def served() -> Iterator[str]:
    """The desk at a port of this machine."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(HERE / "mcp_desk.py"), "--http", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/mcp"
    try:
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            try:
                httpx.get(url, timeout=1.0, headers={"Accept": "application/json"})
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


async def used(server: McpServer) -> None:
    """What every server is to do, whatever it is reached by."""
    assert {"find", "note", "odd name/with.all"} <= {tool.name for tool in server.listed}
    assert await outcome(server, "find", {"what": "tea"}) == {"found": "tea", "token": ""}
    assert await outcome(server, "odd name/with.all") == {"result": "odd"}
    assert await outcome(server, "fail", seconds=20) == "failed_there"
    assert await outcome(server, "unheard_of") == "unavailable"
    assert await outcome(server, "huge", {"size": 20_000}) in ("too_much", {"result": "x" * 20_000})
    assert await outcome(server, "huge", {"size": 3_000_000}) not in ("too_much", "unavailable")
    await comes_back(server, "find", {"what": "x"}, {"found": "x", "token": ""})


async def test_a_server_of_its_own_process_is_asked() -> None:
    async with kept("mcp_desk.py") as server:
        await used(server)


async def test_a_server_behind_http_is_asked() -> None:
    with served() as url:
        async with kept(url=url) as server:
            await used(server)


async def test_one_that_dies_comes_back() -> None:
    async with kept("mcp_rogue.py", "die") as server:
        first = server._client
        assert await outcome(server, "go") in ("MCPError", "ConnectionError")
        async with asyncio.timeout(LIMIT):
            while server._client in (None, first):  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)


async def test_one_that_hangs_is_left_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_server, "HUNG", 2)
    async with kept("mcp_rogue.py", "hang") as server:
        first = server._client
        for _ in range(2):
            assert await outcome(server, "go", seconds=0.2) == "TimeoutError"
        async with asyncio.timeout(LIMIT):
            while server._client in (None, first):  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("soon", [True, False])
async def test_a_tool_that_takes_something_else_now_is_not_run(
    monkeypatch: pytest.MonkeyPatch, soon: bool
) -> None:
    monkeypatch.setattr(mcp_server, "SOON_SECONDS" if soon else "RELIST_SECONDS", 0.1)
    async with kept("mcp_rogue.py", "change") as server:
        await comes_back(server, "go", {}, "unavailable")


@pytest.mark.parametrize("way", ["flood", "long"])
async def test_one_that_floods_is_left_and_the_loop_is_free_meanwhile(way: str) -> None:
    async with kept("mcp_rogue.py", way) as server:
        began = asyncio.get_running_loop().time()
        asked = asyncio.create_task(outcome(server, "go", seconds=20))
        longest = 0.0
        while not asked.done():
            before = asyncio.get_running_loop().time()
            await asyncio.sleep(0.005)
            longest = max(longest, asyncio.get_running_loop().time() - before)
        assert asked.result() in ("MCPError", "ConnectionError")
        assert asyncio.get_running_loop().time() - began < 15 * slowness()
        assert longest < slowness()


async def test_lines_that_are_no_messages_are_passed_over() -> None:
    async with kept("mcp_rogue.py", "garbage") as server:
        told = await outcome(server, "go")
        assert told == {"went": True, "left_out": "1 that are no text"}


async def test_nothing_of_it_is_left_when_it_is_closed() -> None:
    async with kept("mcp_rogue.py", "heirs") as server:
        told = await outcome(server, "go")
        child = int(told["text"])
        os.kill(child, 0)
    async with asyncio.timeout(LIMIT):
        while _lives(child):  # noqa: ASYNC110 - it is no child of ours
            await asyncio.sleep(0.02)


def _lives(pid: int) -> bool:
    """Whether it runs; who has ended and is not buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("command", "why", "seconds"),
    [
        (("mcp_rogue.py",), "IndexError: list index out of range", 10.0),
        (("no_such_file.py",), "No such file", 10.0),
        (("mcp_rogue.py", "silent"), "does not", 1.0),
    ],
)
async def test_one_that_does_not_start_is_told_in_time(
    command: tuple[str, ...], why: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_server, "START_SECONDS", seconds * slowness())
    with pytest.raises(ValueError, match=why):
        async with kept(*command):
            pass
