"""A chat service for one process: what `BedrockClient.stream` is for Bedrock, over httpx.

    chat = ChatClient("https://api.openai.com/v1", key)
    stream = chat.stream(request, timeout=20.0, first_event_timeout=8.0, silence_timeout=6.0)
    async with stream:
        async for event in stream: …            events of ConverseStream

`request` is one of `converse_request` with a chat model's id. Contract: no retries; every wait has
a limit; `cancel()` gives the connection up at once; connections are kept for the next request. The
answer is read on the loop.

Errors: `BedrockError` everywhere (`aybiza.claude.chat.errors`); the service's name for a wrong
request's member is told, its texts are not.
Source: OpenAI, create chat completion, streaming; httpx.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, Self

import httpx

from aybiza.claude.chat.errors import broken, refused, told
from aybiza.claude.chat.events import DONE, ChatEvents, Event, Lines, LineTooLong, error_of
from aybiza.claude.chat.request import chat_body
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.config.asked_waits import asked_wait
from aybiza.config.plain_answers import PLAIN, pieces

OPENAI_URL: Final = "https://api.openai.com/v1"
CONNECT_SECONDS: Final = 2.0
CLOSE_SECONDS: Final = 2.0
REST_SECONDS: Final = 0.5
WARM_SECONDS: Final = 30.0
ERROR_BYTES: Final = 64 * 1024
ANSWER_BYTES: Final = 32 * 1024 * 1024
"""Of one answer, a line for each token: some 250 bytes of it."""
SLICE_BYTES: Final = 4096
"""So much is read in a turn of the loop: a service that sends all at once holds nobody up."""

Pieces = AsyncIterator[bytes]


class ChatClient:
    """See the module; for one event loop. `api_key` is never logged. `pool_size`: requests at a
    time; a further one fails with kind `busy`. `transport`: another one than the network."""

    def __init__(
        self,
        url: str = OPENAI_URL,
        api_key: str = "",
        *,
        pool_size: int = 10,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._pool_size = pool_size
        self._transport = transport
        self._http: httpx.AsyncClient | None = None
        self._closing: set[asyncio.Task[None]] = set()
        # Others than OpenAI go by the older name, and some by that alone.
        self._limit = "max_completion_tokens" if self._url == OPENAI_URL else "max_tokens"

    async def warm(self) -> None:
        """Build the client, which reads certificates, so that no call waits for it."""
        async with asyncio.timeout(WARM_SECONDS):
            self._http = await asyncio.to_thread(self._built)

    def stream(
        self,
        request: Mapping[str, Any],
        *,
        region: str | None = None,
        timeout: float = 30.0,
        first_event_timeout: float = 10.0,
        silence_timeout: float | None = None,
    ) -> ChatStream:
        """As `BedrockClient.stream`; a chat service has no regions."""
        body = json.dumps(chat_body(request, limit=self._limit), ensure_ascii=False)
        send = partial(self._sent, body.encode())
        limits = (timeout, first_event_timeout, silence_timeout)
        return ChatStream(self, send, str(request.get("modelId", "")), limits)

    async def _sent(self, body: bytes) -> httpx.Response:
        """The head of the answer. A client that nobody has warmed is built off the loop, too."""
        http = self._http
        if http is None:
            built = await asyncio.to_thread(self._built)
            http = self._http = self._http or built
        asked = http.build_request("POST", f"{self._url}/chat/completions", content=body)
        return await http.send(asked, stream=True)

    async def aclose(self) -> None:
        """Give all connections up. Idempotent."""
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSE_SECONDS)
        if self._http is not None:
            await self._http.aclose()

    def let_go(self, response: httpx.Response, rest: Pieces | None) -> None:
        """End an answer in the background: nobody waits for its connection. `rest`: what is to be
        read of it first, so that the connection can be used again."""
        task = asyncio.get_running_loop().create_task(_ended(response, rest))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _built(self) -> httpx.AsyncClient:
        size = self._pool_size
        return httpx.AsyncClient(
            headers={
                "authorization": f"Bearer {self._api_key}",
                "content-type": "application/json",
                "accept": "text/event-stream",
                **PLAIN,
            },
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS, pool=0.5),
            limits=httpx.Limits(max_connections=size, max_keepalive_connections=size),
            transport=self._transport,
            trust_env=self._transport is None,
        )


class ChatStream:
    """The events of one answer; as `aybiza.claude.converse_stream.ConverseStream`."""

    def __init__(
        self,
        owner: ChatClient,
        send: Callable[[], Awaitable[httpx.Response]],
        model: str,
        limits: tuple[float, float, float | None],
    ) -> None:
        self.model = model
        self.region: str | None = None
        self.before_first_token = True
        self._owner = owner
        self._send = send
        self._response: httpx.Response | None = None
        self._total, self._first, self._silence = limits
        self._loop = asyncio.get_running_loop()
        self._began = self._last = self._loop.time()
        self._pieces: Pieces | None = None
        self._unread = b""
        self._size = 0
        self._lines = Lines()
        self._chunks = ChatEvents(lambda: f"chat_{secrets.token_hex(8)}")
        self._events: deque[Event] = deque()
        self._ended = False
        self._error: BedrockError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            await self._more()
        event = self._events.popleft()
        if "contentBlockDelta" in event:
            self.before_first_token = False
        return event

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cancel()

    def cancel(self) -> None:
        """End the stream: nothing that is still to come is wanted."""
        if self._error is None and not self._ended:
            self._error = self._made(ErrorKind.CANCELLED, "the stream was cancelled")
        response, self._response = self._response, None
        if response is not None:
            self._owner.let_go(response, self._pieces if self._chunks.complete else None)

    async def released(self) -> None:
        """There is no thread to be freed."""

    async def _more(self) -> None:
        """Wait for the next piece of the answer, within the limits."""
        try:
            async with asyncio.timeout_at(self._until()):
                if self._pieces is None:
                    self._pieces = await self._opened()
                if self._unread:
                    # A piece is what has come together: others have their turns in its midst.
                    await asyncio.sleep(0)
                else:
                    piece = await anext(self._pieces, None)
                    self._ended, self._unread = piece is None, piece or b""
                    self._size += len(self._unread)
            if self._size > ANSWER_BYTES:
                raise LineTooLong(f"an answer of more than {ANSWER_BYTES:,} bytes")
            part, self._unread = self._unread[:SLICE_BYTES], self._unread[SLICE_BYTES:]
            self._take(part)
        except TimeoutError:
            self._error = self._late()
        except asyncio.CancelledError:
            self.cancel()
            raise
        except Exception as error:
            self._error = broken(error, self.model, before_first_token=self.before_first_token)

    async def _opened(self) -> Pieces:
        self._response = response = await self._send()
        if response.status_code == httpx.codes.OK:
            return pieces(response)
        body = b""
        async for piece in pieces(response):
            body += piece
            if len(body) > ERROR_BYTES:
                break
        raise refused(response.status_code, body, self.model, asked_wait(response.headers))

    def _take(self, piece: bytes) -> None:
        for data in self._lines.feed(piece):
            if data == DONE:
                self._events += self._chunks.done()
                self._ended = True
                return
            chunk = json.loads(data)
            if not isinstance(chunk, Mapping):
                continue
            if (error := error_of(chunk)) is not None:
                untaken = any("contentBlockDelta" in event for event in self._events)
                raise told(
                    error, self.model, before_first_token=self.before_first_token and not untaken
                )
            if events := self._chunks.feed(chunk):
                self._events += events
                self._last = self._loop.time()

    def _until(self) -> float:
        due = self._began + self._total
        # Some services say at once that an answer begins, and then let it be waited for.
        if self.before_first_token:
            return min(due, self._began + self._first)
        return due if self._silence is None else min(due, self._last + self._silence)

    def _late(self) -> BedrockError:
        if self.before_first_token:
            message = f"no event within {self._first:g} s"
        elif self._loop.time() - self._began >= self._total:
            message = f"not finished within {self._total:g} s"
        else:
            message = f"silent for {self._silence:g} s in the middle of the answer"
        return self._made(ErrorKind.TIMEOUT, message)

    def _made(self, kind: ErrorKind, message: str) -> BedrockError:
        return BedrockError(kind, message, "", None, None, self.model, self.before_first_token)


async def _ended(response: httpx.Response, rest: Pieces | None) -> None:
    # Its connection is given up, or not; nobody waits for how.
    with contextlib.suppress(Exception):
        if rest is not None:
            async with asyncio.timeout(REST_SECONDS):
                async for _ in rest:
                    pass
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CLOSE_SECONDS):
            await response.aclose()
