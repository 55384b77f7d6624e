"""One answer of Bedrock on its way from the thread that reads it to the loop that wants it.

Purpose: `ConverseStream`, the async iterator over boto3's events.
Contract: the thread is at most 64 events ahead, then it waits; the time limits hold whether or not
anybody awaits the stream; `cancel()` frees the thread at once. A thread that nothing can wake
is given up after a quarter of a second.
Errors: `BedrockError`.
Source: Bedrock runtime API, ConverseStream.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Self

from aybiza.claude.errors import BedrockError, ErrorKind, classify
from aybiza.claude.hand_over import HandOver
from aybiza.claude.transport import Exchange, Severed

Event = Mapping[str, Any]

# Events that a thread may be ahead of the loop; a lagging loop makes the thread wait.
_HAND_OVER: Final = 64
# How long the end of a body may take after the last event.
_BODY_END_S: Final = 0.5
# How long a cancelled thread may take to return before its place is given to another.
_ABANDON_AFTER_S: Final = 0.25


class ConverseStream:
    """The events of one `converse_stream`, as an async iterator of boto3's event dicts.

    Iteration ends after the last event and raises `BedrockError` otherwise. A task that is
    cancelled while it awaits the next event ends the stream with it. `async with` cancels at its
    end whatever is left; behind the last event that is only the end of the answer's body, which is
    read, so that the connection can be used again. For one consumer, on the loop where it was made.
    """

    def __init__(
        self,
        on_end: Callable[[ConverseStream, str], None],
        hand_over: HandOver,
        *,
        model: str,
        region: str,
        timeout: float,
        first_event_timeout: float,
        silence_timeout: float | None = None,
    ) -> None:
        self.model = model
        self.region = region
        self._on_end = on_end
        self._post = hand_over.post
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
        self._silence = silence_timeout
        self._last_event: float | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._abandon: Callable[[], None] | None = None
        self._before_first_token = True
        self._complete = False

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
        elif "metadata" in event:
            self._complete = True
        return event

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._complete and not self._ended:
            self._timers["body"] = self._loop.call_later(_BODY_END_S, self.cancel)
        else:
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

    def begin(self, abandon: Callable[[], None]) -> None:
        """The client has found a thread, which `abandon` gives up: the time limits run from now."""
        self._abandon = abandon
        says = {"first": "no event within {:g} s", "total": "not finished within {:g} s"}
        for name, limit in self._limits.items():
            message = says[name].format(limit)
            self._timers[name] = self._loop.call_later(
                limit, self._stop, "failed", ErrorKind.TIMEOUT, message
            )

    def _listen(self) -> None:
        """Does the stream still speak? Looked at now and then, not by a timer for each event."""
        assert self._silence is not None and self._last_event is not None
        if self._events:
            # Not the stream is slow, but whoever takes its events.
            self._last_event = self._loop.time()
        due = self._last_event + self._silence
        if self._loop.time() >= due:
            message = f"silent for {self._silence:g} s in the middle of the answer"
            self._stop("failed", ErrorKind.TIMEOUT, message)
        else:
            self._timers["silence"] = self._loop.call_at(due, self._listen)

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
            if self._silence is not None:
                first, self._last_event = self._last_event is None, self._loop.time()
                if first:
                    self._listen()
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

    def read(self, client_of: Callable[[str], Any], request: dict[str, Any]) -> None:
        """The thread's whole work for this stream; does not raise."""
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

    def thread_free(self) -> None:
        """The thread's place can be taken by another stream."""
        self._post(self._left)

    def _hand_over(self, event: Event) -> None:
        left = self._deadline - time.monotonic()
        if not self._room.acquire(timeout=max(left, 0.0)):
            raise TimeoutError("nobody took the stream's events in time")
        self._exchange.check()
        if not self._post(partial(self._arrived, event)):
            raise Severed
