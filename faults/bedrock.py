"""Bedrock in memory: the client's streams, answered by the emulator on the same loop.

`MemoryBedrock.stream` is `BedrockClient.stream` without threads: the request goes to the emulator's
service as JSON, is validated and answered there as over the wire, and the event-stream frames that
come back go through botocore's own parser. Errors are classified by the client's own table.

Errors: `BedrockError` everywhere.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, Self, cast

import botocore.session
from botocore.eventstream import EventStream, EventStreamBuffer
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import create_parser
from urllib3.exceptions import ProtocolError

from aybiza.claude.billing import cost_of
from aybiza.claude.choice import Policy
from aybiza.claude.errors import BedrockError, ErrorKind, classify
from aybiza.claude.stream import Usage
from aybiza.emulators.bedrock.connection import ClientLeft, Connection, Headers
from aybiza.emulators.bedrock.service import Bedrock
from aybiza.emulators.bedrock.stream import Performer

Event = dict[str, Any]
Note = Callable[..., None]


@functools.cache
def _reader() -> Any:
    """botocore's reader of the events of ConverseStream."""
    model = botocore.session.Session().get_service_model("bedrock-runtime")
    output: Any = model.operation_model("ConverseStream").output_shape
    parser: Any = create_parser("rest-json")
    events: Any = EventStream
    shape = output.members["stream"]
    return events(_NoBody(), shape, parser._event_stream_parser, "ConverseStream")


class _NoBody:
    def stream(self) -> list[bytes]:
        return []

    def close(self) -> None:
        """There is nothing to close."""


class MemoryBedrock:
    """See the module. `streams` are those that are open, `opened` when there was a new connection:
    an exchange that comes to its end leaves its own to the next one."""

    def __init__(self, service: Bedrock, region: str, note: Note) -> None:
        self._service = service
        self._region = region
        self._note = note
        self.streams: set[MemoryStream] = set()
        self.opened: list[float] = []
        self._idle: Counter[str] = Counter()
        self.used: list[tuple[str, dict[str, Any]]] = []
        """What the answers that were taken to their end have used, by model."""

    def owed(self, policy: Policy) -> int:
        """What the answers that were taken to their end have cost, in micro-USD."""
        return sum(
            cost_of(policy.profile(model), usage_of(used)).total for model, used in self.used
        )

    def has_room(self) -> bool:
        """Whether there is room for requests that no caller waits for."""
        return True

    def stream(
        self,
        request: Mapping[str, Any],
        *,
        region: str | None = None,
        timeout: float = 30.0,
        first_event_timeout: float = 10.0,
        silence_timeout: float | None = None,
    ) -> MemoryStream:
        """As `BedrockClient.stream`."""
        limits = {"total": timeout, "first": first_event_timeout, "silence": silence_timeout}
        stream = MemoryStream(self, request, region or self._region, limits)
        self.streams.add(stream)
        if self._idle[stream.region]:
            self._idle[stream.region] -= 1
        else:
            self.opened.append(asyncio.get_running_loop().time())
        self._note("asked", model=stream.model, region=stream.region)
        stream.task = asyncio.get_running_loop().create_task(stream.ask(self._service))
        return stream

    def closed(self, stream: MemoryStream, *, whole: bool) -> None:
        """A stream is over; `whole`: its connection can be used again."""
        if stream in self.streams:
            self.streams.discard(stream)
            self._idle[stream.region] += whole


class MemoryStream:
    """The events of one answer; as `aybiza.claude.converse_stream.ConverseStream`."""

    def __init__(
        self,
        owner: MemoryBedrock,
        request: Mapping[str, Any],
        region: str,
        limits: Mapping[str, float | None],
    ) -> None:
        self.model = str(request.get("modelId", ""))
        self.region = region
        self.task: asyncio.Task[None] | None = None
        self.before_first_token = True
        self._owner = owner
        self._body = {key: value for key, value in request.items() if key != "modelId"}
        self._limits = limits
        self._connection = _Connection()
        self._loop = asyncio.get_running_loop()
        self._began = self._last = self._loop.time()
        self._seen = False
        self._complete = False
        self._events: deque[Event] = deque()
        self._error: BedrockError | None = None
        self._buffer = EventStreamBuffer()

    async def ask(self, service: Bedrock) -> None:
        """Have the emulator answer, for a task of its own."""
        body = json.dumps(self._body, default=_blob).encode()
        clock = self._loop.time
        try:
            exchange = await service.exchange(
                "converse-stream", self.model, body, clock(), region=self.region
            )
            connection = cast(Connection, self._connection)
            await Performer(connection, clock, random.Random(0)).perform(exchange)
        except ClientLeft:
            pass
        finally:
            self._connection.finish()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        try:
            event = await self._next()
        except (BedrockError, StopAsyncIteration, asyncio.CancelledError):
            self._over()
            raise
        if "contentBlockDelta" in event:
            self.before_first_token = False
        elif "metadata" in event:
            self._complete = True
            self._owner.used.append((self.model, event["metadata"]["usage"]))
        return event

    async def _next(self) -> Event:
        while not self._events:
            if self._error is not None:
                raise self._error
            await self._connection.more(self._until())
            if not self._connection.parts and not self._connection.ended:
                raise self._late()
            self._read()
        self._seen, self._last = True, self._loop.time()
        return self._events.popleft()

    def _read(self) -> None:
        connection = self._connection
        parts, connection.parts = connection.parts, []
        try:
            for part in parts:
                self._buffer.add_data(part)
                for message in self._buffer:
                    parsed = _reader()._parse_event(message)
                    if parsed:
                        self._events.append(parsed)
            if connection.ended and not self._events:
                connection.outcome()
                raise StopAsyncIteration
        except StopAsyncIteration:
            raise
        except Exception as error:
            self._error = self._classified(error)

    def _until(self) -> float:
        due = self._began + (self._limits["total"] or 0.0)
        if not self._seen:
            return min(due, self._began + (self._limits["first"] or 0.0))
        silence = self._limits["silence"]
        return due if silence is None else min(due, self._last + silence)

    def _late(self) -> BedrockError:
        if not self._seen:
            message = f"no event within {self._limits['first']:g} s"
        elif self._loop.time() - self._began >= (self._limits["total"] or 0.0):
            message = f"not finished within {self._limits['total']:g} s"
        else:
            message = f"silent for {self._limits['silence']:g} s in the middle of the answer"
        return self._classified(BedrockError(ErrorKind.TIMEOUT, message))

    def _classified(self, error: Exception) -> BedrockError:
        if isinstance(error, BedrockError):
            kind, message, first = error.kind, error.message, self.before_first_token
            return BedrockError(kind, message, "", None, self.region, self.model, first)
        untaken = any("contentBlockDelta" in event for event in self._events)
        return classify(
            error,
            region=self.region,
            model=self.model,
            before_first_token=self.before_first_token and not untaken,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cancel()

    def cancel(self) -> None:
        """End the stream: nothing that is still to come is wanted."""
        if self._error is None and not self._complete:
            cancelled = BedrockError(ErrorKind.CANCELLED, "the stream was cancelled")
            self._error = self._classified(cancelled)
        self._over()

    async def released(self) -> None:
        """There is no thread to be freed."""

    def _over(self) -> None:
        self._owner.closed(self, whole=self._complete or self._connection.whole)
        if not self._complete:
            # Behind the last event there is only the end of the body.
            self._connection.leave()


class _Connection:
    """The emulator's end of a request, and the client's ear at it."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.parts: list[bytes] = []
        self.ended = self.whole = False
        self._problem: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    # The emulator's side

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        self._present()
        code = dict(headers).get("x-amzn-errortype", "")
        message = json.loads(body).get("message", "")
        error = {"Error": {"Code": code, "Message": message}}
        told = {**error, "ResponseMetadata": {"HTTPStatusCode": status}}
        self._problem = ClientError(told, "ConverseStream")  # type: ignore[arg-type]
        self.whole = True
        self.finish()

    async def start_chunked(self, status: int, headers: Headers) -> None:
        self._present()

    async def chunk(self, data: bytes) -> None:
        self._present()
        self.parts.append(data)
        self._wake()

    async def end_chunked(self) -> None:
        self._present()
        self.whole = True
        self.finish()

    def break_in_chunk(self, data: bytes) -> None:
        self.parts.append(data[: len(data) // 2])
        self._broken("Connection broken: IncompleteRead")

    def close(self) -> None:
        """Without an answer this is what the client library says."""
        if not self.ended and self._problem is None:
            endpoint = "memory"
            self._problem = ConnectionClosedError(endpoint_url=endpoint)
        self.finish()

    def reset(self) -> None:
        self._broken("Connection broken: ConnectionResetError")

    abort = reset

    async def pause(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.left.wait()
        except TimeoutError:
            return
        raise ClientLeft

    def _present(self) -> None:
        if self.left.is_set():
            raise ClientLeft

    def _broken(self, text: str) -> None:
        self._problem = ProtocolError(text)
        self.finish()

    # The client's side

    async def more(self, until: float) -> None:
        """Return when there is something to read, or at `until`."""
        if self.parts or self.ended:
            return
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_at(until, self._wake)
        try:
            # Bounded by the timer.
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def outcome(self) -> None:
        """Raise what the client library would."""
        if self._problem is not None:
            raise self._problem

    def finish(self) -> None:
        """Nothing more comes."""
        self.ended = True
        self._wake()

    def leave(self) -> None:
        """The client is gone."""
        self.left.set()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def usage_of(told: Mapping[str, int]) -> Usage:
    """The usage that a stream's last event tells."""
    return Usage(
        told.get("inputTokens", 0),
        told.get("outputTokens", 0),
        told.get("cacheReadInputTokens", 0),
        told.get("cacheWriteInputTokens", 0),
    )


def _blob(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot stand in a request")
