"""A socket with a fault: any session, and one thing that goes wrong with it at a time of its life.

Pure: a `Session` around a `Session`.
Source: Deepgram, closing of websockets.
"""

from __future__ import annotations

from collections.abc import Callable

from aybiza.emulators.deepgram.faults import Fault
from aybiza.emulators.deepgram.session import (
    Abort,
    Action,
    Close,
    Send,
    Session,
    earliest,
    said,
)


class Faulty:
    """`inner`, and `fault` from `fault.after` seconds of its life on; `told` when it is over."""

    def __init__(
        self, inner: Session, fault: Fault | None, told: Callable[[Faulty], None] = lambda _: None
    ) -> None:
        self._inner = inner
        self._fault = fault
        self._told = told
        self._strikes_at: float | None = None
        self._stalled = False

    @property
    def due(self) -> float | None:
        return earliest(self._inner.due, self._strikes_at)

    def strike(self, now: float, fault: Fault) -> None:
        """Have `fault` strike `fault.after` seconds from now; it is noticed at the next event."""
        self._fault, self._strikes_at = fault, now + fault.after

    def opened(self, now: float) -> list[Action]:
        if self._fault is not None:
            self._strikes_at = now + self._fault.after
        return self._passed(self._inner.opened(now))

    async def received(self, now: float, message: str | bytes) -> list[Action]:
        return self._passed(await self._inner.received(now, message))

    def wake(self, now: float) -> list[Action]:
        actions: list[Action] = []
        if self._fault is not None and self._strikes_at is not None and now >= self._strikes_at:
            self._strikes_at = None
            self._stalled = self._fault.kind == "stall"
            actions = _STRIKES[self._fault.kind](self._fault)
        due = self._inner.due
        if due is not None and now >= due:
            actions += self._passed(self._inner.wake(now))
        return actions

    def synthesised(self, now: float, ticket: int, audio: bytes | None) -> list[Action]:
        return self._passed(self._inner.synthesised(now, ticket, audio))

    async def gone(self) -> None:
        self._told(self)
        await self._inner.gone()

    def _passed(self, actions: list[Action]) -> list[Action]:
        return [a for a in actions if not (self._stalled and isinstance(a, Send))]


_STRIKES: dict[str, Callable[[Fault], list[Action]]] = {
    "close": lambda fault: [Close(fault.code, "closed on demand")],
    "abort": lambda fault: [Abort()],
    "stall": lambda fault: [],
    "unknown": lambda fault: [said({"type": "Novelty", "value": 1})],
    "malformed": lambda fault: [Send('{"type": "Results", "channel":')],
    "message": lambda fault: [Send(fault.text)],
}
