"""Bedrock through boto3, without blocking the event loop.

Purpose: run `converse_stream` in threads and hand its events to the loop. Contract: one boto3
Session and one client a region for the process; at most `pool_size` streams at a time, a further
one is refused at once; no retries (what to do after an error is the caller's decision); every wait
has a limit; `ConverseStream.cancel()` frees the thread at once. After `warm` a stream finds its
client, a thread and an open connection ready: they are kept while nothing is asked, and a
connection that a cancelled stream has cost is opened anew.
Errors: `BedrockError` everywhere.
Source: boto3 and botocore configuration; Bedrock runtime API, ConverseStream.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self, TypeVar

import boto3
import botocore
import structlog
from botocore.config import Config

from aybiza.claude.aws_session import aws_session
from aybiza.claude.converse_stream import ConverseStream
from aybiza.claude.errors import BedrockError, ErrorKind, classify
from aybiza.claude.hand_over import HandOver
from aybiza.claude.transport import Exchange, track_connections
from aybiza.claude.warming import knock, rehearse
from aybiza.claude.workers import AllBusy, Closed, WorkerPool
from aybiza.config.aws_answers import bounded
from aybiza.config.settings import Settings

T = TypeVar("T")

__all__ = ["BedrockClient", "ClientStatistics", "ConverseStream"]

_WARM_LIMIT_S: Final = 30.0
_OPEN_LIMIT_S: Final = 1.0
# A server closes a connection that is idle for longer.
_KEEP_S: Final = 45.0
# In a region: for one turn, and for the next while the first one's is being replaced.
_SPARE_CONNECTIONS: Final = 2
# Regions that cannot be reached are waited for side by side.
_WARMERS: Final = 8
_CLOSE_LIMIT_S: Final = 2.0
# Of one answer, an event for each token: some 250 bytes of it.
_ANSWER_BYTES: Final = 32 * 1024 * 1024

log = structlog.get_logger(__name__)


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
    silence between two bytes of an answer. credentials: `aws_access_key_id`,
    `aws_secret_access_key` and, if need be, `aws_session_token`; without them they are looked up as
    boto3 does.
    """

    def __init__(
        self,
        *,
        region: str,
        endpoint_url: str | None = None,
        pool_size: int = 10,
        connect_timeout_ms: int = 2_000,
        read_timeout_ms: int = 15_000,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        self._region = region
        self._credentials: dict[str, Any] = dict(credentials or {})
        self._endpoint_url = endpoint_url
        self._config = Config(
            connect_timeout=connect_timeout_ms / 1000,
            read_timeout=read_timeout_ms / 1000,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=pool_size,
            tcp_keepalive=True,
            parameter_validation=False,
            # Its own, botocore puts together anew for each request, at a quarter of the cost of it.
            user_agent=f"aybiza Boto3/{boto3.__version__} Botocore/{botocore.__version__}",
        )
        self._workers = WorkerPool(pool_size, name="bedrock")
        # Apart from the streams' threads: no caller waits because a connection is being warmed.
        self._warmers = WorkerPool(_WARMERS, name="bedrock-warm")
        self._building = threading.Lock()
        self._hand_over: HandOver | None = None
        self._session: boto3.Session | None = None
        self._clients: dict[str, Any] = {}
        self._streams: set[ConverseStream] = set()
        self._ended = {"finished": 0, "cancelled": 0, "failed": 0}
        self._started = 0
        self._refused = 0
        self._warmed: tuple[str, ...] = ()
        self._keeper: asyncio.TimerHandle | None = None
        self._started_before = 0
        self._unreachable: set[str] = set()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The client that these settings ask for."""
        url = settings.aws_endpoint_url_bedrock_runtime
        return cls(
            region=settings.aws_region,
            endpoint_url=str(url) if url else None,
            pool_size=settings.bedrock_pool_size,
            connect_timeout_ms=settings.bedrock_connection_timeout,
            read_timeout_ms=settings.bedrock_request_timeout,
            credentials=settings.aws_credentials,
        )

    async def warm(self, *regions: str) -> None:
        """Build the clients of `regions` (default: the client's own), load what they need, and open
        connections, so that no call waits for it; from now on they are kept.

        Raises BedrockError if a client cannot be built or it takes longer than 30 s. An endpoint
        that cannot be reached, or not within a second, and credentials that are not found, are
        logged.
        """
        self._warmed = regions or (self._region,)
        room = asyncio.Semaphore(_WARMERS)

        async def done(work: Callable[[str], object], region: str) -> None:
            async with room:
                await self._job(work, region)

        try:
            async with asyncio.timeout(_WARM_LIMIT_S):
                for region in self._warmed:
                    await done(self._client, region)
        except TimeoutError:
            raise BedrockError(
                ErrorKind.TIMEOUT,
                f"the Bedrock client was not ready within {_WARM_LIMIT_S:g} s; "
                "does a look-up of credentials hang?",
                region=self._region,
            ) from None
        each = [region for region in self._warmed for _ in range(_SPARE_CONNECTIONS)]
        try:
            async with asyncio.timeout(_OPEN_LIMIT_S):
                await asyncio.gather(*(done(self._open, region) for region in each))
        except TimeoutError:
            # Calls need not wait for it: what is open is kept, the rest is tried again.
            log.warning("bedrock_slow_to_reach", regions=list(self._warmed), seconds=_OPEN_LIMIT_S)
        self._workers.prestart(_SPARE_CONNECTIONS)
        self._keep_later()

    def stream(
        self,
        request: Mapping[str, Any],
        *,
        region: str | None = None,
        timeout: float = 30.0,
        first_event_timeout: float = 10.0,
        silence_timeout: float | None = None,
    ) -> ConverseStream:
        """Start `converse_stream(**request)` and return its events.

        timeout: limit in seconds for the whole stream, from now; first_event_timeout: for its
        first event; silence_timeout: between two events. When one is over, the stream fails with
        kind `timeout` and its thread is freed, whether or not anybody awaits it. Raises
        BedrockError of kind `busy` when all threads have a stream.
        """
        stream = ConverseStream(
            self._ended_stream,
            self._to_loop(),
            model=str(request.get("modelId", "")),
            region=region or self._region,
            timeout=timeout,
            first_event_timeout=first_event_timeout,
            silence_timeout=silence_timeout,
        )
        read = partial(stream.read, self._client, dict(request))
        try:
            stream.begin(self._run(read, stream.thread_free))
        except BedrockError as error:
            self._refused += error.kind is ErrorKind.BUSY
            raise
        self._streams.add(stream)
        self._started += 1
        return stream

    async def ask(self, work: Callable[[Any], T], *, model: str, timeout: float) -> T:
        """What `work` makes of the client's own region, in a thread: a request with a whole answer.

        After `timeout` seconds it fails with kind `timeout`, and the thread is freed. Raises
        BedrockError, of kind `busy` when no thread is free.
        """
        to_loop, exchange = self._to_loop(), Exchange()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        outcome: Callable[[], object] = partial(done.set_exception, _closed())

        def run() -> None:
            nonlocal outcome
            try:
                with exchange.entered():
                    outcome = partial(done.set_result, work(self._client(self._region)))
            except Exception as error:
                problem = classify(error, model=model, region=self._region)
                outcome = partial(done.set_exception, problem)

        self._run(run, lambda: to_loop.post(lambda: None if done.done() else outcome()))
        try:
            async with asyncio.timeout(timeout):
                return await done
        except TimeoutError:
            message = f"no answer within {timeout:g} s"
            raise BedrockError(ErrorKind.TIMEOUT, message, model=model) from None
        finally:
            if done.cancelled():
                exchange.sever()

    def has_room(self) -> bool:
        """Whether most threads are free: for requests that no caller waits for."""
        threads = self._workers.statistics()
        return threads.busy * 2 < threads.size

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
        self._warmers.close()
        self._warmed = ()
        if self._keeper is not None:
            self._keeper.cancel()
        for stream in list(self._streams):
            stream.cancel()
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _to_loop(self) -> HandOver:
        if self._hand_over is None:
            self._hand_over = HandOver()
        return self._hand_over

    def _run(self, job: Callable[[], None], after: Callable[[], object]) -> Callable[[], None]:
        try:
            return self._workers.run(job, after)
        except AllBusy:
            size = self._workers.statistics().size
            raise BedrockError(
                ErrorKind.BUSY,
                f"all {size} Bedrock threads are busy; try again, or raise BEDROCK_POOL_SIZE",
                code="AllBusy",
                region=self._region,
            ) from None
        except Closed:
            raise _closed() from None

    def _job(self, work: Callable[[str], object], region: str) -> asyncio.Future[None]:
        """`work(region)` in a thread of the warmers; what it raises is the future's."""
        to_loop = self._to_loop()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        problem: Exception | None = None

        def run() -> None:
            nonlocal problem
            try:
                work(region)
            except Exception as error:
                problem = error

        def settle() -> None:
            if done.done():
                return
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(classify(problem, region=region))

        try:
            self._warmers.run(run, lambda: to_loop.post(settle))
        except AllBusy:
            # Others are at it.
            done.set_result(None)
        except Closed:
            done.set_exception(_closed())
        done.add_done_callback(_seen)
        return done

    def _open(self, region: str) -> None:
        """Have a connection opened, in a thread."""
        client = self._client(region)
        try:
            knock(client)
        except Exception as error:
            if region not in self._unreachable:
                self._unreachable.add(region)
                kind = type(error).__name__
                log.warning("bedrock_not_reached", region=region, kind=kind, error=str(error))
        else:
            self._unreachable.discard(region)

    def _keep_later(self) -> None:
        if self._warmed:
            loop = asyncio.get_running_loop()
            self._keeper = loop.call_later(_KEEP_S, self._keep)

    def _keep(self) -> None:
        """Use the connections that nobody has used for a while."""
        if self._started == self._started_before:
            for region in self._warmed:
                for _ in range(_SPARE_CONNECTIONS):
                    self._job(self._open, region)
        self._started_before = self._started
        self._keep_later()

    def _ended_stream(self, stream: ConverseStream, how: str) -> None:
        self._ended[how] += 1
        self._streams.discard(stream)
        if how == "cancelled" and stream.region in self._warmed:
            # Its connection is lost; the caller who broke in will want the next one soon.
            self._job(self._open, stream.region)

    def _client(self, region: str) -> Any:
        """The region's client; built at its first use. Blocks, so it is called in a thread only."""
        client = self._clients.get(region)
        if client is None:
            # Neither a Session's factory nor a second build of one client is safe in two threads.
            with self._building:
                client = self._clients.get(region)
                if client is None:
                    self._session = self._session or aws_session(**self._credentials)
                    client = self._session.client(
                        "bedrock-runtime",
                        region_name=region,
                        endpoint_url=self._endpoint_url,
                        config=self._config,
                    )
                    track_connections(client)
                    _rehearse(client, region)
                    bounded(client, _ANSWER_BYTES)
                    self._clients[region] = client
        return client

    def _close(self) -> None:
        self._workers.join(_CLOSE_LIMIT_S)
        self._warmers.join(_CLOSE_LIMIT_S)
        for client in self._clients.values():
            client.close()


def _rehearse(client: Any, region: str) -> None:
    try:
        rehearse(client)
    except Exception as error:
        # The first real request will say so to its caller; here it is for whoever starts the node.
        kind = type(error).__name__
        log.warning("bedrock_rehearsal_failed", region=region, kind=kind, error=str(error))


def _closed() -> BedrockError:
    return BedrockError(ErrorKind.CANCELLED, "the Bedrock client is closed", code="Closed")


def _seen(done: asyncio.Future[None]) -> None:
    # Not everyone who has a connection opened waits for it.
    if not done.cancelled():
        done.exception()
