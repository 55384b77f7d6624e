"""Bedrock through boto3, without blocking the event loop.

Purpose: run `converse_stream` in threads and hand its events to the loop. Contract: one boto3
Session and one client a region for the process; at most `pool_size` streams at a time, a further
one is refused at once; no retries (what to do after an error is the caller's decision); every wait
has a limit; `ConverseStream.cancel()` frees the thread at once.
Errors: `BedrockError` everywhere.
Source: boto3 and botocore configuration; Bedrock runtime API, ConverseStream.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self

import boto3
import structlog
from botocore.config import Config

from claude.errors import BedrockError, ErrorKind, classify
from claude.transport import Exchange, Severed, track_connections
from claude.workers import AllBusy, Closed, WorkerPool

log = structlog.get_logger(__name__)

Event = Mapping[str, Any]

# Events that a thread may be ahead of the loop; a lagging loop makes the thread wait.
_HAND_OVER: Final = 64
# How long a cancelled thread may take to return before its place is given to another.
_ABANDON_AFTER_S: Final = 0.25
_WARM_LIMIT_S: Final = 30.0
_CLOSE_LIMIT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class ClientStatistics:
    """pool_size, busy, idle, abandoned: threads. started, finished, cancelled, failed: streams so
    far (each started one ends in exactly one of the other three). refused: streams for which no
    thread was free."""

    pool_size: int
    busy: int
    idle: int
    abandoned: int
    started: int
    finished: int
    cancelled: int
    failed: int
    refused: int


class BedrockClient:
    """Streams from Bedrock for one process; to be used from one event loop.

    region: where requests go that name none. endpoint_url: another endpoint than AWS's; None takes
    `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`, or AWS. pool_size: streams at a time, which are threads and
    connections. connect_timeout_ms: limit for opening a connection. read_timeout_ms: longest
    silence between two bytes of an answer. Credentials are looked up as boto3 does.
    """

    def __init__(
        self,
        *,
        region: str,
        endpoint_url: str | None = None,
        pool_size: int = 10,
        connect_timeout_ms: int = 2_000,
        read_timeout_ms: int = 15_000,
    ) -> None:
        self._region = region
        self._endpoint_url = endpoint_url
        self._config = Config(
            connect_timeout=connect_timeout_ms / 1000,
            read_timeout=read_timeout_ms / 1000,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=pool_size,
            tcp_keepalive=True,
            parameter_validation=False,
        )
        self._workers = WorkerPool(pool_size, name="bedrock")
        self._building = threading.Lock()
        self._session: boto3.Session | None = None
        self._clients: dict[str, Any] = {}
        self._streams: set[ConverseStream] = set()
        self._ended = {"finished": 0, "cancelled": 0, "failed": 0}
        self._started = 0
        self._refused = 0

    async def warm(self, *regions: str) -> None:
        """Build the clients of `regions` (default: the client's own), so that no call waits for it.

        Raises BedrockError if that fails or takes longer than 30 s.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        error: Exception | None = None

        def settle() -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(classify(error, region=self._region))

        def build() -> None:
            nonlocal error
            try:
                for region in regions or (self._region,):
                    self._client(region)
            except Exception as problem:
                error = problem

        self._run(build, lambda: _call_soon(loop, settle))
        try:
            async with asyncio.timeout(_WARM_LIMIT_S):
                await done
        except TimeoutError:
            raise BedrockError(
                ErrorKind.TIMEOUT,
                f"the Bedrock client was not ready within {_WARM_LIMIT_S:g} s; "
                "does a look-up of credentials hang?",
                region=self._region,
            ) from None

    def stream(
        self,
        request: Mapping[str, Any],
        *,
        region: str | None = None,
        timeout: float = 30.0,
        first_event_timeout: float = 10.0,
    ) -> ConverseStream:
        """Start `converse_stream(**request)` and return its events.

        timeout: limit in seconds for the whole stream, from now; first_event_timeout: for its
        first event. When one is over, the stream fails with kind `timeout` and its thread is
        freed, whether or not anybody awaits it. Raises BedrockError of kind `busy` when all
        threads have a stream.
        """
        stream = ConverseStream(
            self._ended_stream,
            model=str(request.get("modelId", "")),
            region=region or self._region,
            timeout=timeout,
            first_event_timeout=first_event_timeout,
        )
        read = partial(stream._read, self._client, dict(request))
        stream._begin(self._run(read, stream._thread_free))
        self._streams.add(stream)
        self._started += 1
        return stream

    def statistics(self) -> ClientStatistics:
        """Counts since the client was made, and its threads now."""
        threads = self._workers.statistics()
        return ClientStatistics(
            pool_size=threads.size,
            busy=threads.busy,
            idle=threads.idle,
            abandoned=threads.abandoned,
            started=self._started,
            refused=self._refused,
            **self._ended,
        )

    async def aclose(self) -> None:
        """Cancel all streams, end all threads and connections; at most about 2 s. Idempotent."""
        self._workers.close()
        for stream in list(self._streams):
            stream.cancel()
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _run(self, job: Callable[[], None], after: Callable[[], object]) -> Callable[[], None]:
        try:
            return self._workers.run(job, after)
        except AllBusy:
            self._refused += 1
            size = self._workers.statistics().size
            raise BedrockError(
                ErrorKind.BUSY,
                f"all {size} Bedrock threads are busy; try again, or raise BEDROCK_POOL_SIZE",
                code="AllBusy",
                region=self._region,
            ) from None
        except Closed:
            raise BedrockError(
                ErrorKind.CANCELLED, "the Bedrock client is closed", code="Closed"
            ) from None

    def _ended_stream(self, stream: ConverseStream, how: str) -> None:
        self._ended[how] += 1
        self._streams.discard(stream)

    def _client(self, region: str) -> Any:
        """The region's client; built at its first use. Blocks, so it is called in a thread only."""
        client = self._clients.get(region)
        if client is None:
            # Neither a Session's factory nor a second build of one client is safe in two threads.
            with self._building:
                client = self._clients.get(region)
                if client is None:
                    self._session = self._session or boto3.Session()
                    client = self._session.client(
                        "bedrock-runtime",
                        region_name=region,
                        endpoint_url=self._endpoint_url,
                        config=self._config,
                    )
                    track_connections(client)
                    self._clients[region] = client
        return client

    def _close(self) -> None:
        self._workers.join(_CLOSE_LIMIT_S)
        for client in self._clients.values():
            client.close()


class ConverseStream:
    """The events of one `converse_stream`, as an async iterator of boto3's event dicts.

    Iteration ends after the last event and raises `BedrockError` otherwise. A task that is
    cancelled while it awaits the next event ends the stream with it. `async with` cancels at its
    end whatever is left. For one consumer, on the loop where it was made.
    """

    def __init__(
        self,
        on_end: Callable[[ConverseStream, str], None],
        *,
        model: str,
        region: str,
        timeout: float,
        first_event_timeout: float,
    ) -> None:
        self.model = model
        self.region = region
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._exchange = Exchange()
        self._room = threading.Semaphore(_HAND_OVER)
        self._events: deque[Event] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._error: BedrockError | None = None
        self._failure: Exception | None = None
        self._released: asyncio.Future[None] = self._loop.create_future()
        self._deadline = time.monotonic() + timeout
        self._limits = {"first": first_event_timeout, "total": timeout}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._abandon: Callable[[], None] | None = None
        self._before_first_token = True

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            if self._waiter is not None:
                raise RuntimeError("a ConverseStream has one consumer; another task awaits it")
            self._waiter = self._loop.create_future()
            try:
                # Bounded by the two timers, which end the stream.
                await self._waiter
            except asyncio.CancelledError:
                self.cancel()
                raise
            finally:
                self._waiter = None
        event = self._events.popleft()
        self._room.release()
        if "contentBlockDelta" in event:
            self._before_first_token = False
        return event

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cancel()

    @property
    def before_first_token(self) -> bool:
        """Whether nothing of the answer has been taken from the stream yet."""
        return self._before_first_token

    @property
    def buffered(self) -> int:
        """Events that have come and were not taken yet; at most 64."""
        return len(self._events)

    def cancel(self) -> None:
        """End the stream now: its thread is freed, events not yet taken are dropped, and whoever
        awaits the next gets `BedrockError` of kind `cancelled`. Does nothing to an ended stream."""
        self._stop("cancelled", ErrorKind.CANCELLED, "the stream was cancelled")

    async def released(self) -> None:
        """Wait until the stream's thread has let go of it, or was given up; well under a second
        after the stream has ended."""
        await asyncio.shield(self._released)

    def _begin(self, abandon: Callable[[], None]) -> None:
        self._abandon = abandon
        says = {"first": "no event within {:g} s", "total": "not finished within {:g} s"}
        for name, limit in self._limits.items():
            message = says[name].format(limit)
            self._timers[name] = self._loop.call_later(
                limit, self._stop, "failed", ErrorKind.TIMEOUT, message
            )

    def _stop(self, how: str, kind: ErrorKind, message: str) -> None:
        """End the stream from the loop's side: nothing that is still to come is wanted."""
        if self._ended:
            return
        self._exchange.sever()
        self._room.release()
        self._events.clear()
        error = BedrockError(
            kind,
            message,
            region=self.region,
            model=self.model,
            before_first_token=self._before_first_token,
        )
        self._end(how, error)
        self._timers["abandon"] = self._loop.call_later(_ABANDON_AFTER_S, self._give_up)

    def _end(self, how: str, error: BedrockError | None) -> None:
        self._ended = True
        self._error = error
        for timer in self._timers.values():
            timer.cancel()
        self._on_end(self, how)
        self._wake()

    def _give_up(self) -> None:
        if not self._released.done() and self._abandon is not None:
            self._abandon()
            self._released.set_result(None)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _arrived(self, event: Event) -> None:
        if not self._ended:
            self._timers["first"].cancel()
            self._events.append(event)
            self._wake()

    def _left(self) -> None:
        """The thread is done with this stream and free; all its events have arrived."""
        failure, self._failure = self._failure, None
        if not self._released.done():
            self._released.set_result(None)
        if self._ended:
            if abandon := self._timers.get("abandon"):
                abandon.cancel()
            return
        if failure is None:
            self._end("finished", None)
            return
        untaken = any("contentBlockDelta" in event for event in self._events)
        error = classify(
            failure,
            region=self.region,
            model=self.model,
            before_first_token=self._before_first_token and not untaken,
        )
        self._end("failed", error)

    # In the stream's thread.

    def _read(self, client_of: Callable[[str], Any], request: dict[str, Any]) -> None:
        """The thread's whole work for this stream."""
        try:
            with self._exchange.entered():
                self._exchange.check()
                answer = client_of(self.region).converse_stream(**request)
                with contextlib.closing(answer["stream"]) as events:
                    self._exchange.reading(events)
                    for event in events:
                        self._hand_over(event)
        except Exception as error:
            self._failure = error

    def _thread_free(self) -> None:
        _call_soon(self._loop, self._left)

    def _hand_over(self, event: Event) -> None:
        left = self._deadline - time.monotonic()
        if not self._room.acquire(timeout=max(left, 0.0)):
            raise TimeoutError("nobody took the stream's events in time")
        self._exchange.check()
        if not _call_soon(self._loop, partial(self._arrived, event)):
            raise Severed


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> bool:
    """False: the loop is closed, nobody is left to be told."""
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        return False
    return True
