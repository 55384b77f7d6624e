"""What the tests of the machines share: a session told what comes, in time that is a number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aybiza.emulators.deepgram.faults import Door
from aybiza.emulators.deepgram.schemas import problem
from aybiza.emulators.deepgram.session import Abort, Action, Close, Send, Session, Synthesise

CASES = Path(__file__).parents[1] / "cases"


def case(name: str) -> Any:
    """The inputs of a case."""
    return json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))


class Driven:
    """A session on a clock that is a number; `told` are the messages with their times.

    Each message is held against the schemas of its `door`, where one is named.
    """

    def __init__(self, session: Session, door: Door | None = None) -> None:
        self.door = door
        self.session = session
        self.now = 0.0
        self.told: list[tuple[float, dict[str, Any]]] = []
        self.ended: Close | Abort | None = None
        self.ended_at: float | None = None
        self._do(session.opened(0.0))

    async def send(self, message: str | bytes | dict[str, Any]) -> None:
        told = json.dumps(message) if isinstance(message, dict) else message
        self._do(await self.session.received(self.now, told))

    async def until(self, when: float) -> None:
        """Let time go by."""
        while self.ended is None and (due := self.session.due) is not None and due <= when:
            self.now = max(self.now, due)
            self._do(self.session.wake(self.now))
        self.now = max(self.now, when)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a type."""
        return [message for _, message in self.told if message["type"] == kind]

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            assert self.ended is None, "nothing follows an end"
            match action:
                case Send(str(data)):
                    message = json.loads(data)
                    assert self.door is None or problem(self.door, message) is None, message
                    self.told.append((self.now, message))
                case Synthesise(ticket):
                    self._do(self.session.synthesised(self.now, ticket, b"\x01" * 8000))
                case Close() | Abort():
                    self.ended, self.ended_at = action, self.now
