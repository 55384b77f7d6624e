"""A server of the Model Context Protocol, kept: connected, listed, asked, started again.

    server = McpServer("tickets", connect)      connect(ended) makes the streams of `mcp_transports`
    server.start()                              blocks until it has listed its tools
    server.listed                               those tools, as it told them then
    server.left_out                             what else it told, and why it is no tool
    await server.call("find", {…}, seconds)     what one gives
    server.close()                              blocks until its process has ended

It lives in a thread with a loop of its own, so what it floods, hangs or says at length costs the
calls' loop nothing. A server that ends, floods or has answered nothing `HUNG` times in a row is
left and connected to again, after a pause that grows (`aybiza.dialogue.tools.mcp_bounds`);
meanwhile its tools say that they are unavailable. A tool whose input it describes otherwise than at
the start, or no more, is not run: the model was told another, and the file has judged another.
What it tells and is not taken (`aybiza.dialogue.tools.mcp_listed`) is logged.

What it asks of us (a model's answer, words of the caller's, files) is refused.

Errors: `ValueError` from `start`, for people; `ToolError` from `call`, for the model.
Source: Model Context Protocol, "Tools"; the SDK `mcp`, `Client`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StartTimeout
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import structlog
from mcp import Client
from mcp.shared.exceptions import MCPError

from aybiza.dialogue.tool_registry import TOO_MUCH, ToolError
from aybiza.dialogue.tools.mcp_bounds import pause
from aybiza.dialogue.tools.mcp_listed import UNNAMED, Listed, chosen
from aybiza.dialogue.tools.mcp_transports import Ended, Streams

START_SECONDS: Final = 20.0
READY_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 10.0
RELIST_SECONDS: Final = 60.0
SOON_SECONDS: Final = 1.0
"""How soon its tools are listed again when it says that they have changed; no sooner again."""
MOST_CALLS: Final = 32
MOST_PAGES: Final = 20
HUNG: Final = 3
RESULT_CHARACTERS: Final = 16_000
AND_MORE: Final = "(and more)"

_REFUSALS: Final = frozenset({-32600, -32601, -32602})
"""JSON-RPC's codes of requests that nothing was done for."""

Connect = Callable[[Ended], AbstractAsyncContextManager[Streams]]

log = structlog.get_logger(__name__)


class McpServer:
    """See the module."""

    def __init__(self, name: str, connect: Connect, only: Collection[str] | None = None) -> None:
        """only: the tools that are wanted; left out: all."""
        self.name = name
        self.listed: list[Listed] = []
        self.left_out: dict[str, str] = {}
        self._only = only
        self._connect = connect
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._run, name=f"mcp-{name}", daemon=True)
        self._client: Client | None = None
        self._ready = asyncio.Event()
        self._news = asyncio.Event()
        self._lost = ""
        self._changed = False
        self._now: dict[str, str] = {}
        self._running = self._unanswered = 0
        self._first: Future[None] = Future()
        self._keeping: asyncio.Task[None] | None = None

    # From other threads

    def start(self) -> None:
        """See the module."""
        self._thread.start()
        try:
            self._first.result(START_SECONDS)
        except StartTimeout:
            self.close()
            raise ValueError(
                f"the server does not list its tools within {START_SECONDS:g} s"
            ) from None
        except Exception as error:
            self.close()
            raise ValueError(f"the server cannot be used: {error}") from None

    async def call(self, name: str, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """See the module. Cancelling it cancels the request at the server."""
        asked = asyncio.run_coroutine_threadsafe(self._call(name, dict(given), seconds), self._loop)
        return await asyncio.wrap_future(asked)

    def close(self) -> None:
        """See the module."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end)
            self._thread.join(CLOSE_SECONDS)
        if not self._thread.is_alive() and not self._loop.is_closed():
            self._loop.close()

    # In its own

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._keeping = self._loop.create_task(self._keep())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._keeping)
        # Requests that were under way.
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    def _end(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()

    def _is_lost(self, why: str) -> None:
        self._lost = self._lost or why
        self._client = None
        self._ready.clear()
        self._news.set()

    async def _keep(self) -> None:
        ends = 0
        while True:
            began, self._lost, self._changed = time.monotonic(), "", False
            try:
                async with asyncio.timeout(START_SECONDS) as limit:
                    await self._live(limit)
            except Exception as error:
                self._lost = self._lost or _told(error)
            finally:
                self._client = None
                self._ready.clear()
            if not self._first.done():
                self._first.set_exception(ValueError(self._lost))
                return
            ends, seconds = pause(ends, time.monotonic() - began)
            log.warning("mcp_server_lost", server=self.name, again_in=seconds)
            await asyncio.sleep(seconds)

    async def _live(self, limit: asyncio.Timeout) -> None:
        """From its start to its end."""
        transport: Any = self._connect(self._is_lost)
        async with Client(transport, cache=None, message_handler=self._heard) as client:
            await self._list(client)
            limit.reschedule(None)
            self._client, self._unanswered = client, 0
            self._ready.set()
            if not self._first.done():
                self._first.set_result(None)
            while not self._lost:
                try:
                    async with asyncio.timeout(SOON_SECONDS if self._changed else RELIST_SECONDS):
                        await self._news.wait()
                except TimeoutError:
                    self._changed = False
                    async with asyncio.timeout(START_SECONDS):
                        await self._list(client)
                self._news.clear()

    async def _heard(self, message: Any) -> None:
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            # Once: who says it again and again is not asked again and again.
            if not self._changed:
                self._news.set()
            self._changed = True

    async def _list(self, client: Client) -> None:
        found: list[Listed] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            found += [
                Listed(tool.name, tool.description or "", dict(tool.input_schema))
                for tool in page.tools
            ]
            cursor = page.next_cursor
            if cursor is None:
                break
        taken, left = chosen(found, self._only)
        if cursor is not None:
            left[AND_MORE] = f"it tells more than {MOST_PAGES} pages of tools"
        self._now = {tool.name: _print(tool) for tool in taken}
        if not self.listed:
            self.listed, self.left_out = taken, left
            if odd := {name: why for name, why in left.items() if why != UNNAMED}:
                names = sorted(odd)[:20]
                log.warning("mcp_tools_left_out", server=self.name, count=len(odd), tools=names)
            return
        changed = [tool.name for tool in self.listed if self._now.get(tool.name) != _print(tool)]
        if changed:
            log.warning("mcp_tools_changed", server=self.name, tools=sorted(changed)[:20])

    async def _call(self, name: str, given: dict[str, Any], seconds: float) -> dict[str, Any]:
        if self._running >= MOST_CALLS:
            raise ToolError("unavailable", "The system is busy. Nothing was done.")
        self._running += 1
        try:
            client = await self._connected()
            known = next((tool for tool in self.listed if tool.name == name), None)
            if known is None or self._now.get(name) != _print(known):
                raise ToolError("unavailable", "The system has changed. Nothing was done.")
            result = await self._asked(client, name, given, seconds)
        finally:
            self._running -= 1
        return result_of(result)

    async def _connected(self) -> Client:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            pass
        if self._client is None:
            raise ToolError("unavailable", "The system cannot be reached. Nothing was done.")
        return self._client

    async def _asked(self, client: Client, name: str, given: dict[str, Any], seconds: float) -> Any:
        try:
            async with asyncio.timeout(seconds):
                result = await client.call_tool(name, given)
        except Exception as fault:
            if isinstance(fault, MCPError) and fault.error.code in _REFUSALS:
                self._unanswered = 0  # a refusal is an answer
                raise ToolError("refused", _short(str(fault))) from None
            self._missed()
            raise
        except asyncio.CancelledError:
            self._missed()
            raise
        self._unanswered = 0
        return result

    def _missed(self) -> None:
        self._unanswered += 1
        if self._unanswered >= HUNG:
            self._is_lost(f"it has answered nothing {HUNG} times")


def result_of(result: Any) -> dict[str, Any]:
    """What a tool has given, as a JSON object: its structured content, or its texts. Raises
    ToolError for a result that is an error."""
    texts = [one.text for one in result.content if getattr(one, "type", "") == "text"]
    text = "\n".join(texts)
    if result.is_error:
        raise ToolError("failed_there", _short(text) or "The system says that it did not work.")
    if isinstance(result.structured_content, dict):
        return result.structured_content
    if len(text) > RESULT_CHARACTERS:
        raise ToolError(TOO_MUCH, "That is more than can be told. Ask for less.")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    told = value if isinstance(value, dict) else {"text": text}
    others = len(result.content) - len(texts)
    return {**told, "left_out": f"{others} that are no text"} if others else told


def _print(tool: Listed) -> str:
    return json.dumps(tool.schema, sort_keys=True, default=str)


def _short(text: str) -> str:
    return " ".join(text.split())[:300]


def _told(error: BaseException) -> str:
    """The innermost reason."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return f"it does not answer within {START_SECONDS:g} s"
    return _short(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
