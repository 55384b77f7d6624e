"""One ConverseStream response on its way out: paced, journalled, and broken on demand.

Contract: `ResponseStream.send` sends a reply's events when the pace says so and closes the
journal's record. A fault strikes when its number of deltas has gone out (or just before
`messageStop`, when the reply has fewer).
Errors: `ClientLeft` as soon as the client is gone, also in the middle of a pause.
Source: Bedrock: ConverseStream; Amazon event stream encoding.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

from aybiza.emulators.bedrock import eventstream
from aybiza.emulators.bedrock.connection import ClientLeft, Connection, Headers
from aybiza.emulators.bedrock.faults import Fault, Pace
from aybiza.emulators.bedrock.journal import COMPLETED, FAULT, Journal, Record
from aybiza.emulators.bedrock.reply import Reply, StreamEvent, metadata, padded, stream_events


class _After(Enum):
    """What remains to be done with the event at which a fault struck."""

    SEND = "send the event"
    SKIP = "go on with the next one"
    END = "nothing: the stream is over"


class ResponseStream:
    """The way of one reply to its client."""

    def __init__(
        self,
        connection: Connection,
        record: Record,
        journal: Journal,
        pace: Pace,
        chance: random.Random,
        fault: Fault | None = None,
    ) -> None:
        self._connection = connection
        self._record = record
        self._journal = journal
        self._pace = pace
        self._chance = chance
        self._fault = fault if fault is not None and fault.kind in _STRIKES else None

    async def send(self, reply: Reply, usage: dict[str, Any], headers: Headers) -> None:
        """Send the whole response, or as much of it as the fault and the client allow."""
        record = self._record
        events = list(stream_events(reply, usage))
        record.deltas_total = sum(event.is_delta for event in events)
        await self._connection.start_chunked(200, headers)
        record.status = 200
        record.header_sent = time.monotonic()
        self._journal.touch()
        first = self._pace.seconds(self._pace.first_token_ms, self._chance)
        record.told_first_ms = first * 1000.0
        due = record.arrived + first
        for event in events:
            if event.is_delta and record.deltas_sent:
                due += self._pace.seconds(self._pace.per_delta_ms, self._chance)
            await self._wait_until(due)
            after = await self._strike(event) if self._fault_is_due(event) else _After.SEND
            if after is _After.END:
                self._journal.close(record, FAULT, time.monotonic())
                return
            if after is _After.SEND:
                await self._send(event, self._frame(event))
        await self._connection.end_chunked()
        self._journal.close(record, COMPLETED, time.monotonic())

    async def _wait_until(self, due: float) -> None:
        wait = due - time.monotonic()
        if wait > 0:
            await self._connection.pause(wait)
            return
        await asyncio.sleep(0)  # lets a client that has left be noticed
        if self._connection.left.is_set():
            raise ClientLeft

    async def _send(self, event: StreamEvent, frame: bytes) -> None:
        record = self._record
        try:
            await self._connection.chunk(frame)
        except ClientLeft:
            record.deltas_after_client_left += event.is_delta
            raise
        record.deltas_sent += event.is_delta
        record.last_event_sent = time.monotonic()
        if record.first_event_sent is None:
            record.first_event_sent = record.last_event_sent
        self._journal.touch()

    def _frame(self, event: StreamEvent) -> bytes:
        if event.type == "metadata":
            elapsed = round((time.monotonic() - self._record.arrived) * 1000)
            event = metadata(event.payload["usage"], elapsed)
        return eventstream.event_frame(event.type, padded(event.payload, self._chance))

    def _fault_is_due(self, event: StreamEvent) -> bool:
        if self._fault is None:
            return False
        enough = self._record.deltas_sent >= self._fault.after
        return event.type == "messageStop" or (event.is_delta and enough)

    async def _strike(self, event: StreamEvent) -> _After:
        assert self._fault is not None
        fault, self._fault = self._fault, None
        return await _STRIKES[fault.kind](self, fault, event)

    async def _exception(self, fault: Fault, event: StreamEvent) -> _After:
        frame = eventstream.exception_frame(fault.error_code, fault.error_message)
        await self._connection.chunk(frame)
        return await self._silent_end(fault, event)

    async def _error(self, fault: Fault, event: StreamEvent) -> _After:
        frame = eventstream.error_frame(fault.error_code, fault.error_message)
        await self._connection.chunk(frame)
        return await self._silent_end(fault, event)

    async def _fin(self, fault: Fault, event: StreamEvent) -> _After:
        self._connection.break_in_chunk(self._frame(event))
        return _After.END

    async def _rst(self, fault: Fault, event: StreamEvent) -> _After:
        self._connection.reset()
        return _After.END

    async def _stall(self, fault: Fault, event: StreamEvent) -> _After:
        await self._connection.pause(fault.seconds)
        return _After.SEND

    async def _silent_end(self, fault: Fault, event: StreamEvent) -> _After:
        await self._connection.end_chunked()
        return _After.END

    async def _bad_crc(self, fault: Fault, event: StreamEvent) -> _After:
        await self._send(event, eventstream.with_bad_crc(self._frame(event)))
        return _After.SKIP


_STRIKES: dict[str, Callable[[ResponseStream, Fault, StreamEvent], Awaitable[_After]]] = {
    "stream_exception": ResponseStream._exception,
    "stream_error": ResponseStream._error,
    "fin": ResponseStream._fin,
    "rst": ResponseStream._rst,
    "stall": ResponseStream._stall,
    "silent_end": ResponseStream._silent_end,
    "bad_crc": ResponseStream._bad_crc,
}
