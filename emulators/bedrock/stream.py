"""The steps of an exchange on a connection: frames, chunks and broken connections.

Contract: a `Performer` does an exchange's steps when they are due and tells the exchange of each.
Errors: `ClientLeft` as soon as the client is gone, also in the middle of a pause.
Source: Bedrock: ConverseStream; Amazon event stream encoding.
"""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Callable

from aybiza.emulators.bedrock import eventstream
from aybiza.emulators.bedrock.connection import ClientLeft, Connection, Headers
from aybiza.emulators.bedrock.exchange import (
    Action,
    Answer,
    Corrupt,
    End,
    Event,
    HalfAndClose,
    HangUp,
    Head,
    Reset,
    Step,
    StreamError,
    StreamException,
    Wait,
)
from aybiza.emulators.bedrock.reply import StreamEvent, padded
from aybiza.emulators.bedrock.service import Exchange


class Performer:
    """Does the steps of one exchange on its connection; `chance` pads the frames."""

    def __init__(
        self, connection: Connection, clock: Callable[[], float], chance: random.Random
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._chance = chance

    async def perform(self, exchange: Exchange) -> None:
        """Send the whole response, or as much of it as its faults and the client allow."""
        step: Step | None = None
        try:
            for step in exchange:
                await self._wait_until(exchange.arrived + step.at)
                await self._do(step.action)
                exchange.done(step)
        except ClientLeft:
            exchange.left(step)
            raise
        finally:
            exchange.over()

    async def _wait_until(self, due: float) -> None:
        wait = due - self._clock()
        if wait > 0:
            await self._connection.pause(wait)
            return
        await asyncio.sleep(0)  # lets a client that has left be noticed
        if self._connection.left.is_set():
            raise ClientLeft

    async def _do(self, action: Action) -> None:
        connection = self._connection
        match action:
            case Answer(status, body, error_code):
                errors = [("x-amzn-errortype", error_code)] if error_code else []
                head = [*headers(), *errors]
                await connection.answer(status, head, json.dumps(body).encode())
            case Head():
                await connection.start_chunked(200, headers(eventstream.CONTENT_TYPE))
            case Event(event):
                await connection.chunk(self._frame(event))
            case Corrupt(event):
                await connection.chunk(eventstream.with_bad_crc(self._frame(event)))
            case StreamException(code, message):
                await connection.chunk(eventstream.exception_frame(code, message))
            case StreamError(code, message):
                await connection.chunk(eventstream.error_frame(code, message))
            case Wait(seconds):
                await connection.pause(seconds)
            case End():
                await connection.end_chunked()
            case HalfAndClose(event):
                connection.break_in_chunk(self._frame(event))
            case Reset():
                connection.reset()
            case HangUp():
                connection.close()

    def _frame(self, event: StreamEvent) -> bytes:
        return eventstream.event_frame(event.type, padded(event.payload, self._chance))


def headers(content_type: str = "application/json") -> Headers:
    """Those of every response."""
    return [("Content-Type", content_type), ("x-amzn-RequestId", str(uuid.uuid4()))]
