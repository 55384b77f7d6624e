"""What both of Deepgram's sockets have in common: opening with a limit, sending, the end.

The SDK opens the socket, authenticates and sends. What comes is read from the SDK's own websocket
and decoded here: the SDK's models cost up to a millisecond a message on the loop and take some
messages for others.

The time limits are kept here too. A websocket waits long for the other end's part in its closing,
so where that does not come in time the connection is cut.

Errors: `DeepgramRefused` (the handshake was answered with an HTTP status), `DeepgramClosed` (the
socket ended in another way than in order), `TimeoutError`, `OSError`.

Source: Deepgram, listen v1 and speak v1; deepgram-sdk, websocket clients.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Self

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from aybiza.config.asked_waits import asked_wait
from aybiza.speech.errors import SpeechClosed, SpeechRefused
from aybiza.speech.websocket import Message, Together

CLOSE_SECONDS = 2.0
# A cut connection is torn down in the next few rounds of the loop.
TEAR_DOWN_SECONDS = 0.5
# So many cancellations end any opening: each round it handles at most one.
_CANCELLATIONS = 10

JSON_BYTES: Final = 96 * 1024
"""The longest message that is read: it takes the loop 2 ms. The words of a turn of ten minutes are
shorter."""
MOST_TOLD: Final = 10
"""Errors and warnings of one socket that are told."""
TOLD_CHARACTERS: Final = 300

_HINTS = {
    400: "a parameter of the connection is not accepted",
    401: "the API key is not accepted: check DEEPGRAM_API_KEY",
    402: "the project has no credit left",
    403: "the API key may not use this model or feature",
    404: "there is no such endpoint: check DEEPGRAM_URL",
    429: "too many connections of this project at a time",
}


class DeepgramRefused(SpeechRefused):
    """The handshake was refused with HTTP `status`.

    `hint` says what that means, `detail` what Deepgram says of it, if anything.
    """

    def __init__(self, status: int, detail: str = "", wait: float = 0.0) -> None:
        self.hint = _HINTS.get(status, "see Deepgram's status page")
        self.detail = detail
        told = f" ({detail})" if detail else ""
        super().__init__(
            status,
            f"Deepgram refused the connection with status {status}: {self.hint}{told}",
            wait,
        )


class DeepgramClosed(SpeechClosed):
    """The socket ended with close `code` (1006: without any) and `reason`."""

    def __init__(self, code: int, reason: str) -> None:
        told = f"Deepgram closed the connection with code {code} {reason}".rstrip()
        super().__init__(code, reason, told)


def check_sdk(*sockets: type[Any]) -> None:
    """See that the SDK's socket classes keep their websocket where it is read from.

    Raises `ImportError` for an SDK that does not.
    """
    for kind in sockets:
        websocket = object()
        if getattr(kind(websocket=websocket), "_websocket", None) is not websocket:
            raise ImportError(
                f"this deepgram-sdk does not fit: {kind.__module__}.{kind.__name__} has no"
                " _websocket; install the version that constraints.txt names"
            )


class DeepgramSocket:
    """An open socket; `opening` is the SDK's context of it and `socket` what that gave."""

    def __init__(self, opening: AbstractAsyncContextManager[Any], socket: Any) -> None:
        self._opening = opening
        self._socket = socket
        self._websocket = socket._websocket
        self._closed = False
        self._told = 0

    @classmethod
    async def opened(cls, opening: AbstractAsyncContextManager[Any], timeout: float) -> Self:
        """Enter the SDK's context within `timeout` seconds."""
        entering = asyncio.ensure_future(_entered(opening))
        entering.add_done_callback(_retrieved)
        try:
            await asyncio.wait((entering,), timeout=timeout)
        except asyncio.CancelledError:
            await _given_up(entering)
            raise
        if not entering.done():
            await _given_up(entering)
            raise TimeoutError(f"Deepgram did not answer the handshake within {timeout:g} s")
        return cls(opening, entering.result())

    async def send(self, action: Any) -> None:
        """Await one of the SDK's send coroutines."""
        try:
            await action
        except ConnectionClosed as error:
            raise _closed(error) from None

    def offer(self, message: bytes | str) -> bool:
        """Send `message` at once; False, and nothing is sent, where `send` has to be awaited."""
        taken: bool = self._websocket.takes(message)
        return taken

    def read(self, message: bytes | str) -> Any:
        """The event of a message; None for one that says nothing here. Each session has its own."""
        raise NotImplementedError

    def complains(self, message: Mapping[str, Any]) -> dict[str, str] | None:
        """What an error or a warning says of itself, in short; None for one too many."""
        self._told += 1
        if self._told > MOST_TOLD:
            return None
        return {
            name: str(message[name])[:TOLD_CHARACTERS]
            for name in ("code", "variant", "description")
            if name in message
        }

    def divert(self, told: Callable[[Any], object]) -> None:
        """Have events told as they are read off the socket, without a change of tasks. To be
        iterated over is still what came before, all while some of that waits, and the end; where
        the connection has no short cut, everything."""
        if not isinstance(self._websocket, Together):
            return

        def take(messages: list[Message]) -> int:
            for count, (text, data) in enumerate(messages):
                try:
                    event = self.read(data.decode() if text else data)
                except UnicodeDecodeError:
                    # websockets has an answer to that.
                    return count
                if event is not None:
                    told(event)
            return len(messages)

        self._websocket.divert = take

    async def __aiter__(self) -> AsyncIterator[Any]:
        """The events that come. Ends when the socket was closed in order."""
        try:
            async for message in self._websocket:
                event = self.read(message)
                if event is not None:
                    yield event
        except ConnectionClosed as error:
            raise _closed(error) from None

    async def close(self) -> None:
        """Close the socket: in order within `CLOSE_SECONDS`, or else by cutting it; idempotent."""
        if self._closed:
            return
        self._closed = True
        closing = asyncio.ensure_future(self._opening.__aexit__(None, None, None))
        closing.add_done_callback(_retrieved)
        try:
            await asyncio.wait((closing,), timeout=CLOSE_SECONDS)
        finally:
            self._websocket.transport.abort()
        await asyncio.wait((closing,), timeout=TEAR_DOWN_SECONDS)


def object_of(message: bytes | str) -> dict[str, Any]:
    """The JSON object that a message is; an empty one for anything else, and for one that is longer
    than `JSON_BYTES`.

    >>> object_of('{"type": "Flushed"}'), object_of("[]")
    ({'type': 'Flushed'}, {})
    """
    if not 2 < len(message) <= JSON_BYTES:
        return {}
    try:
        decoded = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


async def _entered(opening: AbstractAsyncContextManager[Any]) -> Any:
    try:
        return await opening.__aenter__()
    except InvalidStatus as error:
        answer = error.response
        # As they came: one that came twice is no error of ours.
        headers = {name.lower(): value for name, value in answer.headers.raw_items()}
        told, wait = headers.get("dg-error", ""), asked_wait(headers)
        raise DeepgramRefused(answer.status_code, told, wait) from None
    except ConnectionClosed as error:
        raise _closed(error) from None
    except WebSocketException as error:
        raise DeepgramClosed(1006, f"in the handshake: {error}") from None


async def _given_up(entering: asyncio.Future[Any]) -> None:
    """End an opening that nobody waits for any more, whatever it is at."""
    for _ in range(_CANCELLATIONS):
        if entering.done():
            break
        entering.cancel()
        await asyncio.sleep(0)
    opened = entering.done() and not entering.cancelled() and entering.exception() is None
    if opened:
        entering.result()._websocket.transport.abort()


def _retrieved(future: asyncio.Future[Any]) -> None:
    """What an opening or a closing ended with is no news to anybody who has not waited for it."""
    with contextlib.suppress(asyncio.CancelledError):
        future.exception()


def _closed(error: ConnectionClosed) -> DeepgramClosed:
    close = error.rcvd or error.sent
    return DeepgramClosed(close.code, close.reason) if close else DeepgramClosed(1006, "")
