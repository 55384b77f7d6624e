"""What both of Deepgram's sockets have in common: opening with a limit, sending, the end.

The SDK opens the socket, authenticates and sends. What comes is read from the SDK's own websocket and
decoded here: the SDK's models cost up to a millisecond a message on the loop and take some messages
for others.

Errors: `DeepgramRefused` (the handshake was answered with an HTTP status), `DeepgramClosed` (the
socket ended in another way than by close code 1000), `TimeoutError`, `OSError`.

Source: Deepgram, listen v1 and speak v1; deepgram-sdk, websocket clients.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

from deepgram.core.api_error import ApiError
from websockets.exceptions import ConnectionClosed

CLOSE_SECONDS = 2.0

_HINTS = {
    400: "a parameter of the connection is not accepted",
    401: "the API key is not accepted: check DEEPGRAM_API_KEY",
    402: "the project has no credit left",
    403: "the API key may not use this model or feature",
    429: "too many connections of this project at a time",
}


class DeepgramRefused(Exception):
    """The handshake was refused with HTTP `status`; `hint` says what that means."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.hint = _HINTS.get(status, "see Deepgram's status page")
        super().__init__(f"Deepgram refused the connection with status {status}: {self.hint}")


class DeepgramClosed(Exception):
    """The socket ended with close `code` (1006: without any) and `reason`."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"Deepgram closed the connection with code {code} {reason}".rstrip())


class DeepgramSocket:
    """An open socket; `socket` is the SDK's client of it."""

    def __init__(self, stack: AsyncExitStack, socket: Any) -> None:
        self._stack = stack
        self._socket = socket
        self._closed = False

    @classmethod
    async def connected(
        cls, opening: AbstractAsyncContextManager[Any], timeout: float
    ) -> tuple[AsyncExitStack, Any]:
        """Enter the SDK's context within `timeout` seconds."""
        stack = AsyncExitStack()
        try:
            async with asyncio.timeout(timeout):
                socket = await stack.enter_async_context(opening)
        except ApiError as error:
            raise DeepgramRefused(error.status_code or 0) from None
        except ConnectionClosed as error:
            raise _closed(error) from None
        return stack, socket

    async def send(self, action: Any) -> None:
        """Await one of the SDK's send coroutines."""
        try:
            await action
        except ConnectionClosed as error:
            raise _closed(error) from None

    async def messages(self) -> AsyncIterator[bytes | dict[str, Any]]:
        """What comes: audio as bytes, everything else as the decoded object. Ends on code 1000."""
        try:
            async for message in self._socket._websocket:
                if isinstance(message, bytes):
                    yield message
                    continue
                try:
                    decoded = json.loads(message)
                except ValueError:
                    continue
                if isinstance(decoded, dict):
                    yield decoded
        except ConnectionClosed as error:
            raise _closed(error) from None

    async def close(self) -> None:
        """Close the socket; idempotent, and over within `CLOSE_SECONDS`."""
        if self._closed:
            return
        self._closed = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._stack.aclose()
        except (TimeoutError, ConnectionClosed, OSError):
            transport = getattr(self._socket._websocket, "transport", None)
            if transport is not None:
                transport.abort()


def _closed(error: ConnectionClosed) -> DeepgramClosed:
    received = error.rcvd
    return DeepgramClosed(received.code, received.reason) if received else DeepgramClosed(1006, "")
