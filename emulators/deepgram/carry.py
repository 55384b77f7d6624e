"""Carries a session over a wire: the only place where a machine meets tasks and time.

    await carry(session, wire, engine, clock)

The wire is a websocket (`server`), or two queues in memory for a node that runs in virtual time;
the clock is that of the session. Returns when the session has ended, from either side, and leaves
no task behind.
Errors: `Gone` from a wire ends the session; whatever else a wire raises is passed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from aybiza.emulators.deepgram.engine import Engine, SynthesisError
from aybiza.emulators.deepgram.session import Abort, Action, Close, Send, Session, Synthesise

log = structlog.get_logger(__name__)


class Gone(Exception):
    """The client's end of the wire is no more."""


class Wire(Protocol):
    """A connection to a client. Every method may raise `Gone`."""

    async def receive(self) -> str | bytes: ...

    async def send(self, data: str | bytes) -> None: ...

    async def close(self, code: int, reason: str) -> None: ...

    def abort(self) -> None: ...


async def carry(session: Session, wire: Wire, engine: Engine, clock: Callable[[], float]) -> None:
    """See the module."""
    carrier = _Carrier(session, wire, engine, clock)
    try:
        await carrier.run()
    except Gone:
        pass
    finally:
        await carrier.end()
        await session.gone()


class _Carrier:
    """One session on its wire; `_speaking` are the texts that are being synthesised."""

    def __init__(
        self, session: Session, wire: Wire, engine: Engine, clock: Callable[[], float]
    ) -> None:
        self._session = session
        self._wire = wire
        self._engine = engine
        self._clock = clock
        self._receiving: asyncio.Task[str | bytes] | None = None
        self._speaking: dict[asyncio.Task[bytes | None], int] = {}

    async def run(self) -> None:
        going = await self._do(self._session.opened(self._clock()))
        while going:
            going = await self._do(await self._next()) and await self._do(self._woken())

    async def end(self) -> None:
        tasks = [*self._speaking, *([self._receiving] if self._receiving else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _next(self) -> list[Action]:
        """Wait for what comes first: a message, an audio, or the session's own time."""
        if self._receiving is None:
            self._receiving = asyncio.create_task(self._wire.receive())
        due = self._session.due
        wait = None if due is None else max(0.0, due - self._clock())
        tasks: set[asyncio.Task[object]] = {self._receiving, *self._speaking}
        done, _ = await asyncio.wait(tasks, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        for speech in [task for task in self._speaking if task in done]:
            ticket = self._speaking.pop(speech)
            return self._session.synthesised(self._clock(), ticket, await speech)
        if self._receiving in done:
            receiving, self._receiving = self._receiving, None
            return await self._session.received(self._clock(), await receiving)
        return []

    def _woken(self) -> list[Action]:
        now, due = self._clock(), self._session.due
        return [] if due is None or now < due else self._session.wake(now)

    async def _do(self, actions: Iterable[Action]) -> bool:
        """Carry actions out; whether the session goes on."""
        for action in actions:
            match action:
                case Send(data):
                    await self._wire.send(data)
                case Synthesise(ticket, text, voice):
                    task = asyncio.create_task(self._synthesise(text, voice))
                    self._speaking[task] = ticket
                case Close(code, reason):
                    await self._wire.close(code, reason)
                    return False
                case Abort():
                    self._wire.abort()
                    return False
        return True

    async def _synthesise(self, text: str, voice: str) -> bytes | None:
        try:
            return await self._engine.synthesise(text, voice)
        except Exception as error:
            foreseen = isinstance(error, SynthesisError)
            log.warning("text_not_spoken", reason=str(error), exc_info=not foreseen)
            return None
