"""The two ways to a server of the Model Context Protocol, with bounds that the SDK's own have not.

    stdio(command, args, environment, folder, ended)    its process, which ends with the context
    http(url, headers)                                  its endpoint (streamable HTTP)

Both give the streams that `mcp.Client` takes. A message is at most `MESSAGE_BYTES` long, and a
server that floods is left (`aybiza.dialogue.tools.mcp_bounds`). A process has the environment that
it is given, PATH and HOME, and nothing else; its group is ended with it: first its input is closed,
then it is asked to end, then it is killed. A guard (`mcp_guard.py`) kills it where this process is
killed.

Errors: the SDK's; a command that cannot be run has ended, and its last words say why.
Source: Model Context Protocol, "Transports"; `mcp.client.stdio`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2
import mcp_types
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from aybiza.dialogue.tools import mcp_guard
from aybiza.dialogue.tools.mcp_bounds import MESSAGE_BYTES, Flood, Meter

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 60.0
END_SECONDS: Final = 2.0
TOLD_BYTES: Final = 500
"""So much of what a server says last on its standard error is told if it does not start."""
_INHERITED: Final = ("PATH", "HOME", "LANG")

Streams = tuple[Any, Any]
Ended = Callable[[str], None]


@asynccontextmanager
async def stdio(
    command: str,
    args: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    ended: Ended,
) -> AsyncIterator[Streams]:
    """See the module. `ended` is told why nothing more comes, and what it said last."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    process = await _begun(
        asyncio.create_subprocess_exec(
            *_guarded(command, *args),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            env={**inherited, **environment},
            limit=MESSAGE_BYTES,
            # Not a session of its own: a loaded kernel shares processors out by sessions.
            process_group=0,
        )
    )
    told, received = anyio.create_memory_object_stream[Any](0)
    send, given = anyio.create_memory_object_stream[Any](0)
    said = bytearray()
    tasks = [
        asyncio.create_task(_read(process, told, ended, said)),
        asyncio.create_task(_write(process, given)),
        asyncio.create_task(_drain(process, said)),
    ]
    try:
        yield received, send
    finally:
        with anyio.CancelScope(shield=True):
            for task in tasks:
                task.cancel()
            try:
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                await _end(process)
                for stream in (told, received, send, given):
                    stream.close()


def _guarded(*command: str) -> tuple[str, ...]:
    """The command, run by a guard that ends it with this process."""
    return (sys.executable, "-I", "-S", mcp_guard.__file__, str(os.getpid()), *command)


async def _begun(
    begin: Coroutine[Any, Any, asyncio.subprocess.Process],
) -> asyncio.subprocess.Process:
    """The process; who is cancelled while it begins ends it."""
    beginning = asyncio.ensure_future(begin)
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            await _end(await beginning)
        raise


async def _read(
    process: asyncio.subprocess.Process, told: Any, ended: Ended, said: bytearray
) -> None:
    """Lines of its output to messages."""
    assert process.stdout is not None
    meter, why = Meter(), "it has ended"
    try:
        while line := await process.stdout.readline():
            meter.took(time.monotonic(), len(line))
            if line.strip():
                await told.send(_message(line))
    except (Flood, anyio.BrokenResourceError, anyio.ClosedResourceError) as fault:
        why = str(fault) or "nobody listens"
    except ValueError:
        why = f"a message is longer than {MESSAGE_BYTES} bytes"
    await asyncio.sleep(0)
    last = bytes(said).decode("utf-8", "replace").strip().splitlines()
    ended(f"{why}: {last[-1]}" if last else why)
    told.close()


def _message(line: bytes) -> Any:
    try:
        return SessionMessage(mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:
        # Its text may hold what was said on a call.
        return ValueError("a line is no message")


async def _write(process: asyncio.subprocess.Process, given: Any) -> None:
    """Messages to lines of its input."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        async for message in given:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()


async def _drain(process: asyncio.subprocess.Process, said: bytearray) -> None:
    """Keep the end of what it says on its standard error."""
    assert process.stderr is not None
    while piece := await process.stderr.read(4096):
        said += piece
        del said[:-TOLD_BYTES]


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it in order. Who is cancelled meanwhile ends it at once: nobody would later."""
    ending = asyncio.ensure_future(_asked_to_end(process))
    cut_off: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as error:
            cut_off = error
            _tell(process, signal.SIGKILL)
    if cut_off is not None:
        raise cut_off


async def _asked_to_end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            _tell(process, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
    # Else what an heir of its pipes holds open stays open here, too; nothing public closes it.
    if (transport := getattr(process, "_transport", None)) is not None:
        transport.close()


def _tell(process: asyncio.subprocess.Process, number: int) -> None:
    """Its children, too; where it has left some, it is they who are told."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


@asynccontextmanager
async def http(url: str, headers: Mapping[str, str]) -> AsyncIterator[Streams]:
    """See the module."""
    limits = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
    async with (
        httpx2.AsyncClient(
            headers={"User-Agent": "aybiza", "Accept-Encoding": "identity", **headers},
            timeout=limits,
            transport=Bounded(),
            follow_redirects=False,
            trust_env=False,
        ) as client,
        streamable_http_client(
            url, http_client=client, max_sse_event_size=MESSAGE_BYTES
        ) as streams,
    ):
        yield streams[0], streams[1]


class Bounded(httpx2.AsyncBaseTransport):  # type: ignore[misc]
    """Answers that are read no further than they may be."""

    def __init__(self, inner: Any = None) -> None:
        self._inner = inner or httpx2.AsyncHTTPTransport()
        self._meter = Meter()

    async def handle_async_request(self, request: Any) -> Any:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.DecodingError("it packs its answers, which nobody has asked for")
        endless = response.headers.get("content-type", "").startswith("text/event-stream")
        most = None if endless else MESSAGE_BYTES
        response.stream = _Counted(response.stream, self._meter, most)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):  # type: ignore[misc]
    """A body that ends where it is too long."""

    def __init__(self, inner: Any, meter: Meter, most: int | None) -> None:
        self._inner = inner
        self._meter = meter
        self._left = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            try:
                self._meter.took(time.monotonic(), len(piece))
            except Flood as fault:
                raise httpx2.ReadError(str(fault)) from None
            if self._left is not None:
                self._left -= len(piece)
                if self._left < 0:
                    raise httpx2.ReadError(f"the answer is longer than {MESSAGE_BYTES} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
